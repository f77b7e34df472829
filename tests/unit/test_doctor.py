"""The doctor's rules: from evidence to a verdict, to a screen, to snapd's health."""

import datetime
import json
import os
import ssl
from pathlib import Path

import jsonschema
import pytest

from fips_doctor import host, leftovers, module, verdict
from fips_doctor.evidence import Evidence, Item, State, host_run, read, run
from fips_doctor.probe import GROUPS, hello, offered_groups
from fips_doctor.report import Report
from fips_hooks.health import health
from fips_launch.config import approved_groups
from fips_launch.decide import Decision, Source
from tests.conftest import PROJECT
from tools.observe import groups
from tools.observe.sniff_hellos import CLIENT_HELLO, client_hello, messages

PARTS = Path(__file__).resolve().parents[2] / "parts"
SCHEMA = json.loads((PARTS / "fips-doctor" / "schema.json").read_text())
#: What every report has.
ALWAYS: list[str] = SCHEMA["properties"]["evidence"]["required"]


def evidence(**states: State) -> Evidence:
    """Return whole evidence, all of it good but for what is said."""
    good = {name: Item(name, "as found", State.OK) for name in ALWAYS}
    return good | {name: Item(name, "as found", state, "do it") for name, state in states.items()}


def report(found: Evidence, needed: bool = True, flagged: bool = True) -> Report:
    flag = Decision(flagged, Source.FLAG, "so the kernel says")
    setting = Source.SETTING_ON if needed else Source.SETTING_OFF
    decision = flag if needed == flagged else Decision(needed, setting, "so it is set")
    code = verdict.verdict(decision, flag, found)
    status = verdict.exit_status(code, found)
    return Report(code, verdict.headline(code, found), status, needed, flagged, found)


@pytest.mark.parametrize(
    ("needed", "flagged", "found", "headline", "status"),
    [
        (True, True, {}, "FIPS: active", 0),
        (True, False, {}, "FIPS: active", 0),
        (False, False, {}, "FIPS: off, host not flagged", 0),
        (False, True, {}, "FIPS: OFF BY SETTING ON A FIPS HOST", 1),
        (True, True, {"process": State.BAD}, "FIPS: REQUIRED BUT NOT ACTIVE", 1),
        (True, True, {"openssl": State.BAD}, "FIPS: REQUIRED BUT NOT ACTIVE", 1),
        (True, True, {"process": State.BAD, "openssl": State.UNKNOWN}, "FIPS: REQUIRED BUT NOT ACTIVE", 1),
        (True, True, {"process": State.UNKNOWN}, "FIPS: could not be told", 2),
        (False, False, {"openssl": State.UNKNOWN}, "FIPS: could not be told", 2),
        (False, False, {"process": State.BAD}, "FIPS: off, and the snap is broken", 1),
        (True, True, {"module_sha256": State.BAD}, "FIPS: active, BUT 1 THING IS NOT RIGHT", 1),
        (
            False,
            False,
            {"trust_store": State.BAD, "self_test": State.BAD},
            "FIPS: off, host not flagged, BUT 2 THINGS ARE NOT RIGHT",
            1,
        ),
        (True, True, {"two_managers": State.WARN, "services": State.UNKNOWN}, "FIPS: active", 0),
    ],
)
def test_the_verdict(
    needed: bool, flagged: bool, found: dict[str, State], headline: str, status: int
) -> None:
    made = report(evidence(**found), needed, flagged)
    assert (made.headline, made.exit_status) == (headline, status)
    assert made.screen().splitlines()[0] == headline


@pytest.mark.parametrize("state", State)
def test_json_says_what_the_screen_says_by_its_schema(state: State) -> None:
    made = report(evidence(mode=state))
    found = json.loads(made.json())
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(found, SCHEMA)
    assert found["headline"] in made.screen()
    assert ("do it" in made.screen()) == bool(found["evidence"]["mode"]["remedy"])
    assert bool(found["evidence"]["mode"]["remedy"]) == (state not in (State.OK, State.INFO))


