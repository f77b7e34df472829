"""What cryptography does with key pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

from cryptography.hazmat.primitives import hashes, hpke
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
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_parameters,
    load_pem_private_key,
)

from tools.boundary.inside.case import Case, case, kept, made

SHA1, SHA256, MD5 = hashes.SHA1(), hashes.SHA256(), hashes.MD5()
TEXT = bytes(32)
PSS = padding.PSS(padding.MGF1(SHA256), 32)
OAEP = padding.OAEP(padding.MGF1(SHA256), SHA256, None)
OLD_OAEP = padding.OAEP(padding.MGF1(SHA1), SHA1, None)
PKCS1 = padding.PKCS1v15()

NOT_EDWARDS = "not approved for key agreement (SP 800-56A)"
CURVES: tuple[tuple[ec.EllipticCurve, str], ...] = (
    (ec.SECP192R1(), "not approved to make signatures (SP 800-186)"),
    *((curve(), "") for curve in (ec.SECP224R1, ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)),
    *((curve(), "") for curve in (ec.SECP256K1, ec.BrainpoolP256R1, ec.BrainpoolP384R1, ec.BrainpoolP512R1)),
)


@cache
def key(name: str) -> Any:
    """Return a private key that was made without FIPS."""
    return load_pem_private_key(made(f"{name}.pem"), None)


def signed(name: str, text: bytes, how: tuple[Any, ...], label: str) -> bytes:
    """Return the signature of such a key."""
    return kept(f"{name} {label}.signature", lambda: bytes(key(name).sign(text, *how)))


def cases() -> Iterator[Case]:
    """Yield all."""
    yield from of_rsa()
    yield from of_ec()
    yield from of_dsa_and_dh()
    yield from of_modern_curves()
    yield from of_lattices()
    yield from of_hpke()


def private_bytes(name: str, kind: str, service: str = "PBKDF2") -> Iterator[Case]:
    """Yield the ways to write a private key and to make a public one of it."""
    encrypted = BestAvailableEncryption(b"password")
    write = partial(_write, name, encrypted)
    yield case(f"{kind}.private_bytes", service, write, "PKCS #8 with a password")


def _write(name: str, encrypted: BestAvailableEncryption) -> None:
    key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encrypted)


def of_rsa() -> Iterator[Case]:
    """Yield RSA."""
    make = partial(rsa.generate_private_key, 65537)
    private, public = "asymmetric.rsa.RSAPrivateKey", "asymmetric.rsa.RSAPublicKey"
    yield case("asymmetric.rsa.generate_private_key", "RSA key", lambda: make(2048), "2048 bits")
    yield case("asymmetric.rsa.generate_private_key", "RSA key", lambda: make(1024), "1024 bits")
    yield case(
        "asymmetric.rsa.generate_private_key",
        "RSA key",
        lambda: rsa.generate_private_key(3, 2048),
        "exponent 3",
    )
    no_info = "not approved: without DigestInfo the signature is none of RSASSA-PKCS1-v1_5 (FIPS 186-5)"
    signatures: tuple[tuple[str, str, tuple[Any, ...], str], ...] = (
        ("PKCS #1 v1.5, SHA-256", "rsa", (PKCS1, SHA256), ""),
        ("PSS, SHA-256", "rsa", (PSS, SHA256), ""),
        ("PKCS #1 v1.5, SHA-256 made before", "rsa", (PKCS1, Prehashed(SHA256)), ""),
        ("PKCS #1 v1.5, SHA-1", "rsa", (PKCS1, SHA1), "SHA-1 is not approved to sign (SP 800-131A)"),
        ("PKCS #1 v1.5, MD5", "rsa", (PKCS1, MD5), ""),
        ("PKCS #1 v1.5, without DigestInfo", "rsa", (PKCS1, NoDigestInfo()), no_info),
        ("PKCS #1 v1.5, SHA-256, 1024 bits", "rsa-1024", (PKCS1, SHA256), ""),
    )
    for label, name, how, remark in signatures:
        yield case(f"{private}.sign", "RSA signature", partial(_sign, name, how), label, remark)
        if "DigestInfo" not in label:
            yield case(f"{public}.verify", "RSA verification", partial(_verify, name, how, label), label)
    yield case("asymmetric.padding.PSS", "RSA signature", partial(_sign, "rsa", (PSS, SHA256)), "signature")
    yield case(
        "asymmetric.padding.PKCS1v15", "RSA signature", partial(_sign, "rsa", (PKCS1, SHA256)), "signature"
    )
    yield case("asymmetric.padding.OAEP", "RSA encryption", lambda: _encrypt(OAEP), "encryption")
    yield case(
        f"{public}.recover_data_from_signature",
        "RSA verification",
        _recover,
    )
    no_transport = "key transport with this padding is not approved (SP 800-131A)"
    for label, pad, remark in (
        ("OAEP, SHA-256", OAEP, ""),
        ("OAEP, SHA-1", OLD_OAEP, ""),
        ("PKCS #1 v1.5", PKCS1, no_transport),
    ):
        yield case(f"{public}.encrypt", "RSA encryption", partial(_encrypt, pad), label, remark)
        yield case(f"{private}.decrypt", "RSA decryption", partial(_decrypt, pad, label), label, remark)
    yield case(f"{private}.public_key", "", lambda: key("rsa").public_key())
    yield from private_bytes("rsa", private)
    yield case(
        "asymmetric.rsa.RSAPrivateNumbers.private_key", "", lambda: key("rsa").private_numbers().private_key()
    )
    numbers = partial(lambda: key("rsa").public_key().public_numbers())
    yield case("asymmetric.rsa.RSAPublicNumbers.public_key", "", lambda: numbers().public_key())
    for name in "rsa_crt_dmp1", "rsa_crt_dmq1", "rsa_crt_iqmp":
        yield case(f"asymmetric.rsa.{name}", "", partial(getattr(rsa, name), 7, 11))
    yield case(
        "asymmetric.rsa.rsa_recover_private_exponent", "", lambda: rsa.rsa_recover_private_exponent(3, 11, 5)
    )
    yield case("asymmetric.rsa.rsa_recover_prime_factors", "", _factors)


def _factors() -> object:
    numbers = key("rsa").private_numbers()
    public = numbers.public_numbers
    return rsa.rsa_recover_prime_factors(public.n, public.e, numbers.d)


def _sign(name: str, how: tuple[Any, ...], text: bytes = TEXT) -> object:
    return key(name).sign(text, *how)


def _verify(name: str, how: tuple[Any, ...], label: str, text: bytes = TEXT) -> None:
    key(name).public_key().verify(signed(name, text, how, label), text, *how)


def _recover() -> object:
    signature = signed("rsa", TEXT, (PKCS1, SHA256), "PKCS #1 v1.5, SHA-256")
    return key("rsa").public_key().recover_data_from_signature(signature, PKCS1, SHA256)


def _encrypt(pad: padding.AsymmetricPadding) -> bytes:
    return bytes(key("rsa").public_key().encrypt(TEXT, pad))


def _decrypt(pad: padding.AsymmetricPadding, label: str) -> object:
    return key("rsa").decrypt(kept(f"{label}.encrypted", lambda: _encrypt(pad)), pad)


def of_ec() -> Iterator[Case]:
    """Yield NIST's and other curves."""
    private, public = "asymmetric.ec.EllipticCurvePrivateKey", "asymmetric.ec.EllipticCurvePublicKey"
    for curve, remark in CURVES:
        make = partial(ec.generate_private_key, curve)
        yield case(f"asymmetric.ec.{type(curve).__name__}", "EC key", make, "generate_private_key", remark)
    yield case(
        "asymmetric.ec.generate_private_key",
        "EC key",
        lambda: ec.generate_private_key(ec.SECP256R1()),
        "P-256",
    )
    yield case(
        "asymmetric.ec.derive_private_key",
        "EC point",
        lambda: ec.derive_private_key(7, ec.SECP256R1()),
        "P-256",
    )
    sha1 = "SHA-1 is not approved to sign (SP 800-131A)"
    for label, name, digest, remark in (
        ("P-256, SHA-256", "p256", SHA256, ""),
        ("P-256, SHA-256 made before", "p256", Prehashed(SHA256), ""),
        ("P-256, SHA-1", "p256", SHA1, sha1),
        ("P-256, MD5 made before", "p256", Prehashed(MD5), "MD5 is not approved"),
        ("P-192, SHA-256", "p192", SHA256, ""),
        ("secp256k1, SHA-256", "secp256k1", SHA256, ""),
        ("brainpoolP256r1, SHA-256", "brainpool", SHA256, ""),
    ):
        how = (ec.ECDSA(digest),)
        text = bytes(16) if "MD5" in label else TEXT
        yield case(f"{private}.sign", "ECDSA signature", partial(_sign, name, how, text), label, remark)
        yield case(f"{public}.verify", "ECDSA verification", partial(_verify, name, how, label, text), label)
    yield case(f"{private}.sign", "ECDSA signature", _deterministic, "P-256, deterministic")
    for name, label in ("p256", "P-256"), ("secp256k1", "secp256k1"), ("brainpool", "brainpoolP256r1"):
        yield case(f"{private}.exchange", "ECDH", partial(_exchange, name, (ec.ECDH(),)), label)
    yield case(f"{private}.public_key", "", lambda: key("p256").public_key())
    yield from private_bytes("p256", private)
    yield case(
        "asymmetric.ec.EllipticCurvePrivateNumbers.private_key",
        "",
        lambda: key("p256").private_numbers().private_key(),
    )
    yield case("asymmetric.ec.EllipticCurvePublicNumbers.public_key", "", _public_numbers)
    yield case(f"{public}.from_encoded_point", "", _from_point)


