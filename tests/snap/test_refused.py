"""What FIPS forbids is refused on a FIPS host and works elsewhere, or is never agreed on."""

import re

import pytest

from tests.snap.support import Certbot
from tools.acme import AcmeServer
from tools.hosts import NamespaceHost
from tools.observe import Wire
from tools.observe.groups import APPROVED

FORBIDDEN_IN_OPENSSL = {
    "RSA-1024": "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024",
    "secp256k1": "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1",
    "MD5": "dgst -md5 /dev/null",
    "ChaCha20": "enc -chacha20 -K 00 -iv 00 -in /dev/null",
}
FORBIDDEN_IN_PYTHON = {
    "RSA-1024": "from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as make;"
    "make(65537, 1024)",
    "RSA-1024 by pyOpenSSL": "from OpenSSL.crypto import PKey, TYPE_RSA; PKey().generate_key(TYPE_RSA, 1024)",
    "secp256k1": "from cryptography.hazmat.primitives.asymmetric import ec;"
    "ec.generate_private_key(ec.SECP256K1())",
    "ECDSA with SHA-1": "from cryptography.hazmat.primitives import hashes;"
    "from cryptography.hazmat.primitives.asymmetric import ec;"
    "ec.generate_private_key(ec.SECP256R1()).sign(b'', ec.ECDSA(hashes.SHA1()))",
    "MD5": "import hashlib; hashlib.md5(b'')",
    "MD5 by name": "import hashlib; hashlib.new('md5')",
    "MD5 by cryptography": "from cryptography.hazmat.primitives import hashes; hashes.Hash(hashes.MD5())",
    "MD5 in an HMAC": "import hmac; hmac.new(b'k' * 16, b'', 'md5')",
    "MD5 signature": "from cryptography.hazmat.primitives import hashes;"
    "from cryptography.hazmat.primitives.asymmetric import padding, rsa;"
    "rsa.generate_private_key(65537, 2048).sign(b'', padding.PKCS1v15(), hashes.MD5())",
}


@pytest.mark.provider
@pytest.mark.parametrize("what", FORBIDDEN_IN_OPENSSL)
def test_openssl(flagged: NamespaceHost, unflagged: NamespaceHost, what: str) -> None:
    command = ["certbot-fips.openssl", *FORBIDDEN_IN_OPENSSL[what].split()]
    refused = flagged.run(command)
    assert refused.returncode != 0
    assert "PRIVATE KEY" not in refused.stdout
    unflagged.run(command).check()


@pytest.mark.provider
@pytest.mark.parametrize("what", FORBIDDEN_IN_PYTHON)
def test_python(flagged: NamespaceHost, unflagged: NamespaceHost, what: str) -> None:
    command = ["certbot-fips.python3", "-c", FORBIDDEN_IN_PYTHON[what]]
    refused = flagged.run(command)
    assert refused.returncode == 1
    assert re.search(r"^(\S+\.)?(ValueError|Unsupported\w+): ", refused.stderr, re.MULTILINE)
    unflagged.run(command).check()


@pytest.mark.provider
def test_only_approved_groups_are_offered_and_agreed_on(fips_certbot: Certbot) -> None:
    """The authority prefers X25519; what a whole issuance really agreed on is read from the wire."""
    with Wire(fips_certbot.host) as wire:
        fips_certbot.issue("groups.example.org")
        handshakes = wire.handshakes()
    assert handshakes
    for handshake in handshakes:
        assert set(handshake.offered) <= APPROVED
        assert handshake.group in APPROVED
        assert handshake.version == "TLSv1.3"
        assert handshake.cipher in ("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256")


def test_x25519_is_what_the_authority_prefers(unflagged: NamespaceHost) -> None:
    """The control of the test before: elsewhere the same authority and the same snap agree on it."""
    with AcmeServer(unflagged, port=34000) as acme, Wire(unflagged, 34000) as wire:
        Certbot(unflagged, acme)("register", "--agree-tos", "--email", "admin@example.org").check()
        assert {handshake.group for handshake in wire.handshakes()} <= {"x25519", "X25519MLKEM768"}


@pytest.mark.provider
@pytest.mark.parametrize(
    "server",
    ["-groups X25519", "-tls1_1", "-tls1_2 -cipher ECDHE+CHACHA20", "-tls1_2 -cipher ECDHE+AES+SHA1"],
)
def test_a_server_that_only_has_what_is_not_approved(flagged: NamespaceHost, server: str) -> None:
    with AcmeServer(flagged, port=44000) as acme:  # for its certificate
        listen = (
            f"openssl s_server -accept 44443 -cert {acme.folder}/server.pem -key {acme.folder}/server.key"
        )
        script = f"setsid {listen} -www {server} > /run/s_server.log 2>&1 < /dev/null & echo $!"
        pid = flagged.run(["sh", "-c", script]).check().stdout.strip()
        flagged.run(["sh", "-c", "until grep -q ACCEPT /run/s_server.log; do sleep 0.01; done"], timeout=10)
        result = flagged.run(
            ["certbot-fips.python3", "-c", "import urllib.request as u; u.urlopen('https://localhost:44443')"]
        )
        flagged.run(["kill", pid])
    assert result.returncode == 1
    assert "ssl.SSLError" in result.stderr or "SSL:" in result.stderr
