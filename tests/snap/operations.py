"""Every public operation of cryptography, with ordinary inputs: a script for a Python that is looked at.

Reads `{name: base64}` from standard input, what an earlier walk made (keys, signatures, messages), and prints
`{"came": {case: "done" or the exception}, "kept": {name: base64}, "modules": {module: has cases?}}`.  So a
host that may not make something can be asked to load, verify or decrypt it.
"""

import base64
import datetime
import inspect
import json
import pkgutil
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import cryptography
from cryptography import cobblestone, fernet, x509
from cryptography.hazmat.decrepit.ciphers import algorithms as old_algorithms
from cryptography.hazmat.decrepit.ciphers import modes as old_modes
from cryptography.hazmat.primitives import cmac, hashes, hmac, hpke, keywrap, poly1305
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import (
    dh,
    dsa,
    ec,
    ed448,
    ed25519,
    mldsa,
    mlkem,
    padding,
    rsa,
    x448,
    x25519,
)
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo, Prehashed
from cryptography.hazmat.primitives.ciphers import Cipher, CipherAlgorithm, aead, algorithms, modes
from cryptography.hazmat.primitives.kdf import argon2, concatkdf, hkdf, kbkdf, pbkdf2, scrypt, x963kdf
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
from cryptography.hazmat.primitives.twofactor import hotp, totp
from cryptography.x509 import ocsp, verification

#: A name, a function, and what it takes.
Case = tuple[Any, ...]
Family = Callable[[], Iterator[Case]]

DATA = bytes(32)
PASSWORD = b"a long password"
NOW = datetime.datetime(2026, 1, 1)
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a.example")])
#: RFC 7919, appendix A.1.
FFDHE2048 = int(
    "FFFFFFFFFFFFFFFFADF85458A2BB4A9AAFDC5620273D3CF1D8B9C583CE2D3695A9E13641146433FBCC939DCE249B3EF9"
    "7D2FE363630C75D8F681B202AEC4617AD3DF1ED5D5FD65612433F51F5F066ED0856365553DED1AF3B557135E7F57C935"
    "984F0C70E0E68B77E2A689DAF3EFE8721DF158A136ADE73530ACCA4F483A797ABC0AB182B324FB61D108A94BB2C8E3FB"
    "B96ADAB760D7F4681D4F42A3DE394DF4AE56EDE76372BB190B07A7C8EE0A6D709E02FCE1CDF7E2ECC03404CD28342F61"
    "9172FE9CE98583FF8E4F1232EEF28183C3FE3B1B4C6FAD733BB5FCBC2EC22005C58EF1837D1683B2C6F34A26C1B2EFFA"
    "886B423861285C97FFFFFFFFFFFFFFFF",
    16,
)
#: Modules that hold types, text or arithmetic alone.
NOTHING_IS_COMPUTED = {
    *(
        "__about__",
        "exceptions",
        "utils",
        "hazmat._oid",
        "hazmat.asn1.asn1",
        "hazmat.backends.openssl.backend",
    ),
    *("hazmat.primitives._asymmetric", "hazmat.primitives._cipheralgorithm", "hazmat.primitives._modes"),
    *("hazmat.primitives._serialization", "hazmat.primitives.asymmetric.types"),
    *("hazmat.primitives.constant_time", "hazmat.primitives.padding"),
    *("x509.certificate_transparency", "x509.extensions", "x509.general_name", "x509.name", "x509.oid"),
}
#: Every other module, and what has its cases.
FAMILIES: dict[str, Family] = {}
KEPT: dict[str, bytes] = {}


def covers(*modules: str) -> Callable[[Family], Family]:
    """Note that a function has the cases of these modules of cryptography."""

    def note(family: Family) -> Family:
        FAMILIES.update(dict.fromkeys(modules, family))
        return family

    return note


def once(name: str, make: Callable[..., bytes], *arguments: Any) -> bytes:
    """Return what is kept under this name, or make it."""
    if name not in KEPT:
        KEPT[name] = make(*arguments)
    return KEPT[name]


def concrete(base: type, *modules: ModuleType) -> list[Any]:
    """Return the classes of these modules that are of a kind and can be made, the last of each name."""
    found = {name: item for module in modules for name, item in inspect.getmembers(module, inspect.isclass)}
    return [item for item in found.values() if issubclass(item, base) and not inspect.isabstract(item)]


