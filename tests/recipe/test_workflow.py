"""The CI's workflows: written whole, judged by others' tools, with no step of their own."""

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
from tools import ci
from tools.hosts.catalog import systems
from tools.release import envelope, policy
from tools.release.__main__ import main

FILES = sorted(ci.rendered())
TEXTS = {file.name: file.read_text() for file in FILES}
WORKFLOWS: dict[str, dict[Any, Any]] = {name: yaml.safe_load(text) for name, text in TEXTS.items()}
CI = TEXTS["ci.yml"]
JOBS: dict[str, dict[str, Any]] = WORKFLOWS["ci.yml"]["jobs"]
EVERY: dict[str, dict[str, Any]] = {
    f"{file}: {name}": job for file, flow in WORKFLOWS.items() for name, job in flow["jobs"].items()
}
ACTIONLINT = PROJECT / "tools" / "actionlint"
BIN = PROJECT / ".venv" / "bin"
#: Steps with programs that only the CI has.
ELSEWHERE = [
    r"sudo snap install snapcraft --classic",
    r"sudo snap install multipass",
    r"sudo snapcraft pack --destructive-mode --output dist/certbot-fips_snapcraft_amd64\.snap",
    r"snap download core24 --basename=core24",
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
    text = CI.replace("matrix.origin", "matrix.orign").replace("timeout-minutes: 20", "timeout-minute: 20")
    file.write_text(text.replace("        with:\n          persist-credentials: false\n", ""))
    return file


def test_they_are_what_hosts_and_policy_say() -> None:
    for file, text in ci.rendered().items():
        assert file.read_text() == text, "run `python3 -m tools.hosts write`"
    assert sorted((PROJECT / ".github/workflows").iterdir()) == FILES


def test_actionlint(actionlint: Path, broken: Path) -> None:
    command = (actionlint, "-shellcheck=", "-pyflakes=", "-no-color")
    assert judge(*command, *FILES) == (0, "")
    status, said = judge(*command, broken)
    assert status != 0
    assert 'property "orign" is not defined' in said


def test_schema(broken: Path) -> None:
    command = (BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows")
    assert judge(*command, *FILES)[0] == 0
    status, said = judge(*command, broken)
    assert status != 0
    assert "timeout-minute" in said


def test_zizmor(broken: Path) -> None:
    command = (BIN / "zizmor", "--offline", "--no-progress", "--persona", "pedantic")
    status, said = judge(*command, *FILES)
    assert status == 0, said
    broken.write_text(broken.read_text().replace("timeout-minute:", "timeout-minutes:"))
    status, said = judge(*command, broken)
    assert status != 0
    assert "artipacked" in said


def matrix(job: str) -> set[str]:
    (values,) = JOBS[job]["strategy"]["matrix"].values()
    return set(values)


def test_what_the_channels_ask_for_is_made() -> None:
    """Each host and each run of the policy has its job, by what it is."""
    stable = policy.load().channels["stable"]
    made = [
        name
        for job in ("host", "pro", "virtual", "guest")
        for name in JOBS[job]["strategy"]["matrix"]["system"]
    ]
    assert sorted(made) == sorted(stable.hosts)
    kinds = {
        job: {systems()[name].kind for name in matrix(job)} for job in ("host", "pro", "virtual", "guest")
    }
    assert kinds["pro"] == {"pro"}
    assert kinds["virtual"] == kinds["guest"] == {"tmt"}
    assert kinds["host"] == set(ci.PLAIN)
    assert matrix("run") == set(stable.runs)
    assert WORKFLOWS["release.yml"][True]["workflow_dispatch"]["inputs"]["channel"]["options"] == [
        "beta",
        "candidate",
        "stable",
    ]
    assert set(re.findall(r"tools\.hosts run ([a-z0-9.-]+)", CI)) <= set(systems())


def test_all_that_is_seen_is_signed_by_what_the_run_is() -> None:
    types = {"build": [envelope.PROVENANCE, envelope.BUILD], "run": [envelope.RUN]}
    types |= {job: [envelope.TEST_RESULT, envelope.HOST] for job in ("host", "pro", "virtual", "guest")}
    for name, job in JOBS.items():
        signed = [step for step in job["steps"] if "actions/attest@" in step.get("uses", "")]
        assert [step["with"]["predicate-type"] for step in signed] == types.get(name, []), name
        for step in signed:
            assert step["with"]["subject-path"] == "dist/*.snap"
            assert step["with"]["predicate-path"] == f"unsigned/{step['id']}.json"
            assert step["if"].startswith("github.event_name != 'pull_request'")
    # What the evidence command puts there has these names: tests/release/test_attestation.py.
    assert {step["id"] for job in JOBS.values() for step in job["steps"] if "id" in step} == {
        "build",
        "provenance",
        "host",
        "test-result",
        "run",
    }


def test_a_subscription_is_given_back_always() -> None:
    (clean,) = [step for step in JOBS["pro"]["steps"] if "tools.hosts clean" in step.get("run", "")]
    assert clean["if"] == "always()"


def test_both_origins_of_the_provider_are_built_and_compared() -> None:
    assert JOBS["build"]["strategy"]["matrix"]["origin"] == ["tarball", "crate"]
    assert "tools.build.compare dist/snap-tarball/*.snap dist/snap-crate/*.snap" in CI


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job in EVERY.items():
        for step in job["steps"]:
            yield name, step


@pytest.mark.parametrize("command", sorted({step["run"] for _, step in steps() if "run" in step}))
def test_every_step_can_be_run_elsewhere_too(command: str) -> None:
    """It is a target of the Makefile, or a module of tools/; what only the CI has is listed above."""
    if any(re.fullmatch(pattern, command) for pattern in ELSEWHERE):
        return
    make = r"make (?P<target>[a-z]+)(?: [A-Z]+=\"[^\"]*\")*"
    module = r"(?:\.venv/bin/)?python3 -m (?P<module>tools\.[a-z.]+)(?: .*)?"
    called = re.fullmatch(rf"(?:sudo (?:--preserve-env=[A-Z_,]+ )?)?(?:{make}|{module})", command)
    assert called, f"`{command}` is no command of the project's"
    if called["target"]:
        assert re.search(rf"^{called['target']}:", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    else:
        found = importlib.util.find_spec(called["module"])
        assert found
        assert not found.submodule_search_locations or importlib.util.find_spec(
            f"{called['module']}.__main__"
        )


RELEASE = sorted({step["run"] for _, step in steps() if "tools.release " in step.get("run", "")})


@pytest.mark.parametrize("command", RELEASE)
def test_the_words_of_a_command_are_known_to_it(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is asked with another word behind, which is then all that it does not know."""
    words = command.partition("tools.release ")[2].replace('"$CHANNEL"', "beta").replace('"', "").split()
    with pytest.raises(SystemExit):
        main([*words, "--no-such-word"])
    said = capsys.readouterr().err
    assert said.endswith("unrecognized arguments: --no-such-word\n"), said


def test_on_a_machine_that_is_set_up_tools_run() -> None:
    running = re.compile(r"tools\.(release|watch) ")
    for name, job in EVERY.items():
        commands = [step.get("run", "") for step in job["steps"]]
        places = [place for place, command in enumerate(commands) if running.search(command)]
        # What has been built on a machine, it was set up for.
        made = re.compile(r"sudo make (setup|virtual|snap ORIGIN=.*)")
        assert not places or any(made.fullmatch(each) for each in commands[: places[0]]), name


@pytest.mark.parametrize(
    ("target", "run"),
    [
        ("spread WHERE=lxd:x", "spread lxd:x"),
        ("spread WHERE=debian-12", "-m tools.spread debian-12"),
    ],
)
def test_make_makes_the_supplies_first(target: str, run: str, tmp_path: Path) -> None:
    if run.startswith("spread"):  # where there is spread
        (tmp_path / "spread").touch(0o755)
    path = f"PATH={tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin"
    status, said = judge("env", path, "make", "--dry-run", *target.split())
    assert status == 0, said
    assert said.index("tools.spread.supplies") < said.index(run)


def test_every_action_is_pinned_by_its_commit_and_says_its_version() -> None:
    used = re.findall(r"uses: *(.*)", "".join(TEXTS.values()))
    assert used
    for line in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line
    assert len({line for line in used if "/checkout@" in line}) == 1


def test_no_job_may_more_than_it_needs() -> None:
    more = {
        "release.yml: release": {"actions": "read"},
        "watch.yml: watch": {"contents": "write", "issues": "write", "pull-requests": "write"},
    }
    assert all(flow["permissions"] == {} for flow in WORKFLOWS.values())
    for name, job in EVERY.items():
        signs = any("actions/attest@" in step.get("uses", "") for step in job["steps"])
        signing = {"id-token": "write", "attestations": "write"} if signs else {}
        assert job["permissions"] == {"contents": "read", **signing, **more.get(name, {})}, name
        assert 0 < job["timeout-minutes"] <= 180, name


def test_secrets_are_in_protected_environments_and_out_of_reach_of_pull_requests() -> None:
    assert set(WORKFLOWS["ci.yml"][True]) == {
        "push",
        "pull_request",
        "schedule",
    }  # YAML 1.1 reads `on` as true
    assert set(WORKFLOWS["release.yml"][True]) == {"workflow_dispatch"}
    assert set(WORKFLOWS["watch.yml"][True]) == {"schedule", "workflow_dispatch"}
    for name, job in EVERY.items():
        if "secrets." in str(job):
            assert job["environment"], name
            if name.startswith("ci.yml"):
                assert re.search(r"github\.event_name == '(push|schedule)'", job["if"]), name
            given = [step for step in job["steps"] if "secrets." in str(step)]
            assert all(set(step) <= {"run", "env", "if"} for step in given), name
            assert all(
                set(re.findall(r"preserve-env=([A-Z_,]+)", step["run"])[0].split(",")) == set(step["env"])
                for step in given
            )
    for flow in WORKFLOWS.values():
        assert "secrets." not in str({key: value for key, value in flow.items() if key != "jobs"})


def test_only_a_green_commit_goes_to_edge() -> None:
    """With a function of the status in its `if`, a job waits for what it needs, however that ends."""
    edge = JOBS["edge"]
    assert set(edge["needs"]) == {"check", "test", "compare", "snapcraft", "page"}
    for job in edge["needs"]:
        assert f"needs.{job}.result == 'success'" in edge["if"]


def test_one_promotion_at_a_time() -> None:
    assert JOBS["edge"]["concurrency"] == "release"
    assert WORKFLOWS["release.yml"]["concurrency"] == {"group": "release", "cancel-in-progress": False}
