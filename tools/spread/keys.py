"""The YAML of spread.yaml and task.yaml, read strictly: what spread would ignore in silence is refused here.

What is not in schema.yaml is refused, too, though spread may know it: tools/spread does what is used here.
"""

from __future__ import annotations

import difflib
import re
import reprlib
from pathlib import Path
from typing import Any

import yaml

try:
    import jsonschema
except ModuleNotFoundError:  # on a machine of tmt's; its files were checked where they come from
    jsonschema = None  # type: ignore[assignment]

_SCHEMA = Path(__file__).with_name("schema.yaml")
#: What is no text though no quotes are around it.
_RESOLVED = {"true": "bool", "false": "bool", "": "null", "~": "null", "null": "null"}


class SpreadError(Exception):
    """spread.yaml, a task or a name is wrong; the text is one line that says where and what to do."""


class _Loader(yaml.SafeLoader):
    """Keeps text as it is written (`1.10`, `yes`), as spread does where it wants text."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as its base has it
        word[:1]: [(f"tag:yaml.org,2002:{kind}", re.compile(f"^{word}$"))] for word, kind in _RESOLVED.items()
    }

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


def read(file: Path, kind: str) -> dict[str, Any]:
    """Return the keys of a file: a `project` or a `task`. Raise SpreadError when it is none."""
    try:
        with file.open() as stream:
            content: dict[str, Any] = yaml.load(stream, _Loader)
    except OSError as error:
        raise SpreadError(f"{file}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}" if mark else str(file)
        problem = " ".join(str(getattr(error, "problem", error)).split())
        raise SpreadError(f"{where}: no YAML: {problem}") from error
    if jsonschema is not None:
        schema = yaml.safe_load(_SCHEMA.read_text())
        validator = jsonschema.Draft202012Validator({"$defs": schema["$defs"], "$ref": f"#/$defs/{kind}"})
        for wrong in validator.iter_errors(content):
            raise SpreadError(f"{file}: {_said(wrong)}")
    return content


def _said(wrong: jsonschema.ValidationError) -> str:
    """Return in one line where a file is wrong, and what is wanted there."""
    place = "".join(f"{step}: " for step in wrong.absolute_path)
    schema: Any = wrong.schema
    found: Any = wrong.instance
    if wrong.validator == "required":
        return f"{place}`{next(key for key in schema['required'] if key not in found)}` is needed"
    if wrong.validator == "additionalProperties":
        known = list(schema["properties"])
        unknown = next(key for key in found if key not in known)
        return f"{place}unknown key `{unknown}`: {nearest(unknown, known)}"
    return f"{place}{reprlib.repr(found)} is not {schema['description']}"


def nearest(word: str, known: list[str]) -> str:
    """Return what the word may have been meant to be, for the end of an error's text."""
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.4)
    return f"is it {' or '.join(near)}?" if near else f"known: {', '.join(sorted(known))}"