def test_the_schema_refuses_what_is_not_in_it() -> None:
    found = json.loads(report(evidence()).json())
    wrongs: list[dict[str, object]] = [
        {"verdict": "fine"},
        {"evidence": {}},
        {"extra": 1},
        {"exit_status": 3},
    ]
    for wrong in wrongs:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(found | wrong, SCHEMA)


def test_the_same_advice_is_given_once() -> None:
    screen = report(evidence(process=State.BAD, openssl=State.BAD)).screen()
    assert screen.count("-> do it") == 1


@pytest.mark.parametrize(
    ("needed", "found", "status", "code"),
    [
        (True, {}, "okay", None),
        (True, {"upstream_snap": State.WARN, "services": State.UNKNOWN}, "okay", None),
        (False, {}, "blocked", "fips-off-by-setting"),
        (True, {"process": State.BAD}, "error", "fips-not-active"),
        (True, {"process": State.UNKNOWN}, "waiting", "fips-unknown"),
        (True, {"mode": State.BAD}, "blocked", "mode"),
        (True, {"trust_store": State.BAD}, "blocked", "trust-store"),
        (True, {"hooks": State.BAD}, "blocked", "hooks"),
        (True, {"entropy": State.BAD}, "waiting", "entropy"),
        (True, {"config": State.WARN}, "waiting", "hook-not-run"),
        (True, {"config": State.BAD}, "error", "config"),
        (True, {"module_sha256": State.BAD}, "error", "module-sha256"),
    ],
)
def test_health(needed: bool, found: dict[str, State], status: str, code: str | None) -> None:
    """By snapd's rules: no words with okay; else 7 to 70 characters, and a code of 3 to 30."""
    said = health(report(evidence(**found), needed), "certbot-fips")
    assert said[0] == status
    if code is None:
        assert len(said) == 1
    else:
        assert said[2] == f"--code={code}"
        assert 3 <= len(code) <= 30
        assert 7 <= len(said[1]) <= 70
        assert said[1].endswith("; run certbot-fips.doctor")


