"""Write the record of the FIPS provider: what it is, where it came from, what may be claimed of it.

The one place of the project where a validation is stated.  Everything that prints takes its words
from the file written here (``usr/share/fips-provider/record.json`` in the snap), so that no text can
claim more than the build can show.  Run by the recipe's part ``fips-provider``, with the pins of its
``build-environment``.
"""

import argparse
import hashlib
import json
import os
from pathlib import Path

VALIDATED = "validated, certificate #{}"
# On which day a certificate becomes historical: the page of each at the CMVP, "Sunset Date".
SUNSETS = {"4985": "2030-03-10"}


def sha256(path: Path) -> str:
    """Return the hex sha256 of a file; OSError if it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def count_sealed_sources(source: Path, sealed: str, digests: Path) -> int:
    """Compare every source of the module with its digest, and return their number.

    The release lists the sources that enter the module, each by a checksum that only its own tools compute
    (``providers/fips-sources.checksums``), and seals the list with one more. What these tools say depends on
    the version of Perl; so the digests of the files as they are were taken once, where they verify the list
    (``python3 -m tools.build.seal``), and are what a build compares.

    :param source: the release's source tree.
    :param sealed: hex sha256 of the list, pinned in the recipe; empty: this release has none.
    :param digests: sha256 and path of every file on the list, as sha256sum(1) prints them.
    :return: the number of sources, all identical; 0 where there is nothing to compare with.
    :raises SystemExit: the list is not the sealed one, or a source is not what was sealed.
    """
    listing = source / "providers" / "fips-sources.checksums"
    if not sealed:
        return 0
    if not listing.is_file() or sha256(listing) != sealed:
        raise SystemExit(f"fips-provider: {listing} is not the release's sealed list; get the sources anew")
    expected = {name: digest for digest, name in map(str.split, digests.read_text().splitlines())}
    names = [line.split()[1] for line in listing.read_text().splitlines()]
    if sorted(names) != sorted(expected):
        raise SystemExit(f"fips-provider: {digests} is of another list: derive it with tools.build.seal")
    differing = [
        name for name in names if not (source / name).is_file() or sha256(source / name) != expected[name]
    ]
    if differing:
        raise SystemExit(
            f"fips-provider: {len(differing)} sources of the module are not those that the release sealed,"
            f" first: {differing[0]}; get the sources anew"
        )
    return len(names)


def validation(version: str, origin: str, sources: int, certificate: str) -> str:
    """Return the words that may be used of the module, and no others.

    Certificate 4985's security policy demands that the module is built from the release's own
    tarball by its steps; sources that come from anywhere else, be they identical, do not qualify.
    """
    if not sources:
        return f"{version}: not validated"
    if origin != "tarball":
        return f"{version}, module sources verified, not obtained as its policy demands: not validated"
    if not certificate:
        return f"{version}, module sources verified, no certificate on record: not validated"
    return VALIDATED.format(certificate)


def claim(version: str, origin: str, sources: int, certificate: str) -> dict[str, str]:
    """Return what the record says of a validation; its sunset only where it names a certificate."""
    words = validation(version, origin, sources, certificate)
    named = words == VALIDATED.format(certificate)
    return {"validation": words} | ({"certificate_sunset": SUNSETS[certificate]} if named else {})


def main() -> None:
    """Check the sources, then write the record.

    :raises SystemExit: a source of the module is not the release's.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--module", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    version, origin = os.environ["FIPS_VERSION"], os.environ["FIPS_ORIGIN"]
    digests = Path(__file__).with_name(f"sources-{version}.sha256")
    sources = count_sealed_sources(arguments.source, os.environ["FIPS_SEALED"], digests)
    record = {
        "name": "OpenSSL FIPS Provider",
        "version": version,
        "origin": origin,
        "source": os.environ["FIPS_SOURCE"],
        "sealed_sources_checked": sources,
        "module_sha256": sha256(arguments.module),
        **claim(version, origin, sources, os.environ["FIPS_CERTIFICATE"]),
    }
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(record, indent=2) + "\n")
    print(f"fips-provider: {record['validation']} ({sources} sources checked against the sealed list)")


if __name__ == "__main__":
    main()