#: Of those with output of any length: as much.
SIZES = {hashes.BLAKE2b: [64], hashes.BLAKE2s: [32], hashes.SHAKE128: [32], hashes.SHAKE256: [32]}
HASHES = [kind(*SIZES.get(kind, [])) for kind in concrete(hashes.HashAlgorithm, hashes)]
HASHES = [item for item in HASHES if type(item) is not hashes.ExtendableOutputFunction]
FIXED_HASHES = [item for item in HASHES if not isinstance(item, hashes.ExtendableOutputFunction)]
CURVES = [kind() for kind in concrete(ec.EllipticCurve, ec)]


def digest(algorithm: Any) -> None:
    hasher = hashes.Hash(algorithm)
    hasher.update(DATA)
    hasher.copy().finalize()


def squeeze(algorithm: Any) -> None:
    hasher = hashes.XOFHash(algorithm)
    hasher.update(DATA)
    hasher.squeeze(8)


def authenticate(algorithm: Any, size: int) -> None:
    made = hmac.HMAC(bytes(size), algorithm).copy().finalize()
    hmac.HMAC(bytes(size), algorithm).verify(made)


@covers("hazmat.primitives.hashes", "hazmat.primitives.hmac")
def digests() -> Iterator[Case]:
    for item in HASHES:
        yield f"hash {item.name}", digest, item
        for size in (8, 32):
            yield f"HMAC {item.name}, key of {size} bytes", authenticate, item, size
        if item not in FIXED_HASHES:
            yield f"XOF {item.name}", squeeze, item