def _deterministic() -> object:
    return key("p256").sign(TEXT, ec.ECDSA(SHA256, deterministic_signing=True))


def _exchange(name: str, how: tuple[Any, ...] = ()) -> object:
    return key(name).exchange(*how, key(name).public_key())


def _public_numbers() -> object:
    return key("p256").public_key().public_numbers().public_key()


def _from_point() -> object:
    numbers = key("p256").public_key().public_numbers()
    point = b"\4" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)


def of_dsa_and_dh() -> Iterator[Case]:
    """Yield DSA and Diffie-Hellman with numbers."""
    old = "DSA is not approved to make keys and signatures (FIPS 186-5)"
    private, public = "asymmetric.dsa.DSAPrivateKey", "asymmetric.dsa.DSAPublicKey"
    yield case(
        "asymmetric.dsa.generate_parameters",
        "parameters",
        lambda: dsa.generate_parameters(1024),
        "1024 bits",
        old,
    )
    parameters = cache(lambda: key("dsa").parameters())
    for name in "generate_private_key", "DSAParameters.generate_private_key":
        yield case(
            f"asymmetric.dsa.{name}", "DSA key", lambda: parameters().generate_private_key(), "2048 bits", old
        )
    yield case(f"{private}.sign", "DSA signature", partial(_sign, "dsa", (SHA256,)), "SHA-256", old)
    yield case(f"{private}.sign", "DSA signature", partial(_sign, "dsa", (SHA1,)), "SHA-1", old)
    yield case(
        f"{public}.verify", "DSA verification", partial(_verify, "dsa", (SHA256,), "SHA-256"), "SHA-256"
    )
    yield case(f"{private}.public_key", "", lambda: key("dsa").public_key())
    yield from private_bytes("dsa", private)
    yield case(
        "asymmetric.dsa.DSAPrivateNumbers.private_key", "", lambda: key("dsa").private_numbers().private_key()
    )
    yield case(
        "asymmetric.dsa.DSAPublicNumbers.public_key",
        "",
        lambda: key("dsa").public_key().public_numbers().public_key(),
    )
    private = "asymmetric.dh.DHPrivateKey"
    yield case(
        "asymmetric.dh.generate_parameters", "parameters", lambda: dh.generate_parameters(2, 512), "512 bits"
    )
    group = cache(lambda: key("dh").parameters())
    own = cache(lambda: load_pem_parameters(made("dh.params")))
    name = "asymmetric.dh.DHParameters.generate_private_key"
    yield case(name, "DH key", lambda: group().generate_private_key(), "ffdhe2048")
    yield case(name, "DH key", lambda: own().generate_private_key(), "parameters of one's own, 2048 bits")
    yield case(f"{private}.exchange", "DH", partial(_exchange, "dh"), "ffdhe2048")
    yield case(f"{private}.public_key", "", lambda: key("dh").public_key())
    yield case(f"{private}.private_bytes", "", lambda: _plain("dh"), "PKCS #8")
    yield case(
        "asymmetric.dh.DHPrivateNumbers.private_key", "", lambda: key("dh").private_numbers().private_key()
    )
    yield case(
        "asymmetric.dh.DHPublicNumbers.public_key",
        "",
        lambda: key("dh").public_key().public_numbers().public_key(),
    )


