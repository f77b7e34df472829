"""The launcher: runs every program of the snap in FIPS mode where the host is, and proves it.

``boot`` does in each Python process, before anything else: decide, select, init, prove, scrub.
``certbot`` and ``chain`` are the two doors.  The packages beside it, ``fips_hooks`` for snapd and
``fips_doctor`` for people, come in by a door of their own (main.c), which works when this one refuses.
"""

from fips_launch.environment import for_children

__all__ = ["for_children"]
