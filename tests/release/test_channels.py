"""A snap goes through the store's channels as the policy decides, or not at all.

The store is a stand-in, `snapcraft_stand_in.py`, which answers as snapcraft's source does.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.release.conftest import PROGRAM, SNAP, Case, Shop, able
from tools.release import channels, decide, envelope, make, texts
from tools.release.__main__ import main
from tools.release.decide import Decision
from tools.release.errors import ReleaseError
from tools.release.store import Store

WEEK = timedelta(days=8)


def decision(case: Case, to: str, later: timedelta = timedelta(0)) -> Decision:
    """Decided now: a release has the time of the clock."""
    return decide.decide(case.folder, case.policy(), to, datetime.now(UTC) + later)


def promote(case: Case, snap: Path, to: str, later: timedelta = timedelta(0), **more: Any) -> Path:
    store = Store("certbot-fips", PROGRAM, snap=SNAP)
    found = decision(case, to, later)
    return channels.promote(found, case.policy(), store, snap, case.signer("builder"), print, **more)


def test_the_whole_way(case: Case, shop: Shop, snap_file: Path) -> None:
    """edge, beta, candidate, a week there, a person, then 10, 50 and 100 per cent: one upload."""
    able(case)
    for to in ("edge", "beta", "candidate"):
        assert promote(case, snap_file, to).name == "release-100.dsse.json"
    assert any("it has to stay in candidate for 7 days" in each for each in decision(case, "stable").reasons)
    assert "no person has approved it for stable" in decision(case, "stable", WEEK).reasons
    channels.approve(case.folder, case.policy(), case.about, "stable", case.signer("person"), case.time)
    for percent in (10, 50, 100):
        assert promote(case, snap_file, "stable", WEEK).name == f"release-{percent}.dsse.json"
    assert shop.released == [
        *([8, to, None] for to in ("edge", "beta", "candidate")),
        *([8, "stable", percent] for percent in (10, 50, None)),
    ]
    asked = shop.read()["asked"]
    assert [each for each in asked if each[0] == "upload"] == [["upload", str(snap_file)]]
    assert not [each for each in asked if each[0] == "promote"]
    assert asked[0] == ["whoami"]
    with pytest.raises(ReleaseError, match="it is released to stable already"):
        promote(case, snap_file, "stable", WEEK)
    assert decision(case, "stable", WEEK).found.problems == []
    # Beside each step lies the decision that it was taken by.
    laid = sorted(path.name for path in (case.folder / "channels/stable").iterdir())
    steps = [f"{what}-{percent}.dsse.json" for what in ("decision", "release") for percent in (10, 100, 50)]
    assert laid == ["approval.dsse.json", *steps]


def begin_in_stable(case: Case, snap: Path) -> None:
    able(case)
    for to in ("edge", "beta", "candidate"):
        promote(case, snap, to)
    channels.approve(case.folder, case.policy(), case.about, "stable", case.signer("person"), case.time)
    promote(case, snap, "stable", WEEK)


def test_a_step_that_the_store_did_not_do_is_found_out(case: Case, shop: Shop, snap_file: Path) -> None:
    """Since the first step the revision is in the channel: each is read back by its percentage."""
    begin_in_stable(case, snap_file)
    for done, percent, way in ((10, 50, ", for 50 per cent"), (50, 100, "")):
        shop.change(trap="lost")
        with pytest.raises(ReleaseError, match=f"says that revision 8 is in stable{way}, and it is not"):
            promote(case, snap_file, "stable", WEEK)
        assert not (case.folder / f"channels/stable/release-{percent}.dsse.json").exists()
        assert Store("certbot-fips", PROGRAM).on_its_way("stable") == (8, done)
        shop.change(trap=None)
        promote(case, snap_file, "stable", WEEK)  # the control
    assert Store("certbot-fips", PROGRAM).on_its_way("stable") is None
    assert Store("certbot-fips", PROGRAM).there("stable") == 8


def test_a_step_that_was_done_and_not_signed_is_signed(case: Case, shop: Shop, snap_file: Path) -> None:
    begin_in_stable(case, snap_file)
    for percent in (50, 100):
        for again in (False, True):
            promote(case, snap_file, "stable", WEEK)
            if not again:  # as if the machine had ended between the two
                (case.folder / f"channels/stable/release-{percent}.dsse.json").unlink()
    assert decision(case, "stable", WEEK).found.problems == []
    assert shop.released[-1] == [8, "stable", None]


def test_a_release_without_its_decision_does_not_count(case: Case, shop: Shop, snap_file: Path) -> None:
    begin_in_stable(case, snap_file)
    assert shop.released
    (case.folder / "channels/stable/decision-10.dsse.json").unlink()
    why = "channels/stable: release-10.dsse.json lies without the decision that it follows from"
    assert decision(case, "stable", WEEK).found.problems == [why]


def test_what_was_halted_does_not_go_on(case: Case, shop: Shop, snap_file: Path) -> None:
    begin_in_stable(case, snap_file)
    channels.halt(Store("certbot-fips", PROGRAM), "stable")
    before = shop.released
    with pytest.raises(ReleaseError, match="revision 8 is not on its way in stable any more: it was halted"):
        promote(case, snap_file, "stable", WEEK)
    assert shop.released == before


def test_nothing_is_released_where_the_decision_is_no(case: Case, shop: Shop, snap_file: Path) -> None:
    able(case, beta={"hosts": ["ubi-9"]})
    promote(case, snap_file, "edge")
    with pytest.raises(ReleaseError, match="beta: no, because ubi-9: there is no evidence that counts"):
        promote(case, snap_file, "beta")
    assert shop.released == [[8, "edge", None]]


def test_no_channel_is_skipped(case: Case, shop: Shop, snap_file: Path) -> None:
    able(case)
    promote(case, snap_file, "edge")
    with pytest.raises(ReleaseError, match="candidate: no, because it was not released to beta"):
        promote(case, snap_file, "candidate")
    # Nor where the store says that it is not there any more.
    shop.change(releases=[*shop.read()["releases"], [7, "edge", None]])
    with pytest.raises(ReleaseError, match="revision 8 is not in edge any more"):
        promote(case, snap_file, "beta")
    assert shop.released[1:] == [[7, "edge", None]]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"trap": "error"}, r"snapcraft revisions ended with 1: Issue encountered .* \[503\]"),
        ({"trap": "noise"}, "snapcraft whoami: the answer is not one that it is known to give"),
        ({"trap": "lost"}, "the store says that revision 8 is in edge, and it is not"),
        ({"trap": "review"}, "snapcraft upload named revision 8, which the store does not have"),
        ({"awaits": 8}, "snapcraft upload ended with 1: Store operation failed: / - snap-push: Waiting for"),
    ],
)
def test_a_store_that_errs_or_lies_is_found_out(
    case: Case, shop: Shop, snap_file: Path, change: dict[str, Any], line: str
) -> None:
    able(case)
    shop.change(**change)
    with pytest.raises(ReleaseError, match=line) as caught:
        promote(case, snap_file, "edge")
    assert "\n" not in str(caught.value)
    assert shop.released == []
    assert not (case.folder / "channels").exists()


def test_a_store_that_never_answers_is_given_up(case: Case, shop: Shop) -> None:
    shop.change(trap="slow")
    with pytest.raises(
        ReleaseError, match="snapcraft whoami took longer than 1 s: ask the store what became"
    ):
        Store("certbot-fips", PROGRAM, seconds=1).account()
    assert case.problems() == []


@pytest.mark.parametrize(
    ("account", "line"),
    [
        ({"expires": "2001-01-01T00:00:00.000Z"}, "the credentials of release have expired"),
        ({"channels": "beta"}, "the credentials of release do not reach edge"),
        ({"permissions": "package_access"}, "the credentials of release may not release"),
    ],
)
def test_credentials_that_are_not_enough_are_refused(
    case: Case, shop: Shop, snap_file: Path, account: dict[str, str], line: str
) -> None:
    able(case)
    shop.change(account={**shop.read()["account"], **account})
    with pytest.raises(ReleaseError, match=line):
        promote(case, snap_file, "edge")
    assert [each[0] for each in shop.read()["asked"]] == ["whoami"]


def test_without_credentials_nothing_hangs(
    case: Case, shop: Shop, snap_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    able(case)
    monkeypatch.delenv("SNAPCRAFT_STORE_CREDENTIALS")
    with pytest.raises(ReleaseError, match="snapcraft whoami: nobody is logged in: export SNAPCRAFT_STORE"):
        promote(case, snap_file, "edge")
    with pytest.raises(ReleaseError, match="snapcraft revisions: nobody is logged in"):
        Store("certbot-fips", PROGRAM).revisions()
    assert shop.released == []


def test_without_snapcraft_it_is_said() -> None:
    with pytest.raises(ReleaseError, match="the program snapcraft is missing"):
        Store("certbot-fips", "/nowhere/snapcraft").account()


def test_the_same_bytes_are_not_uploaded_twice(case: Case, shop: Shop, snap_file: Path) -> None:
    """An upload whose release was interrupted: the store has it, and no statement says so."""
    able(case)
    Store("certbot-fips", PROGRAM).upload(snap_file)
    with pytest.raises(ReleaseError, match=r"the store has certbot-fips\S+ already: name its revision"):
        promote(case, snap_file, "edge")
    promote(case, snap_file, "edge", revision=8)
    assert shop.released == [[8, "edge", None]]


def test_a_revision_that_is_named_has_to_be_of_these_bytes(case: Case, shop: Shop, snap_file: Path) -> None:
    """By the store's own signature; one of the same version is not enough."""
    able(case)
    with pytest.raises(ReleaseError, match="snap known ended with 1: error: cannot find the assertion"):
        promote(case, snap_file, "edge", revision=7)
    Store("certbot-fips", PROGRAM).upload(snap_file)
    for wrong in (7, 99):
        with pytest.raises(ReleaseError, match=f"has not signed that revision {wrong} is of these bytes"):
            promote(case, snap_file, "edge", revision=wrong)
    shop.change(trap="signed")
    with pytest.raises(ReleaseError, match="the store has not signed that revision 8 is of these bytes"):
        promote(case, snap_file, "edge", revision=8)
    assert shop.released == []


