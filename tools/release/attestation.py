"""Statements that a run of the CI has signed by what it is (GitHub's actions/attest): Sigstore's bundles.

A bundle has a certificate that names the workflow, for ten minutes, and the entry of a public log that shows
when it was used. Both are verified offline, by the roots of trust that the pinned library brings.
"""

from __future__ import annotations

import base64
import binascii
import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat import asn1

from tools.release import texts
from tools.release.errors import ReleaseError

if TYPE_CHECKING:
    from sigstore.verify import Verifier

SUFFIX = ".sigstore.json"
#: Who says to Sigstore what a run is; and of the machines that it may be on those that are GitHub's.
ISSUER = "https://token.actions.githubusercontent.com"
HOSTED = "github-hosted"
ROOTS = "https://tuf-repo-cdn.sigstore.dev"
#: Fulcio's extensions of certificates: the commit that the run is of.
COMMIT = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.13")


def signed_by(text: bytes, name: str) -> str:
    """Return the workflow that a bundle's certificate names, which nothing has verified yet.

    :returns: https://github.com/OWNER/NAME/.github/workflows/FILE@REF.
    :raises ReleaseError: it is no bundle of a workflow.
    """
    names = _subject(_bundle(text, name).signing_certificate, name)
    if len(names) != 1:
        raise ReleaseError(f"{name} is signed by no workflow")
    return names[0]


def verified(text: bytes, name: str, workflow: str) -> tuple[str, bytes, str]:
    """Return type and payload of what a workflow has signed, and the commit that its run was of.

    :param workflow: that has to have signed it, as `signed_by` returns it.
    :raises ReleaseError: it has not, not on a machine of GitHub's, or the bundle was changed.
    """
    from sigstore.errors import Error
    from sigstore.verify import policy

    bundle = _bundle(text, name)
    wanted = policy.AllOf(
        [policy.Identity(identity=workflow, issuer=ISSUER), policy.OIDCRunnerEnvironment(HOSTED)]
    )
    try:
        kind, payload = _verifier().verify_dsse(bundle, wanted)
    except (Error, ValueError, TypeError) as error:
        why = " ".join(str(error).split())[:160]
        raise ReleaseError(f"{name} was changed after {workflow} signed it, or is forged ({why})") from error
    return kind, payload, _commit(bundle.signing_certificate, name)


def payload(text: bytes, name: str) -> Any:
    """Return the statement in a bundle, which nothing has verified.

    :raises ReleaseError: it has none.
    """
    try:
        inside = texts.parse(text, name)["dsseEnvelope"]["payload"]
        return texts.parse(base64.b64decode(inside, validate=True), name)
    except (KeyError, TypeError, binascii.Error) as error:
        raise ReleaseError(f"{name} is no bundle with a statement") from error


def _bundle(text: bytes, name: str) -> Any:
    from sigstore.models import Bundle, InvalidBundle

    try:
        return Bundle.from_json(json.dumps(texts.parse(text, name)))
    except (InvalidBundle, ValueError) as error:
        raise ReleaseError(f"{name} is no Sigstore bundle") from error


@cache
def _verifier() -> Verifier:
    # Not what a library keeps in a folder of the user's, and asks the network for.
    from sigstore.models import TrustedRoot
    from sigstore.verify import Verifier

    roots = resources.files("sigstore") / "_store" / quote(ROOTS, safe="") / "trusted_root.json"
    with resources.as_file(roots) as file:
        return Verifier(trusted_root=TrustedRoot.from_file(str(file)))


def _subject(certificate: x509.Certificate, name: str) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return found.get_values_for_type(x509.UniformResourceIdentifier)
    except (x509.ExtensionNotFound, ValueError) as error:
        raise ReleaseError(f"{name} is signed by no workflow") from error


def _commit(certificate: x509.Certificate, name: str) -> str:
    try:
        value = certificate.extensions.get_extension_for_oid(COMMIT).value
        return asn1.decode_der(str, value.value)  # type: ignore[attr-defined]
    except (x509.ExtensionNotFound, ValueError) as error:
        raise ReleaseError(f"{name} is of a run that names no commit") from error
