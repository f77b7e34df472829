"""The keys of spread.yaml and task.yaml, and what each holds; their YAML, read strictly.

The keys are those of spread's own source (spread/project.go); its README says what they mean. What spread
would ignore in silence is refused here, and so is what tools/spread does not do.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml


def _keys(**shapes: str) -> dict[str, str]:
    return {key: shape for shape, keys in shapes.items() for key in keys.split()}


_COMMON = _keys(variables="environment", text="prepare restore debug", time="warn-timeout kill-timeout")
_EACH = _keys(text="prepare-each restore-each debug-each")
_CHOSEN = _keys(names="variants", number="priority", truth="manual")
_MACHINE = _keys(text="plan storage", names="networks groups")
#: What has which keys, and what each holds: one of _SHAPES.
KEYS = {
    "project": _keys(
        text="project path repack reroot", names="include exclude rename", mapping="backends suites"
    )
    | _COMMON
    | _EACH,
    "backend": _keys(
        text="type key allocate discard memory location account endpoint", list="systems", time="halt-timeout"
    )
    | _MACHINE
    | _CHOSEN
    | _COMMON
    | _EACH,
    "system": _keys(
        text="image kernel username password bios cpu-family",
        number="workers",
        truth="secure-boot",
        variables="environment",
    )
    | _MACHINE
    | _CHOSEN,
    "suite": _keys(text="summary", names="systems backends") | _CHOSEN | _COMMON | _EACH,
    "task": _keys(text="summary details execute", names="systems backends artifacts", number="samples")
    | _CHOSEN
    | _COMMON,
}
#: Known to spread and not done by tools/spread: refused rather than ignored.
_NOT_HERE = {"rename", "repack", "reroot", "artifacts", "samples"}
NAME = r"[a-z0-9]+(?:[-._][a-z0-9]+)*"
#: What spread takes for the name of a system; in a list it may have * in it.
SYSTEM_NAME = r"[a-z{0}]+-[a-z0-9{0}]+(?:[-.][a-z0-9{0}]+)*"
#: The words of lists. Not spread's own rule: a backend with * crashes it, a variant with * that is not to be
#: removed is a variant of that very name.
_WORDS = {
    "systems": rf"[+-]?{SYSTEM_NAME.format('*')}",
    "backends": rf"[+-]?{NAME}",
    "variants": r"\+?[\w.][\w.-]*|-[\w.*][\w.*-]*",
}
_VARIABLE = r"[a-zA-Z_]\w*(?:/\w+(?:,\w+)*)?"
_TIMEOUT = re.compile(r"(?=\d)" + "".join(rf"(?:(\d+(?:\.\d+)?){unit})?" for unit in "hms"))
_TRUTH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class SpreadError(Exception):
    """spread.yaml, a task or a name is wrong; the text is one line that says where and what to do."""


class _Quoted(str):
    """A scalar that is quoted: text, never a number or a truth value."""

    __slots__ = ()


class _Loader(yaml.BaseLoader):
    """Keeps a scalar as it is written (`1.10`, `yes`), as spread does where it wants text."""

    def construct_scalar(self, node: yaml.ScalarNode) -> str | None:  # type: ignore[override]
        if node.style is not None:
            return _Quoted(node.value)
        return None if node.value in ("", "~", "null") else str(node.value)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            where = f"{key_node.start_mark.name}:{key_node.start_mark.line + 1}"
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise SpreadError(f"{where}: a key is a name")
            if key in made:
                raise SpreadError(f"{where}: the key `{key}` is there twice")
            made[key] = self.construct_object(value_node, deep=deep)
        return made


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _plain(value: Any) -> str:
    if isinstance(value, _Quoted):
        raise ValueError
    return _text(value)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError
    return value


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError
    return value


def _seconds(value: Any) -> float:
    found = _TIMEOUT.fullmatch(_text(value))
    if found is None:
        raise ValueError
    hours, minutes, seconds = (float(number or 0) for number in found.groups())
    return (hours * 60 + minutes) * 60 + seconds


def _truth(value: Any) -> bool:
    word = _plain(value).lower()
    if word not in _TRUTH:
        raise ValueError
    return _TRUTH[word]


#: What makes a key's value of what YAML has, or raises ValueError; what the value has to be.
_SHAPES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "text": (_text, "text"),
    "names": (lambda value: [_text(each) for each in _list(value)], "a list of names"),
    "variables": (
        lambda value: {name: _text(each or "") for name, each in _mapping(value).items()},
        "a mapping of names to text",
    ),
    "number": (lambda value: int(_plain(value)), "a number"),
    "truth": (_truth, "true or false, without quotes"),
    "time": (_seconds, "a time such as 1.5h, 5m or 30s"),
    "list": (_list, "a list"),
    "mapping": (_mapping, "a mapping of names"),
}


def read(file: Path) -> dict[str, Any]:
    """Return the keys of a file. Raise SpreadError when it is no YAML, or no mapping."""
    try:
        with file.open() as stream:
            content = yaml.load(stream, _Loader)
    except OSError as error:
        raise SpreadError(f"{file}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}" if mark else str(file)
        problem = " ".join(str(getattr(error, "problem", error)).split())
        raise SpreadError(f"{where}: no YAML: {problem}") from error
    if not isinstance(content, dict):
        raise SpreadError(f"{file}: no mapping of keys")
    return content


def checked(kind: str, name: str, keys: Any, file: Path) -> dict[str, Any]:
    """Return the keys of a part of a file, as what they have to be. Raise SpreadError where they are not."""
    if not isinstance(keys, dict):
        raise SpreadError(f"{file}: {kind} {name} is no mapping of keys")
    made = {}
    for key, value in keys.items():
        where = f"{file}: {kind} {name}"
        if key not in KEYS[kind]:
            raise SpreadError(f"{where}: unknown key `{key}`: {nearest(key, list(KEYS[kind]))}")
        if value is None:
            continue
        shape, words = _SHAPES[KEYS[kind][key]]
        try:
            made[key] = shape(value)
        except ValueError:
            raise SpreadError(f"{where}: `{key}` is {words}") from None
        if key in _NOT_HERE and (key, made[key]) != ("samples", 1):
            raise SpreadError(f"{where}: spread knows `{key}`, tools/spread does not")
        for word in made[key] if key in _WORDS and KEYS[kind][key] == "names" else ():
            if not re.fullmatch(_WORDS[key], word):
                raise SpreadError(f"{where}: `{key}` has {word!r}, which can be none")
        for variable in made[key] if key == "environment" else ():
            # `yes` and the like are no text to YAML.
            if not re.fullmatch(_VARIABLE, variable, re.ASCII) or variable.lower() in _TRUTH:
                raise SpreadError(f"{where}: {variable!r} is no name of a variable")
    return made


def check_name(kind: str, name: str, pattern: str, file: Path) -> None:
    """Raise SpreadError when a name is none that spread takes."""
    if not re.fullmatch(pattern, name):
        raise SpreadError(
            f"{file}: {kind} {name}: a name is small letters and digits, with - . _ between them"
        )


def nearest(word: str, known: list[str]) -> str:
    """Return what the word may have been meant to be, for the end of an error's text."""
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.4)
    return f"is it {' or '.join(near)}?" if near else f"known: {', '.join(sorted(known))}"
