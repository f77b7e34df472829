"""Properties are tried on the same examples in each run, however slow the machine is."""

from hypothesis import settings

settings.register_profile("project", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("project")
