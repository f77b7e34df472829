"""spread.yaml and task.yaml, read strictly: what spread would ignore in silence is refused here.

The keys are those of spread's own source (spread/project.go); its README says what they mean.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_SCRIPTS = {"prepare", "restore", "debug"}
_EACH = {"prepare-each", "restore-each", "debug-each"}
_COMMON = {"environment", "warn-timeout", "kill-timeout"}
_PLACED = {"systems", "backends", "variants", "priority", "manual"}
KEYS = {
    "project": {"project", "backends", "suites", "path", "include", "exclude", "rename", "repack", "reroot"}
    | _COMMON
    | _SCRIPTS
    | _EACH,
    "backend": {"type", "key", "allocate", "discard", "memory", "plan", "location", "storage", "account"}
    | {"endpoint", "networks", "groups", "systems", "variants", "halt-timeout", "priority", "manual"}
    | _COMMON
    | _SCRIPTS
    | _EACH,
    "system": {
        "image",
        "kernel",
        "username",
        "password",
        "workers",
        "storage",
        "networks",
        "groups",
        "secure-boot",
    }
    | {"bios", "cpu-family", "plan", "environment", "variants", "priority", "manual"},
    "suite": {"summary"} | _PLACED | _COMMON | _SCRIPTS | _EACH,
    "task": {"summary", "details", "execute", "samples", "artifacts"} | _PLACED | _COMMON | _SCRIPTS,
}
#: Known to spread and not done by tools/spread: refused rather than ignored.
_NOT_HERE = {"rename", "repack", "reroot", "artifacts", "samples"}
_SYSTEM = re.compile(r"[a-z]+-[a-z0-9]+(?:[-.][a-z0-9]+)*")  # what spread takes for a system's name
_TIMEOUT = re.compile(r"(?=\d)" + "".join(rf"(?:(\d+(?:\.\d+)?){unit})?" for unit in "hms"))


class SpreadError(Exception):
    """spread.yaml, a task or a name is wrong; the text is one line that says where and what to do."""


@dataclass(frozen=True)
class Part:
    """A project, backend, system, suite or task: its name and the keys that it has in its file."""

    kind: str
    name: str
    keys: dict[str, Any] = field(repr=False)

    def script(self, key: str) -> str:
        """Return a script, empty when there is none."""
        return str(self.keys.get(key) or "")

    def words(self, key: str) -> list[str]:
        """Return a list of words, empty when there is none."""
        return [str(word) for word in self.keys.get(key) or ()]

    @property
    def environment(self) -> dict[str, str]:
        """The variables, in their order; a name can end in /VARIANT."""
        return {name: str(value) for name, value in (self.keys.get("environment") or {}).items()}

    @property
    def kill_seconds(self) -> float | None:
        """The kill-timeout in seconds.

        warn-timeout is checked, and has no effect here.
        """
        found = _TIMEOUT.fullmatch(str(self.keys.get("kill-timeout", "0s")))
        assert found is not None
        hours, minutes, seconds = (float(number or 0) for number in found.groups())
        return (hours * 60 + minutes) * 60 + seconds or None


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
    project = _part("project", folder.name, _read(file), file)
    if not str(project.keys.get("path", "")).startswith("/"):
        raise SpreadError(f"{file}: `path`, where the project goes on a host, is an absolute path")
    backends: dict[str, Part] = {}
    systems: dict[str, dict[str, Part]] = {}
    for name, keys in _mapping(project, "backends", file).items():
        backends[name] = _part("backend", name, keys, file)
        systems[name] = {}
        if not backends[name].keys.get("systems"):
            raise SpreadError(f"{file}: backend {name} has no `systems`")
        for entry in backends[name].keys["systems"]:
            pairs = list(entry.items()) if isinstance(entry, dict) else [(entry, {})]
            if len(pairs) != 1:
                raise SpreadError(f"{file}: backend {name}: an entry of `systems` is one name: {entry}")
            own, said = pairs[0]
            if not _SYSTEM.fullmatch(str(own)):
                raise SpreadError(
                    f"{file}: system {own}: spread wants names such as debian-12 or debian-12-fips"
                )
            systems[name][own] = _part("system", own, said or {}, file)
    suites, tasks = {}, {}
    for name, keys in _mapping(project, "suites", file).items():
        if not str(name).endswith("/"):
            raise SpreadError(f"{file}: suite {name}: a suite's name is its folder and ends with /")
        short = name.rstrip("/")
        suites[short] = _part("suite", short, keys, file)
        found = sorted((folder / short).glob("*/task.yaml"))
        tasks[short] = [load_task(task, folder) for task in found]
    made = Project(folder, project, backends, systems, suites, tasks)
    _check_systems(made)
    return made


def load_task(file: Path, folder: Path) -> Part:
    """Read one task. Raise SpreadError where it is not as spread has it."""
    task = _part("task", str(file.parent.relative_to(folder)), _read(file), file)
    for key in ("summary", "execute"):
        if not task.script(key):
            raise SpreadError(f"{file}: a task needs `{key}`")
    return task


def matching(word: str, names: list[str]) -> list[str]:
    """Return the names that a word of a list means: it may begin with + or -, and have * in it."""
    pattern = re.compile(word.lstrip("+-").replace(".", r"\.").replace("*", ".*"))
    return list(filter(pattern.fullmatch, names))


def nearest(word: str, known: list[str]) -> str:
    """Return what the word may have been meant to be, for the end of an error's text."""
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.4)
    return f"is it {' or '.join(near)}?" if near else f"known: {', '.join(sorted(known))}"


