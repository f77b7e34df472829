"""What a run of the CI has signed counts when the policy names its workflow, and Sigstore's proof holds.

Those here are others', as Sigstore's public log has them: see `attestations`.
"""

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.release.attestations import GITHUB, GITLAB, bundle
from tests.release.conftest import HOST, Case
from tools.release import attestation, envelope, make, verify
from tools.release.__main__ import main
from tools.release.envelope import Said
from tools.release.errors import ReleaseError
from tools.release.policy import Authority

NAME = "host.sigstore.json"
WORKFLOW = "https://github.com/trailofbits/pypi-attestations/.github/workflows/release.yml@refs/tags/v0.0.19"
COMMIT = "4d3a7e3a4dd9ffaa5bf6bd8df8a2c2c9b2cdc5d5"
#: What that run signed.
SDIST = "9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3"


def test_a_real_bundle_is_verified_without_a_network() -> None:
    text = bundle(GITHUB).encode()
    assert attestation.signed_by(text, NAME) == WORKFLOW
    kind, payload, commit = attestation.verified(text, NAME, WORKFLOW)
    assert kind == envelope.PAYLOAD
    assert json.loads(payload)["subject"][0]["digest"] == {"sha256": SDIST}
    assert len(commit) == 40


def changed(change: Callable[[dict[str, Any]], None]) -> bytes:
    content = json.loads(bundle(GITHUB))
    change(content)
    return json.dumps(content).encode()


def other_payload(content: dict[str, Any]) -> None:
    statement = base64.b64decode(content["dsseEnvelope"]["payload"]).replace(SDIST.encode(), b"0" * 64)
    content["dsseEnvelope"]["payload"] = base64.b64encode(statement).decode()


def other_signature(content: dict[str, Any]) -> None:
    foreign = json.loads(bundle(GITLAB))
    content["dsseEnvelope"]["signatures"] = foreign["dsseEnvelope"]["signatures"]


def other_certificate(content: dict[str, Any]) -> None:
    material = content["verificationMaterial"]["certificate"]
    der = bytearray(base64.b64decode(material["rawBytes"]))
    at = der.index(b"pypi-attestations")
    der[at] ^= 1
    material["rawBytes"] = base64.b64encode(der).decode()


def other_time(content: dict[str, Any]) -> None:
    content["verificationMaterial"]["tlogEntries"][0]["integratedTime"] = "1"


def no_log(content: dict[str, Any]) -> None:
    content["verificationMaterial"]["tlogEntries"] = []


def other_entry(content: dict[str, Any]) -> None:
    foreign = json.loads(bundle(GITLAB))
    content["verificationMaterial"]["tlogEntries"] = foreign["verificationMaterial"]["tlogEntries"]


@pytest.mark.parametrize(
    "change", [other_payload, other_signature, other_certificate, other_time, no_log, other_entry]
)
def test_a_change_is_found(change: Callable[[dict[str, Any]], None]) -> None:
    text = changed(change)
    with pytest.raises(ReleaseError, match=rf"^{NAME} (was changed after|is no Sigstore bundle)") as caught:
        attestation.verified(text, NAME, attestation.signed_by(text, NAME))
    assert len(str(caught.value).splitlines()) == 1


def test_another_workflow_or_issuer_is_refused() -> None:
    with pytest.raises(
        ReleaseError, match=r"was changed after https://github\.com/a/b signed it, or is forged"
    ):
        attestation.verified(bundle(GITHUB).encode(), NAME, "https://github.com/a/b")
    text = bundle(GITLAB).encode()
    with pytest.raises(ReleaseError, match="OIDCIssuer"):
        attestation.verified(text, NAME, attestation.signed_by(text, NAME))


@pytest.mark.parametrize("text", [b"", b"{}", b"null", b"[1]", b'{"dsseEnvelope": {"payload": 1}}'])
def test_what_is_no_bundle_is_refused(text: bytes) -> None:
    for ask in (attestation.signed_by, attestation.payload):
        with pytest.raises(ReleaseError, match=f"^{NAME} is ") as caught:
            ask(text, NAME)
        assert len(str(caught.value).splitlines()) == 1


def test_no_workflow_counts_that_the_policy_does_not_have(case: Case) -> None:
    """As in the project's own policy, which has none."""
    (case.host / "host.dsse.json").unlink()
    (case.host / NAME).write_text(bundle(GITHUB))
    assert case.problems()[0] == (
        f"hosts/{HOST}: {NAME} is signed by a workflow that the policy does not have ({WORKFLOW})"
    )


