"""The crates, by the lists that maturin put into the wheels, compared with Cargo.lock."""

from __future__ import annotations

import json
import tarfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclonedx.model.component import Component, ComponentScope, ComponentType
from packageurl import PackageURL

from tools.build.errors import BuildError
from tools.release.inventory import terms
from tools.release.inventory.built import Built
from tools.release.inventory.packages import Package, installed, pins
from tools.release.inventory.releases import source


@dataclass(frozen=True)
class Crate:
    """A crate on the list of a package.

    :ivar package: the Python package whose extension module it is in.
    :ivar ref: what the inventory knows it by.
    :ivar entry: the list's.
    """

    package: Package
    ref: str
    entry: dict[str, Any]

    @property
    def purl(self) -> PackageURL:
        """Its package URL, without a folder of the build."""
        return PackageURL("cargo", name=self.entry["name"], version=self.entry["version"])

    @property
    def digest(self) -> str | None:
        """The hex sha256 that its registry has of it; None: it is in the package's own sources."""
        hashes = {each["alg"]: each["content"] for each in self.entry.get("hashes", [])}
        return hashes.get("SHA-256")

    @property
    def licence(self) -> str:
        """Its licence, an SPDX expression.

        :raises BuildError: the list has none.
        """
        try:
            said = self.entry["licenses"][0]
            return str(said.get("expression") or said["license"]["id"])
        except (KeyError, IndexError) as error:
            raise BuildError(f"inventory: the crate {self.purl} has no licence on its list") from error


def lists(root: Path) -> Iterator[tuple[Package, dict[str, Any]]]:
    """Yield the lists that packages in a snap's files have (PEP 770), of the crates in them."""
    for package in installed(root):
        for file in sorted((package.folder / "sboms").glob("*.json")):
            yield package, json.loads(file.read_text())


def crates(root: Path) -> list[Crate]:
    """Return all crates on these lists, one entry for each package that has it."""
    found = []
    for package, listed in lists(root):
        for entry in listed.get("components", []):
            if not str(entry.get("purl", "")).startswith("pkg:cargo/"):
                raise BuildError(f"inventory: {package.name} lists what is no crate: {entry.get('purl')}")
            found.append(Crate(package, _ref(package, entry), entry))
    return found


def _ref(package: Package, entry: dict[str, Any]) -> str:
    return f"pkg:cargo/{entry['name']}@{entry['version']}#{package.name}"


def components(built: Built) -> dict[str, list[Component]]:
    """Return the crates by the name of the package that they are in.

    :raises BuildError: a list says another hash than Cargo.lock, or a hash is missing.
    """
    locked, pinned = _locked(built), pins(built)
    found: dict[str, list[Component]] = {}
    for crate in crates(built.prime):
        name, version = crate.entry["name"], crate.entry["version"]
        digest = crate.digest
        if crate.package.name in locked:
            # maturin's list has no hashes of what cargo took from a folder; the lock has them.
            digest = locked[crate.package.name].get((name, version), "missing")
            if digest == "missing" or crate.digest not in (None, digest):
                raise BuildError(f"inventory: the crate {crate.purl} is not as Cargo.lock has it")
        # A crate in the package's own sources is under their hash.
        sources = [] if digest else [source(crate.package.ref, pinned[crate.package.name][1])]
        found.setdefault(crate.package.name, []).append(
            Component(
                name=name,
                version=version,
                type=ComponentType.LIBRARY,
                scope=ComponentScope(crate.entry["scope"]) if "scope" in crate.entry else None,
                bom_ref=crate.ref,
                purl=crate.purl,
                hashes=[terms.digest(digest)] if digest else [],
                licenses=[terms.licence(crate.licence)],
                external_references=sources,
                properties=terms.properties({"in": crate.package.ref}),
            )
        )
    return found


def dependencies(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield what depends on what, by the lists: a package or crate, and the crates that it needs."""
    for package, listed in lists(root):
        if not listed.get("components"):
            continue
        refs = {entry["bom-ref"]: _ref(package, entry) for entry in listed["components"]}
        refs[listed["metadata"]["component"]["bom-ref"]] = package.ref
        for entry in listed.get("dependencies", []):
            if entry["ref"] in refs:
                yield (
                    refs[entry["ref"]],
                    [refs[other] for other in entry.get("dependsOn", []) if other in refs],
                )


def _locked(built: Built) -> dict[str, dict[tuple[str, str], str | None]]:
    """Return, for packages that were built from their sdist, the hash of each crate of its Cargo.lock."""
    found: dict[str, dict[tuple[str, str], str | None]] = {}
    for package in installed(built.prime):
        sdist = built.packages / f"{package.name}-{package.version}.tar.gz"
        if not sdist.is_file():
            continue
        with tarfile.open(sdist) as packed:
            try:
                lock = packed.extractfile(f"{package.name}-{package.version}/Cargo.lock")
            except KeyError:
                continue
            if lock:
                entries = tomllib.loads(lock.read().decode())["package"]
                found[package.name] = {(e["name"], e["version"]): e.get("checksum") for e in entries}
    return found
