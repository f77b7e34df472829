"""The public names of what offers cryptography in the snap's Python, by rule; and which are no operations."""

from __future__ import annotations

import enum
import hashlib
import hmac
import importlib
import inspect
import pkgutil
import ssl
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from types import ModuleType

import cryptography
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives._asymmetric import AsymmetricPadding
from cryptography.hazmat.primitives._cipheralgorithm import CipherAlgorithm
from cryptography.hazmat.primitives._modes import Mode
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ExtensionType, GeneralName

from tools.boundary.inside.case import expanded

#: Classes that name an algorithm: each of them is something to do.
ALGORITHMS = (hashes.HashAlgorithm, CipherAlgorithm, Mode, ec.EllipticCurve, AsymmetricPadding)
#: And those that describe, whatever they are called.
DATA = (BaseException, enum.Enum, ExtensionType, GeneralName)

#: What else is no operation, and why.
NONE_OF = {
    "hands out what is there, or writes it without a password": (
        "*.{private_numbers,public_numbers,parameter_numbers,parameters,parameter_bytes,public_bytes}",
        "*.{public_bytes_raw,private_bytes_raw}",
        "x509.*.{get_*,rfc4514_string,from_rfc4514_string,from_bytes,rfc4514_attribute_name}",
        "serialization.{SSHCertificate.public_key,SSHCertificate.signature_key,load_ssh_public_identity}",
        "serialization.PrivateFormat.encryption_builder",
        "{hashlib,hmac}.{digest_size,trans_5C,trans_36}",
    ),
    "collects what an operation named here is done with": (
        "x509.*Builder.{add_*,subject_name,issuer_name,public_key,serial_number,not_valid_*,last_update}",
        "x509.*Builder.{next_update,revocation_date}",
        "x509.RevokedCertificateBuilder.build",
        "x509.ocsp.OCSPRequestBuilder.{add_certificate_by_hash,add_extension}",
        "x509.ocsp.OCSPResponseBuilder.{add_response_by_hash,add_extension,responder_id,certificates}",
        "x509.ocsp.OCSPResponseBuilder.build_unsuccessful",
        "x509.verification.{PolicyBuilder,ExtensionPolicy}.*",
        "serialization.pkcs7.PKCS7*Builder.{add_*,set_*}",
        "serialization.SSHCertificateBuilder.{add_*,public_key,serial,type,key_id,valid_*}",
        "twofactor.*.get_provisioning_uri",
    ),
    "what another operation named here returns": (
        "ciphers.*Context.*",
        "hashes.HashContext.*",
        "kdf.KeyDerivationFunction.*",
        "padding.PaddingContext.*",
    ),
    "an interface without code of its own": (
        "{asymmetric.ec.EllipticCurve,hashes.HashAlgorithm,hashes.ExtendableOutputFunction}",
        "ciphers.{CipherAlgorithm,BlockCipherAlgorithm}",
        "ciphers.modes.{Mode,ModeWith*}",
        "asymmetric.padding.AsymmetricPadding",
    ),
    "reads and writes ASN.1, MIME or a message of a protocol": (
        "hazmat.asn1.*",
        "serialization.pkcs7.{OpenSSLMimePart.*,load_*_pkcs7_certificates,serialize_certificates}",
        "serialization.ssh.load_application",
        "x509.load_*",
        "x509.certificate_transparency.*",
        "x509.ocsp.load_der_ocsp_*",
        "asymmetric.utils.{encode,decode}_dss_signature",
        "ssl.{DER_cert_to_PEM_cert,PEM_cert_to_DER_cert,cert_time_to_seconds}",
    ),
    "fills up to a block or counts bytes": (
        "padding.{PKCS7,ANSIX923}*",
        "asymmetric.padding.calculate_max_pss_salt_length",
        "hpke.KEM.enc_length",
        "asymmetric.ec.get_curve_for_oid",
        "utils.*",
    ),
    "says what the library can do, or is the library's own": (
        "hazmat.backends.default_backend",
        "hazmat.backends.openssl.backend.Backend.*",
        "hazmat.bindings.openssl.binding.*",
    ),
    "sets up a connection; what it then computes is the connection's": (
        "ssl.SSLContext.{cert_store_stats,get_*,load_*,session_stats,set_alpn_protocols,set_npn_protocols}",
        "ssl.SSLContext.{set_default_verify_paths,set_psk_*_callback,set_servername_callback,wrap_*}",
        "ssl.SSLContext.{sslobject_class,sslsocket_class}",
        "ssl.{MemoryBIO.*,get_default_verify_paths,get_protocol_name,DefaultVerifyPaths.*,RAND_status}",
        "ssl.{SSLSocket.*,get_server_certificate}",
        "ssl.SSLObject.{cipher,compression,get_*,getpeercert,pending,selected_*,shared_ciphers,version}",
        "ssl.SSLObject.{unwrap,verify_client_post_handshake}",
        "ssl.SSLSession.*",
    ),
}


