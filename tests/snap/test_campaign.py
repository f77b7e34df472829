"""A fixed sample of the campaign, and that the campaign would notice what it is there to find."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.campaign.case import Case, draw
from tools.campaign.damages import replaced, whole
from tools.campaign.doors import DOORS
from tools.campaign.environments import variable
from tools.campaign.fault import Fault
from tools.campaign.plan import SNAP, Plan
from tools.campaign.report import Line
from tools.campaign.runner import campaign, run_case
from tools.campaign.shrink import shrink
from tools.campaign.stage import Stage
from tools.campaign.state import made_here
from tools.campaign.surroundings import capable, covered, located, without
from tools.campaign.verdict import FAILED
from tools.hosts import HostRefusedError

SAMPLE = range(300)
LIBRARY = "usr/lib/python3.13"
#: Cases that have failed once, shrunk: the door and what was wrong.
ONCE_FAILED = {
    "Python said in thirty lines that it cannot start": (
        "python3 -I",
        whole(f"{LIBRARY}/encodings/aliases.pyc", "empty"),
    ),
    "the same, by a door of snapd's": ("python3 app", whole(LIBRARY, "missing")),
    "Python warned before the launcher's line": ("certbot", whole(f"{LIBRARY}/lib-dynload", "empty")),
    "Certbot could not be loaded: a traceback": ("certbot", whole(f"{LIBRARY}/hashlib.pyc", "empty")),
    "X25519 offered, by a config not the snap's": ("python3 app", made_here("with X25519 first")),
    "a file where the closed stdout was": ("python3 -E", without({1})),
    "Python's library, and so the launcher, chosen by the caller": (
        "python3 app",
        variable("__PYVENV_LAUNCHER__", "a hostile Python's program"),
    ),
    "a door's module could not be loaded: a traceback": (
        "configure hook",
        whole(f"{LIBRARY}/subprocess.pyc", "empty"),
    ),
    "one bit of the launcher's bytecode took a flag of 1 for 0": (
        "python3 app",
        replaced(f"{LIBRARY}/fips_launch/__pycache__/decide.cpython-313.pyc", b"\xda\x010", b"\xda\x011"),
    ),
    "Certbot failed without a stdin": ("renew service", without({0, 1})),
    "the hook waited for a pipe": ("install hook", whole("usr/lib/ossl-modules/fips.so", "a pipe")),
    "the proof waited for a pipe": ("certbot", whole("etc/ssl/openssl.cnf.sha256", "a pipe")),
    "a covered flag taken for none": ("python3.13", covered("/proc/sys")),
    "the same, of its folder": ("python3.13", covered("/proc/sys/crypto")),
}


@pytest.fixture(scope="module")
def stage(snap_file: Path) -> Iterator[Stage]:
    stage = Stage(snap_file)
    try:
        stage.__enter__()
    except HostRefusedError as reason:
        pytest.skip(str(reason))
    yield stage
    stage.__exit__()


def test_a_seed_is_a_case() -> None:
    assert [draw(seed).text for seed in SAMPLE] == [draw(seed).text for seed in SAMPLE]
    assert len({draw(seed).text for seed in SAMPLE}) > 290


@pytest.mark.usefixtures("stage")  # which tells first whether this machine can
def test_a_sample_of_three_hundred(snap_file: Path) -> None:
    """Two at a time, like the whole campaign."""
    told: list[Line] = []
    lines = campaign(snap_file, SAMPLE, 2, told.append)
    assert len(told) == len(SAMPLE)
    assert [(x.outcome, x.text, x.evidence) for x in lines if x.outcome in FAILED] == []
    assert sum(line.outcome == "fips" for line in lines) > 100


def test_a_capable_openssl_that_finds_no_config(stage: Stage) -> None:
    """AT_SECURE makes it ignore the one that it is given; the compiled-in path is that of another copy."""
    door = next(door for door in DOORS if door.name == "fips-exec md5")
    alone = located("unpacked elsewhere alone")
    case = Case(0, door, (capable("usr/libexec/openssl/openssl"), alone), True)
    outcome, evidence = run_case(stage, case)
    assert outcome == "refused"
    assert evidence.startswith("certbot-fips: ")


@pytest.mark.parametrize("what", ONCE_FAILED)
def test_what_has_failed_once(stage: Stage, what: str) -> None:
    name, fault = ONCE_FAILED[what]
    door = next(door for door in DOORS if door.name == name)
    outcome, evidence = run_case(stage, Case(0, door, (fault,), True))
    assert outcome not in FAILED, evidence


def traitor(plan: Plan) -> None:
    """Break the snap for good: the launcher runs as on another host, and only the judge knows of the flag."""
    plan.bare = True


@pytest.mark.parametrize("door", [door for door in DOORS if door.kind != "hook"], ids=lambda door: door.name)
def test_the_verdict_sees_a_snap_without_fips(stage: Stage, door: object) -> None:
    """The flag is hidden from the snap and not from the judge: every door is found out."""
    fault = Fault("control", "the flag is hidden", traitor)
    case = next(Case(0, each, (fault,), True) for each in DOORS if each is door)
    outcome, _ = run_case(stage, case)
    assert outcome == "silent"
    assert case.plan().root == SNAP


def test_a_failing_case_is_shrunk() -> None:
    case = next(case for case in map(draw, range(1000)) if len(case.faults) == 4)
    guilty = case.faults[2]
    assert shrink(case, lambda smaller: guilty in smaller.faults) == (2,)
