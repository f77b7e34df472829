"""Collect spread's tasks: where there is no spread, pytest runs the same files on the same hosts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import PROJECT, snap_of
from tools.hosts import HostRefusedError
from tools.spread.model import SpreadError, load
from tools.spread.plan import Job, jobs
from tools.spread.run import FailedError, Session, open_session

HERE = Path(__file__).parent
BACKEND = "adhoc"
#: Tasks that have to do with the flag so little that `make test` runs them on flagged hosts alone.
ALIKE = ("web/nginx", "web/apache", "snapd/hooks", "snapd/timers")


@cache
def planned() -> list[Job]:
    """Return all jobs, read once: every task.yaml is collected by itself."""
    return jobs(load(PROJECT), BACKEND)


class TaskItem(pytest.Item):
    """One task on one system."""

    def __init__(self, *, job: Job, **keys: object) -> None:
        super().__init__(**keys)  # type: ignore[arg-type]
        self.job = job
        seen = job.task.name.removeprefix("tests/spread/") in ALIKE and job.environment["HOST_FIPS"] == "no"
        if seen or job.task.keys.get("manual"):
            self.add_marker(pytest.mark.rest)

    def runtest(self) -> None:
        Hosts.of(self.config).session(self.job.system.name).run(self.job)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], _style: object = None) -> str:
        if isinstance(excinfo.value, FailedError):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.name


class TaskFile(pytest.File):
    """A task.yaml: an item for each system."""

    def collect(self) -> Iterator[TaskItem]:
        try:
            found = planned()
        except SpreadError as error:
            raise self.CollectError(str(error)) from None
        name = str(self.path.parent.relative_to(PROJECT))
        for job in found:
            if job.task.name == name:
                yield TaskItem.from_parent(self, name=f"{job.system.name}:{self.path.parent.name}", job=job)


class Hosts:
    """The host of the system whose turn it is; one is up at a time."""

    _KEY = pytest.StashKey["Hosts"]()

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._stack = ExitStack()
        self._system = ""
        self._session: Session | HostRefusedError | None = None

    @classmethod
    def of(cls, config: pytest.Config) -> Hosts:
        return config.stash.setdefault(cls._KEY, cls(config))

    def session(self, system: str) -> Session:
        if system != self._system:
            self.close()
            self._system = system
            try:
                self._session = self._stack.enter_context(
                    open_session(PROJECT, system, snap_of(self._config))
                )
            except HostRefusedError as reason:
                self._session = reason
        if isinstance(self._session, HostRefusedError):
            raise self._session
        if self._session is None:
            pytest.skip(f"{system} did not come up")
        return self._session

    def close(self) -> None:
        self._session = None
        self._stack.close()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> TaskFile | None:
    if file_path.name == "task.yaml" and HERE in file_path.parents:
        return TaskFile.from_parent(parent, path=file_path)
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A system's tasks one after the other, so that its host is brought up once."""
    tasks = [item for item in items if isinstance(item, TaskItem)]
    for item in tasks:
        item.add_marker(pytest.mark.xdist_group(item.job.system.name))
    places = [place for place, item in enumerate(items) if isinstance(item, TaskItem)]
    tasks.sort(key=lambda item: (item.job.system.name, item.job.name))
    for place, item in zip(places, tasks, strict=True):
        items[place] = item


def pytest_sessionfinish(session: pytest.Session) -> None:
    try:
        Hosts.of(session.config).close()
    except FailedError as error:
        print(f"\n{error}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
