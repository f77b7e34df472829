"""What a host is: up, install, run, copy, down.

Tests, the demo and the tasks speak to a host in an administrator's words only (`snap run …`,
`certbot-fips …`, paths under `/etc/letsencrypt`), so that the same lines serve a mount namespace, a
container with real snapd or a virtual machine.
"""

from __future__ import annotations

import shlex
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

#: The environment of `Host.run` when the caller names none: root's login shell on Debian, with the
#: folder in which snapd puts the commands of snaps.
LOGIN_ENVIRONMENT: Mapping[str, str] = {
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "LOGNAME": "root",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin",
    "SHELL": "/bin/bash",
    "TERM": "dumb",
    "USER": "root",
}


class HostError(Exception):
    """A host did not do what it was asked; the text is one line for people."""


class HostRefusedError(HostError):
    """A machine cannot give such a host; the text is the reason, and what to do.

    Tests turn it into a skip with that reason, never into a pass.
    """


class HostTimeoutError(HostError):
    """A command did not end within its time limit and was killed."""


@dataclass(frozen=True)
class Result:
    """How a command on a host ended. Bytes that are not UTF-8 are kept as surrogate escapes."""

    argv: tuple[str, ...]
    returncode: int
    """The exit code; negative: the number of the signal that killed it."""
    stdout: str
    stderr: str
    seconds: float

    def check(self) -> Result:
        """Return self; raise HostError when the command failed."""
        if self.returncode != 0:
            said = (self.stderr.strip() or self.stdout.strip() or "it said nothing").splitlines()
            raise HostError(
                f"`{shlex.join(self.argv)}` ended with {self.returncode}: {' / '.join(said[-5:])}"
            )
        return self


@dataclass(frozen=True)
class Ended:
    """How a host tells the end of a command; its code is None when it took longer than it was given."""

    code: int | None
    stdout: bytes
    stderr: bytes

    @classmethod
    def by_timeout(cls, code: int, late: bool, stdout: bytes, stderr: bytes) -> Ended:
        """Return how a command ended that coreutils' `timeout -s KILL` has run.

        An exit code of 128 + n is taken for the signal n. late: has the time limit passed?
        """
        if code == 137 and late:
            return cls(None, stdout, stderr)
        return cls(128 - code if 128 < code <= 192 else code, stdout, stderr)


class Host(ABC):
    """A machine, or what looks like one to its programs. A context manager: up on entry, down on exit.

    snap: the packed snap to install on entry, or None. Making the object takes no time and changes nothing.
    """

    name: str
    """What this host is, in a few words for reports."""

    def __init__(self, snap: Path | None = None) -> None:
        self._snap = snap

    def prepare(self) -> None:  # noqa: B027 - not every host is made of something
        """Build what the host is made of, once; `up` does it too. Raise as `up` does."""

    @abstractmethod
    def up(self) -> None:
        """Make the host.

        Raise HostRefusedError when this machine cannot, HostError when it does not come up.
        """

    @abstractmethod
    def down(self) -> None:
        """Take everything away; also safe when up() failed half way, and twice."""

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        cwd: str = "/",
        timeout: float = 120.0,
    ) -> Result:
        """Run a command as root and wait for it; a failing one is no exception (`Result.check`).

        `env` is the whole environment (None: LOGIN_ENVIRONMENT), `timeout` in seconds.
        Raise HostTimeoutError when it takes longer, HostError when the host is not up.
        """
        self._check_up()
        variables = LOGIN_ENVIRONMENT if env is None else env
        given = (f"{key}={value}" for key, value in variables.items())
        command = ["env", "-i", "-C", cwd, "--", *given, *argv]
        began = time.monotonic()
        ended = self._execute(command, stdin.encode(errors="surrogateescape"), timeout)
        seconds = time.monotonic() - began
        out, err = (text.decode(errors="surrogateescape") for text in (ended.stdout, ended.stderr))
        if ended.code is None:
            said = " / ".join((err.strip() or out.strip() or "nothing").splitlines()[-3:])
            raise HostTimeoutError(f"`{shlex.join(argv)}` took longer than {timeout:g} s and said: {said}")
        return Result(tuple(argv), ended.code, out, err, seconds)

    def install(self, snap: Path) -> None:
        """Install a packed snap, as `snap install --dangerous --classic` does, hooks included.

        Raise HostError when the file is no snap or a hook fails.
        """
        if not snap.is_file():
            raise HostError(f"no snap at {snap}: run `make snap`")
        self._install(snap)

    def copy(self, source: Path, target: str) -> None:
        """Copy a file or a folder of this machine to the absolute path `target` of the host."""
        self._check_up()
        try:
            self._copy(source, target)
        except OSError as error:
            raise HostError(
                f"{self.name}: {source} cannot be copied to {target}: {error.strerror}"
            ) from error

    @abstractmethod
    def _is_up(self) -> bool: ...

    @abstractmethod
    def _execute(self, command: list[str], given: bytes, seconds: float) -> Ended:
        """Run a command, which sets its environment itself, with an input; kill it after so many seconds."""

    @abstractmethod
    def _install(self, snap: Path) -> None: ...

    @abstractmethod
    def _copy(self, source: Path, target: str) -> None: ...

    def _check_up(self) -> None:
        if not self._is_up():
            raise HostError("the host is not up")

    def __enter__(self) -> Self:
        self.up()
        try:
            if self._snap is not None:
                self.install(self._snap)
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.down()


class ReachedHost(Host):
    """A host whose files this machine reaches by a path."""

    def path(self, inside: str) -> Path:
        """Return by what path this machine reaches `inside`, a path of the host, while that is up."""
        self._check_up()
        return Path(f"{self._root_path()}{inside}")

    @abstractmethod
    def _root_path(self) -> Path: ...

    def _copy(self, source: Path, target: str) -> None:
        inside = self.path(target)
        if source.is_dir():
            shutil.copytree(source, inside, symlinks=True, dirs_exist_ok=True)
        else:
            inside.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, inside)
