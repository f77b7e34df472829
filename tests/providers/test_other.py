"""What is to be said of a snap with another module, besides what tests/snap shows of all."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.providers.conftest import build
from tests.snap.support import MakeHost
from tests.snap.test_faults import test_a_damaged_snap as assert_damage_is_refused
from tools.build.compare import RECORD, read
from tools.hosts import HostRefusedError, newest_snap
from tools.spread.model import load
from tools.spread.plan import jobs
from tools.spread.run import open_session

SYSTEM = "debian-12-fips"


def test_it_is_the_module_that_was_asked_for(snap_file: Path, provider: str) -> None:
    record = json.loads(read(snap_file, RECORD))
    assert record["version"] == provider
    assert record["validation"].endswith("not validated")


def test_a_damaged_module(make_host: MakeHost) -> None:
    assert_damage_is_refused(make_host, "module with one byte flipped")


def test_it_is_built_once(snap_file: Path, provider: str) -> None:
    """And changes nothing of what is tested where no other module is asked for."""
    before = snap_file.read_bytes()
    assert "nothing has changed" in build(provider, subprocess.PIPE).stdout
    assert snap_file.read_bytes() == before


def test_it_is_not_taken_for_the_snap(snap_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDER", "")
    assert newest_snap() != snap_file


def test_on_a_host_with_snapd(snap_file: Path) -> None:
    """spread's own tasks, on one of its systems."""
    wanted = [f"adhoc:{SYSTEM}:tests/spread/any/{task}" for task in ("context", "certificate")]
    chosen = [job for job in jobs(load(PROJECT), "adhoc") if job.name in wanted]
    assert len(chosen) == len(wanted)
    try:
        with open_session(PROJECT, SYSTEM, snap_file) as session:
            for job in chosen:
                session.run(job)
    except HostRefusedError as reason:
        pytest.skip(str(reason))
