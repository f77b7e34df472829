"""The inventory as a whole, written as CycloneDX 1.6 and validated strictly."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tools.build.errors import BuildError
from tools.release.inventory import FILE, advisories, crates, files, module, packages, releases, terms
from tools.release.inventory.built import Built


def write(built: Built) -> str:
    """Return the inventory of a snap that is about to be packed.

    The same snap has the same one: its time is that of the snap's files, and its serial number is made from
    its content (a UUID of version 8, RFC 9562).

    :raises BuildError: something in the snap is of nothing that is pinned, or has no licence.
    """
    bom, provided = _bom(built)
    text = JsonV1Dot6(bom).output_as_string()
    content: dict[str, Any] = json.loads(text)
    content.pop("serialNumber", None)
    # What the library's model does not have (CycloneDX 1.6, dependencies/provides).
    for entry in content["dependencies"]:
        if entry["ref"] in provided:
            entry["provides"] = sorted(provided[entry["ref"]])
    plain = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
    content["serialNumber"] = _serial(plain)
    done = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if wrong := invalid(done):
        raise BuildError(f"inventory: not CycloneDX 1.6: {wrong}")
    return done


@lru_cache(maxsize=2)
def invalid(text: str) -> str | None:
    """Return what is wrong with an inventory by CycloneDX's strict schema, in one line; None: nothing."""
    try:
        found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    except (json.JSONDecodeError, UnicodeError) as error:
        return f"no JSON ({error})"
    if found is None:
        return None
    cause = found.data
    place = "/".join(map(str, getattr(cause, "absolute_path", ())))
    return f"{place or 'top level'}: {getattr(cause, 'message', cause)!s:.200}"


def _serial(content: str) -> str:
    digest = bytearray(hashlib.sha256(content.encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return UUID(bytes=bytes(digest)).urn


def _bom(built: Built) -> tuple[Bom, dict[str, list[str]]]:
    """Return the inventory, and what provides which cryptography, by their references."""
    of_packages = {component.name: component for component in packages.components(built)}
    for name, found in crates.components(built).items():
        of_packages[name].components.update(found)
    fips, aside = module.component(built), module.beside(built)
    openssl, python, augeas = (releases.release(built, part) for part in ("openssl", "python", "augeas"))
    python.components.update(releases.bundled(built))
    rust, algorithms, ours = releases.rust(built), module.algorithms(built), list(files.ours(built))
    parts = {"openssl": openssl, "python": python, "augeas": augeas, module.FILE: fips}
    if aside is not None:
        parts[built.provider_part] = aside
    files.place(built, parts, of_packages)

    top = Component(
        name=built.record["name"],
        version=built.record["version"],
        type=ComponentType.APPLICATION,
        description=built.recipe["summary"],
        bom_ref="snap",
        licenses=[terms.licence(built.recipe["license"])],
        properties=terms.properties(
            {
                "base": built.recipe["base"],
                "commit": built.record["commit"],
                "changed": str(built.record["changed"]).lower(),
                "root": built.record["root"]["sha256"],
                **{f"boundary:{where}": str(n) for where, n in module.boundary(built.project).items()},
            }
        ),
    )
    within = [openssl, python, augeas, fips, *filter(None, [aside]), *ours, rust, *of_packages.values()]
    bom = Bom(
        components=[*within, *algorithms],
        metadata=BomMetaData(component=top, timestamp=datetime.fromtimestamp(built.time, UTC)),
        vulnerabilities=advisories.statements(
            str(fips.version), fips.bom_ref.value or "", of_packages["certbot"].bom_ref.value or ""
        ),
    )
    bom.register_dependency(top, within)
    bom.register_dependency(openssl, [fips])
    bom.register_dependency(python, [openssl, *(each for each in python.components if each.version)])
    for component in (*ours, *of_packages.values()):
        bom.register_dependency(component, [python])
    bom.register_dependency(of_packages["cryptography"], [openssl, rust])
    bom.register_dependency(of_packages["python-augeas"], [augeas])
    for package in packages.installed(built.prime):
        needs = [of_packages[name] for name in package.needs() if name in of_packages]
        bom.register_dependency(of_packages[package.name], needs)
    _of_crates(bom, built, of_packages.values())
    return bom, {fips.bom_ref.value or "": [each.bom_ref.value or "" for each in algorithms]}


def _of_crates(bom: Bom, built: Built, of_packages: Iterable[Component]) -> None:
    known = {each.bom_ref.value: each for package in of_packages for each in (package, *package.components)}
    for ref, needs in crates.dependencies(built.prime):
        bom.register_dependency(known[ref], [known[other] for other in needs])


def put(built: Built) -> Path:
    """Write the inventory into a snap's files, and return where.

    :raises BuildError: see `write`.
    """
    path = built.prime / FILE
    path.parent.mkdir(exist_ok=True)
    path.write_text(write(built))
    return path
