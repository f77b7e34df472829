"""What the administrator sees of `certbot-fips.doctor`, and snapd of the snap's health."""

import json
import os
import re
from typing import Any

import jsonschema
import pytest

from tests.snap.support import MADE_HERE, SNAP, Certbot, MakeHost
from tests.snap.test_faults import CONFIG, DAMAGE, damage, in_fips
from tests.snap.test_hooks import answers_of_snapd, calls_of_snapd
from tools.architecture import ARCHITECTURE
from tools.hosts import NamespaceHost, Result
from tools.hosts.base import LOGIN_ENVIRONMENT

DOCTOR = ["certbot-fips.doctor"]
AS_ANOTHER_USER = [
    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
    *(f"{SNAP}/usr/bin/fips-doctor", "--json"),
]
SETTING = "/var/snap/certbot-fips/common/fips"


def examined(host: NamespaceHost, status: int) -> dict[str, Any]:
    """Run the doctor both ways; return its JSON, which its published schema takes."""
    screen, result = host.run(DOCTOR), host.run([*DOCTOR, "--json"])
    assert (screen.returncode, result.returncode) == (status, status)
    assert (screen.stderr, result.stderr) == ("", "")
    found: dict[str, Any] = json.loads(result.stdout)
    schema = json.loads(host.path(f"{SNAP}/usr/share/fips-doctor/schema.json").read_text())
    jsonschema.validate(found, schema)
    assert screen.stdout.splitlines()[0] == found["headline"]
    assert len(screen.stdout.splitlines()) <= 40
    assert found["exit_status"] == status
    return found


def state(found: dict[str, Any], name: str) -> str:
    return str(found["evidence"][name]["state"])


def value(found: dict[str, Any], name: str) -> str:
    return str(found["evidence"][name]["value"])


@pytest.mark.provider
def test_a_flagged_host(flagged: NamespaceHost) -> None:
    found = examined(flagged, 0)
    assert found["headline"] == "FIPS: active"
    for name in (
        "process",
        "libraries",
        "works",
        "refused",
        "groups",
        "openssl",
        "self_test",
        "module_sha256",
    ):
        assert state(found, name) == "ok", name
    assert value(found, "kernel_flag") == "1, on"
    kems = flagged.run(["certbot-fips.openssl", "list", "-kem-algorithms"]).check().stdout
    hybrids = "SecP256r1MLKEM768, SecP384r1MLKEM1024, " if re.search("ML-KEM-768.* @ fips", kems) else ""
    assert value(found, "groups") == f"{hybrids}P-256, P-384, P-521"
    assert MADE_HERE in value(found, "config")


@pytest.mark.provider
def test_an_unflagged_host(unflagged: NamespaceHost) -> None:
    found = examined(unflagged, 0)
    assert found["headline"] == "FIPS: off, host not flagged"
    assert "X25519" in value(found, "groups")
    assert state(found, "self_test") == "ok"


@pytest.mark.provider
def test_nothing_is_claimed_but_what_the_record_says(host: NamespaceHost) -> None:
    record = json.loads(host.path(f"{SNAP}/usr/share/fips-provider/record.json").read_text())
    found = examined(host, 0)
    assert value(found, "validation") == record["validation"]
    assert host.run(DOCTOR).stdout.count("validated") == record["validation"].count("validated")


def test_an_opted_out_host(make_host: MakeHost) -> None:
    host = make_host()
    host.run(["tee", SETTING], stdin="off\n").check()
    found = examined(host, 1)
    assert found["headline"] == "FIPS: OFF BY SETTING ON A FIPS HOST"
    assert "snap set certbot-fips fips=auto" in found["evidence"]["mode"]["remedy"]


def test_a_host_where_fips_is_on_by_setting(make_host: MakeHost) -> None:
    host = make_host(flagged=False)
    host.run(["tee", SETTING], stdin="on\n").check()
    found = examined(host, 0)
    assert (found["headline"], found["host_flagged"], found["fips_needed"]) == ("FIPS: active", False, True)


