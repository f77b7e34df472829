"""A certificate that was issued, as the OpenSSL of this machine (not the snap's) reads it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path


class CertificateError(Exception):
    """The files are no certificate with its key; the text says why."""


class Certificate:
    """What a folder of `/etc/letsencrypt/live` held when this was made: `cert.pem` and `privkey.pem`.

    Raise CertificateError when a file cannot be read or the key is not the certificate's.
    """

    def __init__(self, folder: Path) -> None:
        wanted = ("-subject", "-issuer", "-serial", "-enddate", "-text")
        shown = _openssl(folder, "x509", "-noout", *wanted, "-in", "cert.pem")
        fields = dict(line.split("=", 1) for line in shown.splitlines()[:4])
        self.subject = fields["subject"]
        self.issuer = fields["issuer"]
        self.serial = fields["serial"]
        """In hexadecimal."""
        self.valid_until = fields["notAfter"]
        self.names = re.findall(r"DNS:([^,\s]+)", shown)
        self.key = _kind_of_key(shown)
        """Kind and size of the key, such as `RSA 2048` or `ECDSA P-256`."""
        certified = _openssl(folder, "x509", "-noout", "-pubkey", "-in", "cert.pem")
        if certified != _openssl(folder, "pkey", "-pubout", "-in", "privkey.pem"):
            raise CertificateError(f"the key in {folder} is not the certificate's")


def _kind_of_key(text: str) -> str:
    if curve := re.search(r"NIST CURVE: (\S+)", text):
        return f"ECDSA {curve.group(1)}"
    if bits := re.search(r"rsaEncryption\s+Public-Key: \((\d+) bit\)", text):
        return f"RSA {bits.group(1)}"
    raise CertificateError("the certificate has a key of an unknown kind")


def _openssl(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise CertificateError(f"{error.filename} is missing") from None
    if done.returncode != 0:
        raise CertificateError(f"openssl {arguments[0]}: {done.stderr.strip().splitlines()[0]}")
    return done.stdout