def ciphers() -> Iterator[tuple[str, Any]]:
    """Return every cipher with keys of its shortest, its longest and the usual sizes."""
    for kind in concrete(CipherAlgorithm, algorithms, old_algorithms):
        for size in sorted({min(kind.key_sizes), max(kind.key_sizes), *({128, 192} & set(kind.key_sizes))}):
            more = [bytes(16)] if kind is algorithms.ChaCha20 else []
            # The halves differ, as XTS wants it.
            yield f"{kind.__name__}-{size}", kind(bytes(range(size // 8)), *more)


def encipher(algorithm: Any, mode: Any) -> None:
    text = bytes(64)
    writer: Any = Cipher(algorithm, mode).encryptor()
    hidden = writer.update(text) + writer.finalize()
    if isinstance(mode, modes.GCM):
        mode = modes.GCM(bytes(12), writer.tag)
    reader: Any = Cipher(algorithm, mode).decryptor()
    assert reader.update(hidden) + reader.finalize() == text


@covers(
    *(f"hazmat.primitives.ciphers.{name}" for name in ("algorithms", "base", "modes")),
    *("hazmat.decrepit.ciphers.algorithms", "hazmat.decrepit.ciphers.modes"),
    *("hazmat.primitives.cmac", "hazmat.primitives.poly1305"),
)
def enciphered() -> Iterator[Case]:
    for name, algorithm in ciphers():
        if not hasattr(algorithm, "block_size"):
            yield name, encipher, algorithm, None
            continue
        yield f"CMAC {name}", lambda algorithm: cmac.CMAC(algorithm).copy().finalize(), algorithm
        for kind in concrete(modes.Mode, modes, old_modes):
            size = {modes.GCM: 12, modes.XTS: 16}.get(kind, algorithm.block_size // 8)
            mode = kind() if kind is modes.ECB else kind(bytes(size))
            yield f"{name} {mode.name}", encipher, algorithm, mode
    yield "Poly1305", poly1305.Poly1305.generate_tag, bytes(32), DATA


def box(kind: Any) -> None:
    made = kind(bytes(range(64 if kind is aead.AESSIV else 32)))
    if kind is aead.AESSIV:
        assert made.decrypt(made.encrypt(DATA, [b"a"]), [b"a"]) == DATA
    else:
        assert made.decrypt(bytes(12), made.encrypt(bytes(12), DATA, b"a"), b"a") == DATA


def stream(encryptor: Any, decryptor: Any) -> None:
    secret = encryptor.generate_key()
    writer = encryptor(secret, b"")
    hidden = writer.update(DATA) + writer.finalize()
    reader = decryptor(secret, b"")
    assert reader.update(hidden) + reader.finalize() == DATA


def token() -> None:
    made = fernet.MultiFernet([fernet.Fernet(fernet.Fernet.generate_key())])
    assert made.decrypt(made.encrypt(DATA)) == DATA


def wrap(size: int, name: str) -> None:
    wrapped = getattr(keywrap, f"aes_key_wrap{name}")(bytes(size), DATA)
    assert getattr(keywrap, f"aes_key_unwrap{name}")(bytes(size), wrapped) == DATA


@covers("hazmat.primitives.ciphers.aead", "hazmat.primitives.keywrap", "cobblestone", "fernet")
def boxes() -> Iterator[Case]:
    for name in aead.__all__:
        yield name, box, getattr(aead, name)
    for size in (128, 256):
        both = [getattr(cobblestone, f"Cobblestone{size}{part}") for part in ("Encryptor", "Decryptor")]
        yield f"Cobblestone{size}", stream, *both
    for size in (16, 24, 32):
        for name in ("", "_with_padding"):
            yield f"AES-{8 * size} key wrap{name.replace('_', ' ')}", wrap, size, name
    yield "Fernet", token


@covers(
    *(f"hazmat.primitives.kdf.{name}" for name in ("argon2", "concatkdf", "hkdf", "kbkdf", "pbkdf2")),
    *("hazmat.primitives.kdf.scrypt", "hazmat.primitives.kdf.x963kdf"),
    *("hazmat.primitives.twofactor.hotp", "hazmat.primitives.twofactor.totp"),
)
def derived() -> Iterator[Case]:
    fixed = (kbkdf.Mode.CounterMode, 32, 4, 4, kbkdf.CounterLocation.BeforeFixed, b"l", b"c", None)
    made: dict[str, Callable[[Any], Any]] = {
        "KBKDFHMAC": lambda algorithm: kbkdf.KBKDFHMAC(algorithm, *fixed),
        "ConcatKDFHash": lambda algorithm: concatkdf.ConcatKDFHash(algorithm, 32, b""),
        "ConcatKDFHMAC": lambda algorithm: concatkdf.ConcatKDFHMAC(algorithm, 32, bytes(16), b""),
        "HKDF": lambda algorithm: hkdf.HKDF(algorithm, 32, bytes(16), b""),
        "HKDFExpand": lambda algorithm: hkdf.HKDFExpand(algorithm, 32, b""),
        "X963KDF": lambda algorithm: x963kdf.X963KDF(algorithm, 32, b""),
        "PBKDF2HMAC": lambda algorithm: pbkdf2.PBKDF2HMAC(algorithm, 32, bytes(16), 1000),
        "PBKDF2HMAC, one iteration": lambda algorithm: pbkdf2.PBKDF2HMAC(algorithm, 32, bytes(16), 1),
        "PBKDF2HMAC, short salt": lambda algorithm: pbkdf2.PBKDF2HMAC(algorithm, 32, bytes(8), 1000),
    }
    for item in HASHES:
        for name, make in made.items():
            yield f"{name} {item.name}", lambda make, algorithm: make(algorithm).derive(DATA), make, item
    yield "KBKDFCMAC", lambda: kbkdf.KBKDFCMAC(algorithms.AES, *fixed).derive(DATA)
    yield "Scrypt", lambda: scrypt.Scrypt(bytes(16), 32, 1024, 8, 1).derive(DATA)
    costs: Any = {"salt": bytes(16), "length": 32, "iterations": 1, "lanes": 1, "memory_cost": 32}
    for kind in (argon2.Argon2d, argon2.Argon2i, argon2.Argon2id):
        yield kind.__name__, lambda kind: kind(**costs).derive(DATA), kind
    for item in (hashes.SHA1(), hashes.SHA256(), hashes.SHA512()):
        yield f"HOTP {item.name}", lambda algorithm: hotp.HOTP(bytes(20), 6, algorithm).generate(1), item
        yield f"TOTP {item.name}", lambda algorithm: totp.TOTP(bytes(20), 6, algorithm, 30).generate(1), item


def prime(start: int) -> int:
    """Return a number that is most probably prime: nobody here tries to fool us."""
    found = start | 3
    while pow(2, found - 1, found) != 1 or (found - 1) % 65537 == 0:
        found += 4
    return found


def short_rsa() -> Any:
    """Return an RSA key of 512 bits, which cryptography does not generate."""
    p, q = prime(0xF1 << 248), prime(0xE5 << 248)
    d = pow(65537, -1, (p - 1) * (q - 1))
    numbers = (p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p))
    return rsa.RSAPrivateNumbers(*numbers, rsa.RSAPublicNumbers(65537, p * q)).private_key()


#: A private key of each kind: how it is made.
KEYS: dict[str, tuple[Any, ...]] = {
    "RSA-512": (short_rsa,),
    **{f"RSA-{size}": (rsa.generate_private_key, 65537, size) for size in (1024, 2048, 3072)},
    "RSA-2048, exponent 3": (rsa.generate_private_key, 3, 2048),
    **{curve.name: (ec.generate_private_key, curve) for curve in CURVES},
    **{f"DSA-{size}": (dsa.generate_private_key, size) for size in (1024, 2048)},
    "DH-512": (lambda: dh.generate_parameters(2, 512).generate_private_key(),),
    "DH-2048": (lambda: dh.DHParameterNumbers(FFDHE2048, 2).parameters().generate_private_key(),),
    "Ed25519": (ed25519.Ed25519PrivateKey.generate,),
    "Ed448": (ed448.Ed448PrivateKey.generate,),
    "X25519": (x25519.X25519PrivateKey.generate,),
    "X448": (x448.X448PrivateKey.generate,),
    "MLDSA44": (mldsa.MLDSA44PrivateKey.generate,),
    "MLDSA65": (mldsa.MLDSA65PrivateKey.generate,),
    "MLDSA87": (mldsa.MLDSA87PrivateKey.generate,),
    "MLKEM768": (mlkem.MLKEM768PrivateKey.generate,),
    "MLKEM1024": (mlkem.MLKEM1024PrivateKey.generate,),
}
RAW: dict[str, Callable[[bytes], Any]] = {
    "Ed25519": ed25519.Ed25519PrivateKey.from_private_bytes,
    "Ed448": ed448.Ed448PrivateKey.from_private_bytes,
    "X25519": x25519.X25519PrivateKey.from_private_bytes,
    "X448": x448.X448PrivateKey.from_private_bytes,
    "MLDSA44": mldsa.MLDSA44PrivateKey.from_seed_bytes,
    "MLDSA65": mldsa.MLDSA65PrivateKey.from_seed_bytes,
    "MLDSA87": mldsa.MLDSA87PrivateKey.from_seed_bytes,
    "MLKEM768": mlkem.MLKEM768PrivateKey.from_seed_bytes,
    "MLKEM1024": mlkem.MLKEM1024PrivateKey.from_seed_bytes,
}
ELLIPTIC = [curve.name for curve in CURVES]
WITHOUT_DIGEST = [name for name in KEYS if name.startswith(("Ed", "MLDSA"))]
SIGNERS = [name for name in KEYS if name.startswith(("RSA", "DSA")) or name in ELLIPTIC + WITHOUT_DIGEST]
loaded: dict[str, Any] = {}


def pem(private: Any) -> bytes:
    text: bytes = private.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption())
    return text


def key(name: str) -> Any:
    """Return the key of that name."""
    if name not in loaded:
        text = once(f"key {name}", lambda make, *how: pem(make(*how)), *KEYS[name])
        loaded[name] = ser.load_pem_private_key(text, None, unsafe_skip_rsa_key_validation=True)
    return loaded[name]


def ways(name: str) -> Iterator[tuple[str, tuple[Any, ...], bytes]]:
    """Return every way to sign with a key: its words, what `sign` and `verify` take, and the data."""
    if name in WITHOUT_DIGEST:
        yield "", (), DATA
    elif name.startswith("RSA"):
        for item in FIXED_HASHES:
            for pad in (padding.PKCS1v15(), padding.PSS(padding.MGF1(item), padding.PSS.DIGEST_LENGTH)):
                yield f"{pad.name} {item.name}", (pad, item), DATA
                yield f"{pad.name} prehashed {item.name}", (pad, Prehashed(item)), bytes(item.digest_size)
        yield "without DigestInfo", (padding.PKCS1v15(), NoDigestInfo()), DATA
    else:
        wrapped: Any = ec.ECDSA if name in ELLIPTIC else (lambda form: form)
        for item in HASHES:
            yield item.name, (wrapped(item),), DATA
            yield f"prehashed {item.name}", (wrapped(Prehashed(item)),), bytes(item.digest_size)


def sign(name: str, how: tuple[Any, ...], data: bytes) -> bytes:
    signature: bytes = key(name).sign(data, *how)
    return signature


def verify(name: str, words: str, how: tuple[Any, ...], data: bytes) -> None:
    key(name).public_key().verify(once(f"signature {name} {words}", sign, name, how, data), data, *how)


def recover(how: tuple[Any, ...]) -> None:
    signature = once("signature to recover", sign, "RSA-2048", how, DATA)
    key("RSA-2048").public_key().recover_data_from_signature(signature, *how)


def sign_alike(name: str) -> None:
    how = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    assert key(name).sign(DATA, how) == key(name).sign(DATA, how)


@covers(
    *(f"hazmat.primitives.asymmetric.{name}" for name in ("dsa", "ec", "ed448", "ed25519", "mldsa", "rsa")),
    *("hazmat.primitives.asymmetric.padding", "hazmat.primitives.asymmetric.utils"),
)
def signatures() -> Iterator[Case]:
    for name, how in KEYS.items():
        yield f"generate {name}", *how
    for name in SIGNERS:
        for words, arguments, data in ways(name):
            yield f"sign {name} {words}", sign, name, arguments, data
            yield f"verify {name} {words}", verify, name, words, arguments, data
    yield "recover RSA-2048", recover, (padding.PKCS1v15(), hashes.SHA256())
    for curve in CURVES:
        yield f"sign {curve.name} the same twice", sign_alike, curve.name
        yield f"derive {curve.name}", ec.derive_private_key, 7, curve
        point = ec.derive_private_key(7, curve).public_key()
        text = point.public_bytes(ser.Encoding.X962, ser.PublicFormat.CompressedPoint)
        yield f"point {curve.name}", ec.EllipticCurvePublicKey.from_encoded_point, curve, text
    for size in (1024, 2048):
        yield f"parameters DSA-{size}", dsa.generate_parameters, size


def exchange(name: str) -> None:
    how = [ec.ECDH()] if name in ELLIPTIC else []
    key(name).exchange(*how, key(name).public_key())


def encapsulate(name: str) -> None:
    secret, hidden = key(name).public_key().encapsulate()
    assert key(name).decapsulate(hidden) == secret


def encrypt(name: str, pad: Any) -> bytes:
    hidden: bytes = key(name).public_key().encrypt(b"x", pad)
    return hidden


def decrypt(name: str, words: str, pad: Any) -> None:
    assert key(name).decrypt(once(f"message {name} {words}", encrypt, name, pad), pad) == b"x"


def receiver(kem: str) -> Any:
    single = {"P256": "secp256r1", "P384": "secp384r1", "P521": "secp521r1"}
    if kem == "MLKEM768_X25519":
        return hpke.MLKEM768X25519PrivateKey(key("MLKEM768"), key("X25519"))
    if kem == "MLKEM1024_P384":
        return hpke.MLKEM1024P384PrivateKey(key("MLKEM1024"), key("secp384r1"))
    return key(single.get(kem, kem))


def seal(kem: str, kdf: str, cipher: str) -> None:
    suite = hpke.Suite(getattr(hpke.KEM, kem), getattr(hpke.KDF, kdf), getattr(hpke.AEAD, cipher))
    private = receiver(kem)
    assert suite.decrypt(suite.encrypt(DATA, private.public_key()), private) == DATA


def members(kind: type) -> list[str]:
    return [name for name, item in vars(kind).items() if isinstance(item, kind)]


@covers(
    *(f"hazmat.primitives.asymmetric.{name}" for name in ("dh", "x448", "x25519", "mlkem")),
    "hazmat.primitives.hpke",
)
def exchanges() -> Iterator[Case]:
    for name in (*ELLIPTIC, "X25519", "X448", "DH-512", "DH-2048"):
        yield f"exchange {name}", exchange, name
    yield "parameters DH-512", dh.generate_parameters, 2, 512
    for name in ("MLKEM768", "MLKEM1024"):
        yield f"encapsulate {name}", encapsulate, name
    pads: list[tuple[str, Any]] = [("PKCS#1 v1.5", padding.PKCS1v15())]
    pads += [(f"OAEP {item.name}", padding.OAEP(padding.MGF1(item), item, None)) for item in HASHES]
    for name in (name for name in KEYS if name.startswith("RSA")):
        for words, pad in pads:
            yield f"encrypt {name} {words}", encrypt, name, pad
            yield f"decrypt {name} {words}", decrypt, name, words, pad
    for name in members(hpke.KEM):
        yield f"HPKE {name}", seal, name, "HKDF_SHA256", "AES_128_GCM"
    for name in members(hpke.KDF):
        yield f"HPKE {name}", seal, "P256", name, "AES_128_GCM"
    for name in members(hpke.AEAD):
        yield f"HPKE {name}", seal, "P256", "HKDF_SHA256", name


def public(name: str, *how: Any) -> bytes:
    text: bytes = key(name).public_key().public_bytes(*how)
    return text


def write(name: str, *how: Any) -> bytes:
    text: bytes = key(name).private_bytes(*how)
    return text


def read(name: str, words: str, *how: Any) -> None:
    load: Any = ser.load_der_private_key if how[0] is ser.Encoding.DER else ser.load_pem_private_key
    if how[1] is ser.PrivateFormat.OpenSSH:
        load = ser.load_ssh_private_key
    load(once(f"{words} {name}", write, name, *how), PASSWORD if "encrypted" in words else None)


def read_raw(name: str, from_bytes: Callable[[bytes], Any]) -> None:
    from_bytes(once(f"raw {name}", lambda: key(name).private_bytes_raw()))


def certify(name: str) -> bytes:
    builder: Any = ser.SSHCertificateBuilder().public_key(key(name).public_key()).serial(1).key_id(b"a")
    builder = builder.type(ser.SSHCertificateType.USER).valid_for_all_principals()
    text: bytes = builder.valid_after(0).valid_before(2**40).sign(key(name)).public_bytes()
    return text


def check_certified(name: str) -> None:
    found: Any = ser.load_ssh_public_identity(once(f"SSH certificate {name}", certify, name))
    found.verify_cert_signature()


def parameters() -> None:
    text = key("DH-2048").parameters().parameter_bytes(ser.Encoding.PEM, ser.ParameterFormat.PKCS3)
    ser.load_pem_parameters(text)


@covers("hazmat.primitives.serialization.base", "hazmat.primitives.serialization.ssh")
def files() -> Iterator[Case]:
    forms = {
        "PKCS#8": (ser.Encoding.DER, ser.PrivateFormat.PKCS8),
        "traditional": (ser.Encoding.PEM, ser.PrivateFormat.TraditionalOpenSSL),
        "OpenSSH": (ser.Encoding.PEM, ser.PrivateFormat.OpenSSH),
    }
    public_forms = {
        "SPKI": (ser.load_pem_public_key, ser.Encoding.PEM, ser.PublicFormat.SubjectPublicKeyInfo),
        "SSH": (ser.load_ssh_public_key, ser.Encoding.OpenSSH, ser.PublicFormat.OpenSSH),
    }
    for name in KEYS:
        yield f"load {name}", lambda name: ser.load_pem_private_key(pem(key(name)), None), name
        for words, (load, *how) in public_forms.items():
            yield f"{words} {name}", lambda load, name, *how: load(public(name, *how)), load, name, *how
        for words, form in forms.items():
            plain, secret = ser.NoEncryption(), ser.BestAvailableEncryption(PASSWORD)
            for protection, protected in ((plain, words), (secret, f"encrypted {words}")):
                yield f"write {protected} {name}", write, name, *form, protection
                yield f"read {protected} {name}", read, name, protected, *form, protection
        if name.startswith(("RSA", "D")) or name in ELLIPTIC:
            yield f"numbers {name}", lambda name: key(name).private_numbers().private_key(), name
    for name, from_bytes in RAW.items():
        yield f"write raw {name}", lambda name: key(name).private_bytes_raw(), name
        yield f"read raw {name}", read_raw, name, from_bytes
    yield "DH parameters", parameters
    for name in ("RSA-1024", "RSA-2048", "secp256r1", "Ed25519"):
        yield f"SSH certificate {name}", certify, name
        yield f"verify SSH certificate {name}", check_certified, name


def certificate(name: str, algorithm: Any, pad: Any = None) -> bytes:
    """Return a root that signs itself."""
    own = key(name).public_key()
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    builder = x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME).serial_number(1).public_key(own)
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + datetime.timedelta(36500))
    builder = builder.add_extension(x509.BasicConstraints(True, None), True).add_extension(usage, True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(own), False)
    return builder.sign(key(name), algorithm, rsa_padding=pad).public_bytes(ser.Encoding.DER)


