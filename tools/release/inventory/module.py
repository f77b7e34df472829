"""The FIPS module, a component of its own: what may be claimed of it, and the services that Certbot uses."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclonedx.model import ExternalReference, ExternalReferenceType, XsUri
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.model.crypto import (
    AlgorithmProperties,
    CryptoAssetType,
    CryptoCertificationLevel,
    CryptoExecutionEnvironment,
    CryptoFunction,
    CryptoImplementationPlatform,
    CryptoMode,
    CryptoPadding,
    CryptoPrimitive,
    CryptoProperties,
)
from packageurl import PackageURL

from tools.build.errors import BuildError
from tools.build.provider import variables
from tools.digest import sha256
from tools.release.inventory import releases, terms
from tools.release.inventory.built import Built, facts

FILE = "usr/lib/ossl-modules/fips.so"
#: The folder of the module release's own program, which is there for `fipsinstall` alone.
ASIDE = "usr/libexec/fips-provider"
#: What the record says, and no other words, of a module that may be called validated.
VALIDATED = re.compile(r"validated, certificate #(\d+)")
BOUNDARY = Path("docs/boundary.json")


@dataclass(frozen=True)
class Validation:
    """What may be claimed of a module, by the snap's record.

    :ivar words: the record's.
    :ivar number: of the certificate; None: it is not validated.
    :ivar facts: what the CMVP says of that certificate; empty where there is none.
    """

    words: str
    number: str | None
    facts: dict[str, Any]

    @classmethod
    def of(cls, record: dict[str, Any]) -> Validation:
        """Read a record (usr/share/fips-provider/record.json).

        :raises BuildError: it names a certificate of which facts.yaml has nothing, or another release's.
        """
        words = str(record["validation"])
        found = VALIDATED.fullmatch(words)
        if not found:
            return cls(words, None, {})
        known = facts("facts")["certificates"].get(found[1])
        if known is None or known["release"] != record["version"]:
            raise BuildError(f"inventory: facts.yaml has no certificate #{found[1]} of {record['version']}")
        return cls(words, found[1], known)

    @property
    def level(self) -> CryptoCertificationLevel:
        """The certification level, in CycloneDX's words."""
        return CryptoCertificationLevel(self.facts["level"] if self.number else "none")


def component(built: Built) -> Component:
    """Return the module.

    :raises BuildError: the file is not the one on record.
    """
    record, part = built.provider, built.parts[built.provider_part]
    version, digest = record["version"], sha256(built.prime / FILE)
    if digest != record["module_sha256"]:
        raise BuildError(f"inventory: {FILE} is not the module on record")
    validation = Validation.of(record)
    said = {
        "part": built.provider_part,
        "fips:certificate": validation.number or "none",
        "fips:certification-level": validation.level.value,
        "fips:validation": validation.words,
        "fips:origin": record["origin"],
        "fips:sealed-sources-checked": str(record["sealed_sources_checked"]),
    }
    references = [_source(built, variables(part))]
    if validation.number:
        about = validation.facts
        said |= {
            "fips:standard": about["standard"],
            "fips:cavp": " ".join(about["cavp"]),
            "fips:caveat": about["caveat"],
            "fips:sunset": str(about["sunset"]),
            "fips:read": str(about["read"]),
        }
        references.append(
            ExternalReference(type=ExternalReferenceType.CERTIFICATION_REPORT, url=XsUri(about["url"]))
        )
    return Component(
        name="OpenSSL FIPS Provider",
        version=version,
        type=ComponentType.LIBRARY,
        supplier=OrganizationalEntity(name="OpenSSL"),
        description=validation.words,
        bom_ref=f"module:fips-provider@{version}",
        purl=PackageURL("generic", name="openssl-fips-provider", version=version),
        cpe=facts("facts")["releases"]["openssl"]["cpe"].format(version=version),
        hashes=[terms.digest(digest)],
        licenses=[terms.licence("Apache-2.0", concluded=True)],
        external_references=references,
        properties=terms.properties(said),
    )


