"""What a Python of the snap is asked to do, and how its answer is weighed by us.

The payloads hand over raw things: a digest, the modulus of a key, the bytes of a TLS ClientHello, a
signature.  What they are worth is read here, outside.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from tools.campaign.keys import KEYS
from tools.observe import groups
from tools.observe.sniff_hellos import CLIENT_HELLO, client_hello, messages

_BEGIN = """
import json, sys
sys.path.append(sys.prefix + "/lib/python3.13/site-packages")
got = {}
def attempt(name):
    def now(work):
        try:
            got[name] = work()
        except BaseException as error:
            got[name + " error"] = type(error).__name__
    return now
"""
_END = "print(json.dumps(got), flush=True)\n"
PAYLOAD = f"""{_BEGIN}
@attempt("sha256")
def _():
    import hashlib
    return hashlib.sha256(b"").hexdigest()
@attempt("md5")
def _():
    import hashlib
    return hashlib.md5(b"").hexdigest()
@attempt("hmac md5")
def _():
    import hmac
    return hmac.new(bytes(16), b"", "md5").hexdigest()
@attempt("hello")
def _():
    import ssl
    client = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(*client, server_hostname="a.example").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return client[1].read().hex()
@attempt("rsa")
def _():
    from cryptography.hazmat.primitives.asymmetric import rsa
    return hex(rsa.generate_private_key(65537, 1024).private_numbers().public_numbers.n)
@attempt("secp256k1")
def _():
    from cryptography.hazmat.primitives.asymmetric import ec
    return hex(ec.generate_private_key(ec.SECP256K1()).private_numbers().private_value)
{_END}"""
#: With keys that were made elsewhere. A signature with SHA-1 may still be verified, if it is one.
SIGNING = f"""{_BEGIN}
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
def read(name):
    with open("{KEYS}/" + name, "rb") as file:
        return file.read()
for name, key, digest, data in (
    ("p-256 signature", "p-256", hashes.SHA256(), b""),
    ("rsa-2048 signature", "rsa-2048", hashes.SHA256(), b""),
    ("rsa-1024 signature", "rsa-1024", hashes.SHA256(), b""),
    ("rsa signature with sha1", "rsa-2048", hashes.SHA1(), b""),
    ("rsa signature with md5", "rsa-2048", hashes.MD5(), b""),
    ("ecdsa signature with sha1", "p-256", hashes.SHA1(), b""),
    ("ecdsa signature with a made md5", "p-256", utils.Prehashed(hashes.MD5()), bytes(16)),
    ("secp256k1 signature", "secp256k1", hashes.SHA256(), b""),
):
    @attempt(name)
    def _():
        signer = serialization.load_pem_private_key(read(key), None)
        how = [padding.PKCS1v15(), digest] if key.startswith("rsa") else [ec.ECDSA(digest)]
        return signer.sign(data, *how).hex()
for name, data in (("verified", b""), ("forgery", b"another text")):
    @attempt(name)
    def _():
        key = serialization.load_pem_public_key(read("rsa-2048.pub"))
        key.verify(read("legacy.sig"), data, padding.PKCS1v15(), hashes.SHA1())
        return "verified"
{_END}"""
#: What FIPS does not give; a forgery nobody does.
WEAK = (
    *("md5", "hmac md5", "rsa", "secp256k1", "rsa-1024 signature", "rsa signature with sha1"),
    *("rsa signature with md5", "ecdsa signature with sha1", "ecdsa signature with a made md5"),
    *("secp256k1 signature", "forgery"),
)


@dataclass(frozen=True)
class Got:
    """What a payload brought home: weak things, by name."""

    weak: tuple[str, ...]


def weigh(output: bytes) -> Got | None:
    """Return what the payload's output is worth; None when there is none, so when it did not run."""
    line = next((line for line in output.splitlines() if line.startswith(b"{")), None)
    if line is None:
        return None
    try:
        got = json.loads(line)
    except ValueError:
        return None
    weak = [name for name in WEAK if got.get(name)]
    hello = bytes.fromhex(got.get("hello", ""))
    offered = [groups.name(number) for number in _offered(hello)] if hello else []
    weak += [f"group {name}" for name in offered if name not in groups.APPROVED]
    return Got(tuple(weak))


def _offered(hello: bytes) -> list[int]:
    """Return the groups that a ClientHello offers."""
    for kind, body in messages(hello):
        if kind == CLIENT_HELLO and (offered := client_hello(body)["offered"]):
            return offered
    raise ValueError("a ClientHello without supported_groups")
