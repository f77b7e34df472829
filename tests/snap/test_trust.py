"""Which certificate authorities the snap trusts: those of the host, on Debian's paths and on Red Hat's."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

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


def without_key_usage(folder: Path, name: str = "localhost", days: int = 30) -> None:
    """Make a root by plain `openssl req -x509` and a server's certificate, as `tools.acme.files.certify`."""
    root = "openssl req -x509 -newkey rsa:2048 -nodes -keyout root.key -out authority.pem -subj /CN=plain"
    subprocess.run(root.split(), cwd=folder, check=True, capture_output=True)
    issuer = x509.load_pem_x509_certificate((folder / "authority.pem").read_bytes())
    with pytest.raises(x509.ExtensionNotFound):
        issuer.extensions.get_extension_for_class(x509.KeyUsage)
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    signer = load_pem_private_key((folder / "root.key").read_bytes(), None)
    assert isinstance(signer, rsa.RSAPrivateKey)
    certificate = (
        x509.CertificateBuilder(issuer.subject, x509.Name([]), key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(60))
        .not_valid_after(now + timedelta(days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .sign(signer, hashes.SHA256())
    )
    (folder / "server.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.key").write_bytes(pem)


@pytest.mark.parametrize("flagged", [True, False], ids=["flagged", "unflagged"])
def test_a_root_without_key_usage(make_host: MakeHost, flagged: bool) -> None:
    """Internal authorities have such; Certbot takes it, and Python's own default stays as strict as it is."""
    host = make_host(flagged=flagged)
    with AcmeServer(host, certify=without_key_usage) as acme:
        certbot = Certbot(host, acme)
        assert certbot.issue("plain.example.org").key == "ECDSA P-256"
        for code in (ASK, "import requests, sys; requests.get(sys.argv[1])"):
            strict = host.run(["certbot-fips.python3", "-c", code, acme.directory])
            assert strict.returncode == 1
            assert "CA cert does not include key usage extension" in strict.stderr


@pytest.mark.parametrize(
    ("certify", "trusted", "why"),
    [
        (partial(without_key_usage, name="another.example.org"), True, "Hostname mismatch"),
        (partial(without_key_usage, days=-1), True, "certificate has expired"),
        (without_key_usage, False, "unable to get local issuer certificate"),
    ],
    ids=["name", "time", "authority"],
)
def test_all_else_is_still_verified(
    make_host: MakeHost, certify: Callable[[Path], None], trusted: bool, why: str
) -> None:
    host = make_host()
    with AcmeServer(host, certify=certify, trusted=trusted) as acme:
        refused = Certbot(host, acme)("register", "--agree-tos", "--email", MAIL)
        assert refused.returncode == 1
        assert f"CERTIFICATE_VERIFY_FAILED] certificate verify failed: {why}" in refused.stderr
        Certbot(host, acme)("register", "--agree-tos", "--email", MAIL, "--no-verify-ssl").check()


def test_plugins_trust_whom_the_host_trusts(make_host: MakeHost) -> None:
    """By certifi, which is what requests and others ask; a host without a known store has Mozilla's."""
    host = make_host()
    ask = ["certbot-fips.python3", "-c", "import certifi; print(certifi.where())"]
    assert host.run(ask).check().stdout == "/etc/ssl/certs/ca-certificates.crt\n"
    as_red_hat(host)
    assert host.run(ask).check().stdout == "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem\n"
