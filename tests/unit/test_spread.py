"""tools/spread does as spread does: what it refuses, which jobs it makes, in what order scripts run."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tools.hosts.namespace import NamespaceHost
from tools.spread.model import SpreadError, load
from tools.spread.plan import jobs
from tools.spread.run import FailedError, Session

SPREAD = """
project: example
path: /root/example
backends: {adhoc: {allocate: "false", systems: [debian-12]}}
suites: {tests/: {summary: suite}}
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
        ("path: /root/example", "", "`path` is needed"),
        ("path: /root/example", "path: example", "'example' is not an absolute path"),
        ("project: example", "", "`project` is needed"),
        ("project: example", "project: Example", "'Example' is not a name in small letters"),
        ("[debian-12]", "[{debian-12: {}, debian-13: {}}]", "is not one name, with its keys"),
        ("[debian-12]", "[]", r"adhoc: systems: \[\] is not a list of systems, one at least"),
        ("[debian-12]", "debian-12", "'debian-12' is not a list of systems"),
        ("[debian-12]", "[debian-12, debian-12]", "system debian-12 is there twice"),
        ("[debian-12]", "[debian-12: ]", "debian-12: None is not a mapping of keys"),
        ("[debian-12]", "[plain]", "'plain' is not a name such as debian-12"),
        ("[debian-12]", "[debian-12: {manual: 1}]", "'1' is not true or false, without quotes"),
        ("[debian-12]", "[debian-12: {manual: 'true'}]", "'true' is not true or false, without quotes"),
        ("[debian-12]", "[debian-12: {variants: [a]}]", "unknown key `variants`"),
        ('allocate: "false"', "discard: x", "adhoc: `allocate` is needed"),
        ('allocate: "false"', "allocate: x, prepare: x", "adhoc: unknown key `prepare`"),
        ("adhoc: {", "here: {", "backends: unknown key `here`: known: adhoc, lxd"),
        ("tests/:", "tests:", "'tests' is not a folder in small letters and digits, which ends with /"),
        ("tests/:", "Tests/:", "'Tests/' is not a folder in small letters"),
        ("tests/:", "others/:", "suite others/: there is no such folder"),
        ("{summary: suite}", "", "tests/: None is not a mapping of keys"),
        ("{summary: suite}", "{systems: [debian-12]}", "tests/: `summary` is needed"),
        ("{summary: suite}", "{summary: suite, summary: other}", ":5: the key `summary` is there twice"),
        ("{summary: suite}", "{summary: suite, systems: [debian*]}", r"'debian\*' is not a name such as"),
        ("{summary: suite}", "{summary: suite, systems: [-debian-12]}", "'-debian-12' is not a name such as"),
        (
            "{summary: suite}",
            "{summary: suite, systems: [debian-21]}",
            "no system debian-21: is it deb",
        ),
        ("{summary: suite}", "{summary: suite, priority: 1}", "unknown key `priority`"),
        ("{summary: suite}", "{summary: suite, backends: [adhoc]}", "unknown key `backends`"),
    ],
)
def test_refused(tmp_path: Path, old: str, new: str, text: str) -> None:
    with pytest.raises(SpreadError, match=text) as refused:
        load(project(tmp_path, SPREAD.replace(old, new)))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("exclude: [$A]", r"'\$A' is not a name, without \$"),
        ("exclude: build", "'build' is not a list of names"),
        ("environment: {A: [c]}", "A: .* is not text"),
        ("environment: {A: b, A: c}", "the key `A` is there twice"),
        ("environment: {A: '$(HOST: true)'}", "is not text, without"),
        ("kill-timeout: soon", "'soon' is not a time such as"),
        ("kill-timeout: ''", "'' is not a time such as"),
        ("kill_timeout: 1m", "unknown key `kill_timeout`: is it kill-"),
        ("warn-timeout: 1m", "unknown key `warn-timeout`"),
        ("reroot: x", "unknown key `reroot`"),
        ("environment: [A]", "environment: .* is not a mapping of names"),
        ("environment: {A-B: c}", "'A-B' is not the name of a variable"),
        ("environment: {A/b: c}", "'A/b' is not the name of a variable"),
        ("environment: {YES: c}", "'YES' is not the name of a variable"),
    ],
)
def test_a_key_of_the_project_that_is_refused(tmp_path: Path, said: str, text: str) -> None:
    with pytest.raises(SpreadError, match=text) as refused:
        load(project(tmp_path, f"{SPREAD}{said}\n"))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("execute: [a]", r"execute: \['a'\] is not text"),
        ("execute: ''", "execute: '' is not text, a script, and not empty"),
        ("prepare: {a: b}\nexecute: c", "prepare: {'a': 'b'} is not text"),
        ("debug: a\nexecute: b\ndebug: c", "task.yaml:4: the key `debug` is there twice"),
        ("manual: maybe\nexecute: a", "manual: 'maybe' is not true or false, without quotes"),
        ("priority: 1\nexecute: a", "unknown key `priority`"),
        ("samples: 2\nexecute: a", "unknown key `samples`"),
        ("environment: {A/b: c}\nexecute: a", "unknown key `environment`"),
        ("systems: [-debian-12]\nexecute: a", "'-debian-12' is not a name such as"),
        ("systems: [debian-21]\nexecute: a", "task.yaml: no system debian-21: is it deb"),
        ("execute: a\nexceute: x", "unknown key `exceute`: is it execute?"),
        ("execute: a\nkill-timeout: soon", "kill-timeout: 'soon' is not a time such as"),
        ("execute: a\n? [a]\n: b", "a key is a name"),
    ],
)
def test_a_task_that_is_refused(tmp_path: Path, said: str, text: str) -> None:
    with pytest.raises(SpreadError, match=text) as refused:
        load(project(tmp_path, tests__one=said + "\n"))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("summary: [x\n", "task.yaml:2: no YAML"),
        ("- x\n", r"\['x'\] is not a mapping of keys"),
        ("", "None is not a mapping of keys"),
        ("summary: x\n", "`execute` is needed"),
        ("execute: x\n", "`summary` is needed"),
        ("execute: x\nsummary:\n", "summary: None is not text"),
    ],
)
def test_a_file_that_is_no_task(tmp_path: Path, text: str, said: str) -> None:
    made = project(tmp_path)
    (made / "tests/one/task.yaml").write_text(text)
    with pytest.raises(SpreadError, match=said):
        load(made)


