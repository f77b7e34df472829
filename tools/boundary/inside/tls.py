"""What code gets that asks ssl for a connection: client and server in memory, and what they agree on.

What Python's ssl has no word for, such as a list of groups, is asked of libssl by its context.
"""

from __future__ import annotations

import contextlib
import ctypes
import re
import ssl
import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any

from tools.boundary.inside.case import MADE, Case, case, made

#: Commands of SSL_CTX_ctrl(3), from openssl/ssl.h.
SET_GROUPS_LIST, SET_SIGALGS_LIST = 92, 98
V1_2, V1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
KDF = {V1_2: "TLS 1.2 PRF", V1_3: "TLS 1.3 KDF"}
#: The groups of each version, as the program lists them.
LISTS = {V1_2: "groups.tls1_2", V1_3: "groups.tls1_3"}
#: So that it is not the level, or the suite, that refuses a group.
EVERYTHING = "ALL:@SECLEVEL=0"
#: What ssl calls those that have another name of OpenSSL's own.
CURVES = {"secp192r1": "prime192v1", "secp256r1": "prime256v1", "x25519": "X25519", "x448": "X448"}
HANDSHAKE, SHAKE = "ssl.SSLObject.do_handshake", "ssl.SSLObject.{do_handshake,read,write}"


def cases() -> Iterator[Case]:
    """Yield all."""
    yield case("ssl.create_default_context", "", ssl.create_default_context)
    for version in V1_2, V1_3:
        label = f"as the snap sets it up, {version.name}"
        yield case(SHAKE, KDF[version], partial(agree, version=version), label)
    for version in ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1:
        run = partial(agree, version=version, ciphers="DEFAULT@SECLEVEL=0")
        yield case(HANDSHAKE, "TLS 1.2 PRF", run, version.name, "not approved (SP 800-52)")
    for version, group, remark in groups():
        if not re.search("ffdhe|MLKEM", group):  # ssl takes curves alone
            curve = CURVES.get(group, group.removesuffix("tls13"))
            run = partial(agree, version=version, ciphers=EVERYTHING, curve=curve)
            label = f"{group}, {version.name}"
            yield case("ssl.SSLContext.set_ecdh_curve", KDF[version], run, label, remark)
    for ciphers, remark in (
        ("ECDHE+AESGCM", ""),
        ("AES128-SHA256@SECLEVEL=0", "RSA key transport is not approved (SP 800-131A)"),
        ("AES128-GCM-SHA256@SECLEVEL=0", "RSA key transport is not approved (SP 800-131A)"),
        ("AECDH@SECLEVEL=0", "nobody is authenticated (SP 800-52)"),
        ("ADH@SECLEVEL=0", "nobody is authenticated (SP 800-52)"),
        ("ECDHE+CHACHA20", ""),
        ("ECDHE-RSA-AES128-SHA", "CBC with SHA-1 (SP 800-52 allows it for old partners)"),
        ("DHE-RSA-AES128-GCM-SHA256", ""),
        ("ECDHE-RSA-NULL-SHA@SECLEVEL=0", "nothing is encrypted (SP 800-52)"),
        ("PSK-AES128-GCM-SHA256@SECLEVEL=0", "code has to bring the key; no forward secrecy"),
        ("DHE-DSS-AES128-GCM-SHA256@SECLEVEL=0", "DSA is not approved to sign (FIPS 186-5)"),
    ):
        run = partial(agree, version=V1_2, ciphers=ciphers, key="dsa" if "DSS" in ciphers else "rsa")
        yield case("ssl.SSLContext.set_ciphers", KDF[V1_2], run, ciphers, remark)
    for version, group, remark in groups():
        run = partial(agree, version=version, ciphers=EVERYTHING, groups=group)
        label = f"{group}, {version.name}"
        yield case("libssl.SSL_CTX_set1_groups_list", KDF[version], run, label, remark)
    for algorithm in _listed("tls-signature-algorithms"):
        if (run_with := _certificate(algorithm)) is not None:
            version = V1_2 if re.search("pkcs1|dsa_sha|^ecdsa_sha", algorithm) else V1_3
            run = partial(agree, version=version, sigalgs=algorithm, key=run_with, ciphers="ALL@SECLEVEL=0")
            remark = "SHA-1 is not approved to sign (SP 800-131A)" if algorithm.endswith("sha1") else ""
            yield case("libssl.SSL_CTX_set1_sigalgs_list", KDF[version], run, algorithm, remark)


def _listed(name: str) -> list[str]:
    return sorted(made(f"list.{name}").decode().strip().split(":"))


def groups() -> Iterator[tuple[ssl.TLSVersion, str, str]]:
    """Yield every group that TLS has a name for, by version, and what is not approved in it."""
    for version, name in LISTS.items():
        for group in _listed(name):
            approved = re.fullmatch("secp(256|384|521)r1|ffdhe.*|(SecP.*)?MLKEM.*", group)
            yield version, group, "" if approved else "not approved (SP 800-52)"


def _certificate(algorithm: str) -> str | None:
    """Return the name of a key that signs so; None for those that need a certificate of their own kind."""
    kinds = {
        "rsa_pss_rsae|rsa_pkcs1": "rsa",
        "ecdsa_brainpoolP256": "brainpool",
        "ecdsa_(secp256|sha)": "p256",
    }
    kinds |= {"^dsa": "dsa", "ed25519": "ed25519"}
    return next((name for pattern, name in kinds.items() if re.search(pattern, algorithm)), None)


def agree(
    version: ssl.TLSVersion,
    ciphers: str = "",
    curve: str = "",
    groups: str = "",
    sigalgs: str = "",
    key: str = "rsa",
) -> str:
    """Connect a client and a server that both ask for this; raise what refuses it."""
    warnings.simplefilter("ignore")
    client, server = (ssl.SSLContext(way) for way in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER))
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    for context in client, server:
        context.minimum_version = context.maximum_version = version
        if ciphers:
            context.set_ciphers(ciphers)
        if groups:
            control(context, SET_GROUPS_LIST, groups)
        if sigalgs:
            control(context, SET_SIGALGS_LIST, sigalgs)
        if curve:
            context.set_ecdh_curve(curve)
    if ciphers.startswith(("ADH", "DHE")):
        server.load_dh_params(f"{MADE}/dh.params")
    if "PSK" in ciphers:
        share(client, server)
    server.load_cert_chain(f"{MADE}/{key}.crt", f"{MADE}/{key}.pem")
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server, server_hostname="a.example"),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for _ in range(4):
        for end in ends:
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
    ends[0].write(b"text")
    if ends[1].read(4) != b"text":
        raise ValueError("nothing came")
    return str(ends[0].cipher())


def share(client: Any, server: Any) -> None:
    """Give both ends a key (these methods are newer than the Python that the types are checked for)."""
    client.set_psk_client_callback(lambda _hint: ("me", bytes(32)))
    server.set_psk_server_callback(lambda _identity: bytes(32))


def control(context: ssl.SSLContext, command: int, words: str) -> None:
    """Ask libssl for what ssl has no word for; raise ValueError where libssl refuses."""
    # A SSLContext is an object's head, of two words, and then its SSL_CTX.
    place = ctypes.c_void_p.from_address(id(context) + 2 * ctypes.sizeof(ctypes.c_void_p))
    libssl = ctypes.CDLL("libssl.so.3")
    libssl.SSL_CTX_ctrl.restype = ctypes.c_long
    libssl.SSL_CTX_ctrl.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_char_p]
    if libssl.SSL_CTX_ctrl(place, command, 0, words.encode()) != 1:
        raise ValueError(f"libssl refuses {words}")
