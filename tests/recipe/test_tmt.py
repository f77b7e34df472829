"""tmt takes its plans: one for each RHEL of hosts.yaml, with the FIPS flag set after the packages."""

import json
import subprocess
import sys
from pathlib import Path

import yaml

from tests.conftest import PROJECT
from tools.hosts.catalog import systems

TMT = PROJECT / ".venv" / "bin" / "tmt"


def test_tmt_lints_the_plans() -> None:
    done = subprocess.run([TMT, "lint"], capture_output=True, text=True, cwd=PROJECT, check=False)
    lines = (done.stdout + done.stderr).splitlines()
    assert done.returncode == 0, lines
    assert not [line for line in lines if line.startswith(("fail", "warn"))]


def test_there_is_a_plan_for_each_release() -> None:
    shown = subprocess.run(
        [TMT, "plans", "export", "--how", "json"], capture_output=True, cwd=PROJECT, check=True
    )
    plans = {plan["name"]: plan for plan in json.loads(shown.stdout)}
    assert set(plans) == {f"/plans/{system.name}" for system in systems().values() if system.kind == "tmt"}
    for name, plan in plans.items():
        in_order = sorted(plan["prepare"], key=lambda phase: int(phase["order"]))
        assert in_order[-1]["fips"] == "enabled", name


def test_the_machine_runs_the_tasks_of_spread() -> None:
    listed = subprocess.run([TMT, "tests", "ls"], capture_output=True, text=True, cwd=PROJECT, check=True)
    assert listed.stdout.split() == ["/tests/tmt"]


def test_the_machine_needs_no_python_package_but_yaml(tmp_path: Path) -> None:
    """As plans/main.fmf installs it there."""
    (tmp_path / "yaml").symlink_to(Path(yaml.__file__).parent)
    program = "import runpy, sys; sys.path += sys.argv[1:3]; sys.argv[1:] = ['nowhere']"
    program += "; runpy.run_module('tools.spread', run_name='__main__')"
    told = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, tmp_path, PROJECT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stderr.startswith("spread: unknown system nowhere: ")


def test_a_missing_machine_is_named() -> None:
    command = [str(PROJECT / "tools" / "tmt"), "rhel-9", ""]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert "tmt: a plan and a machine are needed: make tmt PLAN=rhel-9 GUEST=address" in told.stderr