def test_two_promotions_at_once_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with channels.alone(), pytest.raises(ReleaseError, match="another promotion is at it"), channels.alone():
        pass
    with channels.alone():
        pass
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "none"))
    with pytest.raises(ReleaseError, match="cannot be held: No such file or directory"), channels.alone():
        pass


def test_who_may_not_sign_a_release_makes_none(case: Case, shop: Shop, snap_file: Path) -> None:
    """Before the store is asked for anything: else it would be there, and no statement of it would count."""
    able(case)
    found, store = decision(case, "edge"), Store("certbot-fips", PROGRAM)
    for by, line in (
        ("laboratory", "laboratory may sign no release for edge, by the policy"),
        ("stranger", "the policy does not have the key that is to sign"),
    ):
        with pytest.raises(ReleaseError, match=line):
            channels.promote(found, case.policy(), store, snap_file, case.signer(by), print)
        with pytest.raises(ReleaseError, match=line.replace("release", "approval")):
            channels.approve(case.folder, case.policy(), case.about, "edge", case.signer(by), case.time)
    assert "asked" not in shop.read()
    assert not (case.folder / "channels").exists()


def on_the_way(shop: Shop) -> Store:
    """A release of revision 8 to 10 per cent of stable's users, revision 7 for the others."""
    content = shop.read()
    content["revisions"]["8"] = {
        "version": content["version"],
        "sha256": "8",
        "uploaded": "2026-11-01T00:00:00Z",
    }
    content["releases"] += [[8, "edge", None], [8, "stable", 10]]
    shop.write(content)
    return Store("certbot-fips", PROGRAM)