@pytest.mark.parametrize("word", ["perhaps", ""])
def test_an_unknown_setting(make_host: MakeHost, word: str) -> None:
    host = make_host(flagged=False)
    host.run(["tee", SETTING], stdin=word).check()
    found = examined(host, 1)
    assert found["headline"] == "FIPS: active, BUT 1 THING IS NOT RIGHT"
    assert state(found, "mode") == "bad"


@pytest.mark.parametrize("what", DAMAGE)
@pytest.mark.parametrize("needed", [True, False], ids=["flagged", "unflagged"])
def test_a_broken_snap(make_host: MakeHost, needed: bool, what: str) -> None:
    """Whatever is broken is reported; and that the snap cannot be used, where that is so."""
    host = make_host(flagged=needed)
    damage(host, *DAMAGE[what])
    if DAMAGE[what][0] == CONFIG:
        host.run(["rm", "-f", MADE_HERE]).check()
    found = examined(host, 1)
    bad = [item for item in found["evidence"].values() if item["state"] == "bad"]
    assert bad
    assert all(item["remedy"] for item in bad)
    runs = host.run(["certbot-fips", "--version"]).returncode == 0
    assert runs == (found["verdict"] == "fips-off")
    assert found["verdict"] in (("fips-not-active",) if needed else ("fips-off", "snap-broken"))


def test_a_broken_library_of_pythons_own(make_host: MakeHost) -> None:
    """The part of the snap that the doctor itself stands on: one line, and `could not tell`."""
    host = make_host()
    damage(
        host, "usr/lib/python3.13/fips_doctor/report.py", 'rm -rf "${0%/*}"/report.py "${0%/*}"/__pycache__'
    )
    result = host.run(DOCTOR)
    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("certbot-fips: the doctor is broken too")


def test_any_user_may_ask(host: NamespaceHost) -> None:
    """And sees the same, but for what the host hides from that user, which is said."""
    mine = json.loads(host.run([*DOCTOR, "--json"]).stdout)
    result = host.run(AS_ANOTHER_USER)
    theirs = json.loads(result.stdout)
    for name in ("forced_mode", "lineages"):
        item = theirs["evidence"][name]
        if item["state"] == "unknown" and item["remedy"] == "run the doctor as root":
            del theirs["evidence"][name], mine["evidence"][name]
    seen, hidden = (found["evidence"].pop("lineage_keys") for found in (mine, theirs))
    assert (result.returncode, theirs) == (0, mine)
    if mine["fips_needed"]:
        assert seen["state"] != "unknown"
        assert hidden["value"] == "cannot be told: only root may look into /etc/letsencrypt/live"


def test_what_a_preload_does_is_seen(flagged: NamespaceHost) -> None:
    preload = {**LOGIN_ENVIRONMENT, "LD_PRELOAD": f"/usr/lib/{ARCHITECTURE.triplet}/libcrypto.so.3"}
    result = flagged.run(DOCTOR, env=preload)
    assert result.returncode == 1
    assert result.stdout.startswith("FIPS: REQUIRED BUT NOT ACTIVE\n")
    assert "-> run it without LD_PRELOAD" in result.stdout


def test_leftovers_are_named_with_what_to_do(make_host: MakeHost) -> None:
    host = make_host()
    host.run(["tee", "/etc/environment"], stdin="OPENSSL_FORCE_FIPS_MODE=0\n").check()
    script = (
        "mkdir -p /snap/certbot/4000 /snap/certbot/4100 /etc/letsencrypt/renewal;"
        "ln -s 4000 /snap/certbot/current; touch /etc/letsencrypt/renewal/example.org.conf;"
        "ln -s ../certbot-renew.timer /etc/systemd/system/timers.target.wants/"
    )
    host.run(["sh", "-euc", script]).check()
    found = examined(host, 0)
    for name in ("forced_mode", "upstream_snap", "lineages", "two_managers"):
        assert state(found, name) == "warn"
        assert found["evidence"][name]["remedy"]


