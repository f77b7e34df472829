"""What a Python of the snap is asked to do, and how its answer is weighed by us.

The payload hands over raw things: a digest, the modulus of a key, the bytes of a TLS ClientHello.  What
they are worth is read here, outside.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from tools.observe import groups
from tools.observe.sniff_hellos import CLIENT_HELLO, client_hello, messages

PAYLOAD = """
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
print(json.dumps(got), flush=True)
"""
SHA256_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@dataclass(frozen=True)
class Got:
    """What a payload brought home: weak things by name, and whether the approved ones work."""

    weak: tuple[str, ...]
    works: bool
    starved: bool = False
    """It ran out of memory or descriptors on the way."""


def weigh(output: bytes) -> Got | None:
    """Return what the payload's output is worth; None when there is none, so when it did not run."""
    line = next((line for line in output.splitlines() if line.startswith(b"{")), None)
    if line is None:
        return None
    try:
        got = json.loads(line)
    except ValueError:
        return None
    weak = [name for name in ("md5", "hmac md5", "rsa", "secp256k1") if got.get(name)]
    hello = bytes.fromhex(got.get("hello", ""))
    offered = [groups.name(number) for number in _offered(hello)] if hello else []
    weak += [f"group {name}" for name in offered if name not in groups.APPROVED]
    starved = bool({"MemoryError", "OSError", "ImportError"} & {str(value) for value in got.values()})
    return Got(tuple(weak), got.get("sha256") == SHA256_OF_NOTHING and bool(hello), starved)


def _offered(hello: bytes) -> list[int]:
    """Return the groups that a ClientHello offers."""
    for kind, body in messages(hello):
        if kind == CLIENT_HELLO and (offered := client_hello(body)["offered"]):
            return offered
    raise ValueError("a ClientHello without supported_groups")
