"""The architecture of the snap that this machine builds and runs: a file of parts/toolchain."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from pathlib import Path

TOOLCHAIN = Path(__file__).resolve().parents[1] / "parts" / "toolchain"


@dataclass(frozen=True)
class Architecture:
    """One row of facts.

    :ivar name: Debian's.
    :ivar machine: as uname(2) and Python's wheels say it.
    :ivar triplet: of Debian's library folders.
    :ivar loader: of programs, by its path below the root.
    :ivar qemu: the program that emulates it.
    :ivar write: number of the system call (syscalls(2)); so are the next two.
    """

    name: str
    machine: str
    triplet: str
    loader: str
    qemu: str
    write: int
    writev: int
    perf_event_open: int


def known() -> dict[str, Architecture]:
    """Return all architectures, by what uname(2) calls their machines."""
    found = {}
    for file in TOOLCHAIN.iterdir():
        facts = dict(re.findall(r"^(\w+)=(\S+)$", file.read_text(), re.MULTILINE))
        if "machine" in facts:
            found[facts["machine"]] = Architecture(
                file.name,
                *(facts[name] for name in ("machine", "triplet", "loader", "qemu")),
                *(int(facts[name]) for name in ("write", "writev", "perf_event_open")),
            )
    return found


def complaint() -> str | None:
    """Return one line that says why this machine can neither build nor run the snap; None: it can."""
    names = ", ".join(sorted(architecture.name for architecture in known().values()))
    machine = platform.machine()
    return None if machine in known() else f"this machine is {machine}; the snap is for {names} alone"


#: This machine's; where there is none for it, nothing is built or run, and any will do.
ARCHITECTURE = known().get(platform.machine()) or next(iter(known().values()))