def test_groups_are_read_from_what_a_client_really_sends() -> None:
    """By this Python's own OpenSSL, told what to offer; and the tests' own reader sees the same."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ecdh_curve("secp384r1")
    context.check_hostname = False
    outgoing = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
    alone = outgoing.read()
    assert offered_groups(alone) == ["P-384"]
    for message in (hello(), alone):
        [(kind, body)] = messages(message)
        assert kind == CLIENT_HELLO
        assert offered_groups(message) == [GROUPS[number] for number in client_hello(body)["offered"]] != []


def test_the_product_and_its_tests_mean_the_same_groups() -> None:
    approved = {number for number, name in groups.NAMES.items() if name in groups.APPROVED}
    offered = approved_groups((PROJECT / "parts/openssl-configs/fips.cnf.in").read_text())
    assert {number for number, name in GROUPS.items() if name in offered} == approved


def test_leftovers(tmp_path: Path) -> None:
    root = str(tmp_path)

    def looked() -> list[Item]:
        look = (leftovers.forced_mode, leftovers.linked_module, leftovers.upstream)
        return [one(root) for one in look]

    assert {item.state for item in looked()} == {State.OK}
    for name in ("etc", "usr/lib64/ossl-modules", "snap/certbot/4000", "snap/certbot/4100"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "etc/environment").write_text('OPENSSL_FORCE_FIPS_MODE="0"\n')
    (tmp_path / "usr/lib64/ossl-modules/fips.so").symlink_to("/opt/fips.so")
    (tmp_path / "snap/certbot/current").symlink_to("4000")
    found = looked()
    assert {item.state for item in found} == {State.WARN}
    assert all(item.advice for item in found)
    assert "/etc/environment" in found[0].value
    assert "-> /opt/fips.so" in found[1].value
    assert "revision 4000, reverted" in found[2].value


@pytest.mark.parametrize(
    "place",
    [
        "etc/systemd/system/nginx.service.d/override.conf",
        "etc/systemd/system/nginx.service",
        "etc/systemd/system/service.d/all.conf",
        "usr/lib/systemd/system/certbot-renew.service.d/10.conf",
        "run/systemd/system/a.service.d/b.conf",
        "etc/systemd/user.conf",
        "etc/cron.d/renew",
        "etc/default/nginx",
        "etc/sysconfig/certbot",
        "var/spool/cron/crontabs/root",
        "etc/anacrontab",
        "etc/security/pam_env.conf",
        "root/.bashrc",
        "opt/environment",  # which a unit names
        "opt/quoted",
    ],
)
def test_the_variable_is_found_wherever_a_service_gets_it(tmp_path: Path, place: str) -> None:
    file, unit = tmp_path / place, tmp_path / "etc/systemd/system/other.service"
    for each in (file, unit):
        each.parent.mkdir(parents=True, exist_ok=True)
    unit.write_text('[Service]\nEnvironmentFile=-/opt/environment\nEnvironmentFile="/opt/quoted"\n')
    file.write_text("[Service]\n# OPENSSL_FORCE_FIPS_MODE=0\n")
    assert leftovers.forced_mode(str(tmp_path)).state is State.OK
    file.write_text("[Service]\nEnvironment=A=1 OPENSSL_FORCE_FIPS_MODE=0\n")
    found = leftovers.forced_mode(str(tmp_path))
    assert found.state is State.WARN
    assert place in found.value


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ('PRETTY_NAME="A 1"\nNAME=B\nID=c\n', "A 1"),
        ("NAME='B'\nID=c\n", "B"),
        ("ID=c\n", "c"),
        ("PRETTY_NAME=\nVERSION_ID=1\n", "Linux"),
        ("", "Linux"),
        (None, "Linux"),
    ],
)
@pytest.mark.parametrize("folder", ["etc", "usr/lib"])
def test_the_operating_systems_name(tmp_path: Path, folder: str, content: str | None, name: str) -> None:
    (tmp_path / folder).mkdir(parents=True)
    if content is not None:
        (tmp_path / folder / "os-release").write_text(content)
    assert host.name(str(tmp_path)) == name


@pytest.mark.parametrize(
    ("today", "state", "said"),
    [
        ("2026-11-26", State.INFO, ""),
        ("2029-03-09", State.INFO, ""),
        ("2029-03-10", State.WARN, "is on 2030-03-10, in 365 days"),
        ("2030-03-09", State.WARN, "is on 2030-03-10, in 1 days"),
        ("2030-03-10", State.WARN, "was on 2030-03-10: it is historical"),
        ("2031-01-01", State.WARN, "was on 2030-03-10: it is historical"),
    ],
)
def test_the_certificates_sunset_is_told_a_year_ahead(today: str, state: State, said: str) -> None:
    """What may be claimed stays word for word; and where no certificate is named nothing is said."""
    day = datetime.date.fromisoformat(today)
    record = {"validation": "validated, certificate #4985", "certificate_sunset": "2030-03-10"}
    item = module.validation(record, day)
    assert (item.value, item.state) == ("validated, certificate #4985", state)
    assert said in item.advice
    assert bool(said) == bool(item.advice)
    assert module.validation({"validation": "not validated"}, day).state is State.INFO


def test_the_variable_in_the_callers_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSSL_FORCE_FIPS_MODE", "0")
    item = leftovers.forced_mode(str(tmp_path))
    assert (item.state, item.value) == (State.WARN, "in this environment")


def test_nothing_holds_the_doctor_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert read(str(tmp_path / "pipe")) == ""
    assert read(str(tmp_path)) is None
    assert run("sleep", "10", seconds=0.05).last_line == "no answer within 0.05 s"
    assert run(str(tmp_path / "absent")).status is None
    assert host_run("no-such-program").last_line == "no no-such-program on this host"
