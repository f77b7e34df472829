"""What a host is: up, install, run, copy, down.

Tests, the demo and the tasks speak to a host in an administrator's words only (`snap run …`,
`certbot-fips …`, paths under `/etc/letsencrypt`), so that the same lines serve a mount namespace, a
container with real snapd or a virtual machine.
"""

from __future__ import annotations

import shlex
import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

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


class Host(Protocol):
    """A machine, or what looks like one to its programs. A context manager: up on entry, down on exit."""

    @property
    def name(self) -> str:
        """What this host is, in a few words for reports."""

    def up(self) -> None:
        """Make the host. Raise HostRefusedError when this machine cannot."""

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

    def copy(self, source: Path, target: str) -> None:
        """Copy a file or a folder of this machine to the absolute path `target` of the host."""

    def down(self) -> None:
        """Take everything away; also safe when up() failed half way, and twice."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


class SnapHost(Host, Protocol):
    """A host that can have snaps."""

    def install(self, snap: Path) -> None:
        """Install a packed snap, as `snap install --dangerous --classic` does, hooks included.

        Raise HostError when a hook fails.
        """

    def __enter__(self) -> Self: ...


class SnapOnEntry(ABC):
    """Makes a `SnapHost` a context manager: up, and the snap installed, on entry; down on exit.

    snap: the packed snap to install on entry, or None.
    """

    def __init__(self, snap: Path | None) -> None:
        self._snap = snap

    @abstractmethod
    def up(self) -> None:
        """See `Host.up`."""

    @abstractmethod
    def install(self, snap: Path) -> None:
        """See `SnapHost.install`."""

    @abstractmethod
    def down(self) -> None:
        """See `Host.down`."""

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


class ReachedHost(SnapOnEntry):
    """A `SnapHost` whose files this machine reaches by a path."""

    name: str

    @abstractmethod
    def path(self, inside: str) -> Path:
        """Return by what path this machine reaches `inside`, a path of the host, while that is up."""

    def copy(self, source: Path, target: str) -> None:
        """See `Host.copy`."""
        inside = self.path(target)
        try:
            if source.is_dir():
                shutil.copytree(source, inside, symlinks=True, dirs_exist_ok=True)
            else:
                inside.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, inside)
        except OSError as error:
            raise HostError(
                f"{self.name}: {source} cannot be copied to {target}: {error.strerror}"
            ) from error
