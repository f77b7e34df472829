"""What the module refuses is an exception that callers are ready for, and costs Certbot no more than that."""

import datetime
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from tests.snap import operations
from tests.snap.support import LIVE, Certbot
from tools.hosts import NamespaceHost

#: How what a provider refuses begins, and OpenSSL's own words follow.
REFUSED = "Refused by OpenSSL's provider (are you in FIPS mode?): error:"
#: A request to report a bug, and a panic of Rust: no caller is ready for them.
UNEXPECTED = ("cryptography.exceptions.InternalError", "pyo3_runtime.PanicException")
EXPECTED = (
    "done",
    "cryptography.exceptions.UnsupportedAlgorithm",
    "builtins.ValueError",
    "builtins.TypeError",  # of arguments, on every host
    "cryptography.hazmat.bindings._rust.x509.VerificationError",
    "builtins.AssertionError: said to be invalid",  # by `is_signature_valid`, for which all that fails is
)
#: Where an OCSP responder listens.
PORT = 5080

Walks = tuple[dict[str, Any], dict[str, Any]]


def walk(host: NamespaceHost, kept: dict[str, str]) -> dict[str, Any]:
    """Run every operation of cryptography in the snap on a host, with what an earlier walk made."""
    script = Path(operations.__file__).read_text()
    command = ["certbot-fips.python3", "-W", "ignore", "-c", script]
    found: dict[str, Any] = json.loads(host.run(command, stdin=json.dumps(kept), timeout=300).check().stdout)
    return found


@pytest.fixture(scope="session")
def walks(unflagged: NamespaceHost, flagged: NamespaceHost) -> Walks:
    """What came of the operations without FIPS, and then with the same keys and messages under it."""
    free = walk(unflagged, {})
    return free, walk(flagged, free["kept"])


def done(found: dict[str, Any]) -> set[str]:
    return {case for case, end in found["came"].items() if end == "done"}


def told(found: dict[str, Any]) -> set[str]:
    """Return the cases that end with what a provider says."""
    return {case for case, end in found["came"].items() if REFUSED in end}


@pytest.mark.provider
def test_every_module_of_cryptography_has_cases(walks: Walks) -> None:
    free, fips = walks
    assert [module for module, covered in free["modules"].items() if not covered] == []
    assert free["came"].keys() == fips["came"].keys()


@pytest.mark.provider
def test_no_operation_ends_as_nobody_expects(walks: Walks) -> None:
    """Neither as a bug of cryptography, nor with the claim that a good signature is a bad one."""
    for found in walks:
        assert {case: end for case, end in found["came"].items() if not end.startswith(EXPECTED)} == {}


@pytest.mark.provider
def test_fips_refuses_much_and_offers_nothing_more(walks: Walks) -> None:
    """The control of the test before: there are refusals to tell of, each with OpenSSL's words."""
    free, fips = walks
    assert done(fips) <= done(free)
    assert len(told(fips) & done(free)) > 500


def test_without_fips_only_odd_digests_are_refused_in_signatures(walks: Walks) -> None:
    """And SHAKE in PBKDF2. ECDSA over SHAKE, and DSA over all of these, only since OpenSSL is told."""
    odd = "(sign|verify) (RSA.*blake2|(DSA|secp|brainpool).*shake|DSA.*(blake2|md5|sm3))|PBKDF2HMAC.*shake"
    assert [case for case in told(walks[0]) if not re.match(odd, case)] == []


@pytest.mark.provider
@pytest.mark.parametrize("key", ["secp256r1", "DSA-2048", "RSA-2048 EMSA-PKCS1-v1_5", "RSA-2048 EMSA-PSS"])
def test_the_module_is_told_the_digest(walks: Walks, provider: str, key: str) -> None:
    """So it refuses to sign over SHA-1 and MD5; an old signature over SHA-1 can still be verified."""
    free, fips = walks
    refused = {f"sign {key}{how}{digest}" for how in (" ", " prehashed ") for digest in ("sha1", "md5")}
    for case in refused:
        assert fips["came"][case].startswith("cryptography.exceptions.UnsupportedAlgorithm: "), case
    assert {case for case in refused if "sha1" in case} <= done(free)
    assert f"verify {key} sha1" in done(fips)
    signs = key != "DSA-2048" or provider in ("", "3.0.8")  # FIPS 186-5 has no DSA to sign with
    assert ({f"sign {key} sha256", f"sign {key} prehashed sha256"} <= done(fips)) == signs


