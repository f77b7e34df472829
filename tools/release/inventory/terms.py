"""CycloneDX's building blocks, in the few forms that the inventory has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from cyclonedx import spdx
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License, LicenseAcknowledgement, LicenseExpression

from tools.build.errors import BuildError
from tools.digest import sha256

#: What names of ours begin with, as CycloneDX's taxonomy of properties asks.
NAMESPACE = "certbot-fips"


def digest(content: str) -> HashType:
    """Return a hex sha256 as CycloneDX has it."""
    return HashType(alg=HashAlgorithm.SHA_256, content=content)


def properties(values: Mapping[str, str]) -> list[Property]:
    """Return properties in our namespace."""
    return [Property(name=f"{NAMESPACE}:{name}", value=value) for name, value in values.items()]


def licence(expression: str, concluded: bool = False) -> License:
    """Return a licence.

    :param expression: in SPDX's words.
    :param concluded: by us, from the files; else it is what the makers declare.
    :raises BuildError: it is no such expression.
    """
    how = LicenseAcknowledgement.CONCLUDED if concluded else LicenseAcknowledgement.DECLARED
    if not expression or not (spdx.is_supported_id(expression) or spdx.is_expression(expression)):
        raise BuildError(f"inventory: {expression!r} is no SPDX licence expression")
    return LicenseExpression(expression, acknowledgement=how)


def file(
    path: Path, name: str, licences: Iterable[License], ref: str | None = None, description: str | None = None
) -> Component:
    """Return a file, by its path in the snap or in the project.

    :param path: where it lies now.
    :param name: the path that it is named by.
    """
    return Component(
        name=name,
        type=ComponentType.FILE,
        bom_ref=ref or f"file:{name}",
        hashes=[digest(sha256(path))],
        licenses=licences,
        description=description,
    )
