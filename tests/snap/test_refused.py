"""What FIPS forbids is refused on a FIPS host and works elsewhere, or is never agreed on."""

import re

import pytest

from tests.snap.support import SNAP, Certbot
from tools.acme import AcmeServer
from tools.hosts import NamespaceHost
from tools.observe import Wire
from tools.observe.groups import APPROVED
from tools.observe.sniff_hellos import client_hello, messages

FORBIDDEN_IN_OPENSSL = {
    "RSA-1024": "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024",
    "secp256k1": "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1",
    "MD5": "dgst -md5 /dev/null",
    "ChaCha20": "enc -chacha20 -K 00 -iv 00 -in /dev/null",
    "MD5 of a password": "passwd -1 -salt salt password",
    "Apache's MD5 of a password": "passwd -apr1 -salt salt password",
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
    assert "<NULL>" not in refused.stdout
    unflagged.run(command).check()


#: A private key by each program that writes one, with each cipher there is a name for, and with none.
ENCRYPT = """
cd /run
openssl="$0"
"$openssl" genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem
"$openssl" genpkey -algorithm RSA -quiet -out rsa.pem
printf '%s' "$1" > dsa.pem
for cipher in "" $("$openssl" enc -list | tail -n +2) -des3 -des -aes256; do
    for program in ec rsa dsa pkey; do
        case $program in pkey) key=ec ;; *) key=$program ;; esac
        ended=0
        "$openssl" $program $cipher -in $key.pem -passout pass:password > out 2> /dev/null || ended=1
        echo "$program:$cipher:$ended:$(grep -c "PRIVATE KEY" out):$(grep -c ENCRYPTED out)"
    done
done
"""


@pytest.mark.provider
def test_a_key_for_which_a_cipher_is_named_is_never_written_in_the_clear(
    flagged: NamespaceHost, unflagged: NamespaceHost
) -> None:
    """Neither where FIPS refuses the cipher, nor where the snap does not have it at all."""
    make = "certbot-fips.openssl dsaparam -genkey -noout 2048"
    dsa = unflagged.run(["sh", "-c", make]).check().stdout
    encrypted: list[set[str]] = []
    for host, config in ((flagged, "openssl.cnf"), (unflagged, "default.cnf")):
        command = ["env", f"OPENSSL_CONF={SNAP}/etc/ssl/{config}", "sh", "-euc", ENCRYPT]
        told = host.run([*command, f"{SNAP}/usr/libexec/openssl/openssl", dsa], timeout=300).check().stdout
        tried = [line.split(":") for line in told.splitlines()]
        assert len(tried) > 200
        for program, cipher, ended, keys, ciphered in tried:
            refused = (ended, keys, ciphered) == ("1", "0", "0")
            plain, secret = ((ended, keys, ciphered != "0") == ("0", "2", each) for each in (False, True))
            assert (refused or secret) if cipher else plain, (program, cipher)
        encrypted.append({f"{program} {cipher}" for program, cipher, _, _, c in tried if c != "0"})
    # The control: there are ciphers that do it, elsewhere more of them.
    assert "pkey -aes256" in encrypted[0]
    assert {"ec -des3", "rsa -des3", "dsa -aes256"} <= encrypted[1] - encrypted[0]


WRONG_OPTIONS = """
for command in $("$0" list -1 -commands); do
    "$0" $command -no-such-option > /dev/null 2>&1 < /dev/null && echo $command || :
done
"""


def test_no_command_of_openssl_ends_well_after_a_wrong_option(host: NamespaceHost) -> None:
    """A cipher or digest that FIPS refuses is one. But `rehash`, which counts bad files alone."""
    program = f"{SNAP}/usr/libexec/openssl/openssl"
    assert host.run(["sh", "-euc", WRONG_OPTIONS, program]).check().stdout == "rehash\n"


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
        handshakes = wire.handshakes()
    assert handshakes
    assert {handshake.group for handshake in handshakes} <= {"x25519", "X25519MLKEM768"}


#: IANA's numbers of ECDSA on the curves of SP 800-186, each with its own digest, and of RSA (PSS, PKCS#1).
SIGNATURES = {0x403, 0x503, 0x603, *range(0x804, 0x807), *range(0x809, 0x80C), 0x401, 0x501, 0x601}
HELLO = """
import ssl
out = ssl.MemoryBIO()
try:
    ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname="a.example").do_handshake()
except ssl.SSLWantReadError:
    print(out.read().hex())
"""


@pytest.mark.provider
def test_only_approved_signatures_are_offered(flagged: NamespaceHost, unflagged: NamespaceHost) -> None:
    """Elsewhere brainpool's curves and DSA are offered as well: the control."""
    offered = []
    for host in (flagged, unflagged):
        said = host.run(["certbot-fips.python3", "-c", HELLO]).check().stdout
        [(_, body)] = messages(bytes.fromhex(said))
        offered.append(set(client_hello(body)["signatures"]))
    assert offered[0] == SIGNATURES
    assert offered[1] > SIGNATURES


#: What code of anybody's may ask of an SSLContext, whatever the config says.
ASKED_OF_TLS = {
    "X25519": 'set_ecdh_curve("X25519")',
    "X448": 'set_ecdh_curve("X448")',
    **{
        curve: f'set_ecdh_curve("{curve}") or context.set_ciphers("ALL:@SECLEVEL=0")'
        for curve in ("secp224r1", "sect233k1", "sect571r1", "brainpoolP256r1", "secp256k1")
    },
    "RSA key transport": 'set_ciphers("AES256-SHA256:@SECLEVEL=0")',
    "RSA key transport with GCM": 'set_ciphers("AES128-GCM-SHA256:@SECLEVEL=0")',
    "anonymous ECDH": 'set_ciphers("AECDH-AES256-SHA:@SECLEVEL=0")',
    "ChaCha20": 'set_ciphers("ECDHE+CHACHA20:@SECLEVEL=0")',
}
#: A client and a server, in one process and memory, that both ask for it and for nothing else.
AGREE = """
import datetime, ssl, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization as s
from cryptography.hazmat.primitives.asymmetric import rsa

key, name, day = rsa.generate_private_key(65537, 2048), x509.Name([]), datetime.timedelta(1)
certificate = x509.CertificateBuilder(name, name, key.public_key(), 1, datetime.datetime.now() - day)
certificate = certificate.not_valid_after(datetime.datetime.now() + day).sign(key, hashes.SHA256())
with open("/run/tls.pem", "wb") as pem:
    pem.write(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))
    pem.write(certificate.public_bytes(s.Encoding.PEM))
ends = []
to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
try:
    for side in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER):
        context = ssl.SSLContext(side)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        exec("context." + sys.argv[1])
        if side == ssl.PROTOCOL_TLS_SERVER:
            context.load_cert_chain("/run/tls.pem")
            ends.append(context.wrap_bio(to_server, to_client, server_side=True))
        else:
            ends.append(context.wrap_bio(to_client, to_server))
    for end in ends * 3:
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            pass
    print("agreed on", ends[0].cipher()[0])
except ssl.SSLError as error:
    print("refused:", error)
"""


@pytest.mark.provider
@pytest.mark.parametrize("what", ASKED_OF_TLS)
def test_no_code_gets_what_is_not_approved_in_tls(
    flagged: NamespaceHost, unflagged: NamespaceHost, what: str
) -> None:
    """Elsewhere they agree: the control. And in FIPS they do, on what is approved."""
    command = ["certbot-fips.python3", "-c", AGREE]
    assert flagged.run([*command, ASKED_OF_TLS[what]]).check().stdout.startswith("refused: ")
    assert unflagged.run([*command, ASKED_OF_TLS[what]]).check().stdout.startswith("agreed on ")
    approved = flagged.run([*command, 'set_ecdh_curve("secp384r1")']).check().stdout
    assert approved.startswith("agreed on ECDHE-RSA-AES256-GCM")


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
