"""The launcher: runs every program of the snap in FIPS mode where the host is, and proves it.

``boot`` does in each Python process, before anything else: decide, select, init, prove, scrub.
``certbot`` and ``chain`` are what it runs, its entry points; ``proof`` is one that only proves.  What
``fips_doctor``, for people, and ``fips_hooks``, for snapd, have in common is here too: ``config``.  They have
entry points of their own (main.c), which work when the launcher refuses, and nothing here imports them.
"""
