"""From another Certbot to this snap and back: accounts, certificates, hooks and timers, under real snapd."""

import json
import re
import time
from collections.abc import Callable

import pytest

from tests.moves import certbots
from tests.moves.certbots import Other
from tests.moves.support import LETSENCRYPT, make_due, service, versions
from tools.acme import AcmeServer
from tools.acme.certificate import Certificate
from tools.hosts.nspawn import NspawnHost

#: Of the service: what systemd has of its standard output and error.
JOURNAL = ["journalctl", "--unit=snap.certbot-fips.renew.service", "--output=cat"]


def issue(other: Other, acme: AcmeServer, name: str, *arguments: str) -> None:
    """Have another Certbot get a certificate over HTTP-01."""
    how = ("--standalone", "--cert-name", name, "--domain", name, "--server", acme.directory)
    other("certonly", *how, "--agree-tos", "--email", "admin@example.org", *arguments).check()


def accounts(host: NspawnHost) -> list[str]:
    """Return the accounts' folders, each named by an MD5."""
    folders = host.path(f"{LETSENCRYPT}/accounts").glob("*/*/*")
    return sorted(folder.name for folder in folders if folder.is_dir())


def key(host: NspawnHost, name: str) -> str:
    return host.path(f"{LETSENCRYPT}/live/{name}/privkey.pem").read_text()


def renewed_by_others(host: NspawnHost) -> tuple[str, str]:
    """Return what the doctor says of other Certbots, and the remedy."""
    said = json.loads(host.run(["certbot-fips.doctor", "--json"]).stdout)["evidence"]["two_managers"]
    return said["value"], said["remedy"]


ORIGINS = {
    "Debian's package": (certbots.debian, "systemctl disable --now certbot.timer"),
    "stand-in for upstream's snap at 2.11": (
        certbots.snap_stand_in,
        "systemctl disable --now snap.certbot.renew.timer",
    ),
    "stand-in for EPEL's package": (
        certbots.epel_stand_in,
        "systemctl disable --now certbot-renew.timer",
    ),
    "pip's Certbot 5.8": (certbots.pip, "rm /etc/cron.d/certbot-of-pip"),
}


@pytest.mark.parametrize("origin", ORIGINS)
def test_from_another_certbot_and_back(host: NspawnHost, acme: AcmeServer, origin: str) -> None:
    install, stop = ORIGINS[origin]
    other = install(host)
    hook = f"{LETSENCRYPT}/renewal-hooks/deploy/all"
    issue(other, acme, "ec.example.org", "--key-type", "ecdsa", "--deploy-hook", "touch /var/tmp/of-one")
    issue(other, acme, "rsa.example.org", "--key-type", "rsa", "--reuse-key")
    host.run(["sh", "-euc", 'rm -f /var/tmp/of-*; mkdir -p "${0%/*}"; cat > "$0"; chmod +x "$0"', hook],
             stdin='#!/bin/sh\necho "$RENEWED_DOMAINS" >> /var/tmp/of-all\n').check()  # fmt: skip
    names = ["ec.example.org", "rsa.example.org"]
    before, reused, new = accounts(host), key(host, "rsa.example.org"), key(host, "ec.example.org")
    assert len(before) == 1 and re.fullmatch("[0-9a-f]{32}", before[0])
    registered = acme.log().count("POST /sign-me-up")

    # Ours renews all of them, with the same account and the same hooks; both are told apart.
    assert other.timer in renewed_by_others(host)[0]
    for name in names:
        make_due(host, name)
    service(host).check()
    assert [versions(host, name) for name in names] == [2, 2]
    for name in names:
        assert "Pebble" in Certificate(host.path(f"{LETSENCRYPT}/live/{name}")).issuer
    assert key(host, "rsa.example.org") == reused and key(host, "ec.example.org") != new
    assert accounts(host) == before
    assert acme.log().count("POST /sign-me-up") == registered
    assert sorted(host.run(["cat", "/var/tmp/of-all"]).stdout.split()) == names
    assert host.run(["ls", "/var/tmp/of-one"]).returncode == 0

    # Neither renews again what the other has renewed.
    other("renew").check()
    service(host).check()
    assert [versions(host, name) for name in names] == [2, 2]

    # The other's timer goes, by the documents' command; the doctor knows no other then.
    said, remedy = renewed_by_others(host)
    assert said == f"also by {other.timer}"
    assert stop == remedy or other.timer in remedy
    host.run(["sh", "-euc", stop]).check()
    assert renewed_by_others(host)[0] == "no other timer known"

    # Back: the other Certbot reads and renews what ours has written.
    done = other("renew", "--force-renewal").check()
    assert "Congratulations, all renewals succeeded" in done.stdout
    assert [versions(host, name) for name in names] == [3, 3]
    assert key(host, "rsa.example.org") == reused
    assert accounts(host) == before
    assert acme.log().count("POST /sign-me-up") == registered