def test_certificates_that_certbot_cannot_renew_are_named(fips_certbot: Certbot) -> None:
    """As Certbot has them: a whole one, one whose key is gone, or not approved, or whose plugin is absent."""
    host = fips_certbot.host
    host.run(["rm", "-rf", "/etc/letsencrypt"]).check()  # other tests leave folders that others may read
    for name in ("whole.example.org", "torn.example.org", "lost.example.org", "weak.example.org"):
        fips_certbot.issue(name)
    before = value(examined(host, 0), "lineages")
    assert "torn" not in before
    assert "lost" not in before
    script = (
        "cd /etc/letsencrypt; rm -r archive/torn.example.org;"
        "sed -i 's/^authenticator = .*/authenticator = dns-try/' renewal/lost.example.org.conf;"
        "cd archive/weak.example.org; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:secp256k1"
        " -nodes -subj /CN=weak.example.org -keyout privkey1.pem -out cert1.pem; cp cert1.pem chain1.pem;"
        "cat cert1.pem chain1.pem > fullchain1.pem"
    )
    host.run(["sh", "-euc", script]).check()
    found = examined(host, 0)
    assert state(found, "lineages") == "warn"
    assert "torn.example.org (/etc/letsencrypt/live/torn.example.org/cert.pem leads nowhere)" in value(
        found, "lineages"
    )
    assert "lost.example.org (the plugin dns-try is not here)" in value(found, "lineages")
    assert "whole.example.org" not in value(found, "lineages")
    assert "weak.example.org (" in value(found, "lineages")
    theirs = json.loads(host.run(AS_ANOTHER_USER).check().stdout)["evidence"]["lineages"]
    assert theirs["state"] == "unknown"
    said = fips_certbot("certificates")
    for name in ("torn", "weak"):
        assert (
            f"/etc/letsencrypt/renewal/{name}.example.org.conf" in said.stdout.partition("were invalid:")[2]
        )
    host.run(["rm", "-rf", "/etc/letsencrypt"]).check()


def test_it_is_quick_and_needs_no_network(flagged: NamespaceHost) -> None:
    """The hosts have no network at all. The best of three, for the machine may be busy."""
    script = "TIMEFORMAT='%U %S'; time certbot-fips.doctor > /run/screen"
    results = [flagged.run(["bash", "-c", script]).check() for _ in range(3)]
    assert min(sum(map(float, result.stderr.split())) for result in results) < 1  # of the processor
    if os.getloadavg()[0] > (os.cpu_count() or 1):
        pytest.skip("this machine is busy with other work, so that the time by the clock says nothing")
    assert min(result.seconds for result in results) < 1


def test_wrong_usage_and_help(host: NamespaceHost) -> None:
    wrong = host.run([*DOCTOR, "--jason"])
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == "certbot-fips: usage: certbot-fips.doctor [--json]\n"
    assert host.run([*DOCTOR, "--help"]).check().stdout.startswith("usage: certbot-fips.doctor [--json]")


def test_a_reader_that_goes_away(flagged: NamespaceHost) -> None:
    result = flagged.run(["bash", "-c", "certbot-fips.doctor | true; echo ${PIPESTATUS[0]}"])
    assert (result.stdout, result.stderr) in [("0\n", "")]


def reported(host: NamespaceHost, command: list[str], setting: str = "") -> list[str]:
    """Return what snapd was told of the snap's health; ``setting``: what snapd has for `fips`."""
    answers_of_snapd(host, {"fips": setting})
    result: Result = host.run(command).check()
    assert (result.stdout, result.stderr) == ("", "")
    (call,) = calls_of_snapd(host)
    return call


HEALTH = [["snap", "run", "--hook=check-health", "certbot-fips"], ["snap", "run", "certbot-fips.health"]]


