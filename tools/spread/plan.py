"""Which task runs where, with which variables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tools.spread.model import Part, Project, SpreadError, nearest

_UNIT_SECONDS = {"h": 3600, "m": 60, "s": 1}


@dataclass(frozen=True)
class Job:
    """One task on one system."""

    name: str
    """As spread says it: BACKEND:SYSTEM:TASK."""
    system: Part
    suite: Part
    task: Part
    environment: dict[str, str]
    seconds: float
    """After which spread kills a script of the task's: kill-timeout."""


def jobs(project: Project, backend: str, *, manual: bool = False) -> list[Job]:
    """Return the jobs of a backend in the order to run them: by system and name.

    Manual systems are left out, unless they are asked for. Raise SpreadError when there is no such backend.
    """
    if backend not in project.systems:
        raise SpreadError(f"spread.yaml has no backend {backend}: {nearest(backend, list(project.systems))}")
    found = _jobs(project, backend)
    return sorted(
        (job for job in found if manual or not job.system.keys.get("manual")),
        key=lambda job: (job.system.name, job.name),
    )


def _jobs(project: Project, backend: str) -> Iterator[Job]:
    systems = project.systems[backend]
    for suite in project.suites.values():
        for name in suite.keys.get("systems", systems):
            for task in project.tasks[suite.name] if name in systems else ():
                if name in task.keys.get("systems", systems):
                    yield _job(project, backend, systems[name], suite, task)


def _job(project: Project, backend: str, system: Part, suite: Part, task: Part) -> Job:
    name = f"{backend}:{system.name}:{task.name}"
    said = {
        "SPREAD_JOB": name,
        "SPREAD_PROJECT": project.part.name,
        "SPREAD_PATH": project.part.script("path"),
        "SPREAD_BACKEND": backend,
        "SPREAD_SYSTEM": system.name,
        "SPREAD_SUITE": f"{suite.name}/",
        "SPREAD_TASK": task.name,
        "SPREAD_VARIANT": "",
        "SPREAD_SAMPLE": "1",
        "SPREAD_REBOOT": "0",
    }
    limit = task.script("kill-timeout") or project.part.script("kill-timeout") or "15m"  # spread's own
    units = re.findall(r"([\d.]+)([hms])", limit)
    seconds = sum(float(number) * _UNIT_SECONDS[unit] for number, unit in units)
    return Job(name, system, suite, task, said | project.part.environment | system.environment, seconds)
