"""What spread.yaml and the tasks say: a project, its backends' systems, its suites with their tasks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.spread.keys import SpreadError, nearest, read

__all__ = ["Part", "Project", "SpreadError", "load", "nearest"]

_NAME = re.compile(r"[a-z0-9]+(?:[-._][a-z0-9]+)*")


@dataclass(frozen=True)
class Part:
    """A project, system, suite or task: its name and the keys that it has in its file."""

    name: str
    keys: dict[str, Any] = field(repr=False)

    def script(self, key: str) -> str:
        """Return a script, empty when there is none."""
        return str(self.keys.get(key, ""))

    @property
    def environment(self) -> dict[str, str]:
        """The variables, in their order."""
        return {name: value or "" for name, value in self.keys.get("environment", {}).items()}


@dataclass(frozen=True)
class Project:
    """All that spread.yaml and the tasks say."""

    folder: Path
    part: Part
    systems: dict[str, dict[str, Part]]
    """By backend and name."""
    suites: dict[str, Part]
    tasks: dict[str, list[Part]]
    """By suite; a task's name is its folder, as spread says it."""


def load(folder: Path) -> Project:
    """Read spread.yaml and all tasks. Raise SpreadError where a file is not as schema.yaml has it."""
    file = folder / "spread.yaml"
    keys = read(file, "project")
    backends = {name: _systems(name, own["systems"], file) for name, own in keys["backends"].items()}
    known = [name for systems in backends.values() for name in systems]
    suites, tasks = {}, {}
    for name, own in keys["suites"].items():
        short = name.rstrip("/")
        if not (folder / short).is_dir():
            raise SpreadError(f"{file}: suite {name}: there is no such folder")
        suites[short] = Part(short, own)
        tasks[short] = [_task(found, folder) for found in sorted((folder / short).glob("*/task.yaml"))]
        # spread takes a system that no backend has for one that is never wanted; here it is a slip.
        named = [
            (f"{file}: suite {name}", suites[short]),
            *((f"{folder}/{task.name}/task.yaml", task) for task in tasks[short]),
        ]
        for where, part in named:
            for system in part.keys.get("systems", ()):
                if system not in known:
                    raise SpreadError(f"{where}: no system {system}: {nearest(system, known)}")
    return Project(folder, Part(keys["project"], keys), backends, suites, tasks)


def _task(file: Path, folder: Path) -> Part:
    if not _NAME.fullmatch(file.parent.name):
        raise SpreadError(f"{file}: the name of a task is small letters and digits, with - . _ between them")
    return Part(str(file.parent.relative_to(folder)), read(file, "task"))


def _systems(backend: str, entries: list[Any], file: Path) -> dict[str, Part]:
    found: dict[str, Part] = {}
    for entry in entries:
        (name, keys), *_ = entry.items() if isinstance(entry, dict) else [(entry, {})]
        if name in found:
            raise SpreadError(f"{file}: backend {backend}: system {name} is there twice")
        found[name] = Part(name, keys)
    return found
