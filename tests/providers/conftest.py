"""All tests here are run with each of the other FIPS modules, in a snap that is built for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.snap.conftest import (
    authorities,
    certbot,
    fips_certbot,
    flagged,
    host,
    make_host,
    session,
    unflagged,
)
from tools.hosts import newest_snap

__all__ = ["authorities", "certbot", "fips_certbot", "flagged", "host", "make_host", "session", "unflagged"]


TESTED = ("3.0.8", "3.5.4")


@pytest.fixture(scope="session", params=TESTED)
def provider(request: pytest.FixtureRequest) -> str:
    """The module's release, as `make … PROVIDER=` takes it."""
    return str(request.param)


def build(provider: str, stdout: int | None = None) -> subprocess.CompletedProcess[str]:
    """Build the snap with that module, as `make snap` does."""
    command = [sys.executable, "-m", "tools.build", "--provider", provider]
    return subprocess.run(command, cwd=PROJECT, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)


@pytest.fixture(scope="session")
def snap_file(provider: str, pytestconfig: pytest.Config) -> Path:
    """The packed snap with that module: built in minutes once, and in seconds where nothing has changed."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():  # so that its progress is seen
        print(f"\nthe snap with the FIPS provider {provider}:")
        done = build(provider)
    reason = (done.stderr.splitlines() or ["no reason given"])[-1]
    if done.returncode == os.EX_UNAVAILABLE:
        pytest.skip(reason)
    if done.returncode != 0:
        pytest.fail(reason, pytrace=False)
    return newest_snap(provider)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker runs them all: one build runs at a time."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.xdist_group("providers"))
