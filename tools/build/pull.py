"""Bring all that a build wants into the cache, by this machine's own clients, each by its hash.

The root that the parts are built in has no network: what is not here by then is in no snap.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from tools.build import crates, packages, provider, recipe, sources
from tools.build.errors import UnavailableError
from tools.digest import sha256

#: Where the parts' scripts find Python's packages, and the crates of the one that has some.
PACKAGES, CRATES = "packages", "crates"


def parts(
    declared: dict[str, Any],
    origins: dict[str, Any],
    wanted: str | None,
    cache: Path,
    origin: str | None = None,
) -> dict[str, Any]:
    """Return the parts as they are to be built: pinned, with sources that are in the cache.

    :param declared: the recipe's parts.
    :param origins: the content of origins.yaml.
    :param wanted: a provider of origins.yaml, or None for the recipe's own.
    :param cache: where sources are kept.
    :param origin: the FIPS provider's only origin, "tarball" or "crate"; None: the first that answers.
    :raises UnavailableError: a source cannot be fetched.
    :raises BuildError: the provider is unknown, or an origin answered with other bytes.
    """
    resolved = copy.deepcopy(declared)
    name = provider.pin(resolved, origins, wanted)
    for part_name, part in resolved.items():
        if "source-checksum" in part:
            only = origin if part_name == provider.PART else None
            _source(part_name, part, origins, name, cache, only)
        _track_inputs(part)
    return provider.rename(resolved, f"{provider.PART}-{wanted}") if wanted else resolved


def python_packages(python: str, pins: list[Path], cache: Path) -> Path | None:
    """Bring what the parts' requirements files pin, and the crates that one of these packages is built from.

    :param python: the Python of the snap, as "3.13".
    :returns: the folder with the crates, below the cache; None where no package wants any.
    :raises UnavailableError: they cannot be fetched.
    """
    packages.bring(pins, python, cache / PACKAGES)
    pinned = "".join(file.read_text() for file in pins)
    for sdist in sorted((cache / PACKAGES).glob("*.tar.gz")):
        if sha256(sdist) in pinned and crates.has_some(sdist):
            return crates.of_sdist(sdist, cache / CRATES)
    return None


def _source(
    part_name: str, part: dict[str, Any], origins: dict[str, Any], name: str, cache: Path, only: str | None
) -> None:
    second = origins["distribution"].get(part["source-checksum"])
    if only != "crate" and sources.bring(part["source"], part["source-checksum"], cache, second):
        return
    if part_name != provider.PART or only == "tarball":
        raise UnavailableError(
            f"the sources of part {part_name} cannot be fetched: neither {part['source']} nor a second origin"
            " answers; check the network and try again"
        )
    provider.from_crate(part, origins, name, cache / CRATES)


def _track_inputs(part: dict[str, Any]) -> None:
    """Make what a part reads below parts/ count as part of it."""
    scripts = "".join(part.get(f"override-{step_name}", "") for step_name in ("pull", "build", "prime"))
    environment = part.setdefault("build-environment", [])
    environment.append({"PART_INPUTS_SHA256": recipe.inputs_digest(scripts)})
    if "override-pull" in part:
        part["override-pull"] += f"# inputs: {recipe.inputs_digest(part['override-pull'])}\n"
