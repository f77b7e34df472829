"""The record of the keys that this snap has made here in FIPS mode: a line for each, beside the snap's data.

Public keys name them, as `sha256:` of their SubjectPublicKeyInfo (RFC 5280, 4.1), then come the time and the
module: its name and version, its own sha256.  A key that is not on record may have been made anywhere.
"""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fips_launch.place import Place

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes


def name(key: "PublicKeyTypes") -> str:
    """Return what a public key is named by; what cryptography raises for one that the module refuses."""
    import hashlib

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return (
        "sha256:"
        + hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    )


def known(here: Place) -> set[str]:
    """Return the names of all keys on record; OSError if there is a record that cannot be read."""
    try:
        with open(here.keys, encoding="utf-8") as file:
            return {line.split(" ", 1)[0] for line in file}
    except FileNotFoundError:
        return set()


def add(here: Place, key: "PublicKeyTypes", module: str) -> None:
    """Put a key that this process has just made on record, readable for all; OSError if that cannot be.

    In one write(2) at the file's end: of two processes none loses the other's line.
    """
    line = f"{name(key)} {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {module}\n"
    file = os.open(here.keys, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.fchmod(file, 0o644)
        os.write(file, line.encode())
    finally:
        os.close(file)