def _plain(name: str) -> bytes:
    return bytes(key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def of_modern_curves() -> Iterator[Case]:
    """Yield Montgomery's and Edwards' curves."""
    agreeing: dict[str, tuple[Any, Any]] = {
        "X25519": (x25519.X25519PrivateKey, x25519.X25519PublicKey),
        "X448": (x448.X448PrivateKey, x448.X448PublicKey),
    }
    signing: dict[str, tuple[Any, Any]] = {
        "Ed25519": (ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey),
        "Ed448": (ed448.Ed448PrivateKey, ed448.Ed448PublicKey),
    }
    for kind, (private, public) in (agreeing | signing).items():
        file = kind.lower()
        place = f"asymmetric.{file}.{private.__name__}"
        remark = NOT_EDWARDS if kind in agreeing else ""
        yield case(f"{place}.generate", f"{kind} key", private.generate, remark=remark)
        size = {"X448": 56, "Ed448": 57}.get(kind, 32)
        yield case(
            f"{place}.from_private_bytes",
            f"{kind} key",
            partial(private.from_private_bytes, bytes(size)),
            remark=remark,
        )
        yield case(f"{place}.public_key", "", partial(_public, file))
        yield from private_bytes(file, place)
        name = f"asymmetric.{file}.{public.__name__}"
        yield case(f"{name}.from_public_bytes", "", partial(_raw, file, public))
        if kind in agreeing:
            yield case(f"{place}.exchange", kind, partial(_exchange, file), remark=remark)
        else:
            yield case(f"{place}.sign", f"{kind} signature", partial(_sign, file, ()))
            yield case(f"{name}.verify", f"{kind} verification", partial(_verify, file, (), ""))


def _public(name: str) -> object:
    return key(name).public_key()


def _raw(name: str, public: Any) -> object:
    return public.from_public_bytes(key(name).public_key().public_bytes_raw())


def of_lattices() -> Iterator[Case]:
    """Yield ML-DSA and ML-KEM."""
    for size in 44, 65, 87:
        name, kind = f"ml-dsa-{size}", f"asymmetric.mldsa.MLDSA{size}"
        private: Any = getattr(mldsa, f"MLDSA{size}PrivateKey")
        public: Any = getattr(mldsa, f"MLDSA{size}PublicKey")
        yield case(f"{kind}PrivateKey.generate", "ML-DSA key", private.generate)
        yield case(
            f"{kind}PrivateKey.from_seed_bytes", "ML-DSA key", partial(private.from_seed_bytes, bytes(32))
        )
        yield case(f"{kind}PrivateKey.sign", "ML-DSA", partial(_sign, name, ()))
        yield case(f"{kind}PrivateKey.sign_mu", "ML-DSA", partial(_sign_mu, name))
        yield case(f"{kind}PublicKey.verify", "ML-DSA", partial(_verify, name, (), ""))
        yield case(f"{kind}PublicKey.verify_mu", "ML-DSA", partial(_verify_mu, name))
        yield case(f"{kind}PublicKey.from_public_bytes", "", partial(_raw, name, public))
        yield case(f"{kind}PrivateKey.public_key", "", partial(_public, name))
        yield from private_bytes(name, f"{kind}PrivateKey")
    yield case("asymmetric.mldsa.MLDSAMuHasher.{copy,update,finalize}", "SHA-3", partial(_mu, "ml-dsa-44"))
    for size in 768, 1024:
        name, kind = f"ml-kem-{size}", f"asymmetric.mlkem.MLKEM{size}"
        private = getattr(mlkem, f"MLKEM{size}PrivateKey")
        public = getattr(mlkem, f"MLKEM{size}PublicKey")
        yield case(f"{kind}PrivateKey.generate", "ML-KEM key", private.generate)
        yield case(
            f"{kind}PrivateKey.from_seed_bytes", "ML-KEM key", partial(private.from_seed_bytes, bytes(64))
        )
        yield case(f"{kind}PublicKey.encapsulate", "ML-KEM", partial(_encapsulate, name))
        yield case(f"{kind}PrivateKey.decapsulate", "ML-KEM", partial(_decapsulate, name))
        yield case(f"{kind}PublicKey.from_public_bytes", "", partial(_raw, name, public))
        yield case(f"{kind}PrivateKey.public_key", "", partial(_public, name))
        yield from private_bytes(name, f"{kind}PrivateKey")


def _mu(name: str) -> bytes:
    hasher = mldsa.MLDSAMuHasher(key(name).public_key())
    hasher.update(TEXT)
    return hasher.copy().finalize()


def _sign_mu(name: str) -> object:
    return key(name).sign_mu(_mu(name))


def _verify_mu(name: str) -> None:
    signature = kept(f"{name} mu.signature", lambda: bytes(key(name).sign_mu(_mu(name))))
    key(name).public_key().verify_mu(signature, _mu(name))


def _encapsulate(name: str) -> Any:
    return key(name).public_key().encapsulate()


def _decapsulate(name: str) -> object:
    return key(name).decapsulate(_encapsulate(name)[1])


def of_hpke() -> Iterator[Case]:
    """Yield hybrid public key encryption, of which only the parts are OpenSSL's."""
    suites: dict[str, tuple[str, Callable[[], Any]]] = {
        "P256": ("ECDH", lambda: key("p256")),
        "X25519": ("X25519", lambda: key("x25519")),
        "MLKEM768": ("ML-KEM", lambda: key("ml-kem-768")),
        "MLKEM768_X25519": (
            "ML-KEM",
            lambda: hpke.MLKEM768X25519PrivateKey(key("ml-kem-768"), key("x25519")),
        ),
        "MLKEM1024_P384": ("ML-KEM", lambda: hpke.MLKEM1024P384PrivateKey(key("ml-kem-1024"), key("p384"))),
    }
    for kem, (service, private) in suites.items():
        label = f"{kem}, HKDF-SHA256, AES-128-GCM"
        yield case("hpke.Suite.{encrypt,decrypt}", service, partial(_hpke, kem, private), label)
        if "_" in kem:
            name = f"hpke.{kem.replace('_', '')}PrivateKey.public_key"
            yield case(name, "", partial(lambda private: private().public_key(), private))


def _hpke(kem: str, private: Callable[[], Any]) -> None:
    suite = hpke.Suite(getattr(hpke.KEM, kem), hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_128_GCM)
    suite.decrypt(suite.encrypt(TEXT, private().public_key()), private())
