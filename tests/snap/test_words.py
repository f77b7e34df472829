"""Certbot's error is followed by what it means under FIPS and what to do, there and nowhere else."""

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from fips_launch import refusal
from tests.snap.support import MAIL, Certbot, MakeHost
from tools.acme import AcmeServer
from tools.hosts import NamespaceHost, Result

RENEW = ("renew", "--force-renewal", "--no-random-sleep-on-renew")
LOG = "/var/log/letsencrypt/letsencrypt.log"
# A server with TLS 1.2 that lacks the extended master secret; 1 is SSL_OP_NO_EXTENDED_MASTER_SECRET.
WITHOUT_EMS = """
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(*sys.argv[1:])
context.maximum_version = ssl.TLSVersion.TLSv1_2
context.options |= 1
server = socket.create_server(("127.0.0.1", 44443))
print("ACCEPT", flush=True)
while True:
    try:
        context.wrap_socket(server.accept()[0], server_side=True).sendall(b"HTTP/1.0 404 no\\r\\n\\r\\n")
    except OSError as error:
        print(error)
"""
NOTHING = "the server has nothing that is approved"
#: What listens (s_server's options), and what Certbot is told.
SERVERS = {
    "X25519": ("-groups X25519", NOTHING),
    "ChaCha20": ("-tls1_2 -cipher ECDHE+CHACHA20", NOTHING),
    "CBC": ("-tls1_2 -cipher ECDHE+AES+SHA1", NOTHING),
    "RSA key transport": ("-tls1_2 -cipher AES128-GCM-SHA256 -cert /run/rsa.pem -key /run/rsa.key", NOTHING),
    "Ed25519": ("-cert /run/ed25519.pem -key /run/ed25519.key", NOTHING),
    "RSA-1024": (
        "-cipher DEFAULT@SECLEVEL=0 -cert /run/short.pem -key /run/short.key",
        "has a key of less than 112 bits",
    ),
    "an Ed25519 authority": (
        "-cert /run/leaf.pem -key /run/leaf.key",
        "a key that is not approved, as Ed25519",
    ),
    "no extended master secret": ("", "no extended master secret (RFC 7627)"),
}
CERTIFICATES = {"rsa": "rsa:2048", "ed25519": "ed25519", "short": "rsa:1024"}


def said(result: Result) -> list[str]:
    """Return what was said in the words of this snap."""
    return [line for line in result.stderr.splitlines() if line.startswith(refusal.PREFIX)]


def assert_told(host: NamespaceHost, result: Result, what: str) -> str:
    """Certbot's own status and error come first, then one line, in the log too; return its remedy."""
    assert result.returncode == 1
    (line,) = said(result)
    text, remedy = refusal.parse(line)
    assert text.startswith("FIPS: ") and what in text and remedy
    assert result.stderr.index("rror") < result.stderr.index(line)
    assert line in host.run(["cat", LOG]).check().stdout
    return remedy


@contextmanager
def listening(host: NamespaceHost, folder: str, options: str) -> Iterator[None]:
    pair = f"{folder}/server.pem {folder}/server.key"
    for name, kind in CERTIFICATES.items():
        make = f"openssl req -x509 -newkey {kind} -nodes -keyout /run/{name}.key -out /run/{name}.pem"
        script = (
            f"{make} -subj /CN=localhost -addext subjectAltName=DNS:localhost -addext keyUsage=keyCertSign"
        )
        host.run(
            ["sh", "-c", f"{script} && cat /run/{name}.pem >> /etc/ssl/certs/ca-certificates.crt"]
        ).check()
    leaf = "openssl req -x509 -CA /run/ed25519.pem -CAkey /run/ed25519.key -newkey ec -nodes"
    curve = "-pkeyopt ec_paramgen_curve:P-256 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    host.run(["sh", "-c", f"{leaf} {curve} -keyout /run/leaf.key -out /run/leaf.pem"]).check()
    host.run(["tee", "/run/without_ems.py"], stdin=WITHOUT_EMS).check()
    certificate, key = pair.split()
    listen = f"python3 /run/without_ems.py {pair}"
    if options:
        listen = f"openssl s_server -accept 44443 -cert {certificate} -key {key} -www {options}"
    script = f"setsid {listen} > /run/server.log 2>&1 < /dev/null & echo $!"
    pid = host.run(["sh", "-c", script]).check().stdout.strip()
    try:
        host.run(["sh", "-c", "until grep -q ACCEPT /run/server.log; do sleep 0.01; done"], timeout=10)
        yield
    finally:
        host.run(["kill", pid])


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_that_has_nothing_approved(make_host: MakeHost, server: str) -> None:
    options, what = SERVERS[server]
    register = ("certbot-fips", "register", "--agree-tos", "--email", MAIL, "--non-interactive")
    for flagged in (True, False):
        host = make_host(flagged=flagged)
        with AcmeServer(host) as acme, listening(host, acme.folder, options):  # for its certificate
            result = host.run([*register, "--server", "https://localhost:44443/dir"])
        if flagged:
            assert_told(host, result, what)
        else:  # the control: the same server is spoken with, or what it lacks has nothing to do with FIPS
            assert result.returncode == 1 and said(result) == []