@pytest.mark.provider
@pytest.mark.parametrize("command", HEALTH)
def test_health_is_reported_by_the_hook_and_by_the_timer(make_host: MakeHost, command: list[str]) -> None:
    assert reported(make_host(), command) == ["set-health", "okay"]
    assert reported(make_host(flagged=False), command) == ["set-health", "okay"]
    host = make_host()
    host.run(["tee", SETTING], stdin="off\n").check()
    assert reported(host, command, "off") == [
        "set-health",
        "blocked",
        "FIPS: OFF BY SETTING ON A FIPS HOST; run certbot-fips.doctor",
        "--code=fips-off-by-setting",
    ]
    host = make_host()
    damage(host, *DAMAGE["module missing"])
    assert reported(host, command)[1:] == [
        "error",
        "FIPS: REQUIRED BUT NOT ACTIVE; run certbot-fips.doctor",
        "--code=fips-not-active",
    ]


@pytest.mark.parametrize("command", HEALTH)
@pytest.mark.parametrize("cover", ["/dev/null", "/etc/hostname"])
def test_health_is_not_what_it_was_where_python_cannot_start(
    make_host: MakeHost, command: list[str], cover: str
) -> None:
    """By snapd's rules for words and codes. The hook ends well: snapd forgets what a failed one said."""
    host = make_host()
    host.run(["sh", "-euc", f"mount --bind {cover} {SNAP}/usr/bin/python3.13"]).check()
    answers_of_snapd(host, {})
    assert host.run(command).returncode == 0
    ((verb, status, text, code),) = calls_of_snapd(host)
    assert (verb, status, code) == ("set-health", "error", "--code=not-checked")
    assert text == "the health check cannot run; run certbot-fips.doctor"
    assert 7 <= len(text) <= 70


def test_a_setting_that_snapd_has_and_no_hook_has_seen(make_host: MakeHost) -> None:
    """`snapctl set` from an app: the doctor counts it as on at once, all processes with the next health."""
    host = make_host(flagged=False)
    host.run(["tee", SETTING], stdin="auto\n").check()
    answers_of_snapd(host, {"fips": "on"})
    assert examined(host, 1)["verdict"] == "fips-not-active"
    assert reported(host, HEALTH[1], "on")[1:] == [
        "blocked",
        "not as it should be: mode; run certbot-fips.doctor",
        "--code=mode",
    ]
    assert in_fips(host)
    found = examined(host, 1)
    assert found["headline"] == "FIPS: active, BUT 1 THING IS NOT RIGHT"
    assert "'auto, but snapd has on'" in value(found, "mode")
    host.run(["rm", "/run/snapctl-calls"]).check()
    assert reported(host, HEALTH[1], "auto") == ["set-health", "okay"]
    assert not in_fips(host)
    assert examined(host, 0)["verdict"] == "fips-off"


@pytest.mark.parametrize("word", ["on", "auto"])
@pytest.mark.parametrize("elsewhere", ["cp -a", "mount --bind"])
def test_a_copy_elsewhere_goes_by_the_installed_snaps_setting(
    make_host: MakeHost, elsewhere: str, word: str
) -> None:
    host = make_host(flagged=False)
    host.run(["tee", SETTING], stdin=word).check()
    make = "mkdir /opt/copy; " + (
        "cp -a $0/. /opt/copy" if elsewhere == "cp -a" else "mount --bind $(readlink -f $0) /opt/copy"
    )
    host.run(["sh", "-euc", make, SNAP]).check()
    md5 = host.run(["/opt/copy/usr/bin/python3", "-c", "import hashlib; hashlib.md5(b'')"])
    assert (md5.returncode == 0) == (word == "auto")
    found = json.loads(host.run(["/opt/copy/usr/bin/fips-doctor", "--json"]).stdout)
    assert found["fips_needed"] is (word == "on")
