"""Hold the inventory in a snap against what is in the snap."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.digest import sha256
from tools.release.inventory import FILE, crates, files
from tools.release.inventory.bom import invalid
from tools.release.inventory.packages import installed

RECORD = "usr/share/fips-provider/record.json"


def differences(root: Path, text: str | None = None) -> Iterator[str]:
    """Yield a line for everything in which a snap and its inventory differ.

    That is each file of machine code and of ours, each Python package and each crate, in either direction;
    a file's sha256; what lies among the packages and is of none; what the record says of the FIPS module;
    and the schema.

    :param root: the snap's files.
    :param text: the inventory; None: the one that is in the snap.
    """
    if text is None:
        try:
            text = (root / FILE).read_text()
        except (OSError, UnicodeError):
            yield f"there is no {FILE} that can be read"
            return
    if wrong := invalid(text):
        yield f"{FILE} is not CycloneDX 1.6: {wrong}"
        return
    listed = list(components(json.loads(text)))
    yield from _files(root, listed)
    there = {package.ref for package in installed(root)}
    yield from _sets("package", there, _purls(listed, "pkg:pypi/"))
    yield from _sets("crate", {crate.ref for crate in crates.crates(root)}, _refs(listed, "pkg:cargo/"))
    for name in files.strays(root):
        yield f"{name} is in the snap, and of no package"
    yield from _module(root, listed)


def components(bom: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the components of an inventory, with those that are nested in others."""
    unread = list(bom.get("components", []))
    while unread:
        component = unread.pop()
        unread += component.get("components", [])
        yield component


def said(component: dict[str, Any], name: str) -> str | None:
    """Return one of our properties of a component."""
    for each in component.get("properties", []):
        if each["name"] == f"certbot-fips:{name}":
            return str(each["value"])
    return None


def boundary(bom: dict[str, Any]) -> dict[str, int]:
    """Return how many operations are computed where, by the boundary that an inventory was made with."""
    start = "certbot-fips:boundary:"
    every = bom["metadata"]["component"].get("properties", [])
    return {
        each["name"].removeprefix(start): int(each["value"])
        for each in every
        if each["name"].startswith(start)
    }


def _files(root: Path, listed: list[dict[str, Any]]) -> Iterator[str]:
    digests = {
        each["name"]: each["hashes"][0]["content"]
        for each in listed
        if str(each["bom-ref"]).startswith("file:") and each.get("hashes")
    }
    there = {*files.elf(root), *files.own(root)}
    yield from _sets("file", there, set(digests))
    for name in sorted(there & set(digests)):
        if sha256(root / name) != digests[name]:
            yield f"the file {name} has another sha256 than the inventory says"


def _purls(listed: list[dict[str, Any]], start: str) -> set[str]:
    return {each["purl"] for each in listed if str(each.get("purl", "")).startswith(start)}


def _refs(listed: list[dict[str, Any]], start: str) -> set[str]:
    return {each["bom-ref"] for each in listed if str(each["bom-ref"]).startswith(start)}


def _sets(what: str, there: set[str], named: set[str]) -> Iterator[str]:
    for name in sorted(there - named):
        yield f"the {what} {name} is in the snap and not in the inventory"
    for name in sorted(named - there):
        yield f"the {what} {name} is in the inventory and not in the snap"


def _module(root: Path, listed: list[dict[str, Any]]) -> Iterator[str]:
    modules = [each for each in listed if str(each["bom-ref"]).startswith("module:")]
    try:
        record = json.loads((root / RECORD).read_text())
    except (OSError, ValueError):
        yield f"there is no {RECORD} that can be read"
        return
    if len(modules) != 1:
        yield f"the inventory has {len(modules)} FIPS modules, the snap one"
        return
    (module,) = modules
    if (module["version"], said(module, "fips:validation")) != (record["version"], record["validation"]):
        yield "the inventory says something else of the FIPS module than the snap's record"
