"""A long run counts when it is the policy's command, ended well and says what it has to."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.release.conftest import Case
from tools.release import make, policy, runs, texts
from tools.release.__main__ import main
from tools.release.errors import ReleaseError
from tools.release.policy import Run

SAID = b"...\n10000 cases, silent = 0, 0 not as it should be; seed 1, 14.1 minutes\n"


def lay(case: Case, transcript: bytes = SAID, by: str = "laboratory", **changed: Any) -> None:
    """Sign a run of the campaign, which nobody waited for."""
    command = ["python3", "-m", *case.policy().runs["campaign"].command]
    seen: dict[str, Any] = {
        "run": "campaign",
        "commit": case.about["commit"],
        "machine": "a stand-in",
        "command": command,
        "started": texts.stamp(case.time - timedelta(minutes=2)),
        "ended": texts.stamp(case.time),
        "seconds": 120.0,
        "exit_status": 0,
    }
    make.of_run(case.folder, case.about, transcript, {**seen, **changed}, case.signer(by))


def test_a_run_that_ended_well_counts(case: Case) -> None:
    lay(case)
    assert case.problems() == []
    assert "campaign: there is no evidence that counts" not in case.problems("candidate")
    shutil.rmtree(case.folder / "runs")
    assert "campaign: there is no evidence that counts" in case.problems("candidate")


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"exit_status": 1}, "it ended with 1"),
        ({"transcript": SAID.replace(b"0 not", b"1 not")}, "it does not say ^10000 cases, silent = 0, 0 not"),
        ({"transcript": b"10 cases, silent = 0, 0 not as it should be"}, "it does not say ^10000 cases"),
        ({"command": ["python3", "-m", "tools.campaign", "--cases", "1"]}, "it is another command than the"),
        ({"commit": "0" * 40}, "run.dsse.json is of another commit than the snap"),
        ({"by": "builder"}, "run.dsse.json is signed by builder, which may not say that"),
        ({"by": "stranger"}, "run.dsse.json is signed by a key that the policy does not have"),
    ],
)
def test_a_run_that_shows_something_else_does_not(case: Case, changed: dict[str, Any], line: str) -> None:
    lay(case, **changed)
    (said,) = case.problems()
    assert said.startswith(f"runs/campaign: {line}")


def test_a_transcript_that_was_changed_is_found(case: Case) -> None:
    lay(case, transcript=b"10000 cases, silent = 9, 9 not as it should be\n")
    (case.folder / "runs/campaign/transcript.txt").write_bytes(SAID)
    assert case.problems() == ["runs/campaign: transcript.txt was changed after it was signed"]


def test_a_run_that_the_policy_does_not_have_is_found(case: Case) -> None:
    lay(case)
    (case.folder / "runs/campaign").rename(case.folder / "runs/lottery")
    assert case.problems() == ["runs/lottery: the policy has no such run"]


def test_a_boundary_that_was_not_measured_shows_nothing(case: Case) -> None:
    """Where the kernel refuses it, its tests are skipped, and pytest ends with 0."""
    wanted = case.policy().runs["boundary"]
    said = {"run": "boundary", "command": ["python3", "-m", *wanted.command], "exit_status": 0}
    for end in (b"10 passed in 3.21s", b"10 passed, 1 warning in 63.21s (0:01:03)"):
        assert list(runs.wrong(wanted, said, b"...\n" + end + b"\n", "1" * 64)) == []
    for end in (b"2 passed, 8 skipped in 3.21s", b"10 skipped in 0.5s"):
        assert len(list(runs.wrong(wanted, said, b"..s\n" + end + b"\n", "1" * 64))) == 1


def test_a_second_build_has_to_be_of_the_same_bytes() -> None:
    wanted = Run("reproduce", ("tools.build.reproduce",), ("^{sha256}  ", "^the same, byte for byte$"))
    said = {"run": "reproduce", "command": ["python3", "-m", "tools.build.reproduce"], "exit_status": 0}
    text = f"{'1' * 64}  one.snap\n{'1' * 64}  two.snap\nthe same, byte for byte\n".encode()
    assert list(runs.wrong(wanted, said, text, "1" * 64)) == []
    assert list(runs.wrong(wanted, said, text, "2" * 64)) == ["it does not say ^{sha256}  "]


def test_a_command_is_run_and_told(snap_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A real one, if a short one."""
    wanted = Run("tree", ("tools.release", "inventory", "{snap}"), ())
    transcript, said = runs.run(snap_file, wanted, "0" * 40)
    assert transcript.endswith(b"has all that is in it, and nothing else\n")
    assert said["exit_status"] == 0
    assert said["command"] == ["python3", "-m", "tools.release", "inventory", "{snap}"]
    assert capsys.readouterr().out.encode() == transcript


def test_a_run_on_another_snap_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="suites runs on the snap that was built last, which is not"):
        runs.run(tmp_path / "other.snap", Run("suites", ("tools.suites",), ()), "0" * 40)


def test_a_run_that_shows_nothing_is_evidence_and_an_error(
    case: Case,
    snap_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """So the nightly job that makes it is red."""
    case.rules["runs"]["suites"] = {"command": ["platform", "{snap}"], "shows": ["^never said$"]}
    rules = case.policy()
    monkeypatch.setattr(policy, "load", lambda: rules)
    words = ["--key", str(case.pairs["laboratory"]), "--snap", str(snap_file), "--below", str(tmp_path)]
    assert main(["evidence", "--run", "suites", *words]) == 1
    assert (
        capsys.readouterr().err == "evidence: suites: it does not say ^never said$; that is evidence, too\n"
    )
    assert (tmp_path / case.about["sha256"] / "runs/suites/run.dsse.json").is_file()


def test_an_unknown_run_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, case: Case) -> None:
    key = str(case.pairs["laboratory"])
    assert main(["evidence", "--run", "lottery", "--key", key, "--snap", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("evidence: there is no run lottery: the policy has campaign,")