#: Kinds of OCSP responder: what makes its key (openssl-genpkey(1)), and the digest of its answers, if any.
RESPONDERS = {
    "P-256": ("EC -pkeyopt ec_paramgen_curve:P-256", "sha256"),
    "MD5": ("RSA -pkeyopt rsa_keygen_bits:2048", "md5"),
    "RSA-512": ("RSA -pkeyopt rsa_keygen_bits:512", "sha256"),
    "secp256k1": ("EC -pkeyopt ec_paramgen_curve:secp256k1", "sha256"),
    "brainpool": ("EC -pkeyopt ec_paramgen_curve:brainpoolP256r1", "sha256"),
    "Ed25519": ("ED25519", ""),  # module 3.1.2 does not offer it, a later one does
}
NOW = datetime.datetime.now(datetime.UTC)


def made_key(kind: str) -> bytes:
    """Return a private key as PEM; the library of the tests makes no weak ones."""
    command = ["openssl", "genpkey", "-algorithm", *kind.split()]
    return subprocess.run(command, check=True, capture_output=True).stdout


def certificate(name: str, key: bytes, issuer: bytes, *extensions: x509.ExtensionType) -> bytes:
    """Return a certificate as PEM; its authority has the name `issuer` and that key."""
    common = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (name, "issuer")]
    owner: Any = load_pem_private_key(key, None)
    signer: Any = load_pem_private_key(issuer, None)
    builder = x509.CertificateBuilder().subject_name(common[0]).issuer_name(common[1]).serial_number(1)
    builder = builder.public_key(owner.public_key()).not_valid_before(NOW - datetime.timedelta(1))
    builder = builder.not_valid_after(NOW + datetime.timedelta(80))
    for extension in extensions:
        builder = builder.add_extension(extension, False)
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM)


def lay(host: NamespaceHost, name: str, server: str, files: dict[str, bytes]) -> None:
    """Make a lineage of Certbot's."""
    etc = host.path("/etc/letsencrypt")
    for folder in (etc / "archive" / name, etc / "live" / name, etc / "renewal"):
        folder.mkdir(parents=True, exist_ok=True)
    files["fullchain"] = files["cert"] + files["chain"]
    for kind, text in files.items():
        (etc / "archive" / name / f"{kind}1.pem").write_bytes(text)
        (etc / "live" / name / f"{kind}.pem").symlink_to(f"../../archive/{name}/{kind}1.pem")
    lines = [f"{kind} = {LIVE}/{name}/{kind}.pem" for kind in files]
    lines += ["[renewalparams]", "authenticator = standalone", f"server = {server}"]
    (etc / "renewal" / f"{name}.conf").write_text("\n".join(lines))


@contextmanager
def lineage(host: NamespaceHost, kind: str, server: str) -> Iterator[str]:
    """A lineage whose certificate a responder of this kind says to be revoked, and that responder."""
    name = f"{kind.lower()}.example.org"
    usual = RESPONDERS["P-256"][0]
    own, issuer, responder = made_key(usual), made_key(usual), made_key(RESPONDERS[kind][0])
    asked = x509.UniformResourceIdentifier(f"http://localhost:{PORT}/")
    access = x509.AuthorityInformationAccess(
        [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, asked)]
    )
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    chain = certificate("issuer", issuer, issuer, x509.BasicConstraints(True, None))
    lay(
        host,
        name,
        server,
        {"cert": certificate(name, own, issuer, access, names), "chain": chain, "privkey": own},
    )
    folder = host.path("/run/ocsp")
    folder.mkdir(exist_ok=True)
    allowed = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
    (folder / "signer.pem").write_bytes(certificate("responder", responder, issuer, allowed))
    (folder / "signer.key").write_bytes(responder)
    (folder / "issuer.pem").write_bytes(chain)
    # openssl-ca(1): state, end of validity, revocation, serial number, file, subject
    day = "%y%m%d%H%M%SZ"
    (folder / "index").write_text(
        f"R\t{NOW + datetime.timedelta(80):{day}}\t{NOW:{day}}\t01\tunknown\t/CN={name}\n"
    )
    signer = "-CA issuer.pem -rsigner signer.pem -rkey signer.key -resp_key_id"
    listen = f"openssl ocsp -port {PORT} -index index {signer}"
    digest = RESPONDERS[kind][1]
    script = f"setsid {listen} {digest and f'-rmd {digest}'} > log 2>&1 < /dev/null & echo $!"
    pid = host.run(["sh", "-c", script], cwd="/run/ocsp").check().stdout.strip()
    try:
        host.run(["sh", "-c", "until grep -q ACCEPT /run/ocsp/log; do sleep 0.01; done"], timeout=10)
        yield name
    finally:
        host.run(["kill", pid])
        etc = "/etc/letsencrypt"
        left = f"/run/ocsp {etc}/live/{name} {etc}/archive/{name} {etc}/renewal/{name}.conf"
        host.run(["rm", "-r", *left.split()]).check()


