"""`python3 -m tools.lint.shell`: shellcheck over every script, those inside YAML files included.

Scripts of YAML are bash with `set -eu`, as spread, snapcraft and the workflows run them. What they source
is looked for in tests/spread/lib. A finding that is meant is disabled in the script, with its reason.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parents[2]
SHELLCHECK = PROJECT / ".venv/bin/shellcheck"
_SHEBANG = re.compile(rb"#!.*\b(ba|da)?sh\b")
_YAML = re.compile(r"(^|/)(task|spread|snapcraft)\.yaml$|^plans/.*\.fmf$|^\.github/workflows/.*\.yml$")
#: Keys whose values are scripts: spread's, snapcraft's, tmt's and a workflow's.
_KEYS = re.compile(r"(prepare|restore|debug)(-each)?|execute|allocate|discard|override-\w+|script|run")
_MADE = re.compile(r"\.git|\.venv|\.\w+_cache|build|dist|stage|prime")
_PREAMBLE = "#!/bin/bash\nset -eu\n"


@dataclass(frozen=True)
class Script:
    """A script, where its first line stands in which file, and what is put before it to be checked."""

    file: str
    line: int
    text: str
    preamble: str = ""


def scripts(root: Path, names: Sequence[str]) -> Iterator[Script]:
    """Yield the scripts that are or are in these files, named from `root`."""
    for name in names:
        content = (root / name).read_bytes()
        if name.endswith(".sh") or _SHEBANG.match(content):
            yield Script(name, 1, content.decode())
        elif _YAML.search(name):
            yield from _inside(name, yaml.compose(content))


def _inside(name: str, node: yaml.Node | None, key: str = "") -> Iterator[Script]:
    if isinstance(node, yaml.MappingNode):
        for of, value in node.value:
            yield from _inside(name, value, str(of.value))
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _inside(name, value, key)
    elif isinstance(node, yaml.ScalarNode) and _KEYS.fullmatch(key):
        block = node.style in ("|", ">")
        yield Script(name, node.start_mark.line + (2 if block else 1), node.value, _PREAMBLE)


def check(found: Sequence[Script], sources: Path) -> list[str]:
    """Return shellcheck's findings, a line each: FILE:LINE: WORDS [CODE].

    :param sources: the folder of what scripts source by a variable and a name.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = {str(Path(folder) / str(number)): script for number, script in enumerate(found)}
        for path, script in paths.items():
            Path(path).write_text(script.preamble + script.text)
        options = ["--external-sources", f"--source-path={sources}", "--format=json1"]
        told = subprocess.run([SHELLCHECK, *options, *paths], capture_output=True, check=False)
    if told.returncode not in (0, 1):  # it could not check
        raise RuntimeError(told.stderr.decode(errors="replace").strip())
    lines = []
    for comment in json.loads(told.stdout)["comments"]:
        if of := paths.get(comment["file"]):  # else it is in what this one sources
            line = comment["line"] - of.preamble.count("\n") + of.line - 1
            lines.append(f"{of.file}:{line}: {comment['message']} [SC{comment['code']}]")
    return lines


def tree(root: Path) -> list[str]:
    """Return the names of a project's files, without what was made or fetched."""
    tops = [top for top in sorted(root.iterdir()) if not _MADE.fullmatch(top.name)]
    paths = [path for top in tops for path in (top, *sorted(top.rglob("*"))) if path.is_file()]
    return [str(path.relative_to(root)) for path in paths]


def main() -> int:
    """Return 0 when shellcheck finds nothing in this tree, or else 1."""
    found = list(scripts(PROJECT, tree(PROJECT)))
    lines = check(found, PROJECT / "tests/spread/lib") if found else ["no script is to be found"]
    for line in lines:
        print(line)
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main())
