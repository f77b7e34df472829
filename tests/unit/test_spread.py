"""tools/spread does as spread does: what it refuses, which jobs it makes, in what order scripts run."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tools.hosts import HostRefusedError
from tools.hosts.namespace import NamespaceHost
from tools.spread.model import SpreadError, load
from tools.spread.plan import Job, jobs
from tools.spread.run import FailedError, Session

SPREAD = """
project: example
path: /root/example
backends: {adhoc: {allocate: "false", systems: [debian-12]}}
suites: {tests/: {summary: suite}}
"""
LOGGED = """
project: example
path: /root/example
restore: echo project-restore >> /tmp/log; exit $BAD_PROJECT
environment: {BAD_PROJECT: "0"}
backends: {adhoc: {allocate: "false", systems: [debian-12]}}
suites:
  good/: {summary: suite, prepare: "echo good >> /tmp/log", restore: "echo good-restore >> /tmp/log"}
  bad/: {summary: suite, prepare: "pwd; false", debug: "echo why", priority: 1}
"""


def project(folder: Path, spread: str = SPREAD, **tasks: str) -> Path:
    (folder / "spread.yaml").write_text(spread)
    for name, text in (tasks or {"tests__one": ""}).items():
        task = folder / name.replace("__", "/") / "task.yaml"
        task.parent.mkdir(parents=True)
        task.write_text(f"summary: task\n{text if 'execute' in text else text + 'execute: exit 0'}\n")
    return folder


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("path: /root/example", "", "`path`"),
        ("{summary: suite}", "{summary: suite, environment: [A]}", "`environment` is a mapping"),
        ("[debian-12]", "[{debian-12: {}, debian-13: {}}]", "an entry of `systems` is one name"),
        ("[debian-12]", "[]", "backend adhoc has no `systems`"),
        ("[debian-12]", "debian-12", "`systems` is a list"),
        ("tests/:", "tests:", "ends with /"),
        ("{summary: suite}", "{summary: suite, priority: high}", "`priority` is a number"),
        ("{summary: suite}", "{summary: suite, warn-timeout: soon}", "warn-timeout is a time"),
        ("{summary: suite}", "{summary: suite, kill-timeout: ''}", "kill-timeout is a time"),
    ],
)
def test_refused(tmp_path: Path, old: str, new: str, text: str) -> None:
    with pytest.raises(SpreadError, match=text) as refused:
        load(project(tmp_path, SPREAD.replace(old, new)))
    assert "\n" not in str(refused.value)


def test_samples_are_refused_unless_it_is_one(tmp_path: Path) -> None:
    load(project(tmp_path, tests__one="samples: 1\n"))
    with pytest.raises(SpreadError, match="tools/spread does not"):
        load(project(tmp_path, tests__two="samples: 2\n"))


def planned(folder: Path, suite: str, task: str) -> list[Job]:
    spread = SPREAD.replace("{summary: suite}", f"{{summary: suite, {suite}}}")
    return jobs(load(project(folder, spread, tests__one=task + "\n")), "adhoc")


def test_variants_of_a_suite_and_of_a_tasks_variables(tmp_path: Path) -> None:
    found = planned(tmp_path, "variants: [a]", "environment: {X/b: '1'}")
    assert [job.variant for job in found] == ["a", "b"]


def test_a_variants_value_wins_over_a_plain_one_of_a_lower_level(tmp_path: Path) -> None:
    (job,) = planned(tmp_path, "environment: {X/a: '1'}", "environment: {X: '2'}")
    assert (job.variant, job.environment["X"]) == ("a", "1")


@pytest.mark.parametrize(
    ("said", "seconds"), [("", 900), ("kill-timeout: 1.5h", 5400), ("kill-timeout: 1m30s", 90)]
)
def test_kill_timeout(tmp_path: Path, said: str, seconds: float) -> None:
    (job,) = jobs(load(project(tmp_path, f"{SPREAD}{said}\n")), "adhoc")
    assert job.kill_seconds() == seconds


def test_a_manual_backend(tmp_path: Path) -> None:
    made = load(project(tmp_path, SPREAD.replace("{allocate", "{manual: true, allocate")))
    assert (len(jobs(made, "adhoc")), len(jobs(made, "adhoc", manual=True))) == (0, 1)


@pytest.fixture
def host() -> Iterator[NamespaceHost]:
    try:
        with NamespaceHost() as up:
            yield up
    except HostRefusedError as reason:
        pytest.skip(str(reason))


def run(host: NamespaceHost, folder: Path, spread: str, **tasks: str) -> dict[str, str]:
    """Return what each task's failure says, empty when it passed; "" is the session's end."""
    snap = folder / "some.snap"
    snap.write_bytes(b"")
    made = load(project(folder, spread, **tasks))
    said = {}
    try:
        with Session(host, made, snap) as session:
            for job in jobs(made, "adhoc"):
                try:
                    session.run(job)
                    said[job.task.name] = ""
                except FailedError as error:
                    said[job.task.name] = str(error)
    except FailedError as error:
        said[""] = str(error)
    return said


def test_a_suite_that_is_not_prepared_blocks_only_itself(host: NamespaceHost, tmp_path: Path) -> None:
    tasks = {"bad__one": "", "bad__two": "", "good__one": "execute: test $SPREAD_SUITE = good/"}
    said = run(host, tmp_path, LOGGED, **tasks)
    assert "/root/example/bad/one" in said["bad/one"]
    assert "why" in said["bad/one"]
    assert "was not prepared" in said["bad/two"]
    assert said["good/one"] == ""
    assert host.run(["cat", "/tmp/log"]).stdout.split() == ["good", "good-restore", "project-restore"]


def test_a_restore_that_fails_at_the_end_is_told(host: NamespaceHost, tmp_path: Path) -> None:
    said = run(host, tmp_path, LOGGED.replace('"0"', '"3"'), good__one="")
    assert said["good/one"] == ""
    assert "was not restored: project restore ended with 3" in said[""]


def test_failures_of_tasks(host: NamespaceHost, tmp_path: Path) -> None:
    tasks = {
        "tests__a": "execute: echo some | MATCH other\ndebug: echo why\n",
        "tests__b": "execute: echo some | NOMATCH some\n",
        "tests__c": "execute: sleep 60\nkill-timeout: 1s\n",
        "tests__d": "execute: echo some | MATCH some\nrestore: 'false'\ndebug: echo why\n",
        "tests__e": "",
    }
    said = run(host, tmp_path, SPREAD, **tasks)
    assert "pattern not found" in said["tests/a"]
    assert "debug:" in said["tests/a"]
    assert "pattern found" in said["tests/b"]
    assert "ended with 124" in said["tests/c"]
    assert "debug:" in said["tests/d"]
    assert "not run: after adhoc:debian-12:tests/d" in said["tests/e"]


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("google:ubuntu-pro-fips-22.04", "needs spread itself"),
        ("debian-12-fps", "unknown system debian-12-fps: is it debian-12-fips"),
    ],
)
def test_a_place_that_is_none(where: str, text: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.spread", where], capture_output=True, text=True, cwd=PROJECT
    )
    assert done.returncode == 1
    assert text in done.stderr
    assert done.stderr.count("\n") == 1
