"""pebble on a host, as a context manager.

It speaks to the host through `tools.hosts.Host` alone and brings its programs along: it runs on every host.
pebble's DNS answers every name with 127.0.0.1: whatever name is asked for, its HTTP-01 challenge goes to the
host itself.
"""

from __future__ import annotations

import json
import shlex
import tempfile
import time
from pathlib import Path
from typing import Self

from tools.acme import files
from tools.acme.files import AcmeError
from tools.hosts import Host

READY_SECONDS = 60.0  # an emulated machine is slow
#: An account that the variant with external account binding knows: key id and HMAC key (base64url, 48 bytes).
EAB_KEY_ID = "kid-1"
EAB_HMAC_KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


class AcmeServer:
    """pebble, ready to be asked, between entry and exit.

    host: where to run it. port: where it listens; the three ports after it are used too (management, DNS and
        DNS management), so that two servers can live on one host.
    eab: want external account binding (EAB_KEY_ID, EAB_HMAC_KEY) of every new account.
    http_port: where HTTP-01 challenges are looked for.
    validity: seconds for which its certificates are valid; 90 days as real authorities have it.
    trusted: put the authority of its TLS certificate into the host's trust store.
    """

    def __init__(
        self,
        host: Host,
        *,
        port: int = 14000,
        eab: bool = False,
        http_port: int = 80,
        validity: int = 90 * 86400,
        trusted: bool = True,
    ) -> None:
        self._host = host
        self._port = port
        self._eab = eab
        self._http_port = http_port
        self._validity = validity
        self._trusted = trusted
        self._pids: list[int] = []
        self.folder = f"/var/lib/acme-test-{port}"
        self.directory = f"https://localhost:{port}/dir"
        """The URL for `certbot --server`."""
        self.ca_file = f"{self.folder}/authority.pem"
        """The authority of its TLS certificate, for clients that do not use the host's trust store."""

    def start(self) -> None:
        """Start both programs and wait until they answer. Raise AcmeError when they do not."""
        self._check_ports()
        with tempfile.TemporaryDirectory() as made:
            files.make(Path(made))
            (Path(made) / "pebble.json").write_text(json.dumps({"pebble": self._config()}))
            self._host.copy(Path(made), self.folder)
        if self._trusted:
            self.trust()
        dns = f"127.0.0.1:{self._port + 2}"
        only_dns = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""]
        management = ["-management", f"127.0.0.1:{self._port + 3}"]
        self._spawn(
            "dns",
            [f"{self.folder}/pebble-challtestsrv", "-dns01", dns, *management, *only_dns],
            ready="Starting management server",
        )
        # No sleep before validation, no nonce refused at random, no authorization reused at random.
        settings = ["PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0", "PEBBLE_AUTHZREUSE=0"]
        self._spawn(
            "pebble",
            [
                *("env", *settings, f"{self.folder}/pebble"),
                *("-config", f"{self.folder}/pebble.json", "-dnsserver", dns),
            ],
            ready="ACME directory available at",
        )

    def trust(self) -> None:
        """Have the host trust the server, as its `update-ca-certificates` or `update-ca-trust` would."""
        script = """
            debian=/etc/ssl/certs/ca-certificates.crt
            red_hat=/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem
            for bundle in $debian $red_hat; do
                [ ! -e $bundle ] || cat authority.pem >> $bundle
            done
            # Debian has a link by hash for each authority; Red Hat has a link of this name to its own folder.
            [ -L /etc/ssl/certs ] || ln -s "$PWD/authority.pem" "/etc/ssl/certs/$(cat authority.hash).0"
        """
        self._host.run(["sh", "-euc", script], cwd=self.folder).check()

    def log(self) -> str:
        """Return what pebble has said so far: a line for every request."""
        return self._host.run(["cat", f"{self.folder}/pebble.log"]).stdout

    def status(self, serial: str) -> str:
        """Return what the authority thinks of a certificate: `Valid` or `Revoked`. `serial`: hexadecimal."""
        url = f"https://localhost:{self._port + 1}/cert-status-by-serial/{serial}"
        ask = (
            "import json, ssl, sys, urllib.request as u;"
            "trust = ssl.create_default_context(cafile=sys.argv[2]);"
            "print(json.load(u.urlopen(sys.argv[1], context=trust))['Status'])"
        )
        return self._host.run(["python3", "-c", ask, url, self.ca_file]).check().stdout.strip()

    def stop(self) -> None:
        """End both programs; their logs stay on the host."""
        while self._pids:
            self._host.run(["kill", str(self._pids.pop())])

    def _check_ports(self) -> None:
        """Raise AcmeError when something listens on one of our ports already."""
        wanted = range(self._port, self._port + 4)
        # proc(5): local address (hexadecimal, ADDRESS:PORT), remote address, state (0A: listening).
        for line in self._host.run(["cat", "/proc/net/tcp", "/proc/net/tcp6"]).stdout.splitlines():
            fields = line.split()
            if fields[3] == "0A" and (port := int(fields[1].rpartition(":")[2], 16)) in wanted:
                raise AcmeError(f"{self._host.name}: port {port} is taken: end what listens there")

    def _config(self) -> dict[str, object]:
        return {
            "listenAddress": f"127.0.0.1:{self._port}",
            "managementListenAddress": f"127.0.0.1:{self._port + 1}",
            "certificate": f"{self.folder}/server.pem",
            "privateKey": f"{self.folder}/server.key",
            "httpPort": self._http_port,
            "tlsPort": 443,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": self._eab,
            "externalAccountMACKeys": {EAB_KEY_ID: EAB_HMAC_KEY} if self._eab else {},
            "certificateValidityPeriod": self._validity,
        }

    def _spawn(self, name: str, argv: list[str], *, ready: str) -> None:
        """Start a program in the background; return once its log says that it listens."""
        log = f"{self.folder}/{name}.log"
        script = f"setsid {shlex.join(argv)} > {log} 2>&1 < /dev/null & echo $!"
        pid = int(self._host.run(["sh", "-c", script]).check().stdout)
        self._pids.append(pid)
        deadline = time.monotonic() + READY_SECONDS
        while True:
            said = self._host.run(["cat", log]).stdout
            ended = self._host.run(
                ["sh", "-c", 'read -r _ _ state _ < "/proc/$0/stat" && [ $state != Z ]', str(pid)]
            )
            if ready in said and ended.returncode == 0:
                return
            if ended.returncode != 0 or time.monotonic() > deadline:
                last = (said.strip().splitlines() or ["it said nothing"])[-1]
                why = "ended at once" if ended.returncode != 0 else f"is not ready after {READY_SECONDS:g} s"
                raise AcmeError(f"{name} on port {self._port} and up {why}: {last}")
            time.sleep(0.02)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
