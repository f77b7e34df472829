"""What is to be said of a snap because of its FIPS module, besides what tests/snap shows of all."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import PROJECT
from tools.build import provider as pins
from tools.build import recipe
from tools.build.compare import RECORD, read
from tools.hosts import HostError, newest_snap
from tools.spread.model import load
from tools.spread.plan import jobs
from tools.spread.run import open_session

SYSTEM = "debian-12-fips"


@pytest.mark.provider
def test_it_is_the_module_that_was_asked_for(snap_file: Path, provider: str) -> None:
    parts = recipe.load()["parts"]
    origins = yaml.safe_load((PROJECT / "tools" / "build" / "origins.yaml").read_text())
    pins.pin(parts, origins, provider or None)
    asked = {
        name: value for entry in parts["fips-provider"]["build-environment"] for name, value in entry.items()
    }
    record = json.loads(read(snap_file, RECORD))
    assert record["version"] == asked["FIPS_VERSION"]
    if not asked["FIPS_CERTIFICATE"]:
        assert record["validation"].endswith("not validated")


@pytest.mark.provider(own=False)
def test_it_is_built_once(snap_file: Path, provider: str) -> None:
    """And changes nothing of what is tested where no other module is asked for."""
    before = snap_file.read_bytes()
    command = [sys.executable, "-m", "tools.build", "--provider", provider]
    built = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert "nothing has changed" in built.stdout, built.stderr
    assert snap_file.read_bytes() == before


@pytest.mark.provider(own=False)
def test_it_is_not_taken_for_the_snap(snap_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDER", "")
    try:
        assert newest_snap() != snap_file
    except HostError as none:  # no snap was built but this one
        assert "run `make snap`" in str(none)


@pytest.mark.provider(own=False)
def test_on_a_host_with_snapd(snap_file: Path) -> None:
    """spread's own tasks, on one of its systems."""
    wanted = [f"adhoc:{SYSTEM}:tests/spread/any/{task}" for task in ("context", "certificate")]
    chosen = [job for job in jobs(load(PROJECT), "adhoc") if job.name in wanted]
    assert len(chosen) == len(wanted)
    with open_session(PROJECT, SYSTEM, snap_file) as session:
        for job in chosen:
            session.run(job)
