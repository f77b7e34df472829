"""What cryptography does with keys in files, and with certificates and their kin."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from functools import cache, partial
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12, ssh
from cryptography.x509 import ocsp, verification
from cryptography.x509.base import random_serial_number
from cryptography.x509.oid import ExtendedKeyUsageOID

from tools.boundary.inside.asymmetric import key
from tools.boundary.inside.case import Case, case, kept, made

SHA1, SHA256, MD5 = hashes.SHA1(), hashes.SHA256(), hashes.MD5()
PASSWORD = b"password"
BEST = serialization.BestAvailableEncryption(PASSWORD)
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a.example")])
NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
LATER = NOW + datetime.timedelta(days=7)


@cache
def certificate(name: str) -> x509.Certificate:
    """Return a certificate that was made without FIPS."""
    return x509.load_pem_x509_certificate(made(f"{name}.crt"))


def cases() -> Iterator[Case]:
    """Yield all."""
    yield from keys()
    yield from envelopes()
    yield from of_ssh()
    yield from certificates()
    yield from lists_and_answers()


def keys() -> Iterator[Case]:
    """Yield the ways to read a key."""
    for label, name in (
        ("RSA", "rsa"),
        ("RSA, 1024 bits", "rsa-1024"),
        ("EC, P-256", "p256"),
        ("EC, secp256k1", "secp256k1"),
        ("EC, brainpoolP256r1", "brainpool"),
        ("DSA", "dsa"),
        ("DH", "dh"),
        ("Ed25519", "ed25519"),
        ("X25519", "x25519"),
        ("ML-DSA-44", "ml-dsa-44"),
        ("ML-KEM-768", "ml-kem-768"),
    ):
        name_ = "serialization.load_pem_private_key"
        yield case(name_, "", partial(_load, f"{name}.pem"), label)
        public = partial(lambda file: serialization.load_pem_public_key(made(file)), f"{name}.pub")
        yield case("serialization.load_pem_public_key", "", public, label)
    for label, file, service in (
        ("RSA, PKCS #8 with a password", "rsa.encrypted.pem", "PBKDF2"),
        ("RSA, the old format with a password", "rsa.traditional.pem", "AES"),
    ):
        yield case("serialization.load_pem_private_key", service, partial(_load, file, PASSWORD), label)
    yield case(
        "serialization.load_der_private_key",
        "",
        lambda: serialization.load_der_private_key(made("rsa.der"), None),
        "RSA",
    )
    yield case("serialization.load_der_public_key", "", _der_public, "RSA")
    yield case(
        "serialization.load_pem_parameters",
        "",
        lambda: serialization.load_pem_parameters(made("dh.params")),
        "DH",
    )
    yield case("serialization.load_der_parameters", "", _der_parameters, "DH")


def _load(file: str, password: bytes | None = None) -> object:
    return serialization.load_pem_private_key(made(file), password)


def _der_public() -> object:
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return serialization.load_der_public_key(key("rsa").public_key().public_bytes(encoding, form))


def _der_parameters() -> object:
    encoding, form = serialization.Encoding.DER, serialization.ParameterFormat.PKCS3
    parameters: Any = serialization.load_pem_parameters(made("dh.params"))
    return serialization.load_der_parameters(parameters.parameter_bytes(encoding, form))


def envelopes() -> Iterator[Case]:
    """Yield PKCS #7 and PKCS #12."""
    yield case("serialization.pkcs12.{load_key_and_certificates,load_pkcs12}", "PBKDF2", _pkcs12)
    name = "serialization.pkcs12.serialize_key_and_certificates"
    yield case(name, "PBKDF2", partial(_to_pkcs12, BEST), "the best encryption")
    old = (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(SHA1)
        .build(PASSWORD)
    )
    yield case(name, "PKCS#12 KDF", partial(_to_pkcs12, old), "Triple DES and SHA-1")
    yield case("serialization.pkcs12.serialize_java_truststore", "PBKDF2", _truststore)
    yield case("serialization.pkcs7.PKCS7SignatureBuilder.sign", "RSA signature", _pkcs7, "RSA, SHA-256")
    for algorithm in algorithms.AES128, algorithms.AES256:
        name = "serialization.pkcs7.PKCS7EnvelopeBuilder.encrypt"
        yield case(
            name, "RSA encryption", partial(_envelope, algorithm), f"PKCS #1 v1.5, {algorithm.__name__}"
        )
    for form in "der", "pem", "smime":
        name = f"serialization.pkcs7.pkcs7_decrypt_{form}"
        yield case(name, "RSA decryption", partial(_open, form), "PKCS #1 v1.5, AES128")