@pytest.mark.provider
@pytest.mark.parametrize("kind", [kind for kind in RESPONDERS if kind != "Ed25519"])
def test_an_ocsp_answer_costs_a_warning(certbot: Certbot, flagged: NamespaceHost, kind: str) -> None:
    """The control is the answer that is believed: without FIPS each is."""
    believed = kind == "P-256" or certbot.host is not flagged
    with lineage(certbot.host, kind, certbot.acme.directory) as name:
        listed = certbot("certificates", "--cert-name", name).check()
        assert f"Certificate Name: {name}" in listed.stdout
        assert ("(INVALID: REVOKED)" in listed.stdout) == believed
        assert (REFUSED in listed.stderr) != believed
        if not believed:
            assert "(VALID: 79 days)" in listed.stdout
            renewed = certbot("renew", "--cert-name", name, "--no-random-sleep-on-renew").check()
            assert "No renewals were attempted" in renewed.stdout


def test_an_ocsp_answer_by_a_key_that_the_module_does_not_offer(
    certbot: Certbot, flagged: NamespaceHost
) -> None:
    """Certbot does not know it either, and warns on each host."""
    with lineage(certbot.host, "Ed25519", certbot.acme.directory) as name:
        listed = certbot("certificates", "--cert-name", name).check()
    assert "(VALID: 79 days)" in listed.stdout
    assert (REFUSED if certbot.host is flagged else "no signature hash algorithm") in listed.stderr


@pytest.mark.provider
@pytest.mark.parametrize(("curve", "name_in_openssl"), [("secp384r1", "P-384"), ("secp256k1", "secp256k1")])
def test_a_reused_key_that_the_module_refuses(
    fips_certbot: Certbot, curve: str, name_in_openssl: str
) -> None:
    """One failed renewal, told in OpenSSL's words; the control is a key that it takes."""
    host, name = fips_certbot.host, f"reused-{curve}.example.org"
    fips_certbot.issue(name)
    own = made_key(f"EC -pkeyopt ec_paramgen_curve:{name_in_openssl}")
    host.path(f"/etc/letsencrypt/archive/{name}/privkey1.pem").write_bytes(own)
    with host.path(f"/etc/letsencrypt/renewal/{name}.conf").open("a") as config:
        config.write(f"elliptic_curve = {curve}\n")
    how = ("--force-renewal", "--reuse-key", "--no-random-sleep-on-renew")
    renewed = fips_certbot("renew", "--cert-name", name, *how)
    if curve == "secp384r1":
        assert "all renewals succeeded" in renewed.check().stdout
    else:
        assert renewed.returncode == 1
        assert f"Failed to renew certificate {name} with error: {REFUSED}" in renewed.stderr
        assert "1 renew failure(s), 0 parse failure(s)" in renewed.stderr


def test_revocation_by_a_key_that_the_module_does_not_offer(certbot: Certbot, flagged: NamespaceHost) -> None:
    """The file is known for a key, and not taken for the secret of an HMAC."""
    own = made_key("ED25519")
    folder = certbot.host.path("/run/ed25519")
    folder.mkdir()
    (folder / "cert.pem").write_bytes(certificate("a", own, made_key(RESPONDERS["P-256"][0])))
    (folder / "key.pem").write_bytes(own)
    files = ("--cert-path", "/run/ed25519/cert.pem", "--key-path", "/run/ed25519/key.pem")
    result = certbot("revoke", *files)
    certbot.host.run(["rm", "-r", "/run/ed25519"]).check()
    assert result.returncode == 1
    refused = f"UnsupportedAlgorithm: {REFUSED}"
    assert (refused if certbot.host is flagged else "Unsupported algorithm: ") in result.stderr
