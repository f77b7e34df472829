"""What snapd calls: the hooks, and the service that reports health.

They come in by the entry point `fips-hook NAME` of the interpreter's main program, which is not proven and
has no crypto: the administrator must be able to change a setting, and snapd to learn of it, on a machine
where the module is broken.  What they want to know of crypto they ask other processes, by the proven entry
points.
"""