def test_two_certbots_at_once(host: NspawnHost, acme: AcmeServer) -> None:
    """Certbot's lock is the same for both: the one that comes second says so, and has nothing left to do."""
    name = "once.example.org"
    other = certbots.debian(host)
    wait = "touch /run/begun; while [ ! -e /run/go ]; do sleep 0.1; done"
    issue(other, acme, name, "--pre-hook", wait.replace("/run/go", "/run/begun"))
    host.run(["sh", "-c", "rm -f /run/begun /run/go"]).check()
    make_due(host, name)
    host.run(["sed", "-i", f"s|^pre_hook = .*|pre_hook = {wait}|", f"{LETSENCRYPT}/renewal/{name}.conf"])
    host.run(["systemctl", "start", "--no-block", "certbot.service"]).check()
    wait_for(lambda: host.path("/run/begun").exists())
    assert service(host).returncode != 0
    assert "Another instance of Certbot is already running" in host.run(JOURNAL).stdout
    assert versions(host, name) == 1
    host.run(["touch", "/run/go"]).check()
    wait_for(lambda: host.run(["systemctl", "is-active", "certbot.service"]).stdout == "inactive\n")
    assert versions(host, name) == 2
    service(host).check()
    assert versions(host, name) == 2


def test_an_account_with_an_ec_key(host: NspawnHost, acme: AcmeServer) -> None:
    """No release of Certbot makes one, and other clients' were put there by hand."""
    made = host.run(["certbot-fips.python3", "-c", EC_ACCOUNT, acme.directory]).check().stdout.strip()
    assert accounts(host) == [made]
    ours = Other(host, "certbot-fips", "")
    issue(ours, acme, "account.example.org")
    issue(certbots.pip(host), acme, "account-of-pip.example.org")
    assert accounts(host) == [made]
    make_due(host, "account.example.org")
    service(host).check()
    assert versions(host, "account.example.org") == 2


#: Registers an account with a key on P-256 and stores it where Certbot does; prints the name of its folder.
EC_ACCOUNT = """
import sys
import josepy
from acme import client, messages
from certbot import configuration
from certbot._internal import account, cli
from certbot._internal.plugins import disco
from cryptography.hazmat.primitives.asymmetric import ec
parsed = cli.prepare_and_parse_args(disco.PluginsRegistry.find_all(), ["register", "--server", sys.argv[1]])
config = configuration.NamespaceConfig(parsed)
key = josepy.JWKEC(key=ec.generate_private_key(ec.SECP256R1()))
net = client.ClientNetwork(key, alg=josepy.ES256)
acme = client.ClientV2(client.ClientV2.get_directory(sys.argv[1], net), net)
new = messages.NewRegistration.from_data(email="admin@example.org", terms_of_service_agreed=True)
made = account.Account(acme.new_account(new), key)
account.AccountFileStorage(config).save(made, acme)
print(made.id)
"""


def wait_for(come: Callable[[], bool]) -> None:
    """Wait until something is so, a minute at most."""
    deadline = time.monotonic() + 60
    while not come():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.1)
