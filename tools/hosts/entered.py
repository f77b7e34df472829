"""What hosts share whose processes this machine's kernel runs, in namespaces: run, copy and path."""

from __future__ import annotations

import os
import select
import shlex
import signal
import subprocess
import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from tools.hosts.base import LOGIN_ENVIRONMENT, HostError, HostTimeoutError, ReachedHost, Result


class EnteredHost(ReachedHost):
    """A `SnapHost` in namespaces of this machine; subclasses make the namespaces.

    snap: the packed snap to install on entry, or None.
    """

    def __init__(self, snap: Path | None) -> None:
        super().__init__(snap)
        self._pid = 0
        """A process of the host, the first, as this machine counts; 0: the host is not up."""

    @abstractmethod
    def entering(self) -> list[str]:
        """Return the command that enters the host's namespaces, to be followed by another."""

    def _is_up(self) -> bool:
        return self._pid != 0 and Path(f"/proc/{self._pid}").exists()

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
        if not self._is_up():
            raise HostError("the host is not up")
        variables = LOGIN_ENVIRONMENT if env is None else env
        began = time.monotonic()
        # Files, not pipes: a daemon that the command leaves behind must not keep us waiting for the end of
        # its output. `env -i` last, so that a hostile LD_PRELOAD meets the command only.
        with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
            given.write(stdin.encode(errors="surrogateescape"))
            given.seek(0)
            process = subprocess.Popen(
                [
                    *self.entering(),
                    *("setpriv", "--pdeathsig=KILL", "--"),
                    *("env", "-i", "-C", cwd, "--", *(f"{key}={value}" for key, value in variables.items())),
                    *argv,
                ],
                stdin=given,
                stdout=out,
                stderr=err,
                env=dict(LOGIN_ENVIRONMENT),
                start_new_session=True,
            )
            try:
                ended = wait(process, timeout)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)  # the command, and what it started
                    process.wait()
            seconds = time.monotonic() - began
            if not ended:
                said = _tail(err) or _tail(out) or "nothing"
                raise HostTimeoutError(
                    f"`{shlex.join(argv)}` took longer than {timeout:g} s and said: {said}"
                )
            return Result(tuple(argv), process.returncode, _text(out), _text(err), seconds)

    def path(self, inside: str) -> Path:
        """See `ReachedHost.path`."""
        if not self._is_up():
            raise HostError("the host is not up")
        return Path(f"/proc/{self._pid}/root{inside}")


def wait(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait for the end of a process; Popen.wait(timeout) would poll, and round times to 50 ms."""
    if process.poll() is not None:
        return True
    descriptor = os.pidfd_open(process.pid)
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def _text(file: IO[Any]) -> str:
    file.seek(0)
    content: bytes = file.read()
    return content.decode(errors="surrogateescape")


def _tail(file: IO[Any]) -> str:
    return " / ".join(_text(file).strip().splitlines()[-3:])
