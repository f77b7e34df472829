"""A shell on the serial console of a virtual machine, typed into with pexpect."""

from __future__ import annotations

import secrets
from pathlib import Path

import pexpect

from tools.hosts.base import HostError, HostTimeoutError


class Console:
    """A virtual machine's console. argv: the command of the machine; log: keeps all that the console says."""

    def __init__(self, argv: list[str], log: Path) -> None:
        self._log = log
        self._named = False
        self._file = log.open("wb")
        self._child = pexpect.spawn(argv[0], argv[1:], timeout=None)
        self._child.logfile_read = self._file
        self._child.delaybeforesend = None

    def wait_for_shell(self, seconds: float) -> None:
        """Wait until the shell answers. Raise HostTimeoutError when it does not, HostError at the end."""
        self._expect(rb"root@[^\r\n]*# ", seconds, "did not start a shell")
        self.type("stty -echo cols 500; PS1=; TERM=dumb; dmesg -n 1", 60)

    def type(self, line: str, seconds: float) -> int:
        """Have the shell run a line and return its exit code. Raise as wait_for_shell does."""
        mark = secrets.token_hex(8)
        # Split where it is typed, so that the console's echo of the line is not taken for the answer.
        self._child.sendline(f"{line}; echo {mark[:8]}''{mark[8:]} $?.")
        self._expect(mark.encode() + rb" ", seconds, f"did not answer to `{line}`")
        self._expect(rb"\.", 10, f"did not say how `{line}` ended")
        return int(self._child.before or b"")

    def close(self) -> None:
        """End the machine, at once. What the console said is kept only where an error named it."""
        try:
            self._child.close(force=True)
        except pexpect.ExceptionPexpect:  # killed by now, but slow to give its memory back
            self._child.wait()
        self._file.close()
        if not self._named:
            self._log.unlink(missing_ok=True)

    def told(self, problem: str) -> str:
        """Return an error's text that names what the console has said, which then is kept."""
        self._child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=1)  # reads what was not waited for
        self._file.flush()
        self._named = True
        said = self._log.read_text(errors="replace").split("\n")
        tail = " / ".join([line.strip() for line in said if line.strip()][-3:])
        return f"the virtual machine {problem}; its console is kept in {self._log} and ends: {tail}"

    def _expect(self, pattern: bytes, seconds: float, problem: str) -> None:
        try:
            self._child.expect(pattern, timeout=seconds)
        except pexpect.TIMEOUT:
            raise HostTimeoutError(self.told(f"{problem} in {seconds:g} s")) from None
        except pexpect.EOF:
            raise HostError(self.told("ended")) from None