def test_a_task_in_a_folder_whose_name_spread_does_not_take(tmp_path: Path) -> None:
    with pytest.raises(SpreadError, match="the name of a task is small letters"):
        load(project(tmp_path, tests__One=""))


def test_a_backend_that_is_none(tmp_path: Path) -> None:
    made = load(project(tmp_path))
    with pytest.raises(SpreadError, match=r"spread.yaml has no backend lxd: known: adhoc"):
        jobs(made, "lxd")


def test_the_jobs_are_those_that_spread_lists(tmp_path: Path) -> None:
    """What spread itself says, by `spread -list adhoc:`, of such files; its order is by chance."""
    spread = """
project: example
path: /root/example
backends:
  adhoc: {allocate: "false", systems: [debian-12, debian-13, ubuntu-22.04: {manual: true}]}
  lxd: {systems: [debian-12, fedora-40]}
suites: {tests/: {summary: all}, some/: {summary: some, systems: [fedora-40, debian-13, ubuntu-22.04]}}
"""
    made = load(project(tmp_path, spread, tests__one="", tests__two="", some__three=""))
    every = [
        *("adhoc:debian-12:tests/one", "adhoc:debian-12:tests/two"),
        *("adhoc:debian-13:some/three", "adhoc:debian-13:tests/one", "adhoc:debian-13:tests/two"),
        *("adhoc:ubuntu-22.04:some/three", "adhoc:ubuntu-22.04:tests/one", "adhoc:ubuntu-22.04:tests/two"),
    ]
    assert [job.name for job in jobs(made, "adhoc", manual=True)] == every
    assert [job.name for job in jobs(made, "adhoc")] == [name for name in every if "ubuntu" not in name]


