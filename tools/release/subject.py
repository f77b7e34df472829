"""What the evidence is of: the snap, the FIPS module in it, and how it was built."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from tools.build import compare
from tools.digest import sha256
from tools.release import inventory
from tools.release.errors import ReleaseError
from tools.release.inventory import check
from tools.release.inventory.module import Validation

NOT = "not validated"
CONFIG = "etc/ssl/openssl.cnf"
BUILD_TYPE = "urn:certbot-fips:build:v1"


def subject(snap: Path, revision: int | None = None) -> dict[str, Any]:
    """Return what a packed snap is (schemas/subject.json).

    :param revision: the store's, where it is known.
    :raises BuildError: it is no snap of ours.
    """
    record = json.loads(compare.read(snap, "snap/build.json"))
    with snap.open("rb") as file:
        sha3 = hashlib.file_digest(file, "sha3_384").hexdigest()
    return {
        "format": 1,
        "file": snap.name,
        "size": snap.stat().st_size,
        "sha256": sha256(snap),
        "sha3-384": sha3,
        **{name: record[name] for name in ("name", "version", "commit", "changed", "time")},
        "revision": revision,
    }


def module(snap: Path) -> dict[str, Any]:
    """Return what the FIPS module of a packed snap is, and what may be claimed of it (schemas/module.json).

    :raises BuildError: it is no snap of ours.
    :raises ReleaseError: its record is of another module than the one that is in it.
    """
    record = json.loads(compare.read(snap, compare.RECORD))
    digest = hashlib.sha256(compare.read(snap, compare.MODULE)).hexdigest()
    if digest != record["module_sha256"]:
        raise ReleaseError(f"{snap.name}: its record is of another module than the one that is in it")
    mac = re.search(r"^module-mac = ([0-9A-F:]+)$", compare.read(snap, CONFIG).decode(), re.MULTILINE)
    if not mac:
        raise ReleaseError(f"{snap.name}: {CONFIG} has no module-mac")
    validation = Validation.of(record)
    known = validation.facts
    return {
        "format": 1,
        **{name: record[name] for name in ("name", "version", "origin", "source", "sealed_sources_checked")},
        "sha256": digest,
        "mac": mac[1].replace(":", "").lower(),
        "validation": validation.words,
        "cmvp": validation.number or NOT,
        "cavp": known.get("cavp", NOT),
        "caveat": known.get("caveat"),
        "sunset": str(known["sunset"]) if known else None,
        "read": str(known["read"]) if known else None,
    }


def bill(snap: Path) -> bytes:
    """Return the inventory in a packed snap; BuildError where there is none."""
    return compare.read(snap, inventory.FILE)


def provenance(snap: Path) -> dict[str, Any]:
    """Return how a packed snap was built: the predicate of SLSA's provenance, version 1.

    What it was built from is what its inventory and its record of the build say; no more is claimed of the
    builder than that it is this project's, on whichever machine.

    :raises BuildError: it is no snap of ours.
    """
    record = json.loads(compare.read(snap, "snap/build.json"))
    provider = json.loads(compare.read(snap, compare.RECORD))
    bom = json.loads(bill(snap))
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {
                "commit": record["commit"],
                "provider": provider["version"],
                "origin": provider["origin"],
            },
            "internalParameters": {"hardening": record["hardening"], "changed": record["changed"]},
            "resolvedDependencies": [
                {"name": "commit", "digest": {"gitCommit": record["commit"]}},
                *sorted(_sources(bom), key=lambda each: (each["name"], each["digest"]["sha256"])),
                *_root(record["root"]["packages"]),
            ],
        },
        "runDetails": {"builder": {"id": "urn:certbot-fips:builder"}},
    }


def _sources(bom: dict[str, Any]) -> list[dict[str, Any]]:
    """Return releases, packages and crates of an inventory, each once, by what was fetched."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for each in check.components(bom):
        if not str(each["bom-ref"]).startswith(("release:", "module:", "pkg:")):
            continue
        name = each.get("purl") or each["bom-ref"]
        fetched = [ref for ref in each.get("externalReferences", []) if ref.get("hashes")]
        # A module has a hash of its own, which is of what was made.
        for hashed in fetched or [each] if each.get("hashes") or fetched else []:
            digest = hashed["hashes"][0]["content"]
            found[name, digest] = {"name": name, "digest": {"sha256": digest}}
    return list(found.values())


def _root(packages: list[str]) -> list[dict[str, Any]]:
    return [
        {"name": f"pkg:deb/{name}@{version}", "digest": {"sha256": digest}}
        for name, version, digest in map(str.split, packages)
    ]
