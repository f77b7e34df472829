"""The FIPS provider's pin: which release the part fips-provider builds, and from which origin."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from tools.build import crates
from tools.build.errors import BuildError, UnavailableError
from tools.progress import say

#: The part that is swapped as a whole.
PART = "fips-provider"
CRATES = Path(__file__).parent / "crates"


def pin(parts: dict[str, Any], origins: dict[str, Any], name: str | None) -> str:
    """Put the chosen release's pin into the part fips-provider, as the recipe would state it.

    :param parts: the recipe's parts, changed in place.
    :param origins: the content of origins.yaml.
    :param name: a provider of origins.yaml; None: the recipe's own.
    :returns: the provider's name.
    :raises BuildError: an unknown name.
    """
    part = parts[PART]
    providers = origins["providers"]
    own = variables(part)["FIPS_VERSION"]
    if name is None or name == own:
        return str(own)
    if name not in providers:
        raise BuildError(f"unknown PROVIDER={name}: known are {', '.join(providers)}")
    source = parts["openssl"] if name == "in-tree" else providers[name]
    version = source["source"].rpartition("openssl-")[2].removesuffix(".tar.gz")
    part["source"], part["source-checksum"] = source["source"], source["source-checksum"]
    _set_variables(
        part,
        FIPS_VERSION=version,
        FIPS_SOURCE=source["source-checksum"],
        FIPS_SEALED=providers[name].get("sealed", ""),
        FIPS_CERTIFICATE="",
    )
    return name


def rename(parts: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the parts with another name for fips-provider: the part then has a folder of its own.

    So no module is built again because another was built in between.
    """
    renamed = {name if old == PART else old: part for old, part in parts.items()}
    for part in renamed.values():
        if PART in part.get("after", []):
            part["after"] = [name if old == PART else old for old in part["after"]]
    return renamed


def from_crate(part: dict[str, Any], origins: dict[str, Any], name: str, cache: Path) -> None:
    """Let the part build the same release from the Rust crate that packs it.

    :param part: the part fips-provider, changed in place.
    :param name: a provider of origins.yaml.
    :param cache: where unpacked crates are kept.
    :raises UnavailableError: this provider has no crate, or cargo's registry cannot be reached.
    """
    if "crate" not in origins["providers"].get(name, {}):
        raise UnavailableError(
            f"the sources of the FIPS provider {name} are unavailable here: {part['source']} is not reachable"
            " and there is no second origin; build on a machine that reaches it"
        )
    crate, version = origins["providers"][name]["crate"].split()
    target = cache / f"{crate}-{version}"
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(CRATES / name, folder, dirs_exist_ok=True)
        Path(folder, "src").mkdir()
        Path(folder, "src", "lib.rs").touch()
        crates.vendor(Path(folder), target, f"{crate} {version}")
    say(f"    fips-provider {name}: from the Rust crate {crate} {version}, its second origin")
    part["source"], part["source-type"] = str(target / f"{crate}-{version}" / "openssl"), "local"
    del part["source-checksum"]
    _set_variables(part, FIPS_ORIGIN="crate", FIPS_SOURCE=f"{crate} {version}")


def variables(part: dict[str, Any]) -> dict[str, Any]:
    """Return a part's build-environment as one mapping."""
    return {key: value for entry in part["build-environment"] for key, value in entry.items()}


def _set_variables(part: dict[str, Any], **values: str) -> None:
    part["build-environment"] = [{key: value} for key, value in {**variables(part), **values}.items()]
