"""What the tests of the packed snap share: Certbot on a host, certificates as other programs see them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tools.acme import AcmeServer
from tools.acme.certificate import Certificate
from tools.hosts import NamespaceHost, Result

SNAP = "/snap/certbot-fips/current"
#: The FIPS config that the install hook makes on the machine.
MADE_HERE = "/var/snap/certbot-fips/x1/fips/openssl-x1.cnf"
LIVE = "/etc/letsencrypt/live"
MAIL = "admin@example.org"

MakeHost = Callable[..., NamespaceHost]


@dataclass(frozen=True)
class Certbot:
    """The snap's command `certbot-fips` on a host, against one authority, asking nothing."""

    host: NamespaceHost
    acme: AcmeServer

    def __call__(self, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
        """Run it; a failure is for the test to judge."""
        return self.host.run(
            ["certbot-fips", *arguments, "--non-interactive", "--server", self.acme.directory], env=env
        )

    def issue(self, name: str, *arguments: str) -> Certificate:
        """Get a certificate over HTTP-01, registering an account on the way, and return it."""
        how = arguments if "--webroot" in arguments else ("--standalone", *arguments)
        account = ("--agree-tos", "--email", MAIL)
        self("certonly", *account, "--cert-name", name, "--domain", name, *how).check()
        return self.certificate(name)

    def certificate(self, name: str) -> Certificate:
        """Return the certificate that `name` stands for now."""
        found = Certificate(self.host.path(f"{LIVE}/{name}"))
        assert found.names == [name]
        return found