def authorities() -> tuple[Authority, ...]:
    may, channels = frozenset(["host"]), frozenset(["edge"])
    return (Authority("ci", None, may, None, channels, workflow=WORKFLOW),)


def test_of_a_workflow_that_the_policy_has_the_statement_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(bundle(GITHUB))
    path = tmp_path / "host.dsse.json"
    said = envelope.opened(path, envelope.PROVENANCE, SDIST, authorities())
    assert (said.by.name, said.name) == ("ci", NAME)
    assert said.commit is not None
    with pytest.raises(ReleaseError, match=f"{NAME} says something else: https://slsa.dev/provenance/v1"):
        envelope.opened(path, envelope.HOST, SDIST, authorities())
    with pytest.raises(ReleaseError, match=f"{NAME} is about another snap"):
        envelope.opened(path, envelope.PROVENANCE, "0" * 64, authorities())


def test_what_a_run_of_another_commit_says_does_not_count(case: Case) -> None:
    found = verify.Evidence(case.folder, subject=case.about)
    verify._of_commit(found, Said({}, authorities()[0], NAME, case.about["commit"]))
    with pytest.raises(ReleaseError, match=f"{NAME} was signed by a run of another commit"):
        verify._of_commit(found, Said({}, authorities()[0], NAME, COMMIT))


RAN = {
    "run": "campaign",
    "commit": COMMIT,
    "command": ["true"],
    "started": "2026-11-27T00:00:00Z",
    "ended": "2026-11-27T00:00:00Z",
    "seconds": 1.0,
    "exit_status": 0,
    "machine": "a stand-in",
}


def as_bundle(case: Case, kind: str, predicate: dict[str, Any]) -> bytes:
    """A stand-in for what actions/attest writes: the statement is right, and nobody has signed it."""
    statement = {
        "_type": envelope.STATEMENT,
        "subject": [{"name": case.about["file"], "digest": {"sha256": case.about["sha256"]}}],
        "predicateType": kind,
        "predicate": predicate,
    }
    content = json.loads(bundle(GITHUB))
    content["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    return json.dumps(content).encode()


def test_what_was_signed_elsewhere_comes_to_what_it_is_about(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And is not believed for that."""
    unsigned, file = tmp_path / "unsigned", tmp_path / "attestation.json"
    shutil.rmtree(case.host)
    make.of_host(case.folder, case.about, case.seen, unsigned)
    assert sorted(path.name for path in unsigned.iterdir()) == ["host.json", "test-result.json"]
    assert not list(case.host.glob("*.dsse.json"))
    for name, kind in (("test-result", envelope.TEST_RESULT), ("host", envelope.HOST)):
        file.write_bytes(as_bundle(case, kind, json.loads((unsigned / f"{name}.json").read_text())))
        assert main(["attested", str(file), "--below", str(case.folder.parent)]) == 0
        assert capsys.readouterr().out == f"{case.host}/{name}.sigstore.json\n"
    assert "is signed by a workflow that the policy does not have" in case.problems()[0]
    file.write_bytes(bundle(GITHUB).encode())
    assert main(["attested", str(file), "--below", str(case.folder.parent)]) == 1
    assert capsys.readouterr().err == (
        f"attested: attestation.json says nothing of what is below {case.folder.parent}\n"
    )


def test_the_builders_statements_and_a_runs_do_too(
    case: Case, snap_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unsigned, below, file = tmp_path / "unsigned", tmp_path / "evidence", tmp_path / "attestation.json"
    words = ["evidence", "--build", "--snap", str(snap_file), "--below", str(below)]
    assert main([*words, "--unsigned", str(unsigned)]) == 0
    (folder,) = below.iterdir()
    make.of_run(folder, case.about, b"said", RAN, unsigned)
    capsys.readouterr()
    for name, kind, where in (
        ("provenance", envelope.PROVENANCE, ""),
        ("build", envelope.BUILD, ""),
        ("run", envelope.RUN, "runs/campaign/"),
    ):
        file.write_bytes(as_bundle(case, kind, json.loads((unsigned / f"{name}.json").read_text())))
        assert main(["attested", str(file), "--below", str(below)]) == 0
        assert capsys.readouterr().out == f"{folder}/{where}{name}.sigstore.json\n"
    assert sorted(path.name for path in unsigned.iterdir()) == ["build.json", "provenance.json", "run.json"]


def test_a_statement_is_there_in_one_form(case: Case) -> None:
    (case.host / NAME).write_text(bundle(GITHUB))
    assert case.problems()[0] == f"hosts/{HOST}: {NAME} belongs to no statement"
