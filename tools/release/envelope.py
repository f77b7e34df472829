"""Signed statements: in-toto's (Statement v1) in DSSE envelopes, which say who signed what, byte for byte.

Who signs has a key of the policy, and the file is NAME.dsse.json; or is a run of a workflow that the policy
names, and it is NAME.sigstore.json.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import Signer

from tools.release import attestation, texts
from tools.release.errors import ReleaseError
from tools.release.policy import Authority

PAYLOAD = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
SUFFIX = ".dsse.json"
#: The kinds of statement, by what their files are named.
BUILD, HOST, RUN, APPROVAL, RELEASE = (
    f"urn:certbot-fips:evidence:{each}:v1" for each in ("build", "host", "run", "approval", "release")
)
PROVENANCE = "https://slsa.dev/provenance/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
SUMMARY = "https://in-toto.io/attestation/svr/v0.1"


@dataclass(frozen=True)
class Said:
    """A statement whose signature was verified.

    :ivar by: who said it.
    :ivar name: of the file.
    :ivar commit: of the run that signed it; None: it was signed by a key.
    """

    predicate: dict[str, Any]
    by: Authority
    name: str
    commit: str | None = None


def sign(subject: dict[str, Any], kind: str, predicate: dict[str, Any], signer: Signer) -> str:
    """Return the file of a signed statement.

    :param subject: name and digests of what it is about (in-toto, ResourceDescriptor).
    :param kind: the type of the predicate.
    """
    statement = {"_type": STATEMENT, "subject": [subject], "predicateType": kind, "predicate": predicate}
    envelope = Envelope(json.dumps(statement, sort_keys=True, ensure_ascii=False).encode(), PAYLOAD, {})
    envelope.sign(signer)
    return texts.dump(envelope.to_dict())


def answer(channel: str, yes: bool) -> str:
    """Return what was decided as a property of in-toto's simple verification result (:data:`SUMMARY`)."""
    return f"CERTBOT_FIPS_CHANNEL_{channel.upper()}_{'YES' if yes else 'NO'}"


def opened(path: Path, kind: str, digest: str, authorities: tuple[Authority, ...]) -> Said:
    """Return what a file says, once its signature is verified; nothing in it is looked at before.

    :param path: NAME.dsse.json; where there is none, NAME.sigstore.json beside it is read.
    :param kind: what it has to be.
    :param digest: hex sha256 of the snap that it has to be about, and about nothing else.
    :raises ReleaseError: it is not so, or no key of the policy signed it.
    """
    bundle = path.with_name(path.name.removesuffix(SUFFIX) + attestation.SUFFIX)
    if not path.exists() and bundle.exists():
        return _attested(bundle, kind, digest, authorities)
    content = texts.parse(texts.read(path), path.name)
    try:
        envelope = Envelope.from_dict(content)
        signed_by = sorted(envelope.signatures)
        ours = [each for each in authorities if each.key and each.key.keyid in envelope.signatures]
    except Exception as error:  # whatever a library makes of a file that is none
        raise ReleaseError(f"{path.name} is no DSSE envelope") from error
    if not ours:
        named = signed_by[0][:12] if signed_by else "none"
        raise ReleaseError(f"{path.name} is signed by a key that the policy does not have ({named})")
    by = ours[0]
    assert by.key is not None
    try:
        envelope.verify([by.key], 1)
    except (VerificationError, ValueError) as error:
        raise ReleaseError(f"{path.name} was changed after {by.name} signed it, or is forged") from error
    said = _predicate(envelope.payload_type, envelope.payload, path.name, kind, digest)
    return Said(said, by, path.name)


def _attested(path: Path, kind: str, digest: str, authorities: tuple[Authority, ...]) -> Said:
    text = texts.read(path)
    workflow = attestation.signed_by(text, path.name)
    by = next((each for each in authorities if each.workflow == workflow), None)
    if by is None:
        raise ReleaseError(f"{path.name} is signed by a workflow that the policy does not have ({workflow})")
    form, payload, commit = attestation.verified(text, path.name, workflow)
    return Said(_predicate(form, payload, path.name, kind, digest), by, path.name, commit)


def _predicate(form: str, payload: bytes, name: str, kind: str, digest: str) -> dict[str, Any]:
    statement = texts.parse(payload, name)
    if form != PAYLOAD or not isinstance(statement, dict):
        raise ReleaseError(f"{name} is no in-toto statement")
    if statement.get("_type") != STATEMENT or not isinstance(statement.get("predicate"), dict):
        raise ReleaseError(f"{name} is no in-toto statement")
    if statement.get("predicateType") != kind:
        raise ReleaseError(f"{name} says something else: {str(statement.get('predicateType'))[:80]}")
    subjects = statement.get("subject")
    try:
        digests = [each["digest"]["sha256"] for each in subjects or []]
    except (TypeError, KeyError) as error:
        raise ReleaseError(f"{name} is about nothing that has a sha256") from error
    if digests != [digest]:
        raise ReleaseError(f"{name} is about another snap ({str(digests[0] if digests else 'none')[:12]})")
    found: dict[str, Any] = statement["predicate"]
    return found
