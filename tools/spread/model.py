"""What spread.yaml and the tasks say: a project, its backends with their systems, its suites with tasks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.spread.keys import NAME, SYSTEM_NAME, SpreadError, check_name, checked, nearest, read

__all__ = ["Part", "Project", "SpreadError", "bare", "load", "load_task", "matching", "nearest"]

_TYPES = ("adhoc", "google", "humbox", "linode", "lxd", "openstack", "qemu")


@dataclass(frozen=True)
class Part:
    """A project, backend, system, suite or task: its name and the keys that it has in its file."""

    kind: str
    name: str
    keys: dict[str, Any] = field(repr=False)

    def script(self, key: str) -> str:
        """Return a script, empty when there is none."""
        return str(self.keys.get(key, ""))

    def words(self, key: str) -> list[str]:
        """Return a list of words, empty when there is none."""
        return list(self.keys.get(key, ()))

    @property
    def environment(self) -> dict[str, str]:
        """The variables, in their order; a name can end in /VARIANT."""
        return dict(self.keys.get("environment", {}))


@dataclass(frozen=True)
class Project:
    """All that spread.yaml and the tasks say."""

    folder: Path
    part: Part
    backends: dict[str, Part]
    systems: dict[str, dict[str, Part]]
    """By backend and name."""
    suites: dict[str, Part]
    tasks: dict[str, list[Part]]
    """By suite; a task's name is its folder, as spread says it."""


def load(folder: Path) -> Project:
    """Read spread.yaml and all tasks. Raise SpreadError where a file is not as spread has it."""
    file = folder / "spread.yaml"
    keys = read(file)
    project = _part("project", str(keys.get("project")), keys, file)
    check_name("project", project.name, NAME, file)
    path = project.script("path")
    if not re.fullmatch(r"(?:/[\w.+-]+)+", path):
        raise SpreadError(
            f"{file}: `path`, where the project goes on a host, is an absolute path such as /root/x"
        )
    for word in (*project.words("include"), *project.words("exclude")):
        if "$" in word:
            raise SpreadError(f"{file}: {word}: tools/spread knows $ in `environment` and scripts alone")
    for key in ("backends", "suites"):
        if not project.keys.get(key):
            raise SpreadError(f"{file}: `{key}` is no mapping of names")
    backends: dict[str, Part] = {}
    systems: dict[str, dict[str, Part]] = {}
    for name, own in project.keys["backends"].items():
        backends[name] = _backend(name, own, file)
        systems[name] = _systems(backends[name], file)
    suites, tasks = {}, {}
    for name, own in project.keys["suites"].items():
        if not name.endswith("/"):
            raise SpreadError(f"{file}: suite {name}: a suite's name is its folder and ends with /")
        short = name.rstrip("/")
        check_name("suite", short, rf"{NAME}(?:/{NAME})*", file)
        suites[short] = _part("suite", short, own, file)
        if not suites[short].script("summary"):
            raise SpreadError(f"{file}: suite {name} needs a `summary`")
        if not (folder / short).is_dir():
            raise SpreadError(f"{file}: suite {name}: there is no such folder")
        found = sorted((folder / short).glob("*/task.yaml"))
        tasks[short] = [load_task(task, folder) for task in found]
    made = Project(folder, project, backends, systems, suites, tasks)
    _check_systems(made)
    return made


def load_task(file: Path, folder: Path) -> Part:
    """Read one task. Raise SpreadError where it is not as spread has it."""
    check_name("task", file.parent.name, NAME, file)
    task = _part("task", str(file.parent.relative_to(folder)), read(file), file)
    for key in ("summary", "execute"):
        if not task.script(key).strip():
            raise SpreadError(f"{file}: a task needs `{key}`")
    return task


def matching(word: str, names: list[str]) -> list[str]:
    """Return the names that a word of a list means: it may begin with + or -, and have * in it."""
    pattern = re.compile(re.escape(bare(word)).replace(r"\*", ".*"))
    return list(filter(pattern.fullmatch, names))


def bare(word: str) -> str:
    """Return a word of a list without its + or -."""
    return word[1:] if word.startswith(("+", "-")) else word


def _backend(name: str, keys: Any, file: Path) -> Part:
    check_name("backend", name, NAME, file)
    backend = _part("backend", name, keys, file)
    kind = backend.keys.get("type", name)
    if kind not in _TYPES:
        raise SpreadError(f"{file}: backend {name}: its type is one of {', '.join(_TYPES)}")
    if (kind == "adhoc") != bool(backend.script("allocate").strip()):
        raise SpreadError(f"{file}: backend {name}: `allocate` is for the type adhoc, which needs it")
    return backend


def _systems(backend: Part, file: Path) -> dict[str, Part]:
    found: dict[str, Part] = {}
    for entry in backend.keys.get("systems", ()):
        pairs = list(entry.items()) if isinstance(entry, dict) else [(entry, None)]
        if len(pairs) != 1 or not isinstance(pairs[0][0], str):
            raise SpreadError(f"{file}: backend {backend.name}: an entry of `systems` is one name: {entry}")
        name, keys = pairs[0]
        if not re.fullmatch(SYSTEM_NAME.format(""), name):
            raise SpreadError(
                f"{file}: system {name}: spread wants names such as debian-12 or debian-12-fips"
            )
        if name in found:
            raise SpreadError(f"{file}: backend {backend.name}: system {name} is there twice")
        found[name] = _part("system", name, keys or {}, file)
    if not found:
        raise SpreadError(f"{file}: backend {backend.name} has no `systems`")
    return found


def _part(kind: str, name: str, keys: Any, file: Path) -> Part:
    return Part(kind, name, checked(kind, name, keys, file))


def _check_systems(project: Project) -> None:
    """Spread takes a system that no backend has for one that is never wanted; here it is a slip."""
    known = [name for systems in project.systems.values() for name in systems]
    parts = [*project.suites.values(), *(task for tasks in project.tasks.values() for task in tasks)]
    for part in parts:
        for word, names in (("systems", known), ("backends", list(project.backends))):
            for name in part.words(word):
                if not matching(name, names):
                    text = f"{part.kind} {part.name}: `{word}` has {name}, which is none"
                    raise SpreadError(f"{text}: {nearest(bare(name), names)}")
