"""A host that is this machine itself: for machines that are made for tests and thrown away, as tmt's are."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from tools.hosts.base import HostRefusedError
from tools.hosts.entered import EnteredHost

FLAG = Path("/proc/sys/crypto/fips_enabled")


def flagged() -> bool:
    """Tell whether this machine's kernel says that it is a FIPS host."""
    return FLAG.is_file() and FLAG.read_text() == "1\n"


class HereHost(EnteredHost):
    """A host that is this machine, with the FIPS flag of its kernel and its own snapd (root is needed).

    snap: the packed snap to install on entry, and to remove on exit, or None. system: what the machine has to
    be, by its /etc/os-release, such as rhel-9; None: it is not looked at.
    """

    def __init__(self, snap: Path | None = None, system: str | None = None) -> None:
        super().__init__(snap)
        self._system = system
        self._pid = os.getpid()
        self._installed: list[str] = []
        self.name = f"this machine, {'FIPS flag set' if flagged() else 'no FIPS flag'}"

    def up(self) -> None:
        """Look whether this machine will do. Raise HostRefusedError when it will not."""
        release = platform.freedesktop_os_release()
        this = f"{release['ID']}-{release.get('VERSION_ID', '').partition('.')[0]}"
        if self._system not in (None, this):
            raise HostRefusedError(f"this machine is {this}, not {self._system}: see `make tmt`")
        if os.geteuid() != 0:
            raise HostRefusedError("snaps are installed by root: become root and try again")
        if not Path("/run/snapd.socket").exists():
            raise HostRefusedError("no snapd runs on this machine: install it, and start snapd.socket")

    def _install(self, snap: Path) -> None:
        before = self._snaps()
        self.run(["snap", "install", "--dangerous", "--classic", str(snap)], timeout=300).check()
        self._installed += sorted(self._snaps() - before)

    def down(self) -> None:
        """Remove the snaps that were installed here."""
        while self._installed:
            self.run(["snap", "remove", "--purge", self._installed.pop()], timeout=300)

    def _snaps(self) -> set[str]:
        listed = self.run(["snap", "list"])  # fails where there are none
        return {line.split()[0] for line in listed.stdout.splitlines()[1:]}

    def entering(self) -> list[str]:
        """See `EnteredHost.entering`: this machine is entered already."""
        return []
