"""Run jobs on a host: prepare, execute and restore at every level, as spread's client does over ssh."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tools.hosts.base import Host, HostError, HostTimeoutError
from tools.hosts.catalog import find
from tools.hosts.make import task_host
from tools.hosts.packed import DIST
from tools.spread import supplies
from tools.spread.model import Part, Project, load
from tools.spread.plan import Job

#: What spread gives to every script, besides the environment (its README, "Functions").
_FUNCTIONS = r"""
say_and_stop() { { set +xu; } 2>/dev/null; echo "<$*>"; exit 213; }
REBOOT() { say_and_stop REBOOT "$@"; }
ERROR() { say_and_stop ERROR "$@"; }
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
    """The jobs of one system on one host, which is up. A context manager: restores all levels on exit.

    snap, given: what is sent as the project's dist/, the packed snap that is tested and the tasks' supplies;
    what else is in that folder stays here.
    """

    def __init__(self, host: Host, project: Project, snap: Path, given: Path) -> None:
        self._host = host
        self._project = project
        self._snap = snap
        self._given = given
        self._path = project.part.script("path")
        self._prepared: list[Part] = []
        self._last: Job | None = None
        self._broken = ""
        self._bad: dict[str, str] = {}
        """Why a suite's tasks are not run, by the suite."""

    def run(self, job: Job) -> str:
        """Run one job and return what its scripts said. Raise FailedError when one of them failed."""
        if reason := self._broken or self._bad.get(job.suite.name):
            raise FailedError(reason)
        self._enter(job)
        said = []
        parts = (self._project.part, job.backend, job.suite)
        folder = f"{self._path}/{job.task.name}"
        failed = ""
        debug = _join(job.task.script("debug"), *(part.script("debug-each") for part in reversed(parts)))
        try:
            before = _join(*(part.script("prepare-each") for part in parts), job.task.script("prepare"))
            said.append(self._script("prepare", before, job, folder))
            said.append(self._script("execute", job.task.script("execute"), job, folder))
        except FailedError as error:
            failed = f"{error}{self._debug(debug, job, folder)}"
        try:
            after = _join(
                job.task.script("restore"), *(part.script("restore-each") for part in reversed(parts))
            )
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
            excluded = [f"--exclude={word}" for word in (*self._project.part.words("exclude"), "./dist")]
            included = self._project.part.words("include") or ["."]
            packing = [
                "tar",
                "--dereference",
                "-C",
                str(self._project.folder),
                *excluded,
                "-cf",
                str(archive),
                *included,
            ]
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
        """Restore all levels; raise FailedError when that fails."""
        self._broken = ""
        self._leave(())
        if self._broken and kind is None:
            raise FailedError(self._broken)

    def _enter(self, job: Job) -> None:
        """Prepare project, backend and suite, each once; restore a suite that is done with."""
        levels = (self._project.part, job.backend, job.suite)
        self._leave(levels)
        if self._broken:
            raise FailedError(self._broken)
        self._last = job
        for part in levels[len(self._prepared) :]:
            self._prepared.append(part)
            folder = self._folder(part, job)
            try:
                self._script(f"{part.kind} prepare", part.script("prepare"), job, folder, part)
            except FailedError as error:
                said = self._debug(part.script("debug"), job, folder, part)
                reason = f"not run: {part.kind} {part.name} was not prepared: {error}{said}"
                if part is job.suite:
                    self._bad[part.name] = reason
                else:
                    self._broken = reason
                raise FailedError(reason) from error

    def _leave(self, keep: Iterable[Part]) -> None:
        kept = list(keep)
        job = self._last
        while job and self._prepared and self._prepared[-1] not in kept:
            part = self._prepared.pop()
            folder = self._folder(part, job)
            try:
                self._script(f"{part.kind} restore", part.script("restore"), job, folder, part)
            except FailedError as error:
                said = self._debug(part.script("debug"), job, folder, part)
                self._broken += f"{part.kind} {part.name} was not restored: {error}{said}\n"

    def _folder(self, part: Part, job: Job) -> str:
        """As spread: a suite's scripts run in the folder of the task that is next, or was last."""
        return f"{self._path}/{job.task.name}" if part is job.suite else self._path

    def _script(self, what: str, script: str, job: Job, folder: str, part: Part | None = None) -> str:
        code, said = self._bash(script, job, folder, part)
        if code != 0:
            raise FailedError(f"{what} ended with {code}:\n{_tail(said)}")
        return said

    def _debug(self, script: str, job: Job, folder: str, part: Part | None = None) -> str:
        said = self._bash(script, job, folder, part)[1]
        return f"\ndebug:\n{_tail(said)}" if said.strip() else ""

    def _bash(self, script: str, job: Job, folder: str, part: Part | None) -> tuple[int, str]:
        if not script.strip():
            return 0, ""
        lines = ["set -eu", f'cd "{folder}"', _FUNCTIONS]
        for name, value in job.environment.items():
            quoted = value if not value or value[0] in "\"'" else f'"{value}"'
            lines.append(f"export {name}={quoted}")
        lines += ["set -x", "(", script, ") </dev/null"]
        try:
            with _warning(job.name, job.seconds("warn-timeout", part)):
                done = self._host.run(
                    ["bash", "-c", "exec bash - 2>&1"],
                    stdin="\n".join(lines) + "\n",
                    timeout=job.seconds("kill-timeout", part),
                )
        except HostTimeoutError as error:
            return 124, str(error)
        said = done.stdout
        if done.returncode == 213 and said.rstrip().endswith(">") and "<REBOOT" in said.splitlines()[-1]:
            said += "REBOOT: this host cannot reboot\n"
        return done.returncode, said


@contextmanager
def _warning(what: str, seconds: float) -> Iterator[None]:
    """Say, as often as the seconds have passed, that it is not at its end."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(seconds):
            print(f"WARNING: {what} running late.", file=sys.stderr, flush=True)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


@contextmanager
def open_session(folder: Path, system: str, snap: Path) -> Iterator[Session]:
    """Bring up the host of a system for a project's jobs. Raise HostError or SpreadError."""
    described = find(system)
    with tempfile.TemporaryDirectory() as made:
        given = Path(made, "supplies")
        if described.kind == "tmt":  # this machine cannot make them: they came with the project
            given = DIST / "supplies"
        else:
            supplies.make(given)
        with task_host(described, snap) as host, Session(host, load(folder), snap, given) as session:
            yield session


def _join(*scripts: str) -> str:
    return "\n\n".join(f"(\n{script}\n)" for script in scripts if script.strip())


def _tail(text: str) -> str:
    return "\n".join(text.rstrip().splitlines()[-40:])
