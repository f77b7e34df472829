"""The policy is read strictly, and names the hosts and tasks that there are."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import PROJECT
from tools.hosts.catalog import systems
from tools.release import junit, keys, observed, policy
from tools.release.errors import ReleaseError
from tools.spread.model import load
from tools.spread.plan import jobs


def content() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(policy.FILE.read_text())
    return found


def test_every_flagged_host_has_to_pass_the_tasks_that_it_has() -> None:
    """No task can be added, and no host, that the policy forgets."""
    wanted = policy.load().tests
    flagged = {name: system for name, system in systems().items() if system.flag}
    # What is for people alone is no host of the policy.
    assert set(flagged) - set(wanted) == {"lxd-ubuntu-22.04"}
    project = load(PROJECT)
    for name, tests in wanted.items():
        planned = [
            job for job in jobs(project, flagged[name].backend, manual=True) if job.system.name == name
        ]
        has = {job.task.name for job in planned if not job.task.keys.get("manual")}
        assert set(tests) == has, name


def test_a_channel_asks_for_the_hosts_of_those_before_it() -> None:
    channels = policy.load().channels
    for before, after in zip(policy.CHANNELS, policy.CHANNELS[1:], strict=False):
        assert set(channels[before].hosts) <= set(channels[after].hosts)
    assert set(channels["stable"].hosts) == set(policy.load().tests)
    assert set(channels["stable"].runs) == set(policy.load().runs)


def test_the_hosts_of_beta_are_those_that_need_no_machine_elsewhere() -> None:
    known = systems()
    beta = set(policy.load().channels["beta"].hosts)
    here = {name for name, system in known.items() if system.flag and system.backend == "adhoc"}
    assert beta == {name for name in here if known[name].kind not in ("tmt", "pro")}


FLOW = "https://github.com/a/b/.github/workflows/ci.yml@refs/heads/main"
KEY = "-----BEGIN PUBLIC KEY-----\nnone\n-----END PUBLIC KEY-----\n"


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (("colour",), "red", "Additional properties are not allowed ('colour' was unexpected)"),
        (("format",), 2, "format: 1 was expected"),
        (("channels", "edge", "color"), 1, "channels/edge: Additional properties are not allowed ('color'"),
        (("channels", "alpha"), {"hosts": [], "days": 1}, "channels: Additional properties are not allowed"),
        (("channels", "edge", "hosts"), ["mars"], "channels/edge: there is no host mars"),
        (("channels", "edge", "days"), 0, "channels/edge/days: 0 is less than the minimum of 1"),
        (("channels", "edge"), {"days": 1}, "channels/edge: 'hosts' is a required property"),
        (("hosts", "debian-12-fips"), ["none"], "hosts/debian-12-fips: there is no list none"),
        (("trial", "channels"), ["beta"], "trial/channels/0: 'edge' was expected"),
        (("keys", "me"), {"key": KEY, "may": ["host"], "channels": []}, "keys/me: no public key in PEM"),
        (
            ("keys", "me"),
            {"key": KEY, "may": ["everything"], "channels": []},
            "keys/me/may/0: 'everything' is",
        ),
        (("keys", "me"), {"key": "x", "may": [], "channels": []}, "keys/me/key: 'x' does not match"),
        (
            ("workflows", "ci"),
            {"workflow": "https://github.com/a/b", "may": ["host"], "channels": []},
            "workflows/ci/workflow: 'https://github.com/a/b' does not match",
        ),
        (
            ("workflows", "ci"),
            {"workflow": FLOW, "may": ["approval"], "channels": []},
            "workflows/ci/may/0: 'approval' is not one of",
        ),
        (
            ("workflows", "ci"),
            {"workflow": FLOW, "may": ["host"], "hosts": ["mars"], "channels": []},
            "workflows/ci: there is no host mars",
        ),
        (("channels", "beta", "runs"), ["none"], "channels/beta: there is no run none"),
        (("runs", "campaign"), {"command": []}, "runs/campaign"),
        (("runs", "campaign", "shows"), ["("], "runs/campaign/shows/0: '(' is not a 'regex'"),
        (("channels", "stable", "steps"), [50, 10, 100], "channels/stable/steps: they have to rise to 100"),
        (("channels", "stable", "steps"), [10, 50], "channels/stable/steps: they have to rise to 100"),
        (("ahead",), -1, "ahead: -1 is less than the minimum of 0"),
    ],
)
def test_what_it_does_not_know_is_refused(
    tmp_path: Path, path: tuple[str, ...], value: object, line: str
) -> None:
    changed = content()
    inside: Any = changed
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = value
    file = tmp_path / "policy.yaml"
    file.write_text(yaml.safe_dump(changed))
    with pytest.raises(ReleaseError) as caught:
        policy.load(file)
    assert str(caught.value).startswith(f"policy.yaml: {line}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [", "policy.yaml line 1: "),
        ("format: 1\nformat: 1\n", "policy.yaml"),
        ("", "policy.yaml: None is not of type 'object'"),
        ("\udcff", "policy.yaml"),
    ],
)
def test_what_is_no_policy_is_refused(tmp_path: Path, text: str, line: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ReleaseError) as caught:
        policy.load(file)
    assert str(caught.value).startswith(line)
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(ReleaseError, match=r"none\.yaml is missing or no file"):
        policy.load(tmp_path / "none.yaml")


def test_a_key_under_two_names_is_refused(tmp_path: Path) -> None:
    public = keys.make(tmp_path / "one.pem").read_text()
    changed = content()
    for name in ("one", "two"):
        changed["keys"][name] = {"key": public, "may": ["host"], "channels": ["edge"]}
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump(changed))
    with pytest.raises(ReleaseError, match=r"policy\.yaml: keys/two is the key of one"):
        policy.load(tmp_path / "policy.yaml")


def test_the_tasks_of_a_host_are_those_that_the_policy_wants() -> None:
    for name in ("debian-12-fips", "debian-13-kernel-fips", "ubi-9", "rhel-9", "ubuntu-pro-fips-22.04-base"):
        tasks = {job.task.name for job in observed.tasks(systems()[name])}
        assert tasks == set(policy.load().tests[name]), name


CASE = '<testcase classname="tests.spread.any.flag.task.yaml" name="{}:flag">{}</testcase>'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("<testsuites>", "junit.xml is truncated or no XML"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><testsuites/>', "junit.xml has entities of its own"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><testsuites/>'.encode("utf-16"), "junit.xml is no XML in UTF-8"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><testsuites/>'.encode("utf-16-le"), "junit.xml is no XML in UTF-8"),
        ("", "junit.xml is no XML in UTF-8"),
        (
            f"<a>{CASE.format('here', '')}{CASE.format('here', '')}</a>",
            "junit.xml has tests/spread/any/flag twice",
        ),
        (f"<a>{CASE.format('there', '')}</a>", "junit.xml has there:flag, of another host than here"),
    ],
)
def test_results_that_are_none_are_refused(text: str | bytes, line: str) -> None:
    with pytest.raises(ReleaseError) as caught:
        junit.results(text.encode() if isinstance(text, str) else text, "here")
    assert str(caught.value).startswith(line)


def test_results_that_are_written_are_read_again() -> None:
    failure = "execute ended with 1:\n<b> & \x1b[31mred\x00\n"
    cases = [junit.Case("tests/spread/any/flag", 0.5, None), junit.Case("tests/spread/any/bug", 2.0, failure)]
    found = junit.results(junit.written(cases, "here"), "here")
    assert (found.passed, found.failed) == (("tests/spread/any/flag",), ("tests/spread/any/bug",))


def test_results_are_told_apart() -> None:
    text = (
        CASE.format("here", "") + '<testcase classname="tests.snap.test_x" name="test_a"><error/></testcase>'
    )
    found = junit.results(f"<a>{text}</a>".encode(), "here")
    assert found.counts == {"passed": 1, "failed": 1, "skipped": 0}
    assert found.why_not("tests/spread/any/flag") is None
    assert found.why_not("tests.snap.test_x::test_a") == "failed"
    assert found.why_not("tests/spread/any/bug") == "was not run"
