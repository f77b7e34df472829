"""pebble on a host, as a context manager.

It speaks to the host through `tools.hosts.Host` alone and brings its programs along, and pebble.sh, which
starts them: it runs on every host.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tools.acme import files
from tools.acme.files import AcmeError
from tools.hosts import Host, Result
from tools.hosts.base import LOGIN_ENVIRONMENT

#: An account that the variant with external account binding knows: key id and HMAC key (base64url, 48 bytes).
EAB_KEY_ID = "kid-1"
EAB_HMAC_KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


class AcmeServer:
    """pebble, ready to be asked, between entry and exit.

    host: where to run it. port: where it listens; the three ports after it are used too (management, DNS and
        DNS management), so that two servers can live on one host.
    eab: want external account binding (EAB_KEY_ID, EAB_HMAC_KEY) of every new account.
    roots: how many chains it offers for a certificate, each with a root of its own.
    http_port: where HTTP-01 challenges are looked for.
    validity: seconds for which its certificates are valid; 90 days as real authorities have it.
    trusted: put the authority of its TLS certificate into the host's trust store.
    certify: makes that certificate and its authority, see `files.certify`.
    """

    def __init__(
        self,
        host: Host,
        *,
        port: int = 14000,
        eab: bool = False,
        roots: int = 1,
        http_port: int = 80,
        validity: int = 90 * 86400,
        trusted: bool = True,
        certify: Callable[[Path], None] = files.certify,
    ) -> None:
        self._host = host
        self._port = port
        self._eab = eab
        self._roots = roots
        self._http_port = http_port
        self._validity = validity
        self._trusted = trusted
        self._certify = certify
        self.folder = f"/var/lib/acme-test-{port}"
        self.directory = f"https://localhost:{port}/dir"
        """The URL for `certbot --server`."""
        self.ca_file = f"{self.folder}/authority.pem"
        """The authority of its TLS certificate, for clients that do not use the host's trust store."""

    def start(self) -> None:
        """Start both programs and wait until they answer. Raise AcmeError when they do not."""
        self._check_ports()
        with tempfile.TemporaryDirectory() as made:
            files.make(Path(made), self._certify)
            self._host.copy(Path(made), self.folder)
        key = (EAB_KEY_ID, EAB_HMAC_KEY) if self._eab else ()
        self._do("start", str(self._port), str(self._http_port), str(self._validity), *key)
        if self._trusted:
            self._do("trust")

    def log(self) -> str:
        """Return what pebble has said so far: a line for every request."""
        return self._host.run(["cat", f"{self.folder}/pebble.log"]).stdout

    def status(self, serial: str) -> str:
        """Return what the authority thinks of a certificate: `Valid` or `Revoked`. `serial`: hexadecimal."""
        return str(json.loads(self._ask(f"cert-status-by-serial/{serial}"))["Status"])

    def root(self, number: int) -> str:
        """Return one of its roots, as PEM; `number`: from 0 on."""
        return self._ask(f"roots/{number}")

    def _ask(self, what: str) -> str:
        """Return what its management says."""
        ask = (
            "import ssl, sys, urllib.request as u;"
            "trust = ssl.create_default_context(cafile=sys.argv[2]);"
            "print(u.urlopen(sys.argv[1], context=trust).read().decode())"
        )
        url = f"https://localhost:{self._port + 1}/{what}"
        return self._host.run(["python3", "-c", ask, url, self.ca_file]).check().stdout

    def stop(self) -> None:
        """End both programs; their logs stay on the host."""
        self._run("stop")

    def _check_ports(self) -> None:
        """Raise AcmeError when something listens on one of our ports already."""
        wanted = range(self._port, self._port + 4)
        # proc(5): local address (hexadecimal, ADDRESS:PORT), remote address, state (0A: listening).
        for line in self._host.run(["cat", "/proc/net/tcp", "/proc/net/tcp6"]).stdout.splitlines():
            fields = line.split()
            if fields[3] == "0A" and (port := int(fields[1].rpartition(":")[2], 16)) in wanted:
                raise AcmeError(f"{self._host.name}: port {port} is taken: end what listens there")

    def _run(self, action: str, *arguments: str) -> Result:
        variables = {**LOGIN_ENVIRONMENT, "PEBBLE_ALTERNATE_ROOTS": str(self._roots - 1)}
        command = ["sh", f"{self.folder}/pebble.sh", action, self.folder, *arguments]
        return self._host.run(command, env=variables)

    def _do(self, action: str, *arguments: str) -> None:
        done = self._run(action, *arguments)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or [f"cannot {action} pebble"])[-1]
            raise AcmeError(f"{self._host.name}: port {self._port} and up: {last}")

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
