"""The CI's workflow: judged by others' tools, with the systems of hosts.yaml, with no step of its own."""

import hashlib
import importlib.util
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import PROJECT
from tools.hosts.catalog import systems

FILE = PROJECT / ".github" / "workflows" / "ci.yml"
TEXT = FILE.read_text()
WORKFLOW: dict[Any, Any] = yaml.safe_load(TEXT)
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]
ACTIONLINT = PROJECT / "tools" / "actionlint"
BIN = PROJECT / ".venv" / "bin"
#: Steps with programs that only the CI has.
ELSEWHERE = [
    r"sudo snap install snapcraft --classic",
    r"sudo snapcraft pack --destructive-mode --output dist/certbot-fips_snapcraft_amd64\.snap",
    r"snap download core24 --basename=core24",
    r"go install github\.com/canonical/spread/cmd/spread@[0-9a-f]{40} # [0-9.]+",
]


def judge(*command: str | Path) -> tuple[int, str]:
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def actionlint() -> Path:
    """actionlint, built once for each content of its folder."""
    content = b"".join(file.read_bytes() for file in sorted(ACTIONLINT.iterdir()))
    program = PROJECT / "build" / f"actionlint-{hashlib.sha256(content).hexdigest()[:12]}"
    if not program.is_file():
        program.parent.mkdir(exist_ok=True)
        built = subprocess.run(
            [ACTIONLINT / "build", program], capture_output=True, text=True, timeout=600, check=False
        )
        if built.returncode:
            pytest.skip(f"actionlint cannot be built here: {built.stderr.strip().splitlines()[-1]}")
    return program


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """The workflow with three mistakes, one for each judge."""
    file = tmp_path / ".github" / "workflows" / "broken.yml"
    file.parent.mkdir(parents=True)
    text = TEXT.replace("matrix.origin", "matrix.orign").replace("timeout-minutes: 20", "timeout-minute: 20")
    file.write_text(text.replace("        with:\n          persist-credentials: false\n", ""))
    return file


def test_actionlint(actionlint: Path, broken: Path) -> None:
    command = (actionlint, "-shellcheck=", "-pyflakes=", "-no-color")
    assert judge(*command, FILE) == (0, "")
    status, said = judge(*command, broken)
    assert status != 0
    assert 'property "orign" is not defined' in said


def test_schema(broken: Path) -> None:
    command = (BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows")
    assert judge(*command, FILE)[0] == 0
    status, said = judge(*command, broken)
    assert status != 0
    assert "timeout-minute" in said


def test_zizmor(broken: Path) -> None:
    command = (BIN / "zizmor", "--offline", "--no-progress", "--persona", "pedantic")
    status, said = judge(*command, FILE)
    assert status == 0, said
    broken.write_text(broken.read_text().replace("timeout-minute:", "timeout-minutes:"))
    status, said = judge(*command, broken)
    assert status != 0
    assert "artipacked" in said


def test_the_systems_are_those_of_the_hosts_file() -> None:
    for job, kind in (("image", "image"), ("ubuntu-pro", "google"), ("rhel", "tmt")):
        wanted = [system.name for system in systems().values() if system.kind == kind]
        assert JOBS[job]["strategy"]["matrix"]["system"] == wanted, job
    assert set(re.findall(r"tools\.hosts run ([a-z0-9.-]+)", TEXT)) <= set(systems())


def test_both_origins_of_the_provider_are_built_and_compared() -> None:
    assert JOBS["build"]["strategy"]["matrix"]["origin"] == ["tarball", "crate"]
    assert "tools.build.compare dist/snap-tarball/*.snap dist/snap-crate/*.snap" in TEXT


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job in JOBS.items():
        for step in job["steps"]:
            yield name, step


@pytest.mark.parametrize("command", sorted({step["run"] for _, step in steps() if "run" in step}))
def test_every_step_can_be_run_elsewhere_too(command: str) -> None:
    """It is a target of the Makefile, or a module of tools/; what only the CI has is listed above."""
    if any(re.fullmatch(pattern, f"{command}{comment(command)}") for pattern in ELSEWHERE):
        return
    make = r"make (?P<target>[a-z]+)(?: [A-Z]+=\"[^\"]*\")*"
    module = r"(?:\.venv/bin/)?python3 -m (?P<module>tools\.[a-z.]+)(?: .*)?"
    called = re.fullmatch(rf'(?:PATH="\$HOME/go/bin:\$PATH" )?(?:sudo )?(?:{make}|{module})', command)
    assert called, f"`{command}` is no command of the project's"
    if called["target"]:
        assert re.search(rf"^{called['target']}:", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    else:
        found = importlib.util.find_spec(called["module"])
        assert found
        assert not found.submodule_search_locations or importlib.util.find_spec(
            f"{called['module']}.__main__"
        )


def test_where_the_tasks_run_their_supplies_are_made() -> None:
    """On a machine that is set up: by the Makefile, or by tools.spread itself."""
    running = re.compile(r"make (spread|tmt) |tools\.release evidence ")
    jobs = {name for name, step in steps() if running.search(step.get("run", ""))}
    assert jobs == {"image", "ubuntu-pro", "rhel"}
    for name in jobs:
        commands = [step.get("run", "") for step in JOBS[name]["steps"]]
        (run,) = (place for place, command in enumerate(commands) if running.search(command))
        assert "sudo make setup" in commands[:run], name


@pytest.mark.parametrize(
    ("target", "run"),
    [
        ("spread WHERE=google:x", "spread google:x"),
        ("spread WHERE=debian-12", "-m tools.spread debian-12"),
        ("tmt PLAN=x GUEST=y", 'tools/tmt "x" "y"'),
    ],
)
def test_make_makes_the_supplies_first(target: str, run: str, tmp_path: Path) -> None:
    if run.startswith("spread"):  # where there is spread
        (tmp_path / "spread").touch(0o755)
    path = f"PATH={tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin"
    status, said = judge("env", path, "make", "--dry-run", *target.split())
    assert status == 0, said
    assert said.index("tools.spread.supplies") < said.index(run)


def comment(command: str) -> str:
    """Return the comment behind a step, which YAML drops."""
    found = re.search(rf"{re.escape(command)}( # .*)$", TEXT, re.MULTILINE)
    return found[1] if found else ""


def test_every_action_is_pinned_by_its_commit_and_says_its_version() -> None:
    used = re.findall(r"uses: *(.*)", TEXT)
    assert used
    for line in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line
    assert len({line for line in used if "/checkout@" in line}) == 1


def test_no_job_may_more_than_read() -> None:
    assert WORKFLOW["permissions"] == {}
    for name, job in JOBS.items():
        signs = any("actions/attest@" in step.get("uses", "") for step in job["steps"])
        more = {"id-token": "write", "attestations": "write"} if signs else {}
        assert job["permissions"] == {"contents": "read", **more}, name
        assert 0 < job["timeout-minutes"] <= 120, name


def test_secrets_are_out_of_reach_of_pull_requests() -> None:
    assert set(WORKFLOW[True]) == {"push", "pull_request", "schedule"}  # YAML 1.1 reads `on` as true
    for name, job in JOBS.items():
        if "secrets." in str(job):
            assert job["if"] == "github.event_name == 'push' || github.event_name == 'schedule'", name
            assert job["environment"], name
            given = [step for step in job["steps"] if "secrets." in str(step)]
            assert [set(step) for step in given] == [{"run", "env"}], name
    assert "secrets." not in str({key: value for key, value in WORKFLOW.items() if key != "jobs"})
