"""tools/spread does as spread does: what it refuses, which jobs it makes, in what order scripts run."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PROJECT
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
        ("{summary: suite}", "{summary: suite, warn-timeout: soon}", "`warn-timeout` is a time"),
        ("{summary: suite}", "{summary: suite, kill-timeout: ''}", "`kill-timeout` is a time"),
        ("{summary: suite}", "{summary: suite, kill_timeout: 1m}", "unknown key `kill_timeout`: is it kill-"),
        ("{summary: suite}", "{summary: suite, summary: other}", ":5: the key `summary` is there twice"),
        ("{summary: suite}", "{prepare: 'true'}", "suite tests/ needs a `summary`"),
        ("{summary: suite}", "{summary: suite, backends: [ad*]}", "`backends` has 'ad\\*', which can"),
        ("{summary: suite}", "{summary: suite, variants: [a*]}", "`variants` has 'a\\*', which can be none"),
        ("{summary: suite}", "", "suite tests is no mapping"),
        ("tests/:", "Tests/:", "suite Tests: a name is small letters"),
        ("tests/:", "others/:", "suite others/: there is no such folder"),
        ("project: example", "", "project None: a name is small letters"),
        ("project: example", "project: example\ninclude: [$A]", "knows \\$ in `environment`"),
        ('allocate: "false"', "discard: x", "`allocate` is for the type adhoc"),
        ("adhoc: {", "here: {", "backend here: its type is one of"),
        ("[debian-12]", "[debian-12, debian-12]", "system debian-12 is there twice"),
        ("[debian-12]", "[debian-12: {manual: 1}]", "`manual` is true or false"),
    ],
)
def test_refused(tmp_path: Path, old: str, new: str, text: str) -> None:
    with pytest.raises(SpreadError, match=text) as refused:
        load(project(tmp_path, SPREAD.replace(old, new)))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("execute: [a]", "`execute` is text"),
        ("prepare: {a: b}", "`prepare` is text"),
        ("debug: a\nexecute: b\ndebug: c", "task.yaml:4: the key `debug` is there twice"),
        ("manual: 'no'", "`manual` is true or false"),
        ("priority: '1'", "`priority` is a number"),
        ("environment: {A-B: c}", "'A-B' is no name of a variable"),
        ("environment: {A/: c}", "'A/' is no name of a variable"),
        ("environment: {YES: c}", "'YES' is no name of a variable"),
        ("environment: {A: [c]}", "`environment` is a mapping of names to text"),
        ("environment: {A: b, A: c}", "the key `A` is there twice"),
        ("systems: [debian*]", "`systems` has 'debian\\*', which can be none"),
        ("systems: [--debian-12]", "`systems` has '--debian-12', which can be none"),
        ("? [a]\n: b", "a key is a name"),
    ],
)
def test_a_task_that_is_refused(tmp_path: Path, said: str, text: str) -> None:
    with pytest.raises(SpreadError, match=text) as refused:
        load(project(tmp_path, tests__one=said + "\n"))
    assert "\n" not in str(refused.value)


def test_a_task_in_a_folder_whose_name_spread_does_not_take(tmp_path: Path) -> None:
    with pytest.raises(SpreadError, match="task One: a name is small letters"):
        load(project(tmp_path, tests__One=""))


def test_a_backend_that_is_none(tmp_path: Path) -> None:
    made = load(project(tmp_path, SPREAD.replace("{adhoc: {", "{here: {type: adhoc, ")))
    with pytest.raises(SpreadError, match=r"spread.yaml has no backend adhoc: known: here"):
        jobs(made, "adhoc")


def test_samples_are_refused_unless_it_is_one(tmp_path: Path) -> None:
    load(project(tmp_path, tests__one="samples: 1\n"))
    with pytest.raises(SpreadError, match="tools/spread does not"):
        load(project(tmp_path, tests__two="samples: 2\n"))


def planned(folder: Path, suite: str, task: str) -> list[Job]:
    spread = SPREAD.replace("{summary: suite}", f"{{summary: suite, {suite}}}")
    return jobs(load(project(folder, spread, tests__one=task + "\n")), "adhoc")


def test_the_jobs_are_those_that_spread_lists(tmp_path: Path) -> None:
    """What spread itself says, by `spread -list adhoc:`, of these files; its order is by chance."""
    spread = """
project: example
path: /root/example
environment: {P/a: x}
backends:
  adhoc: {allocate: "false", systems: [debian-12, debian-13, ubuntu-22.04], variants: [+c]}
  other: {type: adhoc, allocate: "false", systems: [debian-12, fedora-40]}