def _pkcs12() -> None:
    pkcs12.load_pkcs12(made("rsa.p12"), PASSWORD)
    pkcs12.load_key_and_certificates(made("rsa.p12"), PASSWORD)


def _to_pkcs12(how: serialization.KeySerializationEncryption) -> object:
    return pkcs12.serialize_key_and_certificates(b"n", key("rsa"), certificate("rsa"), None, how)


def _truststore() -> object:
    one = pkcs12.PKCS12Certificate(certificate("rsa"), b"n")
    return pkcs12.serialize_java_truststore([one], BEST)


def _pkcs7() -> object:
    builder = pkcs7.PKCS7SignatureBuilder().set_data(b"text")
    builder = builder.add_signer(certificate("rsa"), key("rsa"), SHA256)
    return builder.sign(serialization.Encoding.DER, [])


def _envelope(algorithm: Any, form: str = "DER") -> bytes:
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(b"text").add_recipient(certificate("rsa"))
    builder = builder.set_content_encryption_algorithm(algorithm)
    return builder.encrypt(getattr(serialization.Encoding, form), [])


def _open(form: str) -> object:
    text = kept(f"envelope.{form}", lambda: _envelope(algorithms.AES128, form.upper()))
    return getattr(pkcs7, f"pkcs7_decrypt_{form}")(text, certificate("rsa"), key("rsa"), [])


def of_ssh() -> Iterator[Case]:
    """Yield SSH's formats."""
    public = partial(ssh.serialize_ssh_public_key)
    yield case("serialization.ssh.serialize_ssh_public_key", "", lambda: public(key("p256").public_key()))
    yield case(
        "serialization.load_ssh_public_key",
        "",
        lambda: ssh.load_ssh_public_key(public(key("p256").public_key())),
    )
    private = "serialization.load_ssh_private_key"
    yield case(private, "", lambda: ssh.load_ssh_private_key(_ssh("p256"), None), "EC, P-256")
    for digest in SHA256, MD5:
        kind = "SHA-2" if digest is SHA256 else "MD5"
        run = partial(lambda digest: ssh.ssh_key_fingerprint(key("p256").public_key(), digest), digest)
        yield case("serialization.ssh.ssh_key_fingerprint", kind, run, digest.name)
    yield case("serialization.SSHCertificateBuilder.sign", "ECDSA signature", _ssh_certificate, "P-256")
    yield case(
        "serialization.SSHCertificate.verify_cert_signature",
        "ECDSA verification",
        lambda: ssh.load_ssh_public_identity(_kept_certificate()).verify_cert_signature(),  # type: ignore[union-attr]
        "P-256",
    )


def _ssh(name: str) -> bytes:
    form, encoding = serialization.PrivateFormat.OpenSSH, serialization.Encoding.PEM
    return bytes(key(name).private_bytes(encoding, form, serialization.NoEncryption()))


def _ssh_certificate() -> Any:
    builder: Any = ssh.SSHCertificateBuilder().public_key(key("p256").public_key()).serial(1).key_id(b"k")
    builder = builder.type(ssh.SSHCertificateType.USER).valid_for_all_principals()
    return builder.valid_after(0).valid_before(2**32).sign(key("p256"))


def _kept_certificate() -> bytes:
    return kept("p256.ssh-certificate", lambda: bytes(_ssh_certificate().public_bytes()))


