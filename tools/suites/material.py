"""The suites as they are run: their tests, out of pinned sources, and what these want besides the snap."""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from tools.build import packages, recipe, sources
from tools.build.errors import BuildError, UnavailableError
from tools.digest import sha256

HERE = Path(__file__).parent
CACHE = recipe.PROJECT / "build" / "cache"
WORK = recipe.PROJECT / "build" / "suites"
#: Not among the packages that the snap is built with.
SDISTS = WORK / "sdists"


@dataclass(frozen=True)
class Suite:
    """An entry of suites.yaml, which says what each of its words means."""

    name: str
    source: str
    root: str
    take: list[str]
    passes: int
    tests: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    flagged: list[str] = field(default_factory=list)
    changed: dict[str, tuple[str, str]] = field(default_factory=dict)
    fast: bool = False

    @property
    def package(self) -> str:
        """The package of the snap that the tests lie in, "" where they are beside it."""
        first, *more = PurePosixPath(self.take[0]).parts or ["."]
        return ".".join([first, *more[:-1]]) if more else ""


@dataclass(frozen=True)
class Material:
    """What a host needs of a suite: the folder that it runs in, and that of the packages it wants."""

    folder: Path
    needs: Path


def suites() -> dict[str, Suite]:
    """Return the suites of suites.yaml, by their names."""
    entries: dict[str, dict[str, Any]] = yaml.safe_load((HERE / "suites.yaml").read_text())
    return {name: Suite(name, **entry) for name, entry in entries.items()}


def prepare(suite: Suite) -> Material:
    """Fetch what a suite is made of, where it is not there, and lay it out.

    :raises UnavailableError: a source cannot be fetched.
    :raises BuildError: a source has other bytes than the pinned ones, or not the tests that are named.
    """
    WORK.mkdir(parents=True, exist_ok=True)
    with (WORK / "lock").open("w") as lock:  # several may be run at a time
        fcntl.flock(lock, fcntl.LOCK_EX)
        python = recipe.load()["parts"]["python"]
        release = re.search(r"/Python-(\d+\.\d+)\.", python["source"])
        assert release
        needs = packages.install(HERE / "needs.txt", release[1], WORK, "suite")
        archive = _python(python) if suite.source == "python" else _sdist(suite.source, release[1])
        made_of = json.dumps([sha256(archive), suite.root, suite.take, suite.changed])
        folder = WORK / f"{suite.source}-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}"
        if not folder.is_dir():
            _lay_out(suite, archive, folder)
    return Material(folder, needs)


def _python(part: dict[str, Any]) -> Path:
    origins = yaml.safe_load((HERE.parent / "build" / "origins.yaml").read_text())
    second = origins["distribution"].get(part["source-checksum"])
    if not sources.bring(part["source"], part["source-checksum"], CACHE, second):
        raise UnavailableError(f"{part['source']} cannot be fetched: check the network and try again")
    return sources.cached(CACHE, part["source-checksum"])


def _sdist(name: str, python: str) -> Path:
    pins = HERE / "sdists.txt"
    packages.bring([pins], python, SDISTS)
    pinned = re.search(rf"^{re.escape(name)}==.*sha256:([0-9a-f]{{64}})", pins.read_text(), re.MULTILINE)
    if pinned is None:
        raise BuildError(f"{pins.name} has no {name}: run `make requirements`")
    return next(file for file in SDISTS.iterdir() if sha256(file) == pinned[1])


def _lay_out(suite: Suite, archive: Path, folder: Path) -> None:
    """Unpack what is taken of a source, and change what is to be changed."""
    aside = folder.with_suffix(".unfinished")
    shutil.rmtree(aside, ignore_errors=True)
    taken = _taken(suite)
    with tarfile.open(archive) as packed:
        for member in packed:
            inside = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            if member.isfile() and taken(inside):
                target = aside / inside.relative_to(suite.root)
                target.parent.mkdir(parents=True, exist_ok=True)
                content = packed.extractfile(member)
                assert content
                target.write_bytes(content.read())
    if not aside.is_dir():
        raise BuildError(f"{suite.name}: {archive.name} has none of {', '.join(suite.take)} in {suite.root}")
    for name, (before, after) in suite.changed.items():
        text = (aside / name).read_text()
        if before not in text:
            raise BuildError(f"{suite.name}: {name} has no `{before}`, which suites.yaml changes")
        (aside / name).write_text(text.replace(before, after))
    aside.rename(folder)


def _taken(suite: Suite) -> Callable[[PurePosixPath], bool]:
    places = [PurePosixPath(suite.root, name) for name in suite.take]
    return lambda inside: ".." not in inside.parts and any(inside.is_relative_to(place) for place in places)
