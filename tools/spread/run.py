"""Run jobs on a host: prepare, execute and restore, as spread's client does over ssh."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Self

from tools.hosts.base import Host, HostError, HostTimeoutError
from tools.hosts.catalog import find
from tools.hosts.make import task_host
from tools.spread import supplies
from tools.spread.model import Project, load
from tools.spread.plan import Job

#: What spread gives to every script, besides the environment (its README, "Functions"), and our tasks use.
_FUNCTIONS = r"""
MATCH() ( { set +xu; } 2>/dev/null
    [ $# -gt 0 ] || { echo "error: missing regexp argument"; return 1; }
    text=$(cat)
    grep -q -E "$@" <<< "$text" || { echo "MATCH: pattern not found, got: $text" >&2; return 1; }
)
NOMATCH() ( { set +xu; } 2>/dev/null
    [ $# -gt 0 ] || { echo "error: missing regexp argument"; return 1; }
    text=$(cat)
    ! grep -q -E "$@" <<< "$text" || { echo "NOMATCH: pattern found in: $text" >&2; return 1; }
)
export DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin
"""


class FailedError(Exception):
    """A script failed; the text is its name, and the end of what it and the debug scripts said."""


class Session:
    """The jobs of one system on one host, which is up. A context manager: restores the project on exit.

    snap, given: what is sent as the project's dist/, the packed snap that is tested and the tasks' supplies;
    what else is in that folder stays here.
    """

    def __init__(self, host: Host, project: Project, snap: Path, given: Path) -> None:
        self._host = host
        self._project = project.part
        self._folder = project.folder
        self._snap = snap
        self._given = given
        self._path = project.part.script("path")
        self._last: Job | None = None
        self._broken = ""
        """Why no other job is run."""

    def run(self, job: Job) -> str:
        """Run one job and return what its scripts said. Raise FailedError when one of them failed."""
        self._prepare(job)
        said = []
        folder = f"{self._path}/{job.task.name}"
        failed = ""
        debug = _join(job.task.script("debug"), self._project.script("debug-each"))
        try:
            said.append(self._script("prepare", job.task.script("prepare"), job, folder))
            said.append(self._script("execute", job.task.script("execute"), job, folder))
        except FailedError as error:
            failed = f"{error}{self._debug(debug, job, folder)}"
        try:
            after = _join(job.task.script("restore"), self._project.script("restore-each"))
            said.append(self._script("restore", after, job, folder))
        except FailedError as error:
            self._broken = f"not run: after {job.name} the host was not restored"
            # What debug shows is shown once.
            failed += f"\n{error}{'' if failed else self._debug(debug, job, folder)}"
        if failed:
            raise FailedError(f"{job.name}: {failed}")
        return "".join(said)

    def __enter__(self) -> Self:
        """Send the project. Raise HostError when that fails."""
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "project.tar"
            excluded = [f"--exclude={word}" for word in (*self._project.keys.get("exclude", ()), "./dist")]
            packing = ["tar", "--dereference", "-C", str(self._folder), *excluded, "-cf", str(archive), "."]
            done = subprocess.run(packing, capture_output=True, text=True)
            if done.returncode != 0:
                raise HostError(f"tar failed: {done.stderr.strip()}")
            self._host.copy(archive, "/var/tmp/project.tar")
        unpack = 'mkdir -p "$0/dist" && tar -C "$0" -xf /var/tmp/project.tar && rm /var/tmp/project.tar'
        self._host.run(["bash", "-euc", unpack, self._path]).check()
        self._host.copy(self._snap, f"{self._path}/dist/{self._snap.name}")
        self._host.copy(self._given, f"{self._path}/dist/supplies")
        return self

    def __exit__(self, kind: object, *exc: object) -> None:
        """Restore the project, if it was prepared; raise FailedError when that fails."""
        if self._last is None:
            return
        try:
            self._script("restore", self._project.script("restore"), self._last, self._path)
        except FailedError as error:
            said = self._debug(self._project.script("debug"), self._last, self._path)
            if kind is None:
                raise FailedError(f"the project was not restored: {error}{said}") from error

    def _prepare(self, job: Job) -> None:
        """Prepare the project, once."""
        first, self._last = self._last is None, job
        if first:
            try:
                self._script("prepare", self._project.script("prepare"), job, self._path)
            except FailedError as error:
                said = self._debug(self._project.script("debug"), job, self._path)
                self._broken = f"not run: the project was not prepared: {error}{said}"
        if self._broken:
            raise FailedError(self._broken)

    def _script(self, what: str, script: str, job: Job, folder: str) -> str:
        code, said = self._bash(script, job, folder)
        if code != 0:
            raise FailedError(f"{what} ended with {code}:\n{_tail(said)}")
        return said

    def _debug(self, script: str, job: Job, folder: str) -> str:
        said = self._bash(script, job, folder)[1]
        return f"\ndebug:\n{_tail(said)}" if said.strip() else ""

    def _bash(self, script: str, job: Job, folder: str) -> tuple[int, str]:
        if not script.strip():
            return 0, ""
        lines = ["set -eu", f'cd "{folder}"', _FUNCTIONS]
        for name, value in job.environment.items():
            quoted = value if not value or value[0] in "\"'" else f'"{value}"'
            lines.append(f"export {name}={quoted}")
        lines += ["set -x", "(", script, ") </dev/null"]
        try:
            done = self._host.run(
                ["bash", "-c", "exec bash - 2>&1"], stdin="\n".join(lines) + "\n", timeout=job.seconds
            )
        except HostTimeoutError as error:
            return 124, str(error)
        return done.returncode, done.stdout


@contextmanager
def open_session(folder: Path, system: str, snap: Path, there: Host | None = None) -> Iterator[Session]:
    """Bring up the host of a system for a project's jobs; there: it is up. Raise HostError or SpreadError."""
    described = find(system)
    with tempfile.TemporaryDirectory() as made:
        given = Path(made, "supplies")
        supplies.make(given)
        opened = task_host(described, snap) if there is None else nullcontext(there)
        with opened as host, Session(host, load(folder), snap, given) as session:
            yield session


def _join(*scripts: str) -> str:
    return "\n\n".join(f"(\n{script}\n)" for script in scripts if script.strip())


def _tail(text: str) -> str:
    return "\n".join(text.rstrip().splitlines()[-40:])
