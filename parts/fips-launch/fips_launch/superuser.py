"""Whether a PATH leads to the programs of administrators, which hooks want to start."""

import os

FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def missing(path: str | None) -> bool:
    """Tell whether a PATH (None: not set, so that shells have their own) has no folder for them.

    cron and a plain `su` set such a PATH.  Where /usr/sbin is a link to /usr/bin, that will do.
    """
    if path is None:
        return False
    wanted = {os.path.realpath(folder) for folder in FOLDERS if os.path.isdir(folder)}
    return not wanted & {os.path.realpath(folder) for folder in path.split(":")}
