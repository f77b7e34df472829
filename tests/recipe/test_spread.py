"""spread.yaml, the tasks and the CI have what tools/hosts/hosts.yaml says of the systems."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tools.hosts import written
from tools.hosts.catalog import SUITES, systems
from tools.spread.model import load
from tools.spread.plan import Job, jobs

CI = ".github/workflows/ci.yml"

TASK = "summary: task\nexecute: echo\n"


def tasks_of(suite: str, found: list[Job]) -> set[str]:
    return {job.task.name for job in found if job.suite.name == f"tests/spread/{suite}"}


def test_what_hosts_yaml_says_is_what_spread_has() -> None:
    text = written.FILE.read_text()
    assert written.renewed(text) == text, "run `python3 -m tools.hosts write`"


def test_a_system_runs_what_it_can_run() -> None:
    project = load(PROJECT)
    every = [job for backend in project.systems for job in jobs(project, backend, manual=True)]
    for system in systems().values():
        own = [job for job in every if job.system.name == system.name]
        assert own[0].environment["HOST_FIPS"] == ("yes" if system.flag else "no")
        wanted = {"any"} | {suite for suite, runs in SUITES.items() if runs(system)}
        assert {job.suite.name.rpartition("/")[2] for job in own} == wanted, system
        for suite in wanted:
            elsewhere = {
                task.name
                for task in project.tasks[f"tests/spread/{suite}"]
                if system.name not in task.keys.get("systems", [system.name])
            }
            assert tasks_of(suite, own) == tasks_of(suite, every) - elsewhere != set()


def test_no_script_goes_by_the_name_of_a_system() -> None:
    scripts = [file for file in (PROJECT / "tests/spread").rglob("*") if file.suffix in (".yaml", ".sh")]
    assert len(scripts) > 10
    assert [file for file in scripts if "SPREAD_SYSTEM" in file.read_text()] == []


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the tasks' plan is made from."""
    for name in ("tools", "tests", "parts", ".github"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("snapcraft.yaml", "spread.yaml", "pyproject.toml"):
        shutil.copy(PROJECT / name, tmp_path)
    return tmp_path


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=folder)


def add(tree: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    """Add lines to the systems of hosts.yaml, and have them written."""
    hosts = tree / "tools/hosts/hosts.yaml"
    hosts.write_text(hosts.read_text() + "".join(f"  {line}\n" for line in lines))
    return python(tree, "-m", "tools.hosts", "write")


def test_a_new_system_is_one_line(tree: Path) -> None:
    """What it runs hangs on what it is, not on its name: a container has no snapd whatever it is called."""
    names_of = {"container": "ubuntu-30.04", "machine": "ubuntu-pro-fips-30.04", "booted": "docker-debian-31"}
    written_now = add(
        tree,
        f'{names_of["container"]}: {{kind: image, image: "ubuntu:30.04", flag: true}}',
        f"{names_of['machine']}: {{kind: pro, image: '30.04', flag: true}}",
        f"{names_of['booted']}: {{kind: nspawn, root: debian-13, flag: false}}",
    )
    assert written_now.stdout.splitlines() == [f"written: {tree / 'spread.yaml'}"]
    project = load(tree)
    for name, backend, suites in (
        (names_of["container"], "adhoc", {"any", "fast"}),
        (names_of["machine"], "adhoc", {"any", "fast", "snapd"}),
        (names_of["booted"], "adhoc", {"any", "fast", "snapd", "web"}),
    ):
        own = [job for job in jobs(project, backend, manual=True) if job.system.name == name]
        assert {job.suite.name for job in own} == {f"tests/spread/{suite}" for suite in suites}
    assert "          - ubuntu-30.04\n" not in (tree / CI).read_text(), "no channel of the policy asks for it"
    collected = python(tree, "-m", "pytest", "--collect-only", "-q", "tests/spread").stdout
    assert "::docker-debian-31:install\n" in collected
    assert "ubuntu-30.04:" not in collected, "no registry is asked where it was not asked for"


def test_a_container_cannot_be_said_to_have_snapd(tree: Path) -> None:
    refused = add(tree, 'ubuntu-30.04: {kind: image, image: "ubuntu:30.04", flag: true, snapd: true}')
    assert refused.returncode == 1
    assert refused.stderr == (
        "hosts: hosts.yaml: ubuntu-30.04: `snapd` is no key of a system, but maybe of its kind\n"
    )


def test_every_task_says_what_it_shows_and_runs_on_a_fips_host() -> None:
    made = load(PROJECT)
    tasks = {task.name for tasks in made.tasks.values() for task in tasks}
    assert tasks == {str(file.parent.relative_to(PROJECT)) for file in PROJECT.glob("tests/**/task.yaml")}
    assert len(tasks) >= 12
    flagged = [job for job in jobs(made, "adhoc") if job.environment["HOST_FIPS"] == "yes"]
    assert {job.task.name for job in flagged} == tasks


def test_a_new_task_is_a_new_folder_and_no_other_file(tree: Path) -> None:
    """`make test` runs it on every system that can be brought up everywhere."""
    (tree / "tests/spread/any/new").mkdir()
    (tree / "tests/spread/any/new/task.yaml").write_text(TASK)
    collected = python(tree, "-m", "pytest", "--collect-only", "-q", "tests/spread").stdout
    new = {line.partition("::")[2] for line in collected.splitlines() if line.endswith(":new")}
    here = [system for system in systems().values() if system.backend == "adhoc" and not system.manual]
    assert new == {f"{system.name}:new" for system in here}, collected