def test_a_release_on_its_way_is_halted(shop: Shop) -> None:
    store = on_the_way(shop)
    assert store.there("stable") == 7
    assert channels.halt(store, "stable") == 7
    assert shop.released[-1] == [7, "stable", None]
    assert store.revisions()[7].now == {"beta", "candidate", "stable"}


def test_a_release_that_goes_on_is_not_called_halted(shop: Shop) -> None:
    store = on_the_way(shop)
    shop.change(trap="lost")
    with pytest.raises(ReleaseError, match="says that revision 7 is in stable, and it is not"):
        channels.halt(store, "stable")
    assert store.on_its_way("stable") == (8, 10)


def test_what_is_on_its_way_is_seen_beside_a_branch(shop: Shop) -> None:
    """One that expires gives the table a column more."""
    store = on_the_way(shop)
    shop.change(branch=True)
    assert store.there("stable") == 7
    assert store.on_its_way("stable") == (8, 10)


def test_an_older_revision_comes_back_and_no_other(shop: Shop) -> None:
    store = on_the_way(shop)
    channels.back(store, "edge", 7)
    assert shop.released[-1] == [7, "edge", None]
    with pytest.raises(ReleaseError, match="revision 8 was never in beta"):
        channels.back(store, "beta", 8)
    with pytest.raises(ReleaseError, match="revision 6 was never in beta"):
        channels.back(store, "beta", 6)


