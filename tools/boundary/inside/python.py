"""What Python's own modules do: hashlib, hmac, and ssl's random numbers."""

from __future__ import annotations

import hashlib
import hmac
import io
import ssl
from collections.abc import Iterator
from functools import partial
from typing import Any

from tools.boundary.inside.case import Case, case
from tools.boundary.inside.symmetric import KEY, SHORT

#: What the names of digests begin with, the longest first.
KINDS = {
    "sha3_": "SHA-3",
    "shake": "SHA-3",
    "sha1": "SHA-1",
    "sha": "SHA-2",
    "md5": "MD5",
    "blake2": "BLAKE2",
    "ripemd160": "RIPEMD-160",
    "sm3": "SM3",
}


def kind(name: str) -> str:
    """Return what is computed for a digest of that name; raise StopIteration where none is known."""
    return next(kind for beginning, kind in KINDS.items() if name.startswith(beginning))


def cases() -> Iterator[Case]:
    """Yield all."""
    for name in sorted(hashlib.algorithms_guaranteed):
        names = f"hashlib.{name}"
        if name.startswith("blake2"):
            names += ".{copy,digest,hexdigest,update}"
        make = getattr(hashlib, name)
        yield case(names, kind(name), partial(_digest, make))
    aside = "what is asked for as not for security is computed by OpenSSL's default provider"
    yield case(
        "hashlib.md5",
        "MD5",
        lambda: _digest(partial(hashlib.md5, usedforsecurity=False)),
        "usedforsecurity=False",
        aside,
    )
    for name in sorted(hashlib.algorithms_available):
        yield case("hashlib.new", kind(name), partial(_digest, partial(hashlib.new, name)), name)
        yield case("hmac.new", "HMAC", partial(_hmac, name), name)
    yield case(
        "hashlib.file_digest",
        "SHA-2",
        lambda: hashlib.file_digest(io.BytesIO(KEY), "sha256").digest(),
        "sha256",
    )
    yield case(
        "hashlib.pbkdf2_hmac", "PBKDF2", lambda: hashlib.pbkdf2_hmac("sha256", KEY, bytes(16), 1000), "sha256"
    )
    yield case(
        "hashlib.pbkdf2_hmac",
        "PBKDF2",
        lambda: hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 1),
        "sha256, one iteration, a salt of 32 bits",
        "1,000 iterations and a salt of 128 bits are the least (SP 800-132)",
    )
    yield case("hmac.HMAC.{copy,digest,hexdigest,update}", "HMAC", partial(_hmac, "sha256"), "sha256")
    yield case(
        "hmac.new",
        "HMAC",
        lambda: hmac.new(b"short", KEY, "sha256").digest(),
        "sha256, a key of 40 bits",
        SHORT,
    )
    yield case("hmac.new", "HMAC", lambda: hmac.new(KEY, KEY, hashlib.sha256).digest(), "hashlib.sha256")
    yield case(
        "hmac.new",
        "HMAC",
        lambda: hmac.new(KEY, KEY, _sha256).digest(),
        "a callable",
    )
    yield case("hmac.digest", "HMAC", lambda: hmac.digest(KEY, KEY, "sha256"), "sha256")
    yield case(
        "hmac.digest",
        "HMAC",
        lambda: hmac.digest(KEY, KEY, _sha256),
        "a callable",
    )
    yield case("hmac.compare_digest", "", lambda: hmac.compare_digest(KEY, KEY))
    yield case("ssl.RAND_bytes", "random numbers", lambda: ssl.RAND_bytes(16))
    yield case("ssl.RAND_add", "", lambda: ssl.RAND_add(KEY, 0.0))


def _sha256(data: bytes = b"") -> Any:
    return hashlib.sha256(data)


def _digest(make: Any) -> None:
    one = make(KEY)
    one.update(KEY)
    length = (16,) if "shake" in one.name else ()
    one.copy().digest(*length)


def _hmac(name: str) -> None:
    one = hmac.new(KEY, KEY, name)
    one.update(KEY)
    one.copy().digest()
