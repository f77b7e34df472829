"""`python3 -m tools.build.seal RELEASE SOURCES`: the digests that a build compares the module's sources with.

Taken where the release's own script says that the sources are those of its sealed list; written to
parts/fips-provider-record. Needs unifdef, openssl and a Perl older than 5.40, under which the script computes
other checksums.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tools.build import provider, recipe
from tools.build.errors import BuildError

LISTING = "providers/fips-sources.checksums"


def digests(release: str) -> Path:
    """Return the file that keeps the digests of a release of the FIPS provider."""
    return recipe.PROJECT / "parts" / "fips-provider-record" / f"sources-{release}.sha256"


def sealed(release: str) -> str:
    """Return the pinned sha256 of a release's list of sources.

    :raises BuildError: no such release is known, or it has no list.
    """
    parts: dict[str, Any] = recipe.load()["parts"]
    provider.pin(parts, yaml.safe_load(Path(__file__).with_name("origins.yaml").read_text()), release)
    pin = provider.variables(parts[provider.PART])["FIPS_SEALED"]
    if not pin:
        raise BuildError(f"the release {release} of the FIPS provider has no sealed list")
    return str(pin)


def derive(sources: Path, seal: str) -> str:
    """Return sha256 and path of every source of the module, as sha256sum(1) prints them.

    :param sources: the release's source tree.
    :param seal: hex sha256 of its list.
    :raises BuildError: the list is not the sealed one, or the release's script finds other sources.
    """
    listing = (sources / LISTING).read_bytes()
    if hashlib.sha256(listing).hexdigest() != seal:
        raise BuildError(f"{sources / LISTING} is not the release's sealed list")
    expected = listing.decode().splitlines()
    names = [line.split()[1] for line in expected]
    computed = subprocess.run(
        ["util/fips-checksums.sh", *names], cwd=sources, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    differing = [line for line, other in zip(expected, computed, strict=False) if line != other]
    if differing or len(computed) != len(expected):
        raise BuildError(
            f"{len(differing)} of {len(expected)} checksums are not the sealed list's: other sources,"
            " or Perl is 5.40 or newer, or unifdef or openssl is missing"
        )
    return "".join(f"{hashlib.sha256((sources / name).read_bytes()).hexdigest()}  {name}\n" for name in names)


def main(arguments: list[str]) -> int:
    """Write the digests of a release; 1 with one line where they cannot be derived."""
    if len(arguments) != 2:
        print("usage: python3 -m tools.build.seal RELEASE SOURCES", file=sys.stderr)
        return 2
    release, sources = arguments
    try:
        text = derive(Path(sources), sealed(release))
    except (BuildError, OSError) as error:
        print(f"seal: {error}", file=sys.stderr)
        return 1
    digests(release).write_text(text)
    print(f"{len(text.splitlines())} sources: {digests(release)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
