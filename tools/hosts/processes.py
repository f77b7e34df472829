"""Processes by what no other process has: a PID alone is given to another one in time."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def identity(pid: int) -> str:
    """Return a process's PID and start time. Raise OSError when there is none."""
    # proc(5): starttime is the 22nd field; the name, in parentheses, may have spaces.
    return f"{pid} {Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[19]}"


def lives(known: str) -> bool:
    """Tell whether the process of an identity is still there; what is no identity is none's."""
    with suppress(OSError, ValueError, IndexError):
        return identity(int(known.split()[0])) == known
    return False