def test_a_channel_is_closed_and_a_lie_is_found_out(shop: Shop) -> None:
    store = on_the_way(shop)
    channels.close(store, "beta")
    assert store.there("beta") is None
    shop.change(trap="open")
    with pytest.raises(ReleaseError, match="the store says that edge is closed, and it is not"):
        channels.close(store, "edge")
    with pytest.raises(ReleaseError, match="beta has no revision to go back to: close it"):
        channels.halt(store, "beta")


def lay(case: Case, name: str, kind: str, by: str, **changed: Any) -> None:
    """Sign something of a channel by hand."""
    said: dict[str, Any] = {"channel": "stable", "commit": case.about["commit"]}
    now = texts.stamp(case.time)
    if kind == envelope.RELEASE:
        said |= {"revision": 8, "percent": 10, "released": now, "account": "release"}
    else:
        said |= {"approved": now}
    path = case.folder / "channels/stable" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(envelope.sign(make.descriptor(case.about), kind, {**said, **changed}, case.signer(by)))


@pytest.mark.parametrize(
    ("name", "kind", "by", "changed", "line"),
    [
        ("approval", envelope.APPROVAL, "laboratory", {}, "is signed by laboratory, which may not say that"),
        ("approval", envelope.APPROVAL, "stranger", {}, "is signed by a key that the policy does not have"),
        ("approval", envelope.APPROVAL, "person", {"channel": "beta"}, "which says nothing for stable"),
        ("approval", envelope.APPROVAL, "person", {"commit": "0" * 40}, "is of another commit than the snap"),
        ("approval", envelope.APPROVAL, "person", {"approved": "2099-01-01T00:00:00Z"}, "is from the future"),
        (
            "approval",
            envelope.RELEASE,
            "builder",
            {},
            "says something else: urn:certbot-fips:evidence:release",
        ),
        ("release-50", envelope.RELEASE, "builder", {}, "release-50.dsse.json is of 10 per cent"),
        ("release-10", envelope.RELEASE, "person", {}, "is signed by person, which may not say that"),
        (
            "decision-10",
            envelope.RELEASE,
            "builder",
            {},
            "says something else: urn:certbot-fips:evidence:release",
        ),
        ("decision-10", envelope.SUMMARY, "builder", {}, "decision-10.dsse.json is no decision"),
        ("decision-10", envelope.SUMMARY, "person", {}, "is signed by person, which may not say that"),
        (
            "decision-10",
            envelope.SUMMARY,
            "builder",
            {"properties": [envelope.answer("stable", False)], "timeCreated": "2026-01-01T00:00:00Z"},
            "decision-10.dsse.json is no decision for stable",
        ),
        (
            "decision-10",
            envelope.SUMMARY,
            "builder",
            {"properties": [envelope.answer("stable", True)], "timeCreated": "2099-01-01T00:00:00Z"},
            "is from the future",
        ),
        ("blessing", envelope.APPROVAL, "person", {}, "blessing.dsse.json belongs to no statement"),
    ],
)
def test_a_forged_approval_or_release_does_not_count(
    case: Case, name: str, kind: str, by: str, changed: dict[str, Any], line: str
) -> None:
    able(case)
    lay(case, f"{name}.dsse.json", kind, by, **changed)
    (said,) = case.problems()
    assert said.startswith("channels/stable: ")
    assert line in said