def short_jwk() -> str:
    """Return an account's key that FIPS forbids, as Certbot keeps it (RFC 7517)."""
    own = rsa.generate_private_key(65537, 1024).private_numbers()
    numbers = {
        "n": own.public_numbers.n,
        "e": own.public_numbers.e,
        "d": own.d,
        "p": own.p,
        "q": own.q,
        "dp": own.dmp1,
        "dq": own.dmq1,
        "qi": own.iqmp,
    }
    octets = {name: n.to_bytes((n.bit_length() + 7) // 8) for name, n in numbers.items()}
    encoded = {name: urlsafe_b64encode(value).decode().rstrip("=") for name, value in octets.items()}
    return json.dumps({"kty": "RSA", **encoded})


def test_an_account_with_a_weak_key(make_host: MakeHost) -> None:
    """And the remedy helps."""
    host = make_host()
    with AcmeServer(host) as acme:
        certbot = Certbot(host, acme)
        certbot.issue("account.example.org")
        find = "ls -d /etc/letsencrypt/accounts/*/*/*"
        account = host.run(["sh", "-c", find]).check().stdout.strip()
        host.run(["tee", f"{account}/private_key.json"], stdin=short_jwk()).check()
        for command in ((*RENEW, "--quiet"), ("unregister",)):
            remedy = assert_told(host, certbot(*command), "refuses the account's key")
        assert "register" in remedy and "renew --force-renewal --account" in remedy
        host.run(["mv", account, "/root/old"]).check()
        certbot("register", "--agree-tos", "--email", MAIL).check()
        new = host.run(["sh", "-c", find]).check().stdout.strip().rpartition("/")[2]
        # Without --server, as it is renewed by the timer.
        host.run(["certbot-fips", *RENEW, "--account", new]).check()
        host.run(["certbot-fips", *RENEW]).check()


@pytest.mark.parametrize(
    ("make", "option"),
    [
        ("genrsa 1024", "rsa_key_size = 1024"),
        ("ecparam -name secp256k1 -genkey -noout", "elliptic_curve = secp256k1"),
        ("genpkey -algorithm ed25519", ""),
    ],
    ids=["RSA-1024", "secp256k1", "Ed25519"],
)
def test_a_certificate_that_keeps_a_weak_key(fips_certbot: Certbot, make: str, option: str) -> None:
    """And the remedy helps."""
    name = f"{make.split()[-1].strip('-')}.example.org"
    fips_certbot.issue(name, "--reuse-key")
    conf = f"/etc/letsencrypt/renewal/{name}.conf"
    kind = "rsa" if "rsa" in make else "ecdsa"
    host = fips_certbot.host
    host.run(["sh", "-euc", f"openssl {make} > /etc/letsencrypt/archive/{name}/privkey1.pem"]).check()
    host.run(
        ["sh", "-euc", f"sed -i 's/^key_type.*/key_type = {kind}/' {conf}; echo {option!r} >> {conf}"]
    ).check()
    remedy = assert_told(host, fips_certbot(*RENEW, "--cert-name", name), "private key of this certificate")
    found = re.search("`certbot-fips (.*)`", remedy)
    assert found
    fips_certbot(*found[1].replace("NAME", name).split(), "--no-random-sleep-on-renew").check()
    assert fips_certbot.certificate(name).key == "ECDSA P-256"


def test_a_weak_key_that_shall_revoke(fips_certbot: Certbot) -> None:
    host = fips_certbot.host
    make = "openssl req -x509 -newkey rsa:1024 -nodes -keyout /run/weak.key -out /run/weak.pem -subj /CN=weak"
    host.run(make.split()).check()
    revoked = fips_certbot("revoke", "--cert-path", "/run/weak.pem", "--key-path", "/run/weak.key")
    assert "leave --key-path away" in assert_told(host, revoked, "the key that --key-path names")


def test_other_errors_are_left_alone(certbot: Certbot) -> None:
    """The control: what has nothing to do with FIPS; unflagged, nothing is said at all."""
    refused = certbot("certonly", "--standalone", "--domain", "no..name")
    assert refused.returncode != 0 and said(refused) == []
    unknown = certbot("certificates", "--cert-name", "unknown.example.org")
    assert said(unknown) == []
