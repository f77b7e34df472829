"""A host that this machine refuses skips the test with the reason; one that is broken fails it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import PROJECT

TESTS = """
import pytest
from tools.hosts import HostError, HostRefusedError

@pytest.fixture(scope="module")
def host():
    raise HostRefusedError("no such program")

def test_one(host):
    pass

def test_two(host):
    pass

def test_three():
    raise HostRefusedError("no such kernel")

def test_four():
    raise HostError("it did not come up")
"""


def test_a_refused_host_is_a_skip_and_a_broken_one_a_failure(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    shutil.copy(PROJECT / "snapcraft.yaml", tmp_path)
    shutil.copy(PROJECT / "tests/conftest.py", tmp_path / "tests")
    (tmp_path / "tests/test_some.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", f"--rootdir={tmp_path}"]
    variables = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(
        [*command, str(tmp_path / "tests")],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env=variables,
        check=False,
    )
    assert "1 failed, 3 skipped" in done.stdout
    assert "no such program" in done.stdout and "no such kernel" in done.stdout
    assert "::test_four" in done.stdout.partition("FAILED")[2]
