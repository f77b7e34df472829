"""What cryptography does without key pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from cryptography import cobblestone, fernet
from cryptography.hazmat.decrepit.ciphers import algorithms as old
from cryptography.hazmat.decrepit.ciphers import modes as old_modes
from cryptography.hazmat.primitives import cmac, constant_time, hashes, hmac, keywrap, poly1305
from cryptography.hazmat.primitives.ciphers import Cipher, CipherAlgorithm, aead, algorithms, modes
from cryptography.hazmat.primitives.kdf import (
    argon2,
    concatkdf,
    hkdf,
    kbkdf,
    pbkdf2,
    scrypt,
    x963kdf,
)
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from tools.boundary.inside.case import Case, case

KEY = bytes(range(32))
#: A key that is two different ones, as XTS wants it, and three, as Triple DES does.
LONG_KEY = bytes(range(64))
SHA256 = hashes.SHA256()
SHORT = "a key of less than 112 bits is not approved (SP 800-131A)"

DIGESTS: tuple[tuple[hashes.HashAlgorithm, str], ...] = (
    *((one, "SHA-2") for one in (hashes.SHA224(), SHA256, hashes.SHA384(), hashes.SHA512())),
    *((one, "SHA-2") for one in (hashes.SHA512_224(), hashes.SHA512_256())),
    *((one, "SHA-3") for one in (hashes.SHA3_224(), hashes.SHA3_256(), hashes.SHA3_384(), hashes.SHA3_512())),
    (hashes.SHA1(), "SHA-1"),
    (hashes.MD5(), "MD5"),
    (hashes.SM3(), "SM3"),
    (hashes.BLAKE2b(64), "BLAKE2"),
    (hashes.BLAKE2s(32), "BLAKE2"),
)
XOFS = (hashes.SHAKE128(16), hashes.SHAKE256(32))

#: Ciphers by their kinds, with the size of a key in bytes; and modes, with AES.
CIPHERS: tuple[tuple[str, str, Callable[[bytes], CipherAlgorithm], int, int], ...] = (
    ("ciphers.algorithms.AES", "AES", algorithms.AES, 32, 16),
    ("ciphers.algorithms.AES128", "AES", algorithms.AES128, 16, 16),
    ("ciphers.algorithms.AES256", "AES", algorithms.AES256, 32, 16),
    ("ciphers.algorithms.SM4", "SM4", algorithms.SM4, 16, 16),
    ("ciphers.algorithms.Camellia", "Camellia", old.Camellia, 16, 16),
    ("ciphers.algorithms.TripleDES", "DES", old.TripleDES, 24, 8),
    ("ciphers.algorithms.Blowfish", "Blowfish", old.Blowfish, 16, 8),
    ("ciphers.algorithms.CAST5", "CAST5", old.CAST5, 16, 8),
    ("ciphers.algorithms.IDEA", "IDEA", old.IDEA, 16, 8),
    ("ciphers.algorithms.RC2", "RC2", old.RC2, 16, 8),
    ("ciphers.algorithms.SEED", "SEED", old.SEED, 16, 16),
)
MODES: dict[str, modes.Mode] = {
    "CBC": modes.CBC(bytes(16)),
    "CFB": old_modes.CFB(bytes(16)),
    "CFB8": old_modes.CFB8(bytes(16)),
    "CTR": modes.CTR(bytes(16)),
    "ECB": modes.ECB(),
    "GCM": modes.GCM(bytes(12)),
    "OFB": old_modes.OFB(bytes(16)),
    "XTS": modes.XTS(bytes(16)),
}
AEADS: tuple[tuple[Any, str, int], ...] = (
    *((one, "AES", 12) for one in (aead.AESGCM, aead.AESCCM, aead.AESOCB3, aead.AESGCMSIV)),
    (aead.ChaCha20Poly1305, "ChaCha20", 12),
    (aead.AESSIV, "AES", 0),
)


def cases() -> Iterator[Case]:
    """Yield all."""
    yield from digests()
    yield from ciphers()
    yield from macs()
    yield from derivations()
    yield from recipes()
    yield case("constant_time.bytes_eq", "", lambda: constant_time.bytes_eq(KEY, KEY))


def digests() -> Iterator[Case]:
    """Yield the digests, and HMAC with each."""
    for one, kind in DIGESTS:
        yield case(f"hashes.{type(one).__name__}", kind, partial(hashed, one))
    for xof in XOFS:
        yield case(f"hashes.{type(xof).__name__}", "SHA-3", partial(squeezed, xof))
    yield case("hashes.Hash.{update,finalize,copy,hash}", "SHA-2", lambda: hashed(SHA256), "SHA-256")
    yield case("hashes.XOFHash.{update,squeeze,copy}", "SHA-3", lambda: squeezed(XOFS[0]), "SHAKE128")
    for one, _ in DIGESTS:
        name = "primitives.hmac.HMAC.{update,finalize,verify,copy}"
        yield case(name, "HMAC", partial(authenticated, one, KEY), one.name)
    yield case(
        name, "HMAC", lambda: authenticated(SHA256, b"short"), "SHA-256, a key of 40 bits", remark=SHORT
    )


def hashed(algorithm: hashes.HashAlgorithm) -> None:
    """Make a digest in both ways."""
    made = hashes.Hash(algorithm)
    made.update(KEY)
    made.copy().finalize()
    hashes.Hash.hash(algorithm, KEY)


def squeezed(algorithm: hashes.ExtendableOutputFunction) -> None:
    """Make bytes of a sponge."""
    made = hashes.XOFHash(algorithm)
    made.update(KEY)
    made.copy().squeeze(16)


def authenticated(algorithm: hashes.HashAlgorithm, key: bytes) -> None:
    """Make an HMAC, and verify it."""
    made = hmac.HMAC(key, algorithm)
    made.update(KEY)
    made.copy().verify(made.finalize())


def ciphers() -> Iterator[Case]:
    """Yield ciphers, modes, authenticated encryption and key wrapping."""
    for name, kind, make, size, block in CIPHERS:
        yield case(name, kind, partial(enciphered, make, LONG_KEY[:size], modes.CBC(bytes(block))), "CBC")
    yield case("ciphers.algorithms.ARC4", "RC4", lambda: enciphered(old.ARC4, KEY[:16], None))
    chacha = partial(algorithms.ChaCha20, nonce=bytes(16))
    yield case("ciphers.algorithms.ChaCha20", "ChaCha20", lambda: enciphered(chacha, KEY, None))
    for name, mode in MODES.items():
        key = LONG_KEY if name == "XTS" else KEY
        yield case(f"ciphers.modes.{name}", "AES", partial(enciphered, algorithms.AES, key, mode), "AES")
    names = "ciphers.Cipher.{encryptor,decryptor}"
    yield case(names, "AES", lambda: enciphered(algorithms.AES, KEY, modes.CTR(bytes(16))), "AES, CTR")
    for one, kind, size in AEADS:
        name = one.__name__
        methods = "{encrypt,encrypt_into,decrypt,decrypt_into}"
        yield case(f"ciphers.aead.{name}.{methods}", kind, partial(sealed, one, size))
        width = {"AESSIV": (512,), "ChaCha20Poly1305": ()}.get(name, (256,))
        yield case(f"ciphers.aead.{name}.generate_key", "random numbers", partial(one.generate_key, *width))
    for ending in "", "_with_padding":
        wrap, unwrap = (getattr(keywrap, f"aes_key_{way}{ending}") for way in ("wrap", "unwrap"))
        names = f"keywrap.aes_key_{{wrap,unwrap}}{ending}"
        yield case(names, "AES", partial(lambda wrap, unwrap: unwrap(KEY, wrap(KEY, KEY)), wrap, unwrap))


def enciphered(make: Callable[[bytes], CipherAlgorithm], key: bytes, mode: modes.Mode | None) -> None:
    """Encrypt and decrypt."""
    cipher: Any = Cipher(make(key), mode)
    encryptor = cipher.encryptor()
    text = encryptor.update(bytes(64)) + encryptor.finalize()
    if isinstance(mode, modes.GCM):
        mode = modes.GCM(mode.initialization_vector, encryptor.tag)
    cipher = Cipher(make(key), mode)
    decryptor = cipher.decryptor()
    assert decryptor.update(text) + decryptor.finalize() == bytes(64)


def sealed(make: Any, size: int) -> None:
    """Encrypt and decrypt in both ways; SIV has no nonce but a list of what is authenticated."""
    one = make(LONG_KEY if size == 0 else KEY)
    nonce: tuple[bytes, ...] = (bytes(size),) if size else ()
    rest = (None,)
    text = one.encrypt(*nonce, bytes(64), *rest)
    assert one.decrypt(*nonce, text, *rest) == bytes(64)
    buffer = bytearray(len(text))
    one.encrypt_into(*nonce, bytes(64), *rest, buffer)
    one.decrypt_into(*nonce, bytes(buffer), *rest, bytearray(64))


def macs() -> Iterator[Case]:
    """Yield the other MACs."""
    yield case(
        "cmac.CMAC.{update,finalize,verify,copy}", "CMAC", lambda: _mac(cmac.CMAC(algorithms.AES(KEY)))
    )
    yield case("poly1305.Poly1305.{update,finalize,verify,generate_tag,verify_tag}", "Poly1305", _poly1305)


def _mac(one: cmac.CMAC) -> None:
    one.update(KEY)
    one.copy().verify(one.finalize())


def _poly1305() -> None:
    one, other = poly1305.Poly1305(KEY), poly1305.Poly1305(KEY)
    one.update(KEY)
    other.update(KEY)
    other.verify(one.finalize())
    poly1305.Poly1305.verify_tag(KEY, KEY, poly1305.Poly1305.generate_tag(KEY, KEY))


def derivations() -> Iterator[Case]:
    """Yield the key derivation functions."""
    fixed: dict[str, Any] = {"rlen": 4, "llen": 4, "location": kbkdf.CounterLocation.BeforeFixed}
    fixed |= {"label": b"l", "context": b"c", "fixed": None}
    counted = {"mode": kbkdf.Mode.CounterMode, "length": 16, **fixed}
    makes: dict[str, tuple[str, Callable[[], Any]]] = {
        "hkdf.HKDF": ("HKDF", lambda: hkdf.HKDF(SHA256, 16, b"s", b"i")),
        "hkdf.HKDFExpand": ("HKDF", lambda: hkdf.HKDFExpand(SHA256, 16, b"i")),
        "concatkdf.ConcatKDFHash": ("SSKDF", lambda: concatkdf.ConcatKDFHash(SHA256, 16, b"i")),
        "concatkdf.ConcatKDFHMAC": ("SSKDF", lambda: concatkdf.ConcatKDFHMAC(SHA256, 16, b"s", b"i")),
        "x963kdf.X963KDF": ("X9.63 KDF", lambda: x963kdf.X963KDF(SHA256, 16, b"i")),
        "kbkdf.KBKDFHMAC": ("KBKDF", lambda: kbkdf.KBKDFHMAC(SHA256, **counted)),
        "kbkdf.KBKDFCMAC": ("KBKDF", lambda: kbkdf.KBKDFCMAC(algorithms.AES, **counted)),
        "pbkdf2.PBKDF2HMAC": ("PBKDF2", lambda: pbkdf2.PBKDF2HMAC(SHA256, 16, bytes(16), 1000)),
        "scrypt.Scrypt": ("scrypt", lambda: scrypt.Scrypt(bytes(16), 16, 2, 8, 1)),
    }
    for name, (kind, make) in makes.items():
        yield case(f"kdf.{name}.{{derive,derive_into,verify}}", kind, partial(derived, make))
    for one in argon2.Argon2d, argon2.Argon2i, argon2.Argon2id:
        names = f"kdf.argon2.{one.__name__}."
        names += "{derive,derive_into,verify,derive_phc_encoded,verify_phc_encoded}"
        make = partial(one, salt=bytes(16), length=16, iterations=1, lanes=1, memory_cost=32)
        yield case(names, "Argon2", partial(_phc, make, one))
    yield case("kdf.hkdf.HKDF.extract", "HKDF", lambda: hkdf.HKDF.extract(SHA256, b"s", KEY))
    yield case(
        "kdf.pbkdf2.PBKDF2HMAC.derive",
        "PBKDF2",
        lambda: pbkdf2.PBKDF2HMAC(SHA256, 16, b"salt", 1).derive(b"password"),
        "one iteration, a salt of 32 bits",
        "1,000 iterations and a salt of 128 bits are the least (SP 800-132)",
    )


def derived(make: Callable[[], Any]) -> None:
    """Derive a key in both ways, and verify it."""
    key = make().derive(KEY)
    make().derive_into(KEY, bytearray(len(key)))
    make().verify(KEY, key)


def _phc(make: Callable[[], Any], one: Any) -> None:
    derived(make)
    one.verify_phc_encoded(KEY, make().derive_phc_encoded(KEY))


def recipes() -> Iterator[Case]:
    """Yield what cryptography makes of these."""
    yield case("fernet.Fernet.generate_key", "random numbers", fernet.Fernet.generate_key)
    methods = "{encrypt,encrypt_at_time,decrypt,decrypt_at_time,extract_timestamp}"
    yield case(f"fernet.Fernet.{methods}", "AES", lambda: _fernet(_one_fernet()))
    many = f"fernet.MultiFernet.{methods}"
    yield case(many, "AES", lambda: _fernet(fernet.MultiFernet([_one_fernet()])))
    yield case("fernet.MultiFernet.rotate", "AES", _rotate)
    for size in 128, 256:
        encryptor = getattr(cobblestone, f"Cobblestone{size}Encryptor")
        decryptor = getattr(cobblestone, f"Cobblestone{size}Decryptor")
        names = f"cobblestone.Cobblestone{size}{{Encryptor,Decryptor}}.{{update,update_into,finalize}}"
        yield case(names, "AES", partial(_cobblestone, encryptor, decryptor))
        name = f"cobblestone.Cobblestone{size}Encryptor.generate_key"
        yield case(name, "random numbers", encryptor.generate_key)
    hotp, totp = HOTP(KEY, 6, SHA256), TOTP(KEY, 6, SHA256, 30)
    yield case("twofactor.hotp.HOTP.{generate,verify}", "HMAC", lambda: hotp.verify(hotp.generate(1), 1))
    yield case("twofactor.totp.TOTP.{generate,verify}", "HMAC", lambda: totp.verify(totp.generate(1), 1))


def _one_fernet() -> fernet.Fernet:
    return fernet.Fernet(b"A" * 43 + b"=")


def _fernet(one: Any) -> None:
    token = one.encrypt(KEY)
    one.decrypt(token)
    one.decrypt_at_time(one.encrypt_at_time(KEY, 1), 1, 1)
    one.extract_timestamp(token)


def _rotate() -> None:
    one = _one_fernet()
    fernet.MultiFernet([one]).rotate(one.encrypt(KEY))


def _cobblestone(encryptor: Any, decryptor: Any) -> None:
    key = encryptor.generate_key()
    one, other = encryptor(key, b"c"), decryptor(key, b"c")
    text = one.update(bytes(64))
    buffer = bytearray(65536)
    text += bytes(buffer[: one.update_into(bytes(64), buffer)]) + one.finalize()
    plain = other.update(text[:64])
    plain += bytes(buffer[: other.update_into(text[64:], buffer)]) + other.finalize()
    assert plain == bytes(128)