def check_certificate(name: str, words: str, *how: Any) -> None:
    found = x509.load_der_x509_certificate(once(f"certificate {name} {words}", certificate, name, *how))
    found.verify_directly_issued_by(found)


def usual(name: str) -> Any:
    return None if name in WITHOUT_DIGEST else hashes.SHA256()


def root(name: str) -> x509.Certificate:
    return x509.load_der_x509_certificate(once(f"root {name}", certificate, name, usual(name)))


def request(name: str) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(NAME)
    return builder.sign(key(name), usual(name)).public_bytes(ser.Encoding.DER)


def check_request(name: str) -> None:
    valid = x509.load_der_x509_csr(once(f"request {name}", request, name)).is_signature_valid
    assert valid, "said to be invalid"


def revocations(name: str) -> bytes:
    builder = x509.CertificateRevocationListBuilder().issuer_name(NAME).last_update(NOW).next_update(NOW)
    return builder.sign(key(name), usual(name)).public_bytes(ser.Encoding.DER)


def check_revocations(name: str) -> None:
    found = x509.load_der_x509_crl(once(f"CRL {name}", revocations, name))
    assert found.is_signature_valid(key(name).public_key()), "said to be invalid"


def answer(name: str) -> bytes:
    builder: Any = ocsp.OCSPResponseBuilder().responder_id(ocsp.OCSPResponderEncoding.HASH, root(name))
    good = ocsp.OCSPCertStatus.GOOD
    builder = builder.add_response(root(name), root(name), hashes.SHA1(), good, NOW, NOW, None, None)
    text: bytes = builder.sign(key(name), usual(name)).public_bytes(ser.Encoding.DER)
    return text


