"""A host that is this machine itself: for machines that are made for tests and thrown away, as tmt's are."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Self

from tools.hosts.base import LOGIN_ENVIRONMENT, HostRefusedError, HostTimeoutError, Result

FLAG = Path("/proc/sys/crypto/fips_enabled")


class HereHost:
    """A `SnapHost` that is this machine, with the FIPS flag of its kernel and its own snapd (root is needed).

    snap: the packed snap to install on entry, and to remove on exit, or None.
    """

    def __init__(self, snap: Path | None = None) -> None:
        self._snap = snap
        self._installed: list[str] = []
        flagged = FLAG.is_file() and FLAG.read_text() == "1\n"
        self.name = f"this machine, {'FIPS flag set' if flagged else 'no FIPS flag'}"

    def up(self) -> None:
        """Look whether this machine will do. Raise HostRefusedError: no snapd runs, or you are not root."""
        if os.geteuid() != 0:
            raise HostRefusedError("snaps are installed by root: become root and try again")
        if not Path("/run/snapd.socket").exists():
            raise HostRefusedError("no snapd runs on this machine: install it, and start snapd.socket")

    def install(self, snap: Path) -> None:
        """See `SnapHost.install`."""
        before = self._snaps()
        self.run(["snap", "install", "--dangerous", "--classic", str(snap)], timeout=300).check()
        self._installed += sorted(self._snaps() - before)

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        cwd: str = "/",
        timeout: float = 120.0,
    ) -> Result:
        """See `Host.run`."""
        variables = LOGIN_ENVIRONMENT if env is None else env
        began = time.monotonic()
        # Files, not pipes: a daemon that the command leaves behind must not keep us waiting.
        with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
            given.write(stdin.encode(errors="surrogateescape"))
            given.seek(0)
            process = subprocess.Popen(
                ["env", "-C", cwd, "--", *argv],
                stdin=given,
                stdout=out,
                stderr=err,
                env=dict(variables),
                start_new_session=True,
            )
            ended = True
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                ended = False
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            out.seek(0)
            err.seek(0)
            stdout, stderr = (file.read().decode(errors="surrogateescape") for file in (out, err))
        if not ended:
            said = " / ".join((stderr or stdout).strip().splitlines()[-3:]) or "nothing"
            raise HostTimeoutError(f"`{shlex.join(argv)}` took longer than {timeout:g} s and said: {said}")
        return Result(tuple(argv), process.returncode, stdout, stderr, time.monotonic() - began)

    def copy(self, source: Path, target: str) -> None:
        """See `Host.copy`."""
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
        else:
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)

    def path(self, inside: str) -> Path:
        """Return `inside`: the host's paths are this machine's."""
        return Path(inside)

    def down(self) -> None:
        """Remove the snaps that were installed here."""
        while self._installed:
            self.run(["snap", "remove", "--purge", self._installed.pop()], timeout=300)

    def _snaps(self) -> set[str]:
        listed = self.run(["snap", "list"])  # fails where there are none
        return {line.split()[0] for line in listed.stdout.splitlines()[1:]}

    def __enter__(self) -> Self:
        try:
            self.up()
            if self._snap is not None:
                self.install(self._snap)
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.down()
