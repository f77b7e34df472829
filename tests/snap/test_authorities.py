"""What authorities ask and offer besides a certificate: chains, must-staple, several accounts."""

import base64
import re
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from tests.snap.support import LIVE, MAIL, Certbot, MakeHost
from tools.acme import AcmeServer

ACCOUNTS = "/etc/letsencrypt/accounts/localhost:14000/dir"


@pytest.fixture
def certbot(make_host: MakeHost) -> Iterator[Certbot]:
    """On a FIPS host of its own, with an authority that offers two chains."""
    host = make_host()
    with AcmeServer(host, roots=2) as acme:
        yield Certbot(host, acme)


def certificate(certbot: Certbot, path: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(certbot.host.path(path).read_bytes())


def test_a_preferred_chain(certbot: Certbot) -> None:
    """Of two chains each is taken that is asked for, and the first where there is none of that name."""
    for number in (0, 1):
        root = x509.load_pem_x509_certificate(certbot.acme.root(number).encode())
        wanted = root.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        name = f"chain-{number}.example.org"
        certbot.issue(name, "--preferred-chain", str(wanted))
        assert certificate(certbot, f"{LIVE}/{name}/chain.pem").issuer == root.subject
    first = certificate(certbot, f"{LIVE}/chain-0.example.org/chain.pem").issuer
    certbot.issue("none.example.org", "--preferred-chain", "Nobody's Root")
    assert certificate(certbot, f"{LIVE}/none.example.org/chain.pem").issuer == first


def asked_for(certbot: Certbot) -> x509.CertificateSigningRequest:
    """Return the last request, from Certbot's log."""
    log = certbot.host.path("/var/log/letsencrypt/letsencrypt.log").read_text()
    text = re.findall(r'"csr": "([\w-]+)"', log)[-1]
    return x509.load_der_x509_csr(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def test_must_staple(certbot: Certbot) -> None:
    """The request asks for it, and so does a renewal's; whether it is given is the authority's to say."""
    certbot.issue("plain.example.org")
    with pytest.raises(x509.ExtensionNotFound):
        asked_for(certbot).extensions.get_extension_for_class(x509.TLSFeature)
    certbot.issue("staple.example.org", "--must-staple")
    certbot(
        "renew", "--cert-name", "staple.example.org", "--force-renewal", "--no-random-sleep-on-renew"
    ).check()
    feature = asked_for(certbot).extensions.get_extension_for_class(x509.TLSFeature).value
    assert list(feature) == [x509.TLSFeatureType.status_request]


def test_several_accounts(certbot: Certbot) -> None:
    """Each certificate is renewed by the account that got it; where there are two, one has to be named."""
    folder = certbot.host.path(ACCOUNTS)
    first = certbot.issue("one.example.org")
    (one,) = (each.name for each in folder.iterdir())
    certbot.host.run(["mv", f"{ACCOUNTS}/{one}", "/run/one"]).check()
    certbot("register", "--agree-tos", "--email", MAIL).check()
    (two,) = (each.name for each in folder.iterdir())
    certbot.host.run(["mv", "/run/one", f"{ACCOUNTS}/{one}"]).check()
    asked = certbot("certonly", "--standalone", "--domain", "two.example.org")
    assert asked.returncode == 1 and "Please choose an account" in asked.stderr
    second = certbot.issue("two.example.org", "--account", two)
    # Without --server: with it Certbot asks which account once more.
    renew = ["certbot-fips", "renew", "--force-renewal", "--no-random-sleep-on-renew"]
    certbot.host.run(renew).check()
    for name, account, before in (("one", one, first), ("two", two, second)):
        conf = certbot.host.path(f"/etc/letsencrypt/renewal/{name}.example.org.conf").read_text()
        assert f"account = {account}" in conf
        assert certbot.certificate(f"{name}.example.org").serial != before.serial
