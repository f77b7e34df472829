"""The FIPS provider's pin: which release the part fips-provider builds, and from which origin."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from craft_parts import PartsError
from craft_parts.packages import Repository

from tools.build.errors import BuildError, UnavailableError
from tools.build.progress import say, step

#: The part that is swapped as a whole.
PART = "fips-provider"
CRATES = Path(__file__).parent / "crates"
#: Debian's cargo that is new enough; the same that the part cryptography is built with.
CARGO_PACKAGE = "cargo-web"


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
    own = _variables(part)["FIPS_VERSION"]
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
    :param cache: where the unpacked crate is kept.
    :raises UnavailableError: this provider has no crate, or cargo's registry cannot be reached.
    """
    if "crate" not in origins["providers"].get(name, {}):
        raise UnavailableError(
            f"the sources of the FIPS provider {name} cannot be had here: {part['source']} is not reachable"
            " and there is no second origin; build on a machine that reaches it"
        )
    crate, version = origins["providers"][name]["crate"].split()
    sources = cache / "crates" / f"{crate}-{version}" / "openssl"
    if not sources.is_dir():
        _vendor(CRATES / name, crate, sources.parent)
    say(f"    fips-provider {name}: from the Rust crate {crate} {version}, its second origin")
    part["source"], part["source-type"] = str(sources), "local"
    del part["source-checksum"]
    _set_variables(part, FIPS_ORIGIN="crate", FIPS_SOURCE=f"{crate} {version}")


def _vendor(project: Path, crate: str, target: Path) -> None:
    """Unpack a crate by its Cargo.lock (which pins its checksum) with cargo's own client."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if shutil.which("cargo") is None:  # the parts' own packages come later, when all sources are there
        try:
            with step(f"install the Debian package {CARGO_PACKAGE}"):
                Repository.install_packages([CARGO_PACKAGE])
        except PartsError as error:
            raise UnavailableError(
                f"{CARGO_PACKAGE} cannot be installed ({error.brief}): install cargo"
            ) from error
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        shutil.copytree(project, folder, dirs_exist_ok=True)
        (Path(folder) / "src").mkdir()
        (Path(folder) / "src" / "lib.rs").touch()
        with step(f"fetch the Rust crate {crate}"):
            done = subprocess.run(["cargo", "vendor", "--locked"], cwd=folder, capture_output=True, text=True)
        if done.returncode:
            reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise UnavailableError(
                f"cargo cannot fetch {crate} ({reason[0].strip()}): check the network and try again"
            )
        shutil.move(Path(folder) / "vendor" / crate, target)


def _variables(part: dict[str, Any]) -> dict[str, Any]:
    return {key: value for entry in part["build-environment"] for key, value in entry.items()}


def _set_variables(part: dict[str, Any], **values: str) -> None:
    part["build-environment"] = [{key: value} for key, value in {**_variables(part), **values}.items()]
