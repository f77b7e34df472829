"""The keys that cases sign with, and signatures to be verified.

FIPS makes no weak keys, so they are made here, with the OpenSSL of this machine's `cryptography`.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

#: Where a case finds them.
KEYS = "/run/keys"


def make(folder: Path) -> None:
    """Make a folder with rsa-1024, rsa-2048, p-256 and secp256k1 (PKCS #8, PEM); NAME.pub their public keys.

    legacy.sig is one of nothing by rsa-2048 with SHA-1: SP 800-131A lets it be verified and not be made.
    """
    folder.mkdir()
    signer, weak = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 1024)
    keys: dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey] = {
        "rsa-1024": weak,
        "rsa-2048": signer,
        "p-256": ec.generate_private_key(ec.SECP256R1()),
        "secp256k1": ec.generate_private_key(ec.SECP256K1()),
    }
    for name, key in keys.items():
        (folder / name).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (folder / f"{name}.pub").write_bytes(public)
    (folder / "legacy.sig").write_bytes(signer.sign(b"", padding.PKCS1v15(), SHA1()))
    (folder / "weak.sig").write_bytes(weak.sign(b"", padding.PKCS1v15(), SHA256()))