suites: {tests/: {summary: suite}}
"""
    tasks = {
        "tests__one": "systems: [debian-*]\n",
        "tests__two": "systems: [+fedora-*, -debian-13]\nvariants: [d, e]\n",
        "tests__three": "variants: [-a]\nenvironment: {Q/z: 1}\n",
        "tests__four": "backends: [-adhoc]\n",
    }
    names = [
        *("adhoc:debian-12:tests/one:a", "adhoc:debian-12:tests/one:c"),
        *("adhoc:debian-12:tests/three:c", "adhoc:debian-12:tests/three:z"),
        *("adhoc:debian-12:tests/two:d", "adhoc:debian-12:tests/two:e"),
        *("adhoc:debian-13:tests/one:a", "adhoc:debian-13:tests/one:c"),
        *("adhoc:debian-13:tests/three:c", "adhoc:debian-13:tests/three:z"),
        *("adhoc:ubuntu-22.04:tests/three:c", "adhoc:ubuntu-22.04:tests/three:z"),
        *("adhoc:ubuntu-22.04:tests/two:d", "adhoc:ubuntu-22.04:tests/two:e"),
    ]
    found = [job.name for job in jobs(load(project(tmp_path, spread, **tasks)), "adhoc")]
    assert found == names


def test_variants_of_a_suite_and_of_a_tasks_variables(tmp_path: Path) -> None:
    found = planned(tmp_path, "variants: [a]", "environment: {X/b: '1'}")
    assert [job.variant for job in found] == ["a", "b"]


def test_a_variants_value_wins_over_a_plain_one_of_a_lower_level(tmp_path: Path) -> None:
    (job,) = planned(tmp_path, "environment: {X/a: '1'}", "environment: {X: '2'}")
    assert (job.variant, job.environment["X"]) == ("a", "1")


def test_a_variant_with_two_values_for_a_variable(tmp_path: Path) -> None:
    with pytest.raises(SpreadError, match="the variable X of variant a has two values"):
        planned(tmp_path, "environment: {X/a: '1'}", 'environment: {"X/a,b": "2"}')


def test_values_are_what_is_written(tmp_path: Path) -> None:
    said = "environment: {A: 1.10, B: yes, C: 0x10, D: ~, E: , F: '$(HOST: printf \" f \\n\\n\")'}"
    (job,) = planned(tmp_path, "priority: 1", said)
    assert [job.environment[name] for name in "ABCDEF"] == ["1.10", "yes", "0x10", "", "", " f "]
    assert job.environment["SPREAD_REBOOT"] == "0"


@pytest.mark.parametrize(
    ("said", "seconds"), [("", 900), ("kill-timeout: 1.5h", 5400), ("kill-timeout: 1m30s", 90)]
)
def test_kill_timeout(tmp_path: Path, said: str, seconds: float) -> None:
    (job,) = jobs(load(project(tmp_path, f"{SPREAD}{said}\n")), "adhoc")
    assert job.seconds("kill-timeout") == seconds


def test_a_manual_backend(tmp_path: Path) -> None:
    made = load(project(tmp_path, SPREAD.replace("{allocate", "{manual: true, allocate")))
    assert (len(jobs(made, "adhoc")), len(jobs(made, "adhoc", manual=True))) == (0, 1)


@pytest.fixture
def host() -> Iterator[NamespaceHost]:
    with NamespaceHost() as up:
        yield up


def run(host: NamespaceHost, folder: Path, spread: str, **tasks: str) -> dict[str, str]:
    """Return what each task's failure says, empty when it passed; "" is the session's end."""
    snap = folder / "some.snap"
    snap.write_bytes(b"")
    made = load(project(folder, spread, **tasks))
    said = {}
    try:
        with Session(host, made, snap, folder) as session:
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
    said = run(host, tmp_path, LOGGED.replace('"0"', '"3"'), good__one="", bad__one="manual: true\n")
    assert said["good/one"] == ""
    assert "was not restored: project restore ended with 3" in said[""]


ORDERED = """
project: example
path: /root/example
environment: {LOG: /tmp/log}
prepare: echo project-prepare >> $LOG
restore: echo project-restore >> $LOG
prepare-each: echo project-prepare-each >> $LOG
restore-each: echo project-restore-each >> $LOG
debug-each: echo project-debug-each >> $LOG
backends:
  adhoc:
    allocate: "false"
    systems: [debian-12]
    prepare: echo backend-prepare >> $LOG
    restore: echo backend-restore >> $LOG
    prepare-each: echo backend-prepare-each >> $LOG
    restore-each: echo backend-restore-each >> $LOG
    debug-each: echo backend-debug-each >> $LOG
suites:
  tests/:
    summary: suite
    prepare: echo suite-prepare $PWD >> $LOG
    restore: echo suite-restore $PWD >> $LOG
    prepare-each: echo suite-prepare-each >> $LOG
    restore-each: echo suite-restore-each >> $LOG
    debug-each: echo suite-debug-each >> $LOG
"""
FAILS = """
prepare: echo task-prepare >> $LOG; false
execute: echo task-execute >> $LOG
restore: echo task-restore >> $LOG
debug: echo task-debug $PWD >> $LOG
"""


def test_what_runs_after_a_prepare_that_fails(host: NamespaceHost, tmp_path: Path) -> None:
    """The order is that of spread's own run of these files."""
    assert "prepare ended with 1" in run(host, tmp_path, ORDERED, tests__one=FAILS)["tests/one"]
    levels = ("project", "backend", "suite", "task")
    assert host.run(["cat", "/tmp/log"]).stdout.splitlines() == [
        "project-prepare",
        "backend-prepare",
        "suite-prepare /root/example/tests/one",
        *(f"{level}-prepare-each" for level in levels[:3]),
        "task-prepare",
        "task-debug /root/example/tests/one",
        *(f"{level}-debug-each" for level in levels[2::-1]),
        "task-restore",
        *(f"{level}-restore-each" for level in levels[2::-1]),
        "suite-restore /root/example/tests/one",
        "backend-restore",
        "project-restore",
    ]


def test_a_script_that_takes_long_is_told(
    host: NamespaceHost, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spread = SPREAD.replace("{summary: suite}", "{summary: suite, warn-timeout: 1s}")
    assert run(host, tmp_path, spread, tests__one="execute: sleep 1.5\n")["tests/one"] == ""
    assert "WARNING: adhoc:debian-12:tests/one running late.\n" in capsys.readouterr().err


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
