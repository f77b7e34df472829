"""What goes wrong around a release ends in one clear line and another status than 0, and nothing is released.

On the command line, as a person or the CI gives it; the tests beside this look at each case closer.
"""

import fcntl
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from tests.conftest import PROJECT
from tests.release.conftest import HOST, PROGRAM, Case, Shop, able
from tools.release import channels, envelope, make, policy, texts
from tools.release.__main__ import main

Damage = Callable[[Case], None]


def forged(case: Case) -> None:
    """The builder's signature of another statement."""
    path, other = case.folder / "build.dsse.json", case.folder / "provenance.dsse.json"
    content = json.loads(path.read_text())
    content["signatures"] = json.loads(other.read_text())["signatures"]
    path.write_text(json.dumps(content))


def truncated(case: Case) -> None:
    path = case.host / "host.dsse.json"
    path.write_bytes(path.read_bytes()[:100])


def older_than_the_snap(case: Case) -> None:
    def change(predicate: dict[str, object], _files: dict[str, bytes]) -> None:
        predicate |= dict.fromkeys(("started", "ended"), "2026-01-01T00:00:00Z")

    case.see(change)


def foreign(case: Case) -> None:
    (case.host / "doctor.json.bak").write_text("{}")


def of_another_snap(case: Case) -> None:
    make.of_host(case.folder, {**case.about, "sha256": "0" * 64}, case.seen, case.signer("laboratory"))


def of_the_future(case: Case) -> None:
    def change(predicate: dict[str, object], _files: dict[str, bytes]) -> None:
        predicate["ended"] = texts.stamp(case.time + timedelta(days=1))

    case.see(change)


def unknown_key(case: Case) -> None:
    case.rules["channels"]["edge"]["hots"] = []


def unknown_signer(case: Case) -> None:
    case.rules["keys"].pop("laboratory")


@pytest.fixture
def run(case: Case, snap_file: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Give the command that releases to a channel."""
    able(case)

    def give(to: str = "edge", *more: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "policy.yaml").write_text(yaml.safe_dump(case.rules))
        words = [str(case.folder), "--policy", str(tmp_path / "policy.yaml"), "--snap", str(snap_file)]
        words += ["--to", to, "--snapcraft", PROGRAM, "--sign", str(case.pairs["builder"]), "--run"]
        return subprocess.run(
            [sys.executable, "-m", "tools.release", "decide", *words, *more],
            capture_output=True,
            text=True,
            cwd=PROJECT,
        )

    return give


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (forged, "edge: no, because build.dsse.json was changed after builder signed it, or is forged"),
        (truncated, f"edge: no, because hosts/{HOST}: host.dsse.json is truncated or no JSON"),
        (
            older_than_the_snap,
            f"edge: no, because hosts/{HOST}: host.dsse.json: it began before the snap was",
        ),
        (foreign, f"edge: no, because hosts/{HOST}: doctor.json.bak belongs to no statement"),
        (of_another_snap, f"edge: no, because hosts/{HOST}: host.dsse.json is about another snap"),
        (of_the_future, f"edge: no, because hosts/{HOST}: host.dsse.json is from the future"),
        (
            unknown_signer,
            f"edge: no, because hosts/{HOST}: host.dsse.json is signed by a key that the policy",
        ),
        (
            unknown_key,
            "decide: policy.yaml: channels/edge: Additional properties are not allowed ('hots' was",
        ),
    ],
)
def test_damaged_evidence_or_policy_releases_nothing(
    case: Case,
    shop: Shop,
    run: Callable[..., subprocess.CompletedProcess[str]],
    damage: Damage,
    line: str,
) -> None:
    damage(case)
    done = run()
    assert done.returncode == 1
    said = done.stderr or done.stdout
    assert said.startswith(line), said
    assert len(done.stderr.splitlines()) <= 1
    assert "Traceback" not in done.stderr
    assert "asked" not in shop.read()


def lying(shop: Shop) -> None:
    shop.change(trap="lost")


def erring(shop: Shop) -> None:
    shop.change(trap="error")


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (lying, "decide: the store says that revision 8 is in edge, and it is not\n"),
        (erring, "decide: snapcraft revisions ended with 1: Issue encountered while processing your request"),
        ("credential", "decide: snapcraft whoami: nobody is logged in: export SNAPCRAFT_STORE_CREDENTIALS\n"),
    ],
)
def test_a_store_or_a_credential_that_is_wrong_releases_nothing(
    shop: Shop,
    run: Callable[..., subprocess.CompletedProcess[str]],
    monkeypatch: pytest.MonkeyPatch,
    wrong: Callable[[Shop], None] | str,
    line: str,
) -> None:
    if isinstance(wrong, str):
        monkeypatch.delenv("SNAPCRAFT_STORE_CREDENTIALS")
    else:
        wrong(shop)
    done = run()
    assert done.returncode == 1
    assert done.stderr.startswith(line), done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert shop.released == []


def test_a_channel_that_is_skipped_gets_nothing(
    shop: Shop,
    run: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = run("candidate")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("candidate: no, because it was not released to beta\n")
    assert "asked" not in shop.read()


def test_of_two_promotions_at_once_one_is_refused(
    tmp_path: Path,
    shop: Shop,
    run: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    with (tmp_path / channels.LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run()
        assert done.returncode == 1
        assert done.stderr == "decide: another promotion is at it: wait for it to end\n"
        assert "asked" not in shop.read()


def test_stale_evidence_is_enough_for_nothing(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --run: the clock cannot be told with it."""
    (case.folder.parent / "policy.yaml").write_text(yaml.safe_dump(case.rules))
    words = ["decide", str(case.folder), "--policy", str(case.folder.parent / "policy.yaml"), "--short"]
    assert main([*words, "--now", texts.stamp(case.time + timedelta(days=31))]) == 1
    assert capsys.readouterr().out.startswith(f"edge: no, because {HOST}: older than 30 days (")


def test_the_control_is_released(
    case: Case,
    shop: Shop,
    run: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = run()
    assert (done.returncode, done.stderr) == (0, "")
    assert shop.released == [[8, "edge", None]]
    rules = policy.load(case.folder.parent / "policy.yaml")
    statement = case.folder / "channels/edge/release-100.dsse.json"
    said = envelope.opened(statement, envelope.RELEASE, case.about["sha256"], rules.authorities)
    assert said.predicate["revision"] == 8
