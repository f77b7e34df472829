"""What is measured: the packed snap on a FIPS host, and on hosts without FIPS what it is compared with."""

from __future__ import annotations

import shlex
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
#: The host's trust store, which the snap uses by itself. Certbot from PyPI has one of its own, of the same
#: size, but for the authority of the test server.
TRUST = {"REQUESTS_CA_BUNDLE": "/etc/ssl/certs/ca-certificates.crt"}


@dataclass
class Subjects:
    """Makes hosts and programs when they are first asked for; `stack` takes them away.

    snap: the packed snap. work: a folder of this machine to keep things in. quick: one round, few lineages.
    """

    snap: Path
    work: Path
    quick: bool
    stack: ExitStack = field(default_factory=ExitStack)
    _authorities: dict[NamespaceHost, str] = field(default_factory=dict)

    def rounds(self, usual: int) -> int:
        """Return how many rounds to measure where `usual` ones are right."""
        return 1 if self.quick else usual

    def host(self, *, flagged: bool) -> NamespaceHost:
        """Make a host that has the snap."""
        return self.stack.enter_context(NamespaceHost(self.snap, flagged))

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
        """Certbot from PyPI on a host without FIPS, which has no snap."""
        certbot = upstream.install(self.work / "venv")
        venv = certbot.parents[1]
        host = self.stack.enter_context(NamespaceHost(flagged=False, shown={str(venv): venv}))
        return Program(host, (str(certbot),), {**LOGIN_ENVIRONMENT, **TRUST})

    def certonly(self, program: Program, name: str, *more: str) -> Sample:
        """Get a certificate over HTTP-01 with one of the two Certbots."""
        account = ["--non-interactive", "--agree-tos", "--email", "admin@example.org"]
        server = ["--server", self.authority(program.host)]
        arguments = (*account, *server, "--standalone", "--domain", name, *more)
        return program("certonly", *arguments, says="Successfully received certificate")
