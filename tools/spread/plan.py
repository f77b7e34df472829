"""Which task runs where: spread's rules for filters, variants, environments and priorities."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from tools.spread.model import Part, Project, SpreadError, bare, matching, nearest

_HOST_COMMAND = re.compile(r"\$\(HOST:(.+?)\)")
_DEFAULT_SECONDS = {"kill-timeout": 900.0, "warn-timeout": 300.0}


@dataclass(frozen=True)
class Job:
    """One task on one system, in one variant."""

    name: str
    """As spread says it: BACKEND:SYSTEM:TASK[:VARIANT]."""
    project: Part
    backend: Part
    system: Part
    suite: Part
    task: Part
    variant: str
    environment: dict[str, str]
    priority: int

    def seconds(self, key: str, part: Part | None = None) -> float:
        """Return the kill-timeout or warn-timeout for a script of the task, or of a part above it."""
        levels = [self.task, self.suite, self.backend, self.project]
        levels = levels[levels.index(part or self.task) :]
        given = (level.keys.get(key) for level in levels)
        return next((seconds for seconds in given if seconds), _DEFAULT_SECONDS[key])


def jobs(project: Project, backend: str, *, manual: bool = False) -> list[Job]:
    """Return the jobs of a backend in the order to run them: by system, priority and name.

    What is manual is left out, unless it is asked for. Raise SpreadError when there is no such backend, a
    filter is wrong or a `$(HOST: …)` command fails.
    """
    if backend not in project.backends:
        raise SpreadError(f"spread.yaml has no backend {backend}: {nearest(backend, list(project.backends))}")
    found = sorted(_jobs(project, backend), key=lambda job: (job.system.name, -job.priority, job.name))
    if manual:
        return found
    return [
        job
        for job in found
        if not any(part.keys.get("manual") for part in (job.backend, job.system, job.suite, job.task))
    ]


def _jobs(project: Project, chosen: str) -> Iterator[Job]:
    backend = project.backends[chosen]
    known = project.systems[chosen]
    for name, suite in project.suites.items():
        for task in project.tasks[name]:
            if chosen not in select("backends", [list(project.backends)], suite, task):
                continue
            for system in select("systems", [list(known)], suite, task):
                if system in known:
                    yield from _variants(project, backend, known[system], suite, task)


def _variants(project: Project, backend: Part, system: Part, suite: Part, task: Part) -> Iterator[Job]:
    parts = (project.part, backend, system, suite, task)
    # As spread: each level's variables bring their variants, then its own list replaces, adds or removes.
    lists = [_named(project.part) or [""]]
    for part in parts[1:]:
        lists += [[f"+{variant}" for variant in _named(part)], part.words("variants")]
    variants = _delta("variants", lists, f"task {task.name}")
    given = (part.keys.get("priority") for part in (task, suite, system, backend))
    priority = next((value for value in given if value is not None), 0)
    for variant in variants:
        if not variant and len(variants) > 1:
            continue
        name = f"{backend.name}:{system.name}:{task.name}{f':{variant}' if variant else ''}"
        said = {
            "SPREAD_JOB": name,
            "SPREAD_PROJECT": project.part.name,
            "SPREAD_PATH": project.part.script("path"),
            "SPREAD_BACKEND": backend.name,
            "SPREAD_SYSTEM": system.name,
            "SPREAD_SUITE": f"{suite.name}/",
            "SPREAD_TASK": task.name,
            "SPREAD_VARIANT": variant,
            "SPREAD_SAMPLE": "1",
            "SPREAD_REBOOT": "0",
        }
        yield Job(
            name,
            project.part,
            backend,
            system,
            suite,
            task,
            variant,
            said | _environment(parts, variant),
            priority,
        )


def _environment(parts: Sequence[Part], variant: str) -> dict[str, str]:
    merged: dict[str, str] = {}
    for part in parts:
        for key, value in part.environment.items():
            merged.pop(key, None)  # a later level's variable comes later, too
            merged[key] = _HOST_COMMAND.sub(lambda found: _on_this_machine(found[1]), value)
    # A variant's value wins over a plain one, whatever their levels are.
    special = {_split(key)[0] for key in merged if variant in _split(key)[1]}
    found: dict[str, str] = {}
    for key, value in merged.items():
        name, variants = _split(key)
        if variant in variants and name in found:
            raise SpreadError(f"the variable {name} of variant {variant} has two values")
        if variant in variants or (not variants and name not in special):
            found[name] = value
    return found


def _named(part: Part) -> list[str]:
    return sorted({variant for key in part.environment for variant in _split(key)[1]})


@cache
def _on_this_machine(command: str) -> str:
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    if done.returncode != 0:
        said = "; ".join(done.stderr.strip().splitlines())
        raise SpreadError(f"$(HOST:{command}) failed: {said or done.returncode}")
    return done.stdout.rstrip("\n")


def _split(key: str) -> tuple[str, list[str]]:
    name, _, variants = key.partition("/")
    return name, [variant for variant in variants.split(",") if variant]


def select(what: str, names: list[list[str]], suite: Part, task: Part) -> list[str]:
    """Return which of the names a suite and a task want, by lists that replace, or add (+) and remove (-)."""
    return _delta(what, [*names, suite.words(what), task.words(what)], f"task {task.name}")


def _delta(what: str, lists: list[list[str]], context: str) -> list[str]:
    final: dict[str, None] = {}
    seen: list[str] = []
    for words in lists:
        plain = [word for word in words if not word.startswith(("+", "-"))]
        if plain and len(plain) != len(words):
            raise SpreadError(f"{context}: `{what}` has names with and without + or -")
        seen += [bare(word) for word in words if "*" not in word]
        if plain:
            final.clear()
        for word in words:
            for name in matching(word, seen):
                if word.startswith("-"):
                    final.pop(name, None)
                else:
                    final[name] = None
    return list(final)
