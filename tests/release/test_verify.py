"""Evidence that is not as it has to be is found out, in one clear line."""

import base64
import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.release.conftest import HOST, Case, results
from tools.release import envelope, make, verify
from tools.release.__main__ import main

DAY = timedelta(days=1)


def test_what_is_as_it_should_be_passes(case: Case, snap_file: Path) -> None:
    assert case.problems() == []
    found = verify.verify(case.folder, case.policy(), case.time, snap_file)
    assert (found.problems, list(found.hosts)) == ([], [HOST])


def files(case: Case) -> list[Path]:
    return sorted(path for path in case.folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("change", ["a byte", "truncated", "empty", "gone", "a folder"])
def test_a_change_of_any_file_is_found(case: Case, change: str) -> None:
    """Each of the files, one after the other."""
    assert len(files(case)) == 11
    for path in files(case):
        content = path.read_bytes()
        path.unlink()
        if change == "a byte":
            # In the middle, and still text: a signature alone can tell.
            at = len(content) // 2
            path.write_bytes(
                content[:at] + (b"A" if content[at : at + 1] != b"A" else b"B") + content[at + 1 :]
            )
        elif change == "a folder":
            path.mkdir()
        elif change != "gone":
            path.write_bytes(content[: len(content) // 2] if change == "truncated" else b"")
        said = case.problems()
        assert said and "\n" not in said[0], path.name
        assert any(
            word in said[0] for word in ("missing", "changed", "truncated", "DSSE", "forged", "key")
        ), said
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        path.write_bytes(content)
    assert case.problems() == []


def test_a_file_that_nobody_signed_is_found(case: Case) -> None:
    (case.folder / "notes.txt").write_text("all is well")
    assert case.problems() == ["notes.txt belongs to no statement"]
    (case.folder / "notes.txt").unlink()
    (case.host / "notes.txt").write_text("all is well")
    assert case.problems()[0] == f"hosts/{HOST}: notes.txt belongs to no statement"


def test_evidence_of_another_snap_is_found(case: Case) -> None:
    other = case.folder.with_name("0" * 64)
    case.folder.rename(other)
    case.folder = other
    assert case.problems() == [f"build.dsse.json is about another snap ({case.about['sha256'][:12]})"]


def test_a_host_of_another_snap_is_found(case: Case) -> None:
    case.about = {**case.about, "sha256": "0" * 64}
    make.of_host(case.folder, case.about, case.seen, case.signer("laboratory"))
    assert case.problems()[0] == f"hosts/{HOST}: host.dsse.json is about another snap (000000000000)"


def test_a_snap_that_is_another_is_found(case: Case, tmp_path: Path) -> None:
    (tmp_path / "other.snap").write_bytes(b"another")
    found = verify.verify(case.folder, case.policy(), case.time, tmp_path / "other.snap")
    assert found.problems == [f"{tmp_path}/other.snap is not the snap that the evidence is of"]


def sign_again(case: Case, name: str, kind: str, change: Callable[[dict[str, Any]], None], by: str) -> None:
    """Sign a statement of the folder anew, with another predicate."""
    path = case.folder / name
    payload = json.loads(base64.b64decode(json.loads(path.read_text())["payload"]))
    change(payload["predicate"])
    path.write_text(envelope.sign(payload["subject"][0], kind, payload["predicate"], case.signer(by)))


def nothing(_predicate: dict[str, Any]) -> None:
    pass


def test_a_key_that_the_policy_does_not_have_is_found(case: Case) -> None:
    sign_again(case, "build.dsse.json", envelope.BUILD, nothing, "stranger")
    (said,) = case.problems()
    assert said.startswith("build.dsse.json is signed by a key that the policy does not have (")


def test_a_key_that_may_not_say_it_is_found(case: Case) -> None:
    sign_again(case, "build.dsse.json", envelope.BUILD, nothing, "laboratory")
    assert case.problems() == ["build.dsse.json is signed by laboratory, which may not say that"]


def test_a_key_that_may_not_speak_for_a_host_is_found(case: Case) -> None:
    case.rules["keys"]["laboratory"]["hosts"] = ["namespace-fips"]
    assert case.problems()[0] == (
        f"hosts/{HOST}: host.dsse.json is signed by laboratory, which may not speak for {HOST}"
    )


def test_a_key_that_pretends_to_be_another_is_found(case: Case) -> None:
    """The stranger's signature under the builder's key id."""
    path = case.folder / "build.dsse.json"
    (keyid,) = [each["keyid"] for each in json.loads(path.read_text())["signatures"]]
    sign_again(case, "build.dsse.json", envelope.BUILD, nothing, "stranger")
    content = json.loads(path.read_text())
    content["signatures"][0]["keyid"] = keyid
    path.write_text(json.dumps(content))
    assert case.problems() == ["build.dsse.json was changed after builder signed it, or is forged"]


def test_another_commit_is_found(case: Case) -> None:
    def change(predicate: dict[str, Any], _files: dict[str, bytes]) -> None:
        predicate["commit"] = "0" * 40

    case.see(change)
    assert case.problems()[0] == f"hosts/{HOST}: host.dsse.json is of another commit than the snap"


def test_another_host_is_found(case: Case) -> None:
    case.host.rename(case.host.with_name("debian-13-fips"))
    assert case.problems()[0] == "hosts/debian-13-fips: host.dsse.json is of another host (debian-12-fips)"
    (case.folder / "hosts/debian-13-fips").rename(case.folder / "hosts/mars")
    assert case.problems()[0] == "hosts/mars: the policy has no such host"


def test_a_missing_host_is_found(case: Case) -> None:
    shutil.rmtree(case.host)
    assert case.problems() == [f"{HOST}: there is no evidence that counts"]
    assert "rhel-9: there is no evidence that counts" in case.problems("candidate")


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_time_that_is_to_come_is_found(case: Case, by_hand: bool) -> None:
    if by_hand:
        said = case.problems(later=timedelta(hours=-1))[0]
        assert said.startswith("build.dsse.json is from the future (")
        return

    def change(predicate: dict[str, Any], _files: dict[str, bytes]) -> None:
        predicate["ended"] = "2099-01-01T00:00:00Z"

    case.see(change)
    assert case.problems()[0] == (
        f"hosts/{HOST}: host.dsse.json is from the future (2099-01-01T00:00:00Z):"
        " one of the two clocks is wrong"
    )


def test_a_clock_may_be_ahead_by_what_the_policy_says(case: Case) -> None:
    assert case.problems(later=timedelta(seconds=-200)) == []


def test_stale_evidence_is_found(case: Case) -> None:
    assert case.problems(later=29 * DAY) == []
    (said,) = case.problems(later=31 * DAY)
    assert said.startswith(f"{HOST}: older than 30 days (")


def test_a_time_before_the_snap_is_found(case: Case) -> None:
    def change(predicate: dict[str, Any], _files: dict[str, bytes]) -> None:
        predicate["started"] = "2001-01-01T00:00:00Z"

    case.see(change)
    assert case.problems()[0].startswith(f"hosts/{HOST}: host.dsse.json: it began before the snap was there")


@pytest.mark.parametrize(
    ("how", "expected"),
    [("failed", "failed"), ("skipped", "was skipped (there is no snapd)"), ("absent", "was not run")],
)
def test_a_required_test_that_did_not_pass_is_found(case: Case, how: str, expected: str) -> None:
    test = "tests/spread/snapd/renewal"

    def change(_predicate: dict[str, Any], files: dict[str, bytes]) -> None:
        files["junit.xml"] = results(**{how: test})

    case.see(change)
    assert case.problems() == [f"{HOST}: {test} {expected}"]


def test_counts_that_are_not_the_results_are_found(case: Case) -> None:
    """Signed by the laboratory itself, which says that more was passed than was."""
    predicate = {**case.seen.predicate, "tests": {"passed": 99, "failed": 0, "skipped": 0}}
    seen = type(case.seen)(case.seen.files, predicate, case.seen.results)
    make.of_host(case.folder, case.about, seen, case.signer("laboratory"))
    assert case.problems()[0] == f"hosts/{HOST}: host.dsse.json counts other tests than junit.xml has"


def other_flag(predicate: dict[str, Any], _files: dict[str, bytes]) -> None:
    predicate["kernel"]["flag"] = "0"


def other_verdict(predicate: dict[str, Any], files: dict[str, bytes]) -> None:
    predicate["doctor"] = {"verdict": "fips-off", "exit_status": 0}
    files["doctor.json"] = json.dumps(predicate["doctor"]).encode()


def verdict_of_its_own(_predicate: dict[str, Any], files: dict[str, bytes]) -> None:
    files["doctor.json"] = json.dumps({"verdict": "fips-off", "exit_status": 0}).encode()


def failed_self_test(_predicate: dict[str, Any], files: dict[str, bytes]) -> None:
    files["self-test.txt"] = b"HMAC : (Module_Integrity) : Fail\nINSTALL FAILED\n"


def hosts_libcrypto(_predicate: dict[str, Any], files: dict[str, bytes]) -> None:
    there = json.loads(files["libraries.json"])
    files["libraries.json"] = json.dumps({**there, "/usr/lib/libcrypto.so.3": "0" * 64}).encode()


def other_libssl(_predicate: dict[str, Any], files: dict[str, bytes]) -> None:
    there = json.loads(files["libraries.json"])
    there["/snap/certbot-fips/x1/usr/lib/libssl.so.3"] = "0" * 64
    files["libraries.json"] = json.dumps(there).encode()


def no_module(_predicate: dict[str, Any], files: dict[str, bytes]) -> None:
    there = json.loads(files["libraries.json"])
    files["libraries.json"] = json.dumps({k: v for k, v in there.items() if "fips.so" not in k}).encode()


def other_boundary(predicate: dict[str, Any], _files: dict[str, bytes]) -> None:
    predicate["boundary"]["libcrypto"] = 0


def other_version(predicate: dict[str, Any], _files: dict[str, bytes]) -> None:
    predicate["module"]["version"] = "3.0.8"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (other_flag, "the kernel's flag was not on"),
        (other_verdict, "the doctor's verdict was fips-off"),
        (verdict_of_its_own, "host.dsse.json says another verdict than doctor.json"),
        (failed_self_test, "the module's self-tests did not all pass (self-test.txt)"),
        (hosts_libcrypto, "in memory was /usr/lib/libcrypto.so.3, which is not the snap's"),
        (
            other_libssl,
            "in memory was /snap/certbot-fips/x1/usr/lib/libssl.so.3, which is not in the inventory",
        ),
        (no_module, "the module in memory was not the snap's"),
        (other_boundary, "host.dsse.json says another boundary than the inventory"),
        (other_version, "the module that was active has another version than the snap's"),
    ],
)
def test_a_host_without_fips_does_not_count(
    case: Case, change: Callable[[dict[str, Any], dict[str, bytes]], None], line: str
) -> None:
    case.see(change)
    assert case.problems() == [f"hosts/{HOST}: {line}", f"{HOST}: there is no evidence that counts"]


def test_a_claim_that_is_not_the_inventorys_is_found(case: Case) -> None:
    """Signed by the builder, who says of the module what the record in the snap does not."""
    module = json.loads((case.folder / "module.json").read_text())
    module |= {"validation": "validated, certificate #4985", "cmvp": "4985"}
    text = json.dumps(module).encode()
    (case.folder / "module.json").write_bytes(text)

    def change(predicate: dict[str, Any]) -> None:
        predicate["files"]["module.json"] = make.digests({"": text})[""]

    sign_again(case, "build.dsse.json", envelope.BUILD, change, "builder")
    assert case.problems() == ["bom.cdx.json says something else of the FIPS module than module.json"]


def test_a_provenance_of_another_commit_is_found(case: Case) -> None:
    def other(predicate: dict[str, Any]) -> None:
        predicate["buildDefinition"]["externalParameters"]["commit"] = "0" * 40

    sign_again(case, "provenance.dsse.json", envelope.PROVENANCE, other, "builder")
    assert case.problems() == ["provenance.dsse.json is of another commit than subject.json"]


def test_a_key_that_is_there_twice_is_found(case: Case) -> None:
    path = case.folder / "build.dsse.json"
    path.write_text(path.read_text().replace("{", '{"payloadType": "x",', 1))
    assert case.problems() == ["build.dsse.json is truncated or no JSON (a key is there twice)"]


def test_a_link_is_no_file(case: Case, tmp_path: Path) -> None:
    path = case.folder / "module.json"
    path.rename(tmp_path / "elsewhere.json")
    path.symlink_to(tmp_path / "elsewhere.json")
    assert case.problems() == ["module.json is missing or no file"]


def test_the_command_says_one_line_and_ends_with_1(
    case: Case, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    case.policy()
    words = ["verify", str(case.folder), "--policy", str(case.folder.parent / "policy.yaml")]
    assert main(words) == 0
    assert capsys.readouterr().out.endswith("the evidence is whole, and all that edge asks for is there\n")
    (case.folder / "subject.json").write_text("{")
    assert main(words) == 1
    assert capsys.readouterr().err == "verify: subject.json was changed after it was signed\n"
    assert main(["verify", str(tmp_path / "nothing")]) == 1
    assert capsys.readouterr().err == f"verify: there is no evidence in {tmp_path}/nothing\n"
    assert main([*words, "--now", "yesterday"]) == 1
    assert capsys.readouterr().err == "verify: --now: 'yesterday' is no time\n"