def test_a_task_names_its_systems(tmp_path: Path) -> None:
    """Of those of its suite, as spread's README says."""
    spread = SPREAD.replace("[debian-12]", "[debian-12, debian-13]")
    made = load(project(tmp_path, spread, tests__one="systems: [debian-13]\n", tests__two=""))
    found = [job.name for job in jobs(made, "adhoc")]
    assert found == ["adhoc:debian-12:tests/two", "adhoc:debian-13:tests/one", "adhoc:debian-13:tests/two"]


def test_values_are_what_is_written(tmp_path: Path) -> None:
    said = "environment: {A: 1.10, B: yes, C: 0x10, D: ~, E: , F: g}"
    spread = SPREAD.replace("[debian-12]", "[debian-12: {environment: {F: ' f '}}]")
    (job,) = jobs(load(project(tmp_path, f"{spread}{said}\n")), "adhoc")
    assert [job.environment[name] for name in "ABCDEF"] == ["1.10", "yes", "0x10", "", "", " f "]
    assert job.environment["SPREAD_REBOOT"] == "0"


@pytest.mark.parametrize(
    ("said", "tasks", "seconds"),
    [
        ("", "", 900),
        ("kill-timeout: 1.5h", "", 5400),
        ("kill-timeout: 1.5h", "kill-timeout: 1m30s\n", 90),
    ],
)
def test_kill_timeout(tmp_path: Path, said: str, tasks: str, seconds: float) -> None:
    (job,) = jobs(load(project(tmp_path, f"{SPREAD}{said}\n", tests__one=tasks)), "adhoc")
    assert job.seconds == seconds


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


def test_a_project_that_is_not_prepared_runs_no_task_and_is_restored(
    host: NamespaceHost, tmp_path: Path
) -> None:
    scripts = "prepare: pwd; false\ndebug: echo why\nrestore: echo restored >> /tmp/log; exit 3\n"
    said = run(host, tmp_path, SPREAD + scripts, tests__one="execute: touch /tmp/log", tests__two="")
    for task in ("tests/one", "tests/two"):
        assert "the project was not prepared: prepare ended with 1:\n" in said[task]
        assert "/root/example\n" in said[task]
        assert said[task].endswith("debug:\n+ echo why\nwhy")
    assert "the project was not restored: restore ended with 3" in said[""]
    assert host.run(["cat", "/tmp/log"]).stdout == "restored\n"


ORDERED = """
prepare: echo project-prepare >> $LOG
restore: echo project-restore >> $LOG
restore-each: echo project-restore-each >> $LOG
debug-each: echo project-debug-each >> $LOG
environment: {LOG: /tmp/log}
"""
FAILS = """
prepare: echo task-prepare >> $LOG; false
execute: echo task-execute >> $LOG
restore: echo task-restore $PWD >> $LOG
debug: echo task-debug $PWD >> $LOG
"""


def test_what_runs_after_a_prepare_that_fails(host: NamespaceHost, tmp_path: Path) -> None:
    """The order is that of spread's own run of such files."""
    said = run(host, tmp_path, SPREAD + ORDERED, tests__one=FAILS, tests__two="")
    assert "prepare ended with 1" in said["tests/one"]
    assert said["tests/two"] == ""
    assert host.run(["cat", "/tmp/log"]).stdout.splitlines() == [
        "project-prepare",
        "task-prepare",
        "task-debug /root/example/tests/one",
        "project-debug-each",
        "task-restore /root/example/tests/one",
        "project-restore-each",
        "project-restore-each",
        "project-restore",
    ]


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
        ("lxd:lxd-ubuntu-22.04", "needs spread itself"),
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
