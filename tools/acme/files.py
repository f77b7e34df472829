"""What the ACME server is made of: pebble and its DNS, for any host, and the certificate for its TLS."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tools.hosts import HostError
from tools.hosts.carried import carry

PROGRAMS = ("pebble", "pebble-challtestsrv")  # both in Debian's package `pebble`


class AcmeError(HostError):
    """The test authority cannot be made or did not start; the text is one line that says why."""


def certify(folder: Path) -> None:
    """Put into a folder server.pem and server.key (P-256, for localhost), and authority.pem."""
    import trustme  # a machine that runs spread's tasks by itself has what was made here, and no such package

    # Each authority has a name of its own, since trust stores tell them apart by their names.
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    server = authority.issue_cert("localhost", "127.0.0.1", key_type=trustme.KeyType.ECDSA)
    authority.cert_pem.write_to_path(folder / "authority.pem")
    server.cert_chain_pems[0].write_to_path(folder / "server.pem")
    server.private_key_pem.write_to_path(folder / "server.key")


def make(folder: Path, certify: Callable[[Path], None] = certify) -> None:
    """Put the programs, the server's certificate and its authority into a folder.

    That is what `certify` puts there, and authority.hash, by which Debian's trust store names the authority.
    Raise HostError when this machine cannot.
    """
    for program in PROGRAMS:
        found = shutil.which(program)
        if found is None:
            raise AcmeError(f"no program `{program}` on this machine: run `make setup`")
        carry(Path(found), folder / program)
    shutil.copy(Path(__file__).with_name("pebble.sh"), folder)
    certify(folder)
    command = ["openssl", "x509", "-hash", "-noout", "-in", "authority.pem"]
    try:
        with (folder / "authority.hash").open("wb") as file:
            subprocess.run(command, cwd=folder, stdout=file, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        raise AcmeError(f"openssl cannot read the authority: {error}") from None