def certificates() -> Iterator[Case]:
    """Yield certificates and requests for them."""
    pss = padding.PSS(padding.MGF1(SHA256), 32)
    signing: tuple[tuple[str, str, str, Any, Any], ...] = (
        ("RSA, SHA-256", "rsa", "RSA signature", SHA256, None),
        ("RSA, PSS, SHA-256", "rsa", "RSA signature", SHA256, pss),
        ("RSA, SHA-1", "rsa", "RSA signature", SHA1, None),
        ("RSA, MD5", "rsa", "RSA signature", MD5, None),
        ("RSA, 1024 bits, SHA-256", "rsa-1024", "RSA signature", SHA256, None),
        ("P-256, SHA-256", "p256", "ECDSA signature", SHA256, None),
        ("P-256, SHA-1", "p256", "ECDSA signature", SHA1, None),
        ("brainpoolP256r1, SHA-256", "brainpool", "ECDSA signature", SHA256, None),
        ("secp256k1, SHA-256", "secp256k1", "ECDSA signature", SHA256, None),
        ("DSA, SHA-256", "dsa", "DSA signature", SHA256, None),
        ("Ed25519", "ed25519", "Ed25519 signature", None, None),
        ("ML-DSA-44", "ml-dsa-44", "ML-DSA", None, None),
    )
    for label, name, service, digest, pad in signing:
        remark = "SHA-1 is not approved to sign (SP 800-131A)" if digest is SHA1 else ""
        more = {"rsa_padding": pad} if pad else {}
        for builder, make in ("CertificateBuilder", _builder), ("CertificateSigningRequestBuilder", _request):
            run = partial(
                lambda make, name, digest, more: make(name).sign(key(name), digest, **more),
                make,
                name,
                digest,
                more,
            )
            yield case(f"x509.{builder}.sign", service, run, label, remark)
        verified = service.replace("signature", "verification")
        check = partial(_issued, name, digest, more, label)
        yield case("x509.Certificate.verify_directly_issued_by", verified, check, label)
        valid = partial(_valid, name, digest, more, label)
        yield case("x509.CertificateSigningRequest.is_signature_valid", verified, valid, label)
    for digest, kind in (SHA256, "SHA-2"), (SHA1, "SHA-1"), (MD5, "MD5"):
        run = partial(lambda digest: certificate("rsa").fingerprint(digest), digest)
        yield case("x509.Certificate.fingerprint", kind, run, digest.name)
    yield case("x509.Certificate.public_key", "", lambda: certificate("p256").public_key(), "EC, P-256")
    yield case(
        "x509.Certificate.public_key",
        "",
        lambda: certificate("brainpool").public_key(),
        "EC, brainpoolP256r1",
    )
    request = cache(lambda: x509.load_pem_x509_csr(made("rsa.csr")))
    yield case("x509.CertificateSigningRequest.public_key", "", lambda: request().public_key(), "RSA")
    yield case("x509.CertificateBuilder.create_unsigned", "", lambda: _builder("rsa").create_unsigned())
    yield case("x509.base.random_serial_number", "random numbers", random_serial_number)
    yield case(
        "x509.SubjectKeyIdentifier.from_public_key",
        "SHA-1",
        lambda: x509.SubjectKeyIdentifier.from_public_key(key("p256").public_key()),
    )
    yield case(
        "x509.verification.ServerVerifier.verify", "RSA verification", partial(_chain, "server"), "RSA"
    )
    yield case(
        "x509.verification.ClientVerifier.verify", "RSA verification", partial(_chain, "client"), "RSA"
    )


def _builder(name: str) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME).serial_number(7)
    return builder.public_key(key(name).public_key()).not_valid_before(NOW).not_valid_after(LATER)


def _request(name: str) -> x509.CertificateSigningRequestBuilder:  # noqa: ARG001 - as _builder
    return x509.CertificateSigningRequestBuilder().subject_name(NAME)


def _issued(name: str, digest: Any, more: dict[str, Any], label: str) -> None:
    encoding = serialization.Encoding.PEM
    pem = kept(
        f"{label}.certificate", lambda: _builder(name).sign(key(name), digest, **more).public_bytes(encoding)
    )
    one = x509.load_pem_x509_certificate(pem)
    one.verify_directly_issued_by(one)


def _valid(name: str, digest: Any, more: dict[str, Any], label: str) -> None:
    encoding = serialization.Encoding.PEM
    pem = kept(
        f"{label}.request", lambda: _request(name).sign(key(name), digest, **more).public_bytes(encoding)
    )
    if not x509.load_pem_x509_csr(pem).is_signature_valid:
        raise ValueError("the signature counts as invalid")