def _read(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text())
    except OSError as error:
        raise SpreadError(f"{file}: {error.strerror}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}" if mark else str(file)
        raise SpreadError(f"{where}: no YAML: {getattr(error, 'problem', error)}") from error
    if not isinstance(content, dict):
        raise SpreadError(f"{file}: no mapping of keys")
    return content


def _part(kind: str, name: str, keys: Any, file: Path) -> Part:
    if not isinstance(keys, dict):
        raise SpreadError(f"{file}: {kind} {name} is no mapping of keys")
    for key in keys:
        if key not in KEYS[kind]:
            raise SpreadError(
                f"{file}: {kind} {name}: unknown key `{key}`: {nearest(str(key), list(KEYS[kind]))}"
            )
        if key in _NOT_HERE and (key, keys[key]) != ("samples", 1):
            raise SpreadError(f"{file}: {kind} {name}: spread knows `{key}`, tools/spread does not")
    for key, shape, words in (
        ("environment", dict, "a mapping of names"),
        *(
            (key, list, "a list of names")
            for key in ("systems", "backends", "variants", "include", "exclude")
        ),
        *((key, int, "a number") for key in ("priority",)),
    ):
        if key in keys and not (kind == "project" and key == "backends") and not isinstance(keys[key], shape):
            raise SpreadError(f"{file}: {kind} {name}: `{key}` is {words}")
    for key in ("kill-timeout", "warn-timeout"):
        if not _TIMEOUT.fullmatch(str(keys.get(key, "0s"))):
            raise SpreadError(f"{file}: {kind} {name}: {key} is a time such as 1.5h, 5m or 30s")
    return Part(kind, name, keys)


def _mapping(project: Part, key: str, file: Path) -> dict[str, Any]:
    found = project.keys.get(key)
    if not isinstance(found, dict) or not found:
        raise SpreadError(f"{file}: `{key}` is no mapping of names")
    return found


def _check_systems(project: Project) -> None:
    """Spread takes a system that no backend has for one that is never wanted; here it is a slip."""
    known = [name for systems in project.systems.values() for name in systems]
    parts = [*project.suites.values(), *(task for tasks in project.tasks.values() for task in tasks)]
    for part in parts:
        for word, names in (("systems", known), ("backends", list(project.backends))):
            for name in part.words(word):
                if not matching(name, names):
                    text = f"{part.kind} {part.name}: `{word}` has {name}, which is none"
                    raise SpreadError(f"{text}: {nearest(name.lstrip('+-'), names)}")