def modules() -> Iterator[ModuleType]:
    """Yield the public modules of cryptography."""
    for found in pkgutil.walk_packages(cryptography.__path__, "cryptography."):
        if not any(part.startswith("_") for part in found.name.split(".")):
            yield importlib.import_module(found.name)


def short(name: str) -> str:
    """Return a public name as it is shown; cryptography's `hmac` is not Python's."""
    for prefix in "cryptography.", "hazmat.primitives.", "hazmat.decrepit.":
        name = name.removeprefix(prefix)
    return f"primitives.{name}" if name.startswith("hmac.") else name


def own(module: ModuleType, name: str) -> object | None:
    """Return what a module offers by that name, None when it is another's."""
    value: object = getattr(module, name)
    origin = getattr(value, "__module__", None) or "builtins"
    if not callable(value) or inspect.ismodule(value):
        return None
    foreign = origin.partition(".")[0] in sys.stdlib_module_names and origin != "builtins"
    return (
        None if foreign or (origin == "builtins" and getattr(sys.modules["builtins"], name, None)) else value
    )


def offered() -> dict[str, object]:
    """Return what cryptography offers by its public names, each thing by one of them."""
    places: dict[int, tuple[bool, str, object]] = {}
    for module in modules():
        listed = getattr(module, "__all__", None)
        for name in listed or (name for name in dir(module) if not name.startswith("_")):
            if (value := own(module, name)) is not None:
                at_home = getattr(value, "__module__", "") == module.__name__
                place = (not (at_home or listed), short(f"{module.__name__}.{name}"), value)
                places[id(value)] = min(places.get(id(value), place), place, key=lambda one: one[:2])
    return {name: value for _, name, value in places.values()}


def of_python() -> dict[str, object]:
    """Return what hashlib, hmac and ssl offer."""
    found = {f"hashlib.{name}": getattr(hashlib, name) for name in hashlib.__all__}
    found |= {f"hmac.{name}": getattr(hmac, name) for name in dir(hmac) if not name.startswith("_")}
    for name in dir(ssl):
        value = getattr(ssl, name)
        if not name.startswith("_") and getattr(value, "__module__", "") in ("ssl", "_ssl"):
            found[f"ssl.{name}"] = value
    return {name: value for name, value in found.items() if callable(value) and not inspect.ismodule(value)}


def operations() -> list[str]:
    """Return the public names for which there must be a case: functions, algorithms, and methods."""
    names: set[str] = set()
    for name, value in (offered() | of_python()).items():
        if not inspect.isclass(value):
            names.add(name)
        elif issubclass(value, DATA) or name.endswith("OID"):
            continue
        elif issubclass(value, ALGORITHMS):
            names.add(name)
        else:
            methods = (method for method in dir(value) if not method.startswith("_"))
            names |= {f"{name}.{method}" for method in methods if callable(getattr(value, method))}
    patterns = [one for group in NONE_OF.values() for pattern in group for one in expanded(pattern)]
    return sorted(name for name in names if not any(fnmatchcase(name, pattern) for pattern in patterns))
