"""The trail that a run leaves: the mode in the log, whose keys it worked with, what hooks were given."""

import json
import re
from typing import Any

import pytest

from tests.snap.support import SNAP, Certbot, MakeHost
from tools.acme import AcmeServer
from tools.hosts import NamespaceHost
from tools.hosts.base import LOGIN_ENVIRONMENT

LOG = "/var/log/letsencrypt/letsencrypt.log"
RECORD = "/var/snap/certbot-fips/common/keys"
SETTING = "/var/snap/certbot-fips/common/fips"
RENEW = ("renew", "--force-renewal", "--no-random-sleep-on-renew")
REMARK = "is not on record as made here in FIPS mode"
#: cron's own; certbot-fips is called by its path then.
POOR = {**LOGIN_ENVIRONMENT, "PATH": "/usr/bin:/bin:/snap/bin"}


def log(host: NamespaceHost) -> str:
    return host.run(["cat", LOG]).check().stdout


def item(host: NamespaceHost, name: str, **how: Any) -> tuple[str, str]:
    """Return the state and the value of a line of the doctor."""
    found = json.loads(host.run(["certbot-fips.doctor", "--json"], **how).stdout)["evidence"][name]
    return found["state"], found["value"]


@pytest.mark.provider
def test_the_log_has_the_mode(make_host: MakeHost) -> None:
    """One line of each run, with the module's file as any program digests it."""
    host = make_host()
    digest = host.run(["sha256sum", f"{SNAP}/usr/lib/ossl-modules/fips.so"]).check().stdout.split()[0]
    record = json.loads(host.path(f"{SNAP}/usr/share/fips-provider/record.json").read_text())
    host.run(["certbot-fips", "certificates"]).check()
    module = f"{record['name']} {record['version']}, sha256:{digest}"
    line = f"FIPS mode on, because the kernel's FIPS flag is on; proven; module: {module}"
    assert log(host).count("FIPS mode") == 1 and log(host).count(line) == 1
    host.run(["tee", SETTING], stdin="off\n").check()
    host.run(["certbot-fips", "certificates"]).check()
    assert "FIPS off by setting, because the setting is fips=off" in log(host)


def test_the_log_of_an_unflagged_host(unflagged: NamespaceHost) -> None:
    unflagged.run(["certbot-fips", "certificates"]).check()
    assert re.search(
        "FIPS not asked for, because (the kernel's FIPS flag is off|this kernel has no FIPS flag)",
        log(unflagged),
    )


def test_keys_that_are_made_here_are_on_record(make_host: MakeHost) -> None:
    """Account and certificate; what was made with FIPS off is not, nor what came from elsewhere."""
    host = make_host()
    with AcmeServer(host) as acme:
        certbot = Certbot(host, acme)
        certbot.issue("here.example.org", "--reuse-key")
        assert REMARK not in log(host)
        mode, lines = host.run(["stat", "-c", "%a", RECORD]).stdout, host.path(RECORD).read_text()
        assert mode == "644\n"
        assert len(re.findall(r"^sha256:[0-9a-f]{64} \S+Z OpenSSL FIPS Provider", lines, re.MULTILINE)) == 2
        assert item(host, "lineage_keys") == ("ok", "1, all made here in FIPS mode")
        certbot(*RENEW).check()
        assert REMARK not in log(host)

        host.run(["tee", SETTING], stdin="off\n").check()
        certbot.issue("off.example.org", "--reuse-key")
        assert item(host, "lineage_keys")[0] == "info"
        host.run(["tee", SETTING], stdin="auto\n").check()
        assert item(host, "lineage_keys") == (
            "warn",
            "not on record as made here in FIPS mode: off.example.org",
        )
        certbot(*RENEW, "--cert-name", "off.example.org").check()
        assert f"The key of the certificate request {REMARK}" in log(host)
        certbot(*RENEW, "--cert-name", "off.example.org", "--new-key").check()
        assert item(host, "lineage_keys")[0] == "ok"

        request = (
            "openssl req -new -newkey rsa:2048 -nodes -keyout /run/csr.key -out /run/csr.pem"
            " -subj /CN=csr.example.org -addext subjectAltName=DNS:csr.example.org"
        )
        host.run(request.split()).check()
        certbot("certonly", "--standalone", "--csr", "/run/csr.pem").check()
        assert f"The key of the certificate request /run/csr.pem {REMARK}" in log(host)

        host.run(["rm", RECORD]).check()
        certbot(*RENEW, "--cert-name", "off.example.org", "--new-key").check()
        assert f"The key of the account at {acme.directory} {REMARK}" in log(host)
        assert host.path(RECORD).read_text().count("sha256:") == 2  # of the key, and of the module


def test_a_copy_keeps_no_record_and_says_so(make_host: MakeHost) -> None:
    host = make_host()
    with AcmeServer(host) as acme:
        host.run(["cp", "-a", f"{SNAP}/.", "/opt/copy"]).check()
        certbot = ["/opt/copy/usr/bin/python3", "-I", "-m", "fips_launch.certbot", "register", "--agree-tos"]
        host.run(
            [*certbot, "--email", "a@example.org", "--non-interactive", "--server", acme.directory]
        ).check()
    assert "No record is kept of keys" in log(host)


@pytest.mark.parametrize("hook", ["--pre-hook", "--post-hook", "--deploy-hook"])
def test_a_hook_with_a_poor_path(certbot: Certbot, hook: str) -> None:
    """Said even to those who want quiet, once; and the hook's environment stays the host's."""
    name = f"poor{hook[1:]}.example.org"
    certbot.issue(name)
    renew = (*RENEW, "--cert-name", name, "--quiet", hook, f"echo $PATH > /run/{name}; true")
    poor = certbot(*renew, env=POOR).check()
    line = "hooks may not find what they start: PATH has none of /usr/local/sbin, /usr/sbin, /sbin"
    assert poor.stderr.count(line) == 1
    assert line in log(certbot.host)
    assert certbot.host.run(["cat", f"/run/{name}"]).stdout.strip() == POOR["PATH"]
    assert certbot(*renew, env=LOGIN_ENVIRONMENT).check().stderr == ""
    assert line not in log(certbot.host)


def test_a_dry_run_tells_of_the_hook_that_it_leaves_out(fips_certbot: Certbot) -> None:
    name = "dry-poor.example.org"
    fips_certbot.issue(name, "--deploy-hook", "true")
    account = ("--agree-tos", "--register-unsafely-without-email")
    dry = (*RENEW, "--cert-name", name, "--dry-run", *account)
    assert "PATH has none of" in fips_certbot(*dry, env=POOR).check().stderr
    assert "PATH has none of" not in fips_certbot(*dry).check().stderr


def test_the_doctor_tells_of_its_own_path(host: NamespaceHost) -> None:
    assert item(host, "hooks_path")[0] == "ok"
    assert item(host, "hooks_path", env=POOR)[0] == "warn"