def test_a_key_for_a_try_approves_of_nothing(case: Case) -> None:
    able(case)
    case.rules["keys"].pop("person")
    lay(case, "approval.dsse.json", envelope.APPROVAL, "person")
    rules = case.policy().with_trial([case.pairs["person"].with_suffix(".pub")])
    found = decide.decide(case.folder, rules, "stable", case.time).found
    assert found.problems == [
        "channels/stable: approval.dsse.json is signed by a key made for a try, which may not say that"
    ]


@pytest.fixture
def words(case: Case, snap_file: Path) -> Callable[..., list[str]]:
    """A command line of ours with the case's folder, policy and store."""
    able(case)
    case.policy()

    def make_words(command: str, *more: str) -> list[str]:
        rules = str(case.folder.parent / "policy.yaml")
        return [command, str(case.folder), "--policy", rules, "--snap", str(snap_file), *more]

    return make_words


def test_the_command_prints_and_then_runs(
    case: Case,
    shop: Shop,
    snap_file: Path,
    words: Callable[..., list[str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ["--to", "edge", "--snapcraft", PROGRAM]
    assert main(words("decide", *options)) == 0
    assert capsys.readouterr().out.splitlines() == [
        "edge: yes",
        f"  {PROGRAM} whoami",
        f"  {PROGRAM} upload {snap_file}",
        f"  {PROGRAM} revisions certbot-fips",
        f"  {PROGRAM} release certbot-fips REVISION edge",
        f"  {PROGRAM} status certbot-fips",
    ]
    assert shop.released == []
    assert main(words("decide", *options, "--run")) == 1
    assert capsys.readouterr().err == "decide: --run signs what it has done: name the key (--sign)\n"
    sign = ["--sign", str(case.pairs["builder"])]
    assert main(words("decide", *options, "--run", *sign, "--now", "2099-01-01T00:00:00Z")) == 1
    assert capsys.readouterr().err == "decide: --run goes by the clock, not by --now\n"
    assert main(words("decide", *options, *sign)) == 1
    assert capsys.readouterr().err == "decide: --sign KEY --out FILE sign the decision: name both\n"
    assert main(words("decide", *options, *sign, "--out", str(case.folder.parent / "no/where"))) == 2
    assert capsys.readouterr().err.endswith("/no/where: No such file or directory\n")
    assert main(words("decide", *options, "--run", "--sign", str(case.pairs["builder"]))) == 0
    assert "revision 8 is in edge, for 100 per cent" in capsys.readouterr().out
    assert shop.released == [[8, "edge", None]]
    assert main(words("decide", *options)) == 0
    assert capsys.readouterr().out.splitlines() == ["edge: yes", "  it is released to edge already"]
    assert main(words("decide", *options, "--short")) == 0
    assert capsys.readouterr().out == "edge: yes\n"
    assert main(words("approve", "--to", "stable", "--sign", str(case.pairs["person"]))) == 0
    assert (case.folder / "channels/stable/approval.dsse.json").is_file()


def test_a_no_is_signed_and_of_what_is_not_whole_nothing(
    case: Case, words: Callable[..., list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "decision.dsse.json"
    sign = ["--to", "beta", "--sign", str(case.pairs["builder"]), "--out", str(out)]
    assert main(words("decide", *sign)) == 1
    said = envelope.opened(out, envelope.SUMMARY, case.about["sha256"], case.policy().authorities)
    assert envelope.answer("beta", False) in said.predicate["properties"]
    out.unlink()
    capsys.readouterr()
    (case.folder / "subject.json").write_text("{}")
    assert main(words("decide", *sign)) == 1
    why = "subject.json was changed after it was signed"
    assert capsys.readouterr().err == f"decide: nothing is signed of evidence that is not whole: {why}\n"
    assert not out.exists()


def test_the_commands_for_a_bad_day(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    on_the_way(shop)
    assert main(["halt", "stable", "--snapcraft", PROGRAM]) == 0
    assert main(["back", "edge", "--revision", "7", "--snapcraft", PROGRAM]) == 0
    assert main(["close", "beta", "--snapcraft", PROGRAM]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "revision 7 is in stable for all",
        "revision 7 is in edge again",
        "beta is closed",
    ]
    shop.change(trap="error")
    assert main(["close", "edge", "--snapcraft", PROGRAM]) == 1
    err = capsys.readouterr().err
    assert err.startswith("close: snapcraft close ended with 1: Issue encountered")
    assert len(err.splitlines()) == 1