def read_answer(name: str) -> None:
    found: Any = ocsp.load_der_ocsp_response(once(f"OCSP answer {name}", answer, name))
    assert found.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert found.responder_key_hash and (found.signature_hash_algorithm or name in WITHOUT_DIGEST)


def ask(algorithm: Any) -> None:
    builder = ocsp.OCSPRequestBuilder().add_certificate(root("secp256r1"), root("secp256r1"), algorithm)
    ocsp.load_der_ocsp_request(builder.build().public_bytes(ser.Encoding.DER))


def leaf(name: str) -> bytes:
    above = root(name).extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    identifier = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(above)
    builder = x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(NAME).serial_number(2)
    builder = builder.public_key(key("secp256r1").public_key()).not_valid_before(NOW)
    builder = builder.not_valid_after(NOW + datetime.timedelta(90)).add_extension(identifier, False)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("a.example")]), True)
    return builder.sign(key(name), usual(name)).public_bytes(ser.Encoding.DER)


def check_chain(name: str) -> None:
    found = x509.load_der_x509_certificate(once(f"leaf {name}", leaf, name))
    policy = verification.PolicyBuilder().store(verification.Store([root(name)]))
    policy = policy.time(NOW + datetime.timedelta(1))
    policy.build_server_verifier(x509.DNSName("a.example")).verify(found, [])


