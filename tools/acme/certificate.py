"""A certificate that was issued, as a library of this machine (not the snap's) reads it."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

#: The names that NIST gave the curves.
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


class CertificateError(Exception):
    """The files are no certificate with its key; the text says why."""


class Certificate:
    """What a folder of `/etc/letsencrypt/live` held when this was made: `cert.pem` and `privkey.pem`.

    :raises CertificateError: a file cannot be read, or the key is not the certificate's.
    """

    def __init__(self, folder: Path) -> None:
        try:
            found = x509.load_pem_x509_certificate((folder / "cert.pem").read_bytes())
            private = load_pem_private_key((folder / "privkey.pem").read_bytes(), None)
            names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (OSError, ValueError, x509.ExtensionNotFound) as error:
            raise CertificateError(f"no certificate with its key in {folder}: {error}") from None
        if private.public_key() != found.public_key():
            raise CertificateError(f"the key in {folder} is not the certificate's")
        self.subject = found.subject.rfc4514_string()
        self.issuer = found.issuer.rfc4514_string()
        self.serial = f"{found.serial_number:x}"
        """In hexadecimal."""
        self.valid_until = f"{found.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
        self.names = names.get_values_for_type(x509.DNSName)
        self.key = _kind(found.public_key())
        """Kind and size of the key, such as `RSA 2048` or `ECDSA P-256`."""


def _kind(key: object) -> str:
    if isinstance(key, EllipticCurvePublicKey):
        return f"ECDSA {_CURVES.get(key.curve.name, key.curve.name)}"
    if isinstance(key, RSAPublicKey):
        return f"RSA {key.key_size}"
    raise CertificateError("the certificate has a key of an unknown kind")
