"""The line that a process of the snap ends with when it must not go on: how it is made, and how it is read.

`SNAP: WHAT; REMEDY[; if that does not help, report this line]`, on stderr.  main.c writes the same.
"""

import os

from fips_launch import place

PREFIX = place.NAME + ": "
STATUS = 78  # EX_CONFIG of sysexits.h
REINSTALL = "reinstall the snap"
WITHOUT_PRELOAD = "run it without LD_PRELOAD"
_REPORT = "; if that does not help, report this line"


class NotLoadedError(SystemExit):
    """A file of the snap turns out to be damaged where it is first used.

    No Exception: whoever takes those for something that may fail would go on without it.
    """


def compose(what: str, remedy: str, report: bool = False) -> str:
    """Return the line, without its end.

    :param what: what is wrong.
    :param remedy: what to do, with no `; ` in it.
    :param report: that may not help.
    """
    return PREFIX + " ".join(f"{what}; {remedy}{_REPORT if report else ''}".split())


def parse(line: str) -> tuple[str, str]:
    """Return what is wrong, and the remedy: empty in a line that :func:`compose` did not make."""
    what, separator, remedy = line.removeprefix(PREFIX).removesuffix(_REPORT).rpartition("; ")
    return (what, remedy) if separator else (remedy, "")


def refuse(what: str, remedy: str, report: bool = False) -> None:
    """End the process with that line."""
    os.write(2, (compose(what, remedy, report) + "\n").encode(errors="backslashreplace"))
    os._exit(STATUS)
