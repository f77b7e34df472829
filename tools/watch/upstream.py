"""Upstream, asked by its own means: git for tags, pip for packages, a page for advisories."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import requests
import yaml
from packaging.version import InvalidVersion, Version

from tools.build.recipe import PROJECT
from tools.release.inventory.built import facts
from tools.release.inventory.releases import version_of

SECONDS = 120.0
CVE = re.compile(r"CVE-\d{4}-\d{4,}")
#: The files that pin the snap's packages.
PACKAGES = ("runtime.txt", "cryptography.txt")


class WatchError(Exception):
    """Upstream could not be asked, or answers in another form; one line."""


@dataclass(frozen=True)
class News:
    """Something that is new.

    :ivar what: in one line.
    :ivar where: what it was read in.
    """

    what: str
    where: str


@dataclass(frozen=True)
class Release(News):
    """A release of a source.

    :ivar part: of snapcraft.yaml.
    :ivar pinned: the version that it has now.
    :ivar version: the newer one.
    :ivar key: the file in `keys` with the certificate that signs its sources, empty if none is known.
    """

    part: str
    pinned: Version
    version: Version
    key: str


def releases(project: Path = PROJECT, watched: dict[str, Any] | None = None) -> Iterator[Release]:
    """Yield the releases of the recipe's sources that are newer than their pins, in the same series.

    :param watched: `releases` of watch.yaml.
    :raises WatchError: a repository does not answer, or has no such tag.
    """
    recipe = yaml.safe_load((project / "snapcraft.yaml").read_text())
    if watched is None:
        watched = yaml.safe_load(Path(__file__).with_name("watch.yaml").read_text())["releases"]
    for part, about in watched.items():
        pinned = Version(version_of(recipe["parts"][part]["source"]))
        repository = about["repository"]
        said = run(["git", "ls-remote", "--tags", "--refs", repository], f"{part}: {repository}")
        tags = re.findall(rf"refs/tags/{about['tags']}$", said, re.MULTILINE)
        if not tags:
            raise WatchError(f"{part}: {repository} has no tag like {about['tags']}")
        newest = max(map(Version, tags))
        if newest > pinned:
            what = f"{part} {newest}; {pinned} is pinned"
            yield Release(what, repository, part, pinned, newest, about.get("key", ""))


def packages(project: Path = PROJECT, options: tuple[str, ...] = ()) -> Iterator[News]:
    """Yield the packages of which there is a newer version than the pinned one, as pip finds it.

    :param options: of pip, such as where it asks.
    :raises WatchError: pip finds none.
    """
    for name, pinned in _pins(project):
        command = [sys.executable, "-m", "pip", "index", "versions", name, "--disable-pip-version-check"]
        said = run([*command, *options], f"{name}: pip")
        found = re.match(rf"{re.escape(name)} \((\S+)\)", said)
        try:
            newest = Version(found[1]) if found else None
        except InvalidVersion:
            newest = None
        if newest is None:
            raise WatchError(f"{name}: pip names no version")
        if newest > Version(pinned):
            yield News(f"{name} {newest}; {pinned} is pinned", "pip index versions")


def _pins(project: Path) -> Iterator[tuple[str, str]]:
    for file in PACKAGES:
        text = (project / "parts/certbot-pins" / file).read_text()
        yield from re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", text, re.MULTILINE)


def advisories(page: str | None = None) -> Iterator[News]:
    """Yield the CVEs that OpenSSL's page calls relevant to FIPS modules, and advisories.yaml has not.

    :param page: its address; None: that of advisories.yaml.
    :raises WatchError: it cannot be read, or has not the form that it had.
    """
    known = facts("advisories")
    page = page or known["page"]
    try:
        answer = requests.get(page, timeout=SECONDS)
        answer.raise_for_status()
    except requests.RequestException as error:
        raise WatchError(f"{page} cannot be read ({type(error).__name__})") from error
    rows = _Rows()
    rows.feed(answer.text)
    said = {row[0]: row[2] for row in rows.found if len(row) > 2 and CVE.fullmatch(row[0])}
    # The module's own advisories are there as long as the page is what it was.
    missing = set(known["advisories"]) - set(said)
    if missing:
        raise WatchError(f"{page} does not have {min(missing)} any more: look at it")
    for name, relevant in sorted(said.items()):
        if relevant.lower() != "no" and name not in {*known["advisories"], *known["older"]}:
            yield News(f"{name}: relevant to FIPS modules ({relevant})", page)


class _Rows(HTMLParser):
    """The rows of tables, as the text of their cells."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[list[str]] = []
        self._inside = False

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        """See HTMLParser."""
        if tag == "tr":
            self.found.append([])
        if tag in ("td", "th") and self.found:
            self.found[-1].append("")
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        """See HTMLParser."""
        if tag in ("td", "th", "tr"):
            self._inside = False

    def handle_data(self, data: str) -> None:
        """See HTMLParser."""
        if self._inside:
            self.found[-1][-1] = f"{self.found[-1][-1]}{data}".strip()


def run(command: list[str], what: str, text: str = "", **variables: str) -> str:
    """Return what a program says.

    :param what: it is for, in errors.
    :param text: its standard input.
    :param variables: of its environment, besides those that there are.
    :raises WatchError: it is missing, fails, or does not end in time.
    """
    try:
        done = subprocess.run(
            command,
            input=text,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            env={**os.environ, **variables},
        )
    except FileNotFoundError as error:
        raise WatchError(f"{what}: the program {command[0]} is missing") from error
    except subprocess.TimeoutExpired as error:
        raise WatchError(f"{what} does not answer") from error
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it says nothing"]
        raise WatchError(f"{what} failed: {said[-1][:200]}")
    return done.stdout
