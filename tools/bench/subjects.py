"""What is measured: the packed snap on a FIPS host, and on hosts without FIPS what it is compared with."""

from __future__ import annotations

import shlex
from base64 import b64encode
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import yaml

from tools.acme import AcmeServer
from tools.bench import upstream
from tools.bench.measure import Program, Sample
from tools.hosts import NamespaceHost
from tools.hosts.base import LOGIN_ENVIRONMENT

NAME = "certbot-fips"
#: By which the bench's own name server takes records; nothing hangs on the secret, which is 64 bytes.
CREDENTIALS = "/run/rfc2136.ini"
KEY, SECRET = "bench", b64encode(bytes(range(64))).decode()
#: The host's trust store, which the snap uses by itself. Certbot from PyPI has one of its own, of the same
#: size, but for the authority of the test server.
TRUST = {"REQUESTS_CA_BUNDLE": "/etc/ssl/certs/ca-certificates.crt"}


@dataclass
class Subjects:
    """Makes hosts and programs when they are first asked for; `stack` takes them away.

    snap: the packed snap. work: a folder of this machine to keep things in. quick: one round, few lineages.
    reference: another packed snap, to compare ours with.
    """

    snap: Path
    work: Path
    quick: bool
    reference: Path | None = None
    stack: ExitStack = field(default_factory=ExitStack)
    _authorities: dict[NamespaceHost, str] = field(default_factory=dict)
    _named: set[NamespaceHost] = field(default_factory=set)

    def rounds(self, usual: int) -> int:
        """Return how many rounds to measure where `usual` ones are right."""
        return 1 if self.quick else usual

    def host(self, *, flagged: bool, snap: Path | None = None) -> NamespaceHost:
        """Make a host that has the snap, or another."""
        return self.stack.enter_context(NamespaceHost(snap or self.snap, flagged))

    @cached_property
    def flagged(self) -> NamespaceHost:
        """The FIPS host."""
        return self.host(flagged=True)

    @cached_property
    def unflagged(self) -> NamespaceHost:
        """A host without FIPS."""
        return self.host(flagged=False)

    def authority(self, host: NamespaceHost) -> str:
        """Return the URL of the ACME server on a host, started when it is first wanted."""
        if host not in self._authorities:
            self._authorities[host] = self.stack.enter_context(AcmeServer(host)).directory
        return self._authorities[host]

    def app(self, host: NamespaceHost, app: str = NAME) -> Program:
        """Return an app of the snap as snap-exec starts it, without the stand-in for `snap run`."""
        # The shell of an app has what snap-exec gives the app; of this one, for it has no command-chain. What
        # execve(2) was given: bash adds to it.
        shell = ["snap", "run", "--shell", NAME, "-c", "cat /proc/$$/environ; :"]
        given = host.run(shell).check().stdout
        environment = dict(entry.split("=", 1) for entry in given.split("\0") if entry)
        environment["SNAP_APP_NAME"] = app
        root = environment["SNAP"]
        said = yaml.safe_load(host.run(["cat", f"{root}/meta/snap.yaml"]).check().stdout)["apps"][app]
        command_line = [*said.get("command-chain", ()), *shlex.split(said["command"])]
        chain = len(said.get("command-chain", ())) + 1
        programs = [f"{root}/{program}" for program in command_line[:chain]]
        return Program(host, (*programs, *command_line[chain:]), environment)

    @cached_property
    def certbot(self) -> Program:
        """The snap's Certbot on the FIPS host: it proves FIPS or ends with an error."""
        return self.app(self.flagged)

    @cached_property
    def pip_certbot(self) -> Program:
        """Certbot from PyPI, with its nginx and apache plugins, on a host without FIPS, which has no snap."""
        return self._pip_certbot("venv")

    @cached_property
    def pip_certbot_with_dns(self) -> Program:
        """The same with its plugin for RFC 2136 besides, on another such host."""
        return self._pip_certbot("venv-dns", dns=True)

    def _pip_certbot(self, name: str, dns: bool = False) -> Program:
        certbot = upstream.install(self.work / name, dns)
        venv = certbot.parents[1]
        host = self.stack.enter_context(NamespaceHost(flagged=False, shown={str(venv): venv}))
        return Program(host, (str(certbot),), {**LOGIN_ENVIRONMENT, **TRUST})

    def certonly(self, program: Program, name: str, *how: str) -> Sample:
        """Get a certificate with one of the Certbots; `how`: its authenticator, and other options."""
        account = ["--non-interactive", "--agree-tos", "--email", "admin@example.org"]
        server = ["--server", self.authority(program.host)]
        arguments = (*account, *server, "--domain", name, *how)
        return program("certonly", *arguments, says="Successfully received certificate")

    def nameserver(self, host: NamespaceHost) -> tuple[str, ...]:
        """Return how Certbot gives records to the name server of a host, started when it is first wanted."""
        if host not in self._named:
            self._start_nameserver(host)
            self._named.add(host)
        option = "--dns-rfc2136"
        return (option, f"{option}-credentials", CREDENTIALS, f"{option}-propagation-seconds", "0")

    def _start_nameserver(self, host: NamespaceHost) -> None:
        self.authority(host)  # whose DNS is told of the records
        venv = Path(self.pip_certbot_with_dns.command[0]).parents[1]
        (library,) = venv.glob("lib/python3*/site-packages/dns")
        host.copy(library, "/opt/bench/dns")
        host.copy(Path(__file__).with_name("rfc2136_stand_in.py"), "/opt/bench/rfc2136_stand_in.py")
        start = 'exec /usr/bin/python3 "$@" > /run/rfc2136.log 2>&1 < /dev/null'
        told = "127.0.0.1:14003"  # where pebble-challtestsrv is told, see AcmeServer
        server = ("/opt/bench/rfc2136_stand_in.py", "example.org", KEY, SECRET, told)
        host.run(["sh", "-euc", start, "sh", *server]).check()
        settings = {"server": "127.0.0.1", "name": KEY, "secret": SECRET, "algorithm": "HMAC-SHA512"}
        given = "".join(f"dns_rfc2136_{name} = {value}\n" for name, value in settings.items())
        host.run(["sh", "-euc", 'umask 077; cat > "$0"', CREDENTIALS], stdin=given).check()
