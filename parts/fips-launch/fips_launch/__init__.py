"""The launcher: runs every program of the snap in FIPS mode where the host is, and proves it.

``boot`` does in each Python process, before anything else: decide, select, init, prove, scrub.
``certbot`` and ``chain`` are the two doors, ``hooks`` is what snapd calls.
"""

from fips_launch.environment import for_children

__all__ = ["for_children"]
