"""What the ACME server is made of: pebble and its DNS, for any host, and the certificate for its TLS."""

from __future__ import annotations

import secrets
import shutil
import subprocess
from pathlib import Path

from tools.hosts import HostError
from tools.hosts.carried import carry

PROGRAMS = ("pebble", "pebble-challtestsrv")  # both in Debian's package `pebble`
_OPENSSL_CONFIG = """\
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost, IP:127.0.0.1
"""


class AcmeError(HostError):
    """The test authority cannot be made or did not start; the text is one line that says why."""


def make(folder: Path) -> None:
    """Put the programs, the server's certificate and its authority into a folder.

    That is server.pem and server.key (P-256, for localhost, for 30 days), authority.pem and authority.hash.
    Raise HostError when this machine cannot.
    """
    for program in PROGRAMS:
        found = shutil.which(program)
        if found is None:
            raise AcmeError(f"no program `{program}` on this machine: run `make setup`")
        carry(Path(found), folder / program)
    _make_certificate(folder)


def _make_certificate(folder: Path) -> None:
    (folder / "openssl.cnf").write_text(_OPENSSL_CONFIG)
    new_key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config openssl.cnf"
    # A name of its own for each authority, since trust stores tell them apart by their names.
    authority = f"-subj /CN=acme-test-{secrets.token_hex(4)} -extensions authority"
    for command in (
        f"req -x509 {new_key} {authority} -keyout authority.key -out authority.pem -days 30",
        f"req -new {new_key} -keyout server.key -out server.csr -subj /CN=localhost",
        "x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 30"
        " -extfile openssl.cnf -extensions server -out server.pem",
        "x509 -hash -noout -in authority.pem",
    ):
        try:
            made = subprocess.run(
                ["openssl", *command.split()], cwd=folder, capture_output=True, text=True, check=False
            )
        except FileNotFoundError:
            raise AcmeError("no program `openssl` on this machine: run `make setup`") from None
        if made.returncode != 0:
            raise AcmeError(f"openssl {command.split()[0]}: {made.stderr.strip().splitlines()[-1]}")
    (folder / "authority.hash").write_text(made.stdout.strip())
