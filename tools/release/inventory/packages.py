"""Python's packages, by their pins and what is installed of them; and which of them a file belongs to."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from functools import cached_property
from pathlib import Path

from cyclonedx.model.component import Component, ComponentType
from packageurl import PackageURL

from tools.build.errors import BuildError
from tools.digest import sha256
from tools.release.inventory import patches, terms
from tools.release.inventory.built import SITE, Built, facts


@dataclass(frozen=True)
class Package:
    """An installed package (PyPA: Recording installed projects, Core metadata).

    :ivar folder: its dist-info.
    """

    folder: Path

    @cached_property
    def metadata(self) -> Message:
        """What it says of itself."""
        return HeaderParser().parsestr((self.folder / "METADATA").read_text())

    @property
    def name(self) -> str:
        """Its name, normalized (PEP 503)."""
        return normalized(self.metadata["Name"])

    @property
    def version(self) -> str:
        """Its version."""
        return str(self.metadata["Version"])

    @property
    def ref(self) -> str:
        """What the inventory knows it by."""
        return f"pkg:pypi/{self.name}@{self.version}"

    @cached_property
    def files(self) -> frozenset[str]:
        """The files on its record, by their paths in the snap."""
        rows = csv.reader((self.folder / "RECORD").read_text().splitlines())
        return frozenset(f"{SITE}/{row[0]}" for row in rows if row)

    def needs(self) -> Iterator[str]:
        """Yield the names of what it asks for, without what only its extras do."""
        for line in self.metadata.get_all("Requires-Dist", []):
            if "extra ==" not in line and (found := re.match(r"[A-Za-z0-9._-]+", line)):
                yield normalized(found[0])


def normalized(name: str) -> str:
    """Return a package's name as PEP 503 has it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(root: Path) -> list[Package]:
    """Return the packages in a snap's files."""
    return [Package(folder) for folder in sorted((root / SITE).glob("*.dist-info"))]


def pins(built: Built) -> dict[str, tuple[str, str]]:
    """Return version and hex sha256 of each package that is pinned for the snap, by its normalized name."""
    folder, found = built.project / "parts/certbot-pins", {}
    for file in ("runtime.txt", "cryptography.txt"):
        for line in (folder / file).read_text().splitlines():
            if pin := re.match(r"([\w.-]+)==(\S+) --hash=sha256:([0-9a-f]{64})$", line):
                found[normalized(pin[1])] = (pin[2], pin[3])
    return found


def components(built: Built) -> list[Component]:
    """Return the packages that are in the snap, each with its pin's hash, its licence and its patches.

    :raises BuildError: one is not pinned, its licence is not clear, or a patch changes none.
    """
    pinned, cached = pins(built), {sha256(file): file.name for file in built.packages.iterdir()}
    packages = installed(built.prime)
    changes: dict[str, list[Path]] = {}
    for part in ("certbot", "cryptography"):
        for patch in built.patches(part):
            for name in _changed(patch, packages, part):
                changes.setdefault(name, []).append(patch)
    found = []
    for package in packages:
        version, digest = pinned.get(package.name, ("none", ""))
        if version != package.version:
            raise BuildError(
                f"inventory: {package.name} {package.version} is in the snap, {version} is pinned"
            )
        expression, concluded = licence(package)
        licences = [terms.licence(expression, concluded)]
        component = Component(
            name=package.name,
            version=version,
            type=ComponentType.LIBRARY,
            description=package.metadata["Summary"],
            bom_ref=package.ref,
            purl=PackageURL("pypi", name=package.name, version=version),
            hashes=[terms.digest(digest)],
            licenses=licences,
            properties=terms.properties({"from": cached[digest]} if digest in cached else {}),
        )
        patches.apply(component, sorted(set(changes.get(package.name, []))), built.project, licences)
        found.append(component)
    return found


def _changed(patch: Path, packages: list[Package], part: str) -> set[str]:
    """Return the packages that a patch changes: of cryptography its sdist, else what is installed."""
    if part == "cryptography":
        return {part}
    files = {f"{SITE}/{name}" for name in patches.touched(patch)}
    found = {package.name for package in packages if files & package.files}
    if not found:
        raise BuildError(f"inventory: {patch.name} changes no package")
    return found


def licence(package: Package) -> tuple[str, bool]:
    """Return a package's licence as an SPDX expression, and whether that is our conclusion.

    :raises BuildError: it says none that is clear, and facts.yaml has none.
    """
    known = facts("facts")
    if package.name in known["licences"]:
        return str(known["licences"][package.name]), True
    declared = package.metadata["License-Expression"] or (package.metadata["License"] or "").strip()
    if declared in known["licence-words"]:
        return str(known["licence-words"][declared]), True
    try:
        terms.licence(declared)
    except BuildError as error:
        raise BuildError(
            f"inventory: the licence of {package.name} is not clear ({declared[:60]!r}): read its"
            " licence file and add it to tools/release/inventory/facts.yaml, licences"
        ) from error
    return declared, False