def beside(built: Built) -> Component | None:
    """Return the module release's own program and libraries, for `fipsinstall`; None where there are none."""
    if not (built.prime / ASIDE).is_dir():
        return None
    version = built.provider["version"]
    return Component(
        name="openssl",
        version=version,
        type=ComponentType.LIBRARY,
        supplier=OrganizationalEntity(name="OpenSSL"),
        description="The module release's own program, for fipsinstall alone.",
        bom_ref=f"release:openssl@{version}#fipsinstall",
        purl=PackageURL("generic", name="openssl", version=version),
        cpe=facts("facts")["releases"]["openssl"]["cpe"].format(version=version),
        licenses=[terms.licence("Apache-2.0", concluded=True)],
        external_references=[_source(built, variables(built.parts[built.provider_part]))],
        properties=terms.properties({"part": built.provider_part}),
    )


def _source(built: Built, pins: dict[str, Any]) -> ExternalReference:
    """Return what the module was built from: the release's tarball, or the crate that packs the release."""
    if built.provider["origin"] == "tarball":
        url = built.parts[built.provider_part]["source"]
        return releases.source(url, pins["FIPS_SOURCE"].partition("/")[2])
    name, version = pins["FIPS_SOURCE"].split()
    for lock in sorted((built.project / "tools/build/crates").glob("*/Cargo.lock")):
        for entry in tomllib.loads(lock.read_text())["package"]:
            if (entry["name"], entry["version"]) == (name, version):
                return releases.source(
                    str(PackageURL("cargo", name=name, version=version)), entry["checksum"]
                )
    raise BuildError(f"inventory: no Cargo.lock has the crate {name} {version}")


def rows_of(service: dict[str, Any], rows: list[dict[str, Any]]) -> list[str]:
    """Return the operations of the boundary that show a service of services.yaml, in its order.

    :param rows: docs/boundary.json.
    :raises BuildError: an expression of the service fits no operation that is computed in the module.
    """
    found = []
    for pattern in service["by"]:
        shown = [
            name
            for row in rows
            if re.match(pattern, name := operation(row))
            and (row["where"], row["remark"]) == ("module", "")
            and (row["reached"] or service.get("tls"))
        ]
        if not shown:
            raise BuildError(
                f"inventory: services.yaml: {service['name']}: the boundary does not show {pattern}"
            )
        found += shown
    return found


def boundary(project: Path) -> dict[str, int]:
    """Return how many operations are computed where, by the measured boundary of a clone."""
    rows = json.loads((project / BOUNDARY).read_text())
    return dict(sorted(Counter(row["where"] for row in rows).items()))


def operation(row: dict[str, Any]) -> str:
    """Return how services.yaml names an operation of the boundary."""
    return f"{row['operation']} | {row['label']}"


def algorithms(built: Built) -> list[Component]:
    """Return the approved services that Certbot uses, as cryptographic assets that the module provides."""
    rows = json.loads((built.project / BOUNDARY).read_text())
    level = Validation.of(built.provider).level
    found = []
    for service in facts("services")["services"]:
        shown = rows_of(service, rows)
        algorithm = AlgorithmProperties(
            primitive=CryptoPrimitive(service["primitive"]),
            parameter_set_identifier=service.get("parameter"),
            curve=service.get("curve"),
            execution_environment=CryptoExecutionEnvironment.SOFTWARE_PLAIN_RAM,
            implementation_platform=CryptoImplementationPlatform.X86_64,
            certification_levels=[level],
            mode=CryptoMode(service["mode"]) if "mode" in service else None,
            padding=CryptoPadding(service["padding"]) if "padding" in service else None,
            crypto_functions=[CryptoFunction(each) for each in service["functions"]],
        )
        found.append(
            Component(
                name=service["name"],
                type=ComponentType.CRYPTOGRAPHIC_ASSET,
                description=service.get("note"),
                bom_ref=f"crypto:{service['name'].lower().replace(' ', '-')}",
                crypto_properties=CryptoProperties(
                    asset_type=CryptoAssetType.ALGORITHM,
                    algorithm_properties=algorithm,
                    oid=service.get("oid"),
                ),
                properties=terms.properties(
                    {"approved-by": service["standard"], "shown-by": "; ".join(sorted(set(shown)))}
                ),
            )
        )
    return found
