"""Which certificate authorities the snap trusts: those of the host, on Debian's paths and on Red Hat's."""

import pytest

from tests.snap.support import MAIL, Certbot, MakeHost
from tools.acme import AcmeServer
from tools.hosts import NamespaceHost
from tools.hosts.base import LOGIN_ENVIRONMENT

ASK = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).status)"


def as_red_hat(host: NamespaceHost) -> None:
    """Move the host's trust store to where RHEL 8, 9 and 10 have theirs, and leave none where Debian has."""
    host.run(
        [
            "sh",
            "-euc",
            "mkdir -p /etc/pki/ca-trust/extracted/pem /etc/pki/tls/certs;"
            "mv /etc/ssl/certs/ca-certificates.crt /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem;"
            "ln -s /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem /etc/pki/tls/certs/ca-bundle.crt;"
            "ln -s /etc/pki/tls/certs/ca-bundle.crt /etc/pki/tls/cert.pem;"
            "rm -rf /etc/ssl; mkdir /etc/ssl; ln -s /etc/pki/tls/certs /etc/ssl/certs",
        ]
    ).check()


@pytest.mark.parametrize("layout", ["Debian", "Red Hat"])
@pytest.mark.parametrize("flagged", [True, False], ids=["flagged", "unflagged"])
def test_an_authority_that_the_host_trusts(make_host: MakeHost, flagged: bool, layout: str) -> None:
    host = make_host(flagged=flagged)
    if layout == "Red Hat":
        as_red_hat(host)
    with AcmeServer(host) as acme:
        Certbot(host, acme)("register", "--agree-tos", "--email", MAIL).check()
        asked = host.run(["certbot-fips.python3", "-c", ASK, acme.directory]).check()
        assert asked.stdout == "200\n"
        connect = "s_client -brief -verify_return_error -connect localhost:14000"
        shown = host.run(["certbot-fips.openssl", *connect.split()]).check()
        assert "Verification: OK" in shown.stderr


@pytest.mark.parametrize("flagged", [True, False], ids=["flagged", "unflagged"])
def test_an_authority_that_the_host_does_not_trust(make_host: MakeHost, flagged: bool) -> None:
    host = make_host(flagged=flagged)
    with AcmeServer(host, trusted=False) as acme:
        certbot = Certbot(host, acme)
        refused = certbot("register", "--agree-tos", "--email", MAIL)
        assert refused.returncode == 1
        assert "CERTIFICATE_VERIFY_FAILED" in refused.stderr
        assert host.run(["certbot-fips.python3", "-c", ASK, acme.directory]).returncode == 1
        # The administrator's own choice wins, by the variable that Certbot documents.
        chosen = {**LOGIN_ENVIRONMENT, "REQUESTS_CA_BUNDLE": acme.ca_file}
        certbot("register", "--agree-tos", "--email", MAIL, env=chosen).check()