@covers("x509.base", "x509.ocsp", "x509.verification")
def certificates() -> Iterator[Case]:
    for name in SIGNERS:
        items: list[Any] = [None] if name in WITHOUT_DIGEST else FIXED_HASHES
        for item in items:
            pads: list[Any] = [None]
            if name.startswith("RSA"):
                pads.append(padding.PSS(padding.MGF1(item), padding.PSS.DIGEST_LENGTH))
            for pad in pads:
                words = f"{item and item.name}{' PSS' if pad else ''}"
                yield f"issue {name} {words}", certificate, name, item, pad
                yield f"verify certificate {name} {words}", check_certificate, name, words, item, pad
        for words, make, check in (
            ("request", request, check_request),
            ("CRL", revocations, check_revocations),
            ("OCSP answer", answer, read_answer),
            ("chain", leaf, check_chain),
        ):
            yield f"make {words} {name}", make, name
            yield f"verify {words} {name}", check, name
    for item in HASHES:
        yield f"OCSP request {item.name}", ask, item
        yield f"fingerprint {item.name}", lambda item: root("secp256r1").fingerprint(item), item


def sign_message(name: str, algorithm: Any) -> None:
    builder: Any = pkcs7.PKCS7SignatureBuilder().set_data(DATA)
    builder.add_signer(root(name), key(name), algorithm).sign(ser.Encoding.DER, [])


