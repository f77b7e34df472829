"""The life of a certificate against a test authority, under the FIPS flag and without it."""

import json
from collections.abc import Iterator

import pytest

from tests.snap.support import LIVE, MAIL, Certbot, MakeHost
from tools.acme import AcmeServer
from tools.acme.server import EAB_HMAC_KEY, EAB_KEY_ID
from tools.hosts import NamespaceHost

KEYS = {
    "RSA 2048": ["--key-type", "rsa", "--rsa-key-size", "2048"],
    "RSA 4096": ["--key-type", "rsa", "--rsa-key-size", "4096"],
    "ECDSA P-256": ["--key-type", "ecdsa", "--elliptic-curve", "secp256r1"],
    "ECDSA P-384": ["--key-type", "ecdsa", "--elliptic-curve", "secp384r1"],
}


@pytest.fixture
def webroot(host: NamespaceHost) -> Iterator[str]:
    """A web server of the host on port 80, and its folder."""
    folder = "/var/www/html"
    serve = f"cd {folder} && exec setsid python3 -m http.server 80"
    script = f"mkdir -p {folder} && {{ {serve}; }} > /run/httpd.log 2>&1 < /dev/null & echo $!"
    pid = host.run(["sh", "-c", script]).check().stdout.strip()
    answers = "import urllib.request; urllib.request.urlopen('http://localhost')"
    wait = f'for _ in $(seq 100); do python3 -c "{answers}" && exit; sleep 0.1; done; exit 1'
    host.run(["sh", "-c", f"{{ {wait}; }} 2> /dev/null"]).check()
    yield folder
    host.run(["kill", pid])


@pytest.mark.provider
@pytest.mark.parametrize("key", KEYS)
def test_standalone(certbot: Certbot, key: str) -> None:
    issued = certbot.issue(f"standalone-{key.replace(' ', '-').lower()}.example.org", *KEYS[key])
    assert issued.key == key
    assert "Pebble Intermediate CA" in issued.issuer


@pytest.mark.parametrize("key", ["RSA 2048", "ECDSA P-256"])
def test_webroot(certbot: Certbot, webroot: str, key: str) -> None:
    name = f"webroot-{key.replace(' ', '-').lower()}.example.org"
    assert certbot.issue(name, "--webroot", "--webroot-path", webroot, *KEYS[key]).key == key


def test_the_default_key_is_ecdsa_as_certbots(certbot: Certbot) -> None:
    assert certbot.issue("default.example.org").key == "ECDSA P-256"


@pytest.mark.provider
def test_renew_with_a_deploy_hook(certbot: Certbot) -> None:
    name = "renewed.example.org"
    before = certbot.issue(name)
    hook = f'printf %s "$RENEWED_DOMAINS $RENEWED_LINEAGE" > /run/{name}'
    result = certbot(
        *("renew", "--cert-name", name, "--force-renewal", "--no-random-sleep-on-renew"),
        *("--deploy-hook", hook),
    ).check()
    assert "all renewals succeeded" in result.stdout
    after = certbot.certificate(name)
    assert after.serial != before.serial
    assert certbot.host.run(["cat", f"/run/{name}"]).stdout == f"{name} {LIVE}/{name}"


def test_renew_says_that_nothing_is_due(certbot: Certbot) -> None:
    name = "fresh.example.org"
    before = certbot.issue(name)
    result = certbot("renew", "--cert-name", name, "--no-random-sleep-on-renew").check()
    assert "No renewals were attempted" in result.stdout
    assert certbot.certificate(name).serial == before.serial


def test_the_timers_service_renews_what_is_due(make_host: MakeHost) -> None:
    """As snapd starts it, but for the pause that Certbot makes when nobody watches."""
    name = "due.example.org"
    host = make_host()
    with AcmeServer(host, validity=1) as acme:
        certbot = Certbot(host, acme)
        before = certbot.issue(name)
        host.run(["tee", "/etc/letsencrypt/cli.ini"], stdin="no-random-sleep-on-renew = true\n").check()
        result = host.run(["snap", "run", "certbot-fips.renew"])
        assert (result.returncode, result.stdout) == (0, "")
        assert certbot.certificate(name).serial != before.serial


def test_dry_run_leaves_everything(certbot: Certbot) -> None:
    name = "dry.example.org"
    before = certbot.issue(name)
    result = certbot(
        *("renew", "--cert-name", name, "--dry-run", "--no-random-sleep-on-renew", "--agree-tos"),
        *("--register-unsafely-without-email",),
    ).check()
    assert "all simulated renewals succeeded" in result.stdout
    assert certbot.certificate(name).serial == before.serial


@pytest.mark.parametrize("key", ["RSA 2048", "ECDSA P-256"])
@pytest.mark.parametrize("by", ["account key", "certificate key"])
def test_revoke(certbot: Certbot, by: str, key: str) -> None:
    name = f"revoked-{by.split()[0]}-{key.replace(' ', '-').lower()}.example.org"
    serial = certbot.issue(name, *KEYS[key]).serial
    own_key = ["--key-path", f"{LIVE}/{name}/privkey.pem"] if by == "certificate key" else []
    result = certbot(
        "revoke", "--cert-path", f"{LIVE}/{name}/cert.pem", *own_key, "--delete-after-revoke"
    ).check()
    assert "Congratulations! You have successfully revoked the certificate" in result.stdout
    assert certbot.host.run(["ls", f"{LIVE}/{name}"]).returncode != 0
    assert certbot.acme.status(serial) == "Revoked"


def test_unregister(make_host: MakeHost) -> None:
    """On a host of its own: the shared one would lose its account."""
    host = make_host()
    with AcmeServer(host) as acme:
        certbot = Certbot(host, acme)
        certbot("register", "--agree-tos", "--email", MAIL).check()
        assert "Account URL" in certbot("show_account").check().stdout
        assert "Account deactivated" in certbot("unregister").check().stdout
        result = certbot("show_account")
        assert result.returncode == 1
        assert "Could not find an existing account" in result.stdout + result.stderr


@pytest.mark.provider
def test_external_account_binding(host: NamespaceHost) -> None:
    """The authority demands it: without it no account, with it a certificate."""
    with AcmeServer(host, port=24000, eab=True) as acme:
        certbot = Certbot(host, acme)
        refused = certbot("register", "--agree-tos", "--email", MAIL)
        assert refused.returncode == 1
        assert "external account binding" in refused.stderr.lower()
        binding = ("--eab-kid", EAB_KEY_ID, "--eab-hmac-key", EAB_HMAC_KEY)
        certbot("register", "--agree-tos", "--email", MAIL, *binding).check()
        assert certbot.issue("bound.example.org").key == "ECDSA P-256"


def test_everything_is_where_certbot_keeps_it(certbot: Certbot) -> None:
    certbot.issue("places.example.org")
    listed = certbot("certificates", "--cert-name", "places.example.org").check().stdout
    assert f"Certificate Path: {LIVE}/places.example.org/fullchain.pem" in listed
    log = certbot.host.run(["cat", "/var/log/letsencrypt/letsencrypt.log"]).check().stdout
    assert "certbot version: 5.8.0" in log
    mode = certbot.host.run(["stat", "-c", "%a", f"{LIVE}/places.example.org/privkey.pem"]).stdout
    assert json.loads(mode) in (600, 777)  # 777: the link's own
