"""A fixed sample of the campaign, and that the campaign would notice what it is there to find."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.campaign.case import Case, draw
from tools.campaign.doors import DOORS
from tools.campaign.fault import Fault
from tools.campaign.plan import SNAP, Mount, Plan
from tools.campaign.runner import campaign, run_case
from tools.campaign.shrink import shrink
from tools.campaign.stage import Stage
from tools.campaign.verdict import FAILED
from tools.hosts import HostRefusedError

SAMPLE = range(300)
#: Cases that have failed once, shrunk: which faults of which seed.
ONCE_FAILED = {
    1000055: (0,),  # Python said in thirty lines that it cannot start
    1000202: (0,),  # the same, the whole library is missing
    2000028: (0,),  # Python warned of a missing folder before the launcher's line
    2000237: (0,),  # a traceback where Certbot cannot be loaded
    2000300: (0,),  # X25519 was offered by a config that is not the snap's
    2000247: (0,),  # stdout closed: Python came up with another file there
    3000393: (0,),  # /proc/sys is covered: nobody can say that FIPS is not asked for
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


def test_a_sample_of_three_hundred(stage: Stage, snap_file: Path) -> None:
    """Two at a time, like the whole campaign; `stage` tells first whether this machine can."""
    lines = campaign(snap_file, SAMPLE, 2, lambda line: None)
    assert [line for line in lines if line.outcome in FAILED] == []
    assert sum(line.outcome == "fips" for line in lines) > 100


@pytest.mark.parametrize("seed", ONCE_FAILED)
def test_what_has_failed_once(stage: Stage, seed: int) -> None:
    outcome, evidence = run_case(stage, draw(seed).keep(ONCE_FAILED[seed]))
    assert outcome not in FAILED, evidence


def traitor(plan: Plan) -> None:
    """Break the snap for good: the FIPS config is not one, and the launcher runs as on another host."""
    plan.last_mounts.append(Mount("/run/case/empty", "/proc/sys/crypto", flags=0x1000))


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
