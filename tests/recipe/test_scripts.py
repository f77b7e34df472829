"""Scripts of shell: what shellcheck is shown, and that what cannot start does not look like success."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tools.lint.shell import Script, check, scripts

TASK = """\
summary: A task
systems: [-nowhere]
prepare: rm $ONE
execute: |
    . "$TESTSLIB/host.sh"
    cd /tmp
    rm $1
    cat "$CURRENT"/a "$CURENT"/b
"""


def run_with(path: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command with the programs of this folder alone."""
    environment = os.environ | {"PATH": str(path)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def few_programs(tmp_path: Path) -> Path:
    """A folder with what the scripts begin with, and not what they are there to run."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("dirname", "sed", "mv", "cat"):
        (folder / name).symlink_to(Path("/usr/bin") / name)
    return folder


def test_pins_stay_as_they_are_without_uv(few_programs: Path, tmp_path: Path) -> None:
    (tmp_path / "in").write_text("yaml\n")
    (tmp_path / "out").write_text("yaml==1\n")
    told = run_with(few_programs, PROJECT / "tools/lock", tmp_path / "in", tmp_path / "out", "3.11")
    assert told.returncode != 0
    assert (tmp_path / "out").read_text() == "yaml==1\n"


def test_a_test_authority_that_ends_at_once_has_not_started(tmp_path: Path) -> None:
    shutil.copy(PROJECT / "tools/acme/pebble.sh", tmp_path)
    (tmp_path / "authority.hash").write_text("0\n")
    for name, script in (
        ("pebble-challtestsrv", "echo Starting management server; exec sleep 60"),
        ("pebble", "echo no such port; exit 1"),
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    command = [str(tmp_path / "pebble.sh"), "start", str(tmp_path / "state"), "1", "2", "3"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (1, "pebble ended at once: no such port\n")
    other = int((tmp_path / "state/dns.pid").read_text())
    subprocess.run([tmp_path / "pebble.sh", "stop", tmp_path / "state"], check=True)
    with pytest.raises(ProcessLookupError):
        for _ in range(500):
            os.kill(other, 0)
            time.sleep(0.02)


@pytest.mark.parametrize("number", ["0", "-1", "many"])
@pytest.mark.parametrize("option", ["--cases", "--jobs"])
def test_a_campaign_without_cases_is_refused(option: str, number: str) -> None:
    command = [sys.executable, "-m", "tools.campaign", f"{option}={number}"]
    told = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert f"argument {option}" in told.stderr


def test_each_script_of_a_file_is_checked_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "task.yaml").write_text(TASK)
    (tmp_path / "program").write_text("#!/bin/sh -eu\nrm $1\n")
    (tmp_path / "read.me").write_text("rm $1\n")
    found = list(scripts(tmp_path, ["task.yaml", "program", "read.me"]))
    assert [(script.file, script.line) for script in found] == [
        ("task.yaml", 3),
        ("task.yaml", 5),
        ("program", 1),
    ]
    told = [line.partition(" ")[0] + line[-9:] for line in check(found, PROJECT / "tests/spread/lib")]
    assert sorted(told) == [
        "program:2: [SC2086]",
        "task.yaml:3: [SC2086]",
        "task.yaml:7: [SC2086]",
        "task.yaml:8: [SC2153]",
    ]


def test_what_cannot_be_checked_is_no_success(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        check([], tmp_path)
    broken = Script("broken", 1, "#!/bin/sh\nif true; then\n")
    assert check([broken], tmp_path)
