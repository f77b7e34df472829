"""spread.yaml is read strictly, and has the systems of tools/hosts/hosts.yaml."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tools.hosts.catalog import load as load_hosts
from tools.spread.model import SpreadError, load
from tools.spread.plan import jobs

SPREAD = """
project: example
path: /root/example
environment: {A: project, B/one: x, B/two: y}
backends: {adhoc: {allocate: "false", systems: [debian-12, debian-12-fips, debian-13: {manual: true}]}}
suites: {tests/: {summary: suite}}
"""
TASK = "summary: task\nexecute: true\n"


def project(folder: Path, task: str = TASK, spread: str = SPREAD) -> Path:
    (folder / "tests/one").mkdir(parents=True)
    (folder / "spread.yaml").write_text(spread)
    (folder / "tests/one/task.yaml").write_text(task)
    return folder


def test_the_systems_are_those_of_the_hosts_file() -> None:
    hosts = load_hosts()
    found = load(PROJECT).systems
    assert set(found["adhoc"]) == set(hosts["systems"]) | set(hosts["elsewhere"]["images"])
    assert {name for name, part in found["adhoc"].items() if part.keys.get("manual")} == set(
        hosts["elsewhere"]["images"]
    )
    assert set(found["google"]) == set(hosts["elsewhere"]["spread"])


def test_every_task_says_what_it_shows_and_runs_on_a_fips_host() -> None:
    made = load(PROJECT)
    tasks = {task.name for tasks in made.tasks.values() for task in tasks}
    assert len(tasks) >= 11
    assert {job.task.name for job in jobs(made, "adhoc") if job.system.name == "debian-11-fips"} == tasks


def test_a_new_task_is_a_new_folder_and_no_other_file(tmp_path: Path) -> None:
    """`make test` runs it on every system that is to be had everywhere."""
    for name in ("tools", "tests"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("spread.yaml", "pyproject.toml"):
        shutil.copy(PROJECT / name, tmp_path)
    (tmp_path / "tests/spread/new").mkdir()
    (tmp_path / "tests/spread/new/task.yaml").write_text(TASK)
    collect = [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/spread"]
    done = subprocess.run(collect, capture_output=True, text=True, cwd=tmp_path)
    new = {line for line in done.stdout.splitlines() if line.endswith(":new")}
    assert new == {f"tests/spread/new/task.yaml::{name}:new" for name in load_hosts()["systems"]}, done.stdout


@pytest.mark.parametrize(
    ("task", "text"),
    [
        (TASK + "exceute: x\n", "unknown key `exceute`: is it execute?"),
        (TASK + "systems: [debian-21]\n", "`systems` has debian-21, which is none: is it debian-13"),
        (TASK + "kill-timeout: soon\n", "`kill-timeout` is a time such as"),
        ("summary: x\n", "a task needs `execute`"),
        ("summary: [x\n", "task.yaml:2: no YAML"),
        ("- x\n", "no mapping of keys"),
    ],
)
def test_what_spread_would_ignore_is_refused(tmp_path: Path, task: str, text: str) -> None:
    with pytest.raises(SpreadError, match=text):
        load(project(tmp_path, task))


def test_a_name_that_spread_does_not_take(tmp_path: Path) -> None:
    with pytest.raises(SpreadError, match="system plain: spread wants names such as"):
        load(project(tmp_path, spread=SPREAD.replace("debian-12,", "plain,")))


def test_filters_variants_and_environment(tmp_path: Path) -> None:
    found = jobs(load(project(tmp_path, TASK + "systems: [-debian-12]\nenvironment: {A: task}\n")), "adhoc")
    names = [job.name for job in found]
    assert names == [f"adhoc:debian-12-fips:tests/one:{variant}" for variant in ("one", "two")]
    assert [(job.environment["A"], job.environment["B"]) for job in found] == [("task", "x"), ("task", "y")]
    assert found[0].environment["SPREAD_TASK"] == "tests/one"