def enclose(name: str, cipher: Any) -> bytes:
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(DATA).add_recipient(root(name))
    builder = builder.set_content_encryption_algorithm(cipher)
    return builder.encrypt(ser.Encoding.DER, [pkcs7.PKCS7Options.Binary])


def disclose(name: str, cipher: Any) -> None:
    text = once(f"envelope {cipher.__name__} {name}", enclose, name, cipher)
    assert pkcs7.pkcs7_decrypt_der(text, root(name), key(name), []) == DATA


def bundle() -> None:
    text = pkcs7.serialize_certificates([root("secp256r1")], ser.Encoding.DER)
    assert pkcs7.load_der_pkcs7_certificates(text) == [root("secp256r1")]


def protection(scheme: Any, algorithm: Any) -> Any:
    if scheme is None:
        return ser.NoEncryption()
    builder = ser.PrivateFormat.PKCS12.encryption_builder().key_cert_algorithm(scheme)
    return builder.hmac_hash(algorithm).build(PASSWORD)


def pack(*how: Any) -> bytes:
    private, own = key("secp256r1"), root("secp256r1")
    return pkcs12.serialize_key_and_certificates(b"a", private, own, None, protection(*how))


def unpack(words: str, *how: Any) -> None:
    pkcs12.load_pkcs12(once(f"PKCS#12 {words}", pack, *how), None if how[0] is None else PASSWORD)


