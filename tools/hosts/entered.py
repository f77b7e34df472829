"""What hosts share whose processes this machine's kernel runs, in namespaces."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from abc import abstractmethod
from pathlib import Path
from tempfile import TemporaryFile

from tools.hosts.base import LOGIN_ENVIRONMENT, Ended, ReachedHost


class EnteredHost(ReachedHost):
    """A host in namespaces of this machine; subclasses make the namespaces."""

    def __init__(self, snap: Path | None = None) -> None:
        super().__init__(snap)
        self._pid = 0
        """A process of the host, the first, as this machine counts; 0: the host is not up."""

    @abstractmethod
    def entering(self) -> list[str]:
        """Return the command that enters the host's namespaces, to be followed by another."""

    def _is_up(self) -> bool:
        return self._pid != 0 and Path(f"/proc/{self._pid}").exists()

    def _root_path(self) -> Path:
        return Path(f"/proc/{self._pid}/root")

    def _execute(self, command: list[str], given: bytes, seconds: float) -> Ended:
        # Files, not pipes: a daemon that the command leaves behind must not keep us waiting for the end of
        # its output. The command sets its environment last, so that a hostile LD_PRELOAD meets it alone.
        with TemporaryFile() as stdin, TemporaryFile() as out, TemporaryFile() as err:
            stdin.write(given)
            stdin.seek(0)
            process = subprocess.Popen(
                [*self.entering(), "setpriv", "--pdeathsig=KILL", "--", *command],
                stdin=stdin,
                stdout=out,
                stderr=err,
                env=dict(LOGIN_ENVIRONMENT),
                start_new_session=True,
            )
            try:
                ended = wait(process, seconds)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)  # the command, and what it started
                    process.wait()
            for file in (out, err):
                file.seek(0)
            return Ended(process.returncode if ended else None, out.read(), err.read())


def wait(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait for the end of a process; Popen.wait(timeout) would poll, and round times to 50 ms."""
    if process.poll() is not None:
        return True
    descriptor = os.pidfd_open(process.pid)
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)
