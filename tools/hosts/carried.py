"""Programs of this machine for hosts of any distribution: they go with their own loader and libraries."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from tools.architecture import ARCHITECTURE
from tools.hosts.base import HostError

_START = """\
#!/bin/sh
# With its own loader and libraries: the host's may be older, or another distribution's.
case $0 in /*) here=${{0%/*}} ;; *) here=$PWD/${{0%/*}} ;; esac
{variables}exec "$here/lib/{loader}" --library-path "$here/lib" "$here/lib/{name}" "$@"
"""


def carry(
    program: Path, start: Path, *, also: Iterable[Path] = (), variables: Mapping[str, str] | None = None
) -> None:
    """Copy a program of this machine, to be started as `start`; its libraries go to `lib` beside that.

    also: files that it loads later, whose libraries it needs too. variables: what its environment has;
    `$here` in them is the folder of `start`. A library that is in `lib` already is taken in place of this
    machine's. Raise HostError when a library is missing.
    """
    lib = start.parent / "lib"
    lib.mkdir(parents=True, exist_ok=True)
    for library in _libraries([program, *also], first=lib):
        if library.parent != lib:
            shutil.copy(library, lib)
    shutil.copy(program, lib / start.name)
    said = "".join(f'export {name}="{value}"\n' for name, value in (variables or {}).items())
    start.write_text(_START.format(name=start.name, variables=said, loader=Path(ARCHITECTURE.loader).name))
    start.chmod(0o755)


def _libraries(files: list[Path], *, first: Path) -> set[Path]:
    """Return the libraries of programs and libraries, by the names under which they are looked for."""
    listed = subprocess.run(
        ["ldd", *files], capture_output=True, text=True, env={"LD_LIBRARY_PATH": str(first.resolve())}
    )
    if listed.returncode != 0 or "not found" in listed.stdout:
        raise HostError(f"ldd {files[0]}: {' / '.join((listed.stderr or listed.stdout).split())}")
    return {Path(path) for path in re.findall(r"(/\S+) \(0x", listed.stdout)}