def trust(protected: Any) -> None:
    pkcs12.serialize_java_truststore([pkcs12.PKCS12Certificate(root("secp256r1"), b"a")], protected)


@covers("hazmat.primitives.serialization.pkcs7", "hazmat.primitives.serialization.pkcs12")
def containers() -> Iterator[Case]:
    usual_hashes: list[Any] = [hashes.SHA224(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()]
    for name in ("RSA-512", "RSA-1024", "RSA-2048", *ELLIPTIC):
        for item in usual_hashes:
            yield f"PKCS#7 sign {name} {item.name}", sign_message, name, item
        if name.startswith("RSA"):
            for cipher in (algorithms.AES128, algorithms.AES256):
                yield f"PKCS#7 encrypt {name} {cipher.__name__}", enclose, name, cipher
                yield f"PKCS#7 decrypt {name} {cipher.__name__}", disclose, name, cipher
    yield "PKCS#7 certificates", bundle
    schemes: list[tuple[str, Any, Any]] = [("plain", None, None)]
    for scheme in pkcs12.PBES:
        schemes += [(f"{scheme.name} {item.name}", scheme, item) for item in (hashes.SHA1(), *usual_hashes)]
    for words, *how in schemes:
        yield f"PKCS#12 write {words}", pack, *how
        yield f"PKCS#12 read {words}", unpack, words, *how
    yield "PKCS#12 truststore", trust, ser.BestAvailableEncryption(PASSWORD)


def modules() -> dict[str, bool]:
    """Return the public modules of cryptography, packages aside, and whether they have cases."""
    found = pkgutil.walk_packages(cryptography.__path__, "cryptography.")
    names = {item.name.removeprefix("cryptography.") for item in found if not item.ispkg}
    names = {name for name in names if not name.startswith("hazmat.bindings.")}
    return {name: name in FAMILIES or name in NOTHING_IS_COMPUTED for name in sorted(names)}


def end(work: Callable[..., object], *arguments: Any) -> str:
    """Return what comes of a case; a panic of Rust is no Exception."""
    try:
        work(*arguments)
    except BaseException as error:
        return f"{type(error).__module__}.{type(error).__qualname__}: {error}"
    return "done"


def main() -> None:
    """Walk, and print what came of it."""
    KEPT.update({name: base64.b64decode(text) for name, text in json.load(sys.stdin).items()})
    cases = [case for family in dict.fromkeys(FAMILIES.values()) for case in family()]
    came = {name: end(*case) for name, *case in cases}
    assert len(came) == len(cases), "two cases have one name"
    made = {name: base64.b64encode(data).decode() for name, data in KEPT.items()}
    json.dump({"came": came, "kept": made, "modules": modules()}, sys.stdout)


if __name__ == "__main__":
    main()
