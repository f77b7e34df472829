"""Keys: those of the policy are public; the one for a try is made here, and stays on this machine."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from securesystemslib.signer import CryptoSigner, Key, Signer, SSlibKey

from tools.release import texts
from tools.release.errors import ReleaseError

#: Where `make evidence` keeps its own; the public half lies beside it.
TRIAL = Path(__file__).resolve().parents[2] / "build/keys/trial.pem"
#: What no key has.
SIZE = 64 << 10


def from_pem(pem: bytes, name: str) -> Key:
    """Return a public key. ECDSA with P-256 and SHA-256 is the one kind (FIPS 186-5).

    :param pem: SubjectPublicKeyInfo (RFC 5280) in PEM.
    :param name: whose it is, for the message.
    :raises ReleaseError: it is none.
    """
    try:
        found = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ReleaseError(f"{name}: no public key in PEM") from error
    if not isinstance(found, ec.EllipticCurvePublicKey) or not isinstance(found.curve, ec.SECP256R1):
        raise ReleaseError(f"{name}: the key is none of ECDSA with P-256")
    return SSlibKey.from_crypto(found)


def public(path: Path) -> Key:
    """Return the public key of a file; ReleaseError where there is none."""
    return from_pem(texts.read(path, SIZE), path.name)


def signer(path: Path) -> Signer:
    """Return what signs with a private key (PKCS #8 in PEM, without a password).

    :param path: its file; or env:NAME, of an environment variable that has it.
    :raises ReleaseError: it is none.
    """
    start, _, variable = str(path).partition(":")
    if start == "env":
        if not os.environ.get(variable):
            raise ReleaseError(f"the environment variable {variable}, which is to have a key, is empty")
        text = os.environ[variable].encode()
    else:
        text = texts.read(path, SIZE)
    try:
        found = load_pem_private_key(text, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ReleaseError(f"{path.name}: no private key in PEM, or one with a password") from error
    if not isinstance(found, ec.EllipticCurvePrivateKey) or not isinstance(found.curve, ec.SECP256R1):
        raise ReleaseError(f"{path.name}: the key is none of ECDSA with P-256")
    return CryptoSigner(found)


def make(path: Path) -> Path:
    """Make a pair of keys, unless there is one: the private one for its owner alone, the public one beside.

    :returns: the file of the public key.
    """
    beside = path.with_suffix(".pub")
    if not (path.is_file() and beside.is_file()):
        path.parent.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        beside.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return beside
