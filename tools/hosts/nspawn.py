"""A host with real systemd and real snapd: a userland booted by systemd-nspawn, on this machine's kernel.

The userland is a root of tools/hosts/roots.py under an overlay in memory, so what is done to the host is
gone at its end. The flag is what fips_flag.sh mounts before any service starts. The network
is loopback only.

All processes of a host are in a cgroup of its own, which is how they are ended; a record in RECORDS says who
uses the host, so that the next run ends the hosts of a run that was killed.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tools.hosts import roots, snapd
from tools.hosts.base import LOGIN_ENVIRONMENT, HostError, HostRefusedError
from tools.hosts.entered import EnteredHost
from tools.hosts.processes import identity, lives

RECORDS = Path("/run/certbot-fips-hosts")
REPORTS = Path(__file__).resolve().parents[2] / "build/reports"
BOOT_SECONDS = 60.0
_COUNT = itertools.count()
_UNIFIED = ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")


class NspawnHost(EnteredHost):
    """A host that boots (root is needed).

    root: its userland, see roots.root. flagged: is this a FIPS host? An unflagged one shows
    the flag of this machine's kernel, usually none. snap: the packed snap to install on entry, or None.
    """

    def __init__(self, root: str | Path, flagged: bool, snap: Path | None = None) -> None:
        super().__init__(snap)
        self._root = root
        self._flagged = flagged
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._id = f"certbot-fips-{os.getpid()}-{next(_COUNT)}"
        self._record = RECORDS / self._id
        self.name = f"{Path(root).name} with snapd, {'FIPS flag set' if flagged else 'no FIPS flag'}"

    def up(self) -> None:
        """Boot it; see `Host.up`."""
        if os.geteuid() != 0:
            raise HostRefusedError("systemd-nspawn needs root: become root and try again")
        if shutil.which("systemd-nspawn") is None:
            raise HostRefusedError("no program `systemd-nspawn` on this machine: run `make setup`")
        if not Path("/dev/loop-control").exists():
            raise HostRefusedError("no /dev/loop-control: snapd mounts snaps by loop devices (modprobe loop)")
        userland, snaps = roots.root(self._root), roots.base_snaps()
        remove_orphans()
        try:
            self._start(userland)
            self._wait_for("its first process", self._find_first)
            self._wait_for("its services", self._booted)
            for snap in snaps:
                snapd.install(self, snap)
        except BaseException:
            self.down()
            raise

    def prepare(self) -> None:
        """See `Host.prepare`."""
        roots.root(self._root)
        roots.base_snaps()

    def _install(self, snap: Path) -> None:
        snapd.install(self, snap, "--classic")

    def down(self) -> None:
        """End all processes of the host; its mounts and loop devices go with them."""
        nspawn, self._nspawn, self._pid = self._nspawn, None, 0
        end(self._record)
        if nspawn is not None:
            nspawn.wait()

    def journal(self) -> Path:
        """Keep what the host's console has said in build/reports and return that file."""
        REPORTS.mkdir(parents=True, exist_ok=True)
        kept = REPORTS / f"{self._id}.log"
        shutil.copy(self._record / "console", kept)
        return kept

    def _start(self, userland: Path) -> None:
        cgroup = _cgroup_root() / self._id
        try:
            cgroup.mkdir()
        except OSError as error:
            raise HostRefusedError(
                f"no cgroup can be made in {cgroup.parent} ({error.strerror}): be root, with CAP_SYS_ADMIN"
            ) from error
        # Aside, then renamed: another run takes a record without a user for an orphan.
        aside = RECORDS.with_name(f".{self._id}")
        aside.mkdir()
        (aside / "user").write_text(identity(os.getpid()))
        (aside / "cgroup").symlink_to(cgroup)
        RECORDS.mkdir(exist_ok=True)
        aside.rename(self._record)
        binds = ["--bind=/dev/loop-control", *(["--bind=/dev/fuse"] if Path("/dev/fuse").exists() else [])]
        if self._flagged:
            (self._record / "flag").write_text("1\n")
            binds.append(f"--bind-ro={self._record}/flag:/fips-flag")
        with (self._record / "console").open("wb") as console:
            self._nspawn = subprocess.Popen(
                [
                    *("sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', str(cgroup)),
                    *("systemd-nspawn", "--quiet", "--boot", f"--directory={userland}"),
                    *("--volatile=overlay", f"--machine={self._id}", "--register=no", "--keep-unit"),
                    *("--private-network", "--capability=all", "--console=read-only", "--resolv-conf=off"),
                    *("--system-call-filter=@mount @keyring bpf @module", "--timezone=off", *binds),
                ],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                env={
                    **LOGIN_ENVIRONMENT,
                    "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "yes",
                    "SYSTEMD_NSPAWN_LOCK": "0",  # the root is only read, several hosts share it
                    "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
                },
                start_new_session=True,  # a Ctrl-C is for the test run, which then calls down()
            )

    def _find_first(self) -> bool:
        """Look for the host's own PID 1; nspawn's first child is a helper that soon ends."""
        for line in _processes(self._record):
            with suppress(OSError, IndexError):
                status = Path(f"/proc/{line}/status").read_text()
                counted = status.partition("NSpid:")[2].splitlines()[0].split()
                if (
                    len(counted) > 1
                    and counted[-1] == "1"
                    and Path(f"/proc/{line}/comm").read_text() == "systemd\n"
                ):
                    self._pid = int(line)
                    return True
        return False

    def _booted(self) -> bool:
        state = self.run(["systemctl", "is-system-running"]).stdout.strip()
        return state in ("running", "degraded")

    def _wait_for(self, what: str, come: Callable[[], bool]) -> None:
        assert self._nspawn is not None
        deadline = time.monotonic() + BOOT_SECONDS
        while not come():
            ended = self._nspawn.poll() is not None
            if ended or time.monotonic() > deadline:
                kept = self.journal()
                how = "ended" if ended else f"did not start {what} in {BOOT_SECONDS:g} s"
                said = [line for line in kept.read_text(errors="replace").splitlines() if line.strip()]
                raise HostError(f"{self.name} {how}; its console is kept in {kept} and ends: {said[-1:]}")
            time.sleep(0.05)

    def entering(self) -> list[str]:
        """See `EnteredHost.entering`."""
        # Into its cgroup too: snapd looks there to tell which snap a process belongs to.
        first = Path(f"/proc/{self._pid}/cgroup").read_text().partition("0::")[2].splitlines()[0]
        into = f"{_cgroup_root()}{first}/cgroup.procs"
        return [
            *("sh", "-c", 'echo $$ > "$0" && exec "$@"', into),
            *("nsenter", f"--target={self._pid}", "--all", "--"),
        ]


def remove_orphans() -> None:
    """End the hosts whose users are gone without having ended them."""
    for record in RECORDS.glob("*"):
        known = ""
        with suppress(OSError):
            known = (record / "user").read_text()
        if not lives(known):
            end(record)


def end(record: Path) -> None:
    """End all processes of the host with this record, and remove its traces. Raise HostError if they live."""
    if not record.is_dir():
        return
    cgroup = (record / "cgroup").resolve()
    if cgroup.is_dir() and cgroup != record / "cgroup":
        with suppress(OSError):
            (cgroup / "cgroup.kill").write_text("1")
        deadline = time.monotonic() + 10
        while _processes(record) and time.monotonic() < deadline:
            time.sleep(0.02)
        if left := _processes(record):
            raise HostError(f"processes of a host do not end: {' '.join(left)} (in {cgroup})")
        for inner in sorted(cgroup.rglob("*/"), reverse=True):
            with suppress(OSError):
                inner.rmdir()
        with suppress(OSError):
            cgroup.rmdir()
    shutil.rmtree(record, ignore_errors=True)


def _processes(record: Path) -> list[str]:
    found: list[str] = []
    for procs in (record / "cgroup").resolve().rglob("cgroup.procs"):
        with suppress(OSError):
            found += procs.read_text().split()
    return found


def _cgroup_root() -> Path:
    for folder in map(Path, _UNIFIED):
        if (folder / "cgroup.procs").exists() and (folder / "cgroup.controllers").exists():
            return folder
    raise HostRefusedError("no cgroup version 2 on this machine, which ends all processes of a host at once")
