"""A decision is no by default, and says why, line by line; a key for a try never says more than edge."""

import base64
import json
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from tests.release.conftest import HOST, Case
from tools.digest import sha256
from tools.release import decide, envelope, keys, make, policy
from tools.release.__main__ import main
from tools.release.errors import ReleaseError


def reasons(case: Case, to: str) -> tuple[str, ...]:
    return decide.decide(case.folder, case.policy(), to, case.time).reasons


def test_a_host_is_enough_for_edge_and_not_for_beta(case: Case) -> None:
    assert reasons(case, "edge") == ()
    beta = reasons(case, "beta")
    assert "ubi-9: there is no evidence that counts" in beta
    assert not [line for line in beta if line.partition(":")[0] == HOST]


def test_changes_that_are_not_committed_stay_at_edge(case: Case) -> None:
    said = "the snap was built from changes that are not committed"
    clean = not case.about["changed"] and case.about["commit"] != "unknown"
    assert (said in reasons(case, "beta")) is not clean
    assert said not in reasons(case, "edge")


def test_candidate_wants_what_no_host_shows(case: Case) -> None:
    assert {
        f"{run}: there is no evidence that counts" for run in ("campaign", "boundary", "suites", "reproduce")
    } <= set(reasons(case, "candidate"))


def test_stable_wants_the_modules_origin_first_and_a_person(case: Case) -> None:
    module = json.loads((case.folder / "module.json").read_text())
    found = decide.decide(case.folder, case.policy(), "stable", case.time)
    assert not found.yes
    if module["cmvp"] == "not validated":
        assert found.line.startswith("stable: no, because the module's origin is not its policy's (")
    assert "no person has approved it for stable" in found.reasons
    assert "it was not released to candidate" in found.reasons


def test_nothing_is_no(case: Case, tmp_path: Path) -> None:
    found = decide.decide(tmp_path / ("0" * 64), case.policy(), "edge", case.time)
    assert found.line == f"edge: no, because there is no evidence in {tmp_path}/{'0' * 64}"


@pytest.mark.parametrize("to", policy.CHANNELS)
def test_evidence_that_is_damaged_is_no_for_every_channel(case: Case, to: str) -> None:
    (case.folder / "subject.json").write_text("{}")
    assert reasons(case, to) == ("subject.json was changed after it was signed",)


def trial(case: Case, channels: list[str] | None = None) -> policy.Policy:
    """The policy without keys, and the case's keys as such that were made for a try."""
    case.rules["keys"] = {}
    if channels is not None:
        case.rules["trial"]["channels"] = channels
    public = [case.pairs[name].with_suffix(".pub") for name in ("builder", "laboratory")]
    return case.policy().with_trial(public)


def test_a_key_for_a_try_says_edge_and_nothing_more(case: Case) -> None:
    rules = trial(case)
    assert decide.decide(case.folder, rules, "edge", case.time).yes
    beta = decide.decide(case.folder, rules, "beta", case.time).reasons
    assert "the snap: signed by a key made for a try, which says nothing for beta" in beta
    assert f"{HOST}: signed by a key made for a try, which says nothing for beta" in beta


def test_no_policy_lets_a_key_for_a_try_say_beta(case: Case) -> None:
    with pytest.raises(ReleaseError, match=r"policy\.yaml: trial/channels/1: 'edge' was expected"):
        trial(case, ["edge", "beta"])


def test_a_key_of_the_policy_says_no_more_as_one_for_a_try(case: Case) -> None:
    """Named on the command line too, it is what the policy says of it."""
    rules = case.policy().with_trial([case.pairs["person"].with_suffix(".pub")])
    assert [each.name for each in rules.authorities] == ["builder", "laboratory", "person"]


def test_a_decision_is_a_signed_statement(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case.policy()
    rules = case.folder.parent / "policy.yaml"
    out = tmp_path / "decision.dsse.json"
    words = ["decide", str(case.folder), "--policy", str(rules), "--to", "stable"]
    assert main([*words, "--sign", str(case.pairs["person"]), "--out", str(out)]) == 1
    assert capsys.readouterr().out.startswith("stable: no, because ")
    person = case.policy().authorities
    said = envelope.opened(out, envelope.SUMMARY, case.about["sha256"], person)
    assert said.by.name == "person"
    assert said.predicate["properties"] == [
        "CERTBOT_FIPS_CHANNEL_STABLE_NO",
        f"CERTBOT_FIPS_POLICY_SHA256_{sha256(rules)}",
    ]


def test_it_is_said_in_one_line(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    case.policy()
    words = ["decide", str(case.folder), "--policy", str(case.folder.parent / "policy.yaml"), "--short"]
    assert main(words) == 0
    assert main([*words, "--to", "beta"]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first == "edge: yes"
    assert second.startswith("beta: no, because ")


def test_stale_evidence_is_no(case: Case) -> None:
    found = decide.decide(case.folder, case.policy(), "edge", case.time + timedelta(days=31))
    assert found.line.startswith(f"edge: no, because {HOST}: older than 30 days (")


def test_openssl_verifies_a_signature_too(case: Case) -> None:
    """An auditor needs none of our code: the DSSE pre-authentication encoding, and the openssl program."""
    content = json.loads((case.folder / "build.dsse.json").read_text())
    payload, kind = base64.b64decode(content["payload"]), content["payloadType"].encode()
    encoded = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    (case.folder.parent / "sig").write_bytes(base64.b64decode(content["signatures"][0]["sig"]))
    public = case.pairs["builder"].with_suffix(".pub")
    command = [
        "openssl",
        "dgst",
        "-sha256",
        "-verify",
        str(public),
        "-signature",
        str(case.folder.parent / "sig"),
    ]
    done = subprocess.run(command, input=encoded, capture_output=True)
    assert done.stdout == b"Verified OK\n"
    assert subprocess.run(command, input=encoded + b"x", capture_output=True).returncode == 1


def test_a_key_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    public = keys.make(tmp_path / "new" / "trial.pem")
    first = public.read_text()
    assert (tmp_path / "new" / "trial.pem").stat().st_mode & 0o777 == 0o600
    assert keys.make(tmp_path / "new" / "trial.pem").read_text() == first
    with pytest.raises(ReleaseError, match=r"trial\.pub: no private key in PEM"):
        keys.signer(public)
    with pytest.raises(ReleaseError, match=r"trial\.pem: no public key in PEM"):
        keys.public(tmp_path / "new" / "trial.pem")
    with pytest.raises(ReleaseError, match=r"none\.pem is missing or no file"):
        keys.signer(tmp_path / "none.pem")


def test_the_projects_own_policy_has_no_key_yet() -> None:
    """So that nothing beyond edge can be said before a person has put one in."""
    assert policy.load().authorities == ()
    assert yaml.safe_load(policy.FILE.read_text())["trial"]["channels"] == ["edge"]


def test_the_evidence_of_a_snap_is_named_by_it(case: Case, snap_file: Path) -> None:
    assert make.folder_of(sha256(snap_file)).name == case.about["sha256"]
