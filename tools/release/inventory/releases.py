"""The releases that the recipe pins: OpenSSL, CPython with what it brings, augeas; and Rust's library."""

from __future__ import annotations

import json
import re
from typing import Any

from cyclonedx.model import ExternalReference, ExternalReferenceType, XsUri
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.contact import OrganizationalEntity
from packageurl import PackageURL

from tools.build.errors import BuildError
from tools.release.inventory import patches, terms
from tools.release.inventory.built import Built, facts


def release(built: Built, part: str) -> Component:
    """Return what a part is built from, with its patches.

    :param part: its name; it has a source with a checksum.
    """
    what, pin = facts("facts")["releases"][part], built.parts[part]
    url, checksum = pin["source"], pin["source-checksum"].partition("/")[2]
    version = version_of(url)
    licences = [terms.licence(what["licence"], concluded=True)]
    component = Component(
        name=what["name"],
        version=version,
        type=ComponentType.LIBRARY,
        supplier=OrganizationalEntity(name=what["supplier"]),
        bom_ref=f"release:{what['name']}@{version}",
        purl=PackageURL(
            "generic",
            name=what["name"],
            version=version,
            qualifiers={"download_url": url, "checksum": f"sha256:{checksum}"},
        ),
        cpe=what["cpe"].format(version=version),
        licenses=licences,
        external_references=[source(url, checksum)],
        properties=terms.properties({"part": part}),
    )
    patches.apply(component, built.patches(part), built.project, licences)
    return component


def source(url: str, checksum: str) -> ExternalReference:
    """Return where sources come from, with their hex sha256."""
    return ExternalReference(
        type=ExternalReferenceType.SOURCE_DISTRIBUTION, url=XsUri(url), hashes=[terms.digest(checksum)]
    )


def version_of(url: str) -> str:
    """Return the version that a source's URL names."""
    found = re.search(r"-(\d+(?:\.\d+)+)\.tar\.", url)
    if not found:
        raise BuildError(f"inventory: {url} names no version")
    return found[1]


def bundled(built: Built) -> list[Component]:
    """Return what CPython brings with it, by its own list (SPDX 2.3), with what of it is in the snap.

    :raises BuildError: the list has what facts.yaml does not say, or the other way round.
    """
    listed: dict[str, Any] = json.loads((built.work / "python/src/Misc/sbom.spdx.json").read_text())
    known = facts("facts")["bundled"]
    names = {package["name"] for package in listed["packages"]}
    if names != set(known):
        odd = ", ".join(sorted(names ^ set(known)))
        raise BuildError(f"inventory: CPython's own list and facts.yaml, bundled, differ in {odd}")
    found = []
    for package in listed["packages"]:
        name, version = package["name"], package["versionInfo"]
        pattern = known[name].get("in")
        if pattern and not any(built.prime.glob(pattern)):
            raise BuildError(f"inventory: facts.yaml, bundled: {name}: the snap has no {pattern}")
        digest = {each["algorithm"]: each["checksumValue"] for each in package["checksums"]}["SHA256"]
        cpes = [
            ref["referenceLocator"] for ref in package["externalRefs"] if ref["referenceType"] == "cpe23Type"
        ]
        found.append(
            Component(
                name=name,
                version=version,
                type=ComponentType.LIBRARY,
                scope=ComponentScope.REQUIRED if pattern else ComponentScope.EXCLUDED,
                description=None if pattern else f"Not in the snap: {known[name]['reason']}.",
                bom_ref=f"bundled:{name}@{version}",
                purl=PackageURL("generic", name=name, version=version),
                cpe=cpes[0] if cpes else None,
                licenses=[terms.licence(known[name]["licence"], concluded=True)],
                external_references=[source(package["downloadLocation"], digest)],
                properties=terms.properties({"in": pattern} if pattern else {}),
            )
        )
    return found


def rust(built: Built) -> Component:
    """Return Rust's own library, as the root has it: what is compiled from Rust has it inside.

    :raises BuildError: the root has none.
    """
    for package in built.record["root"]["packages"]:
        name, version, digest = package.split()
        if name.startswith("libstd-rust") and name.endswith("-dev"):
            suite = built.record["root"]["suite"]
            return Component(
                name=name,
                version=version,
                type=ComponentType.LIBRARY,
                description="Rust's standard library, linked into what the build compiles from Rust.",
                bom_ref=f"deb:{name}@{version}",
                purl=PackageURL("deb", name=name, version=version, qualifiers={"distro": suite}),
                hashes=[terms.digest(digest)],
                licenses=[terms.licence("MIT OR Apache-2.0", concluded=True)],
            )
    raise BuildError("inventory: the root has no package with Rust's library")