def _chain(side: str) -> None:
    """Verify a chain of two, of which the second is trusted."""
    constraints, usage = x509.BasicConstraints(True, None), _usage()
    root = _builder("rsa").add_extension(constraints, True).add_extension(usage, True)
    identifier = x509.SubjectKeyIdentifier(b"1234")
    root = root.add_extension(identifier, False)
    encoding = serialization.Encoding.PEM
    roots = kept("root", lambda: root.sign(key("rsa"), SHA256).public_bytes(encoding))
    oid = getattr(ExtendedKeyUsageOID, f"{side.upper()}_AUTH")
    leaf = _leaf(oid)
    leaves = kept(f"leaf.{side}", lambda: leaf.sign(key("rsa"), SHA256).public_bytes(encoding))
    builder = verification.PolicyBuilder().store(verification.Store([x509.load_pem_x509_certificate(roots)]))
    end = x509.load_pem_x509_certificate(leaves)
    if side == "server":
        builder.build_server_verifier(x509.DNSName("a.example")).verify(end, [])
    else:
        builder.build_client_verifier().verify(end, [])


def _usage() -> x509.KeyUsage:
    names = "digital_signature content_commitment key_encipherment data_encipherment key_agreement"
    usage: Any = dict.fromkeys([*names.split(), "crl_sign", "encipher_only", "decipher_only"], False)
    return x509.KeyUsage(key_cert_sign=True, **usage)


def _leaf(usage: x509.ObjectIdentifier) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(NAME).serial_number(8)
    builder = builder.public_key(key("p256").public_key()).not_valid_before(NOW).not_valid_after(LATER)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("a.example")]), True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), False)
    return builder.add_extension(x509.AuthorityKeyIdentifier(b"1234", None, None), False)


def lists_and_answers() -> Iterator[Case]:
    """Yield revocation lists and OCSP."""
    for label, name, service, digest in (
        ("RSA, SHA-256", "rsa", "RSA signature", SHA256),
        ("RSA, SHA-1", "rsa", "RSA signature", SHA1),
        ("P-256, SHA-256", "p256", "ECDSA signature", SHA256),
    ):
        run = partial(lambda name, digest: _list().sign(key(name), digest), name, digest)
        yield case("x509.CertificateRevocationListBuilder.sign", service, run, label)
        answer = partial(lambda name, digest: _answer(name).sign(key(name), digest), name, digest)
        yield case("x509.ocsp.OCSPResponseBuilder.sign", service, answer, label)
    yield case(
        "x509.CertificateRevocationList.is_signature_valid", "RSA verification", _list_valid, "RSA, SHA-256"
    )
    yield case(
        "x509.CertificateRevocationList.fingerprint",
        "SHA-2",
        lambda: _kept_list().fingerprint(SHA256),
        "sha256",
    )
    for algorithm, kind in (SHA1, "SHA-1"), (SHA256, "SHA-2"):
        yield case("x509.ocsp.OCSPRequestBuilder.build", kind, partial(_question, algorithm), algorithm.name)


def _list() -> x509.CertificateRevocationListBuilder:
    return x509.CertificateRevocationListBuilder().issuer_name(NAME).last_update(NOW).next_update(LATER)


def _kept_list() -> x509.CertificateRevocationList:
    encoding = serialization.Encoding.PEM
    return x509.load_pem_x509_crl(
        kept("rsa.crl", lambda: _list().sign(key("rsa"), SHA256).public_bytes(encoding))
    )


def _list_valid() -> None:
    assert _kept_list().is_signature_valid(key("rsa").public_key())


def _answer(name: str) -> ocsp.OCSPResponseBuilder:
    one = certificate(name)
    builder = ocsp.OCSPResponseBuilder().responder_id(ocsp.OCSPResponderEncoding.NAME, one)
    good = ocsp.OCSPCertStatus.GOOD
    return builder.add_response(one, one, SHA256, good, NOW, LATER, None, None)


def _question(algorithm: Any) -> object:
    one = certificate("rsa")
    return ocsp.OCSPRequestBuilder().add_certificate(one, one, algorithm).build()
