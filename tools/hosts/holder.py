"""A script as the first process of namespaces of its own: they live as long as its input is held open."""

from __future__ import annotations

import subprocess
from tempfile import TemporaryFile

from tools.hosts.base import LOGIN_ENVIRONMENT, HostRefusedError
from tools.hosts.entered import wait


class Holder:
    """The namespaces, until `close`. They go with their holder too, when that is killed.

    namespaces: unshare's options. script: a shell script and its arguments; it says "ready PID" and ends with
    its input. refused: what this machine refuses, for the error's text, with {} for what was said.
    Raise HostRefusedError when the script is not ready.
    """

    def __init__(self, namespaces: list[str], script: list[str], refused: str) -> None:
        with TemporaryFile() as complaints:
            self._process = subprocess.Popen(
                ["unshare", *namespaces, "--fork", "--kill-child", "--", "sh", *script],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env=dict(LOGIN_ENVIRONMENT),
                start_new_session=True,  # a Ctrl-C is for the test run, which then calls down()
            )
            assert self._process.stdout is not None
            try:
                word, _, pid = self._process.stdout.readline().decode().partition(" ")
                if word != "ready":
                    self._process.wait()
                    complaints.seek(0)
                    said = complaints.read().decode(errors="replace").strip().splitlines()
                    raise HostRefusedError(refused.format(" / ".join(said[-3:])))
            except BaseException:
                self.close()
                raise
        self.pid = int(pid)
        """The script's process, as this machine counts."""

    def close(self, seconds: float = 5.0) -> None:
        """Let the script end, and all in its namespaces with it; kill it after so many seconds."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        if not wait(self._process, seconds):
            self._process.kill()
        self._process.wait()
        self._process.stdout.close()
