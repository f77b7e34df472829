"""tmt takes its plans: one for each system of hosts.yaml, with the FIPS flag set after the packages."""

import json
import subprocess

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
