"""What the doctor says of certificates and of other Certbots, by the files of a made-up host."""

import os
from pathlib import Path
from tempfile import gettempdir

import pytest

from fips_doctor.evidence import State
from fips_doctor.lineages import LINKS, lineages, managers

KNOWN = {"standalone", "nginx"}


class Host:
    """Files below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, text: str = "") -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def link(self, path: str, target: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.symlink_to(target)

    def lineage(self, name: str, authenticator: str = "standalone", installer: str = "None") -> Path:
        """Make a lineage as Certbot does; return its renewal file."""
        for kind in LINKS:
            self.write(f"etc/letsencrypt/archive/{name}/{kind}1.pem")
            self.link(f"etc/letsencrypt/live/{name}/{kind}.pem", f"../../archive/{name}/{kind}1.pem")
        lines = [f"{kind} = /etc/letsencrypt/live/{name}/{kind}.pem" for kind in LINKS]
        lines = ["# renew_before_expiry = 30 days", "version = 5.8.0", *lines, "[renewalparams]"]
        lines += [
            f"authenticator = {authenticator}",
            f"installer = {installer}",
            "[[webroot_map]]",
            "a.b = /c",
        ]
        return self.write(f"etc/letsencrypt/renewal/{name}.conf", "\n".join(lines) + "\n")

    def said(self, known: set[str] | None = None) -> tuple[State, str]:
        item = lineages(KNOWN if known is None else known, {}, str(self.root))
        assert item.advice or item.state is State.OK
        return item.state, item.value


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_whole_lineages_are_counted(host: Host) -> None:
    assert host.said() == (State.OK, "0 in /etc/letsencrypt")
    host.lineage("a.example.org")
    host.lineage("b.example.org", "nginx", "certbot-nginx:nginx")
    assert host.said() == (State.OK, "2 in /etc/letsencrypt")


@pytest.mark.parametrize("kind", LINKS)
def test_what_certbot_calls_invalid(host: Host, kind: str) -> None:
    for name, damage in (("gone", None), ("no-link", "a file"), ("no-key", "")):
        file = host.lineage(name)
        link = host.root / f"etc/letsencrypt/live/{name}/{kind}.pem"
        if name == "no-key":
            text = file.read_text()
            file.write_text(text.replace(f"\n{kind} = ", f"\n#{kind} = "))
            continue
        (host.root / f"etc/letsencrypt/archive/{name}/{kind}1.pem").unlink()
        if damage:
            link.unlink()
            link.write_text(damage)
    state, value = host.said()
    assert state is State.WARN
    assert "3 in /etc/letsencrypt, 3 cannot be renewed" in value
    assert f"gone (/etc/letsencrypt/live/gone/{kind}.pem leads nowhere)" in value
    assert f"no-link (/etc/letsencrypt/live/no-link/{kind}.pem is no link)" in value
    assert f"no-key (its renewal file has no {kind})" in value


@pytest.mark.parametrize("text", ["nonsense\n", "= 1\n"])
def test_a_renewal_file_that_cannot_be_parsed(host: Host, text: str) -> None:
    file = host.lineage("a")
    file.write_text(file.read_text() + text)
    assert host.said()[1].endswith("a (its renewal file cannot be parsed)")


def test_an_empty_renewal_file(host: Host) -> None:
    host.lineage("a").write_text("")
    assert host.said()[0] is State.WARN


def test_a_plugin_that_is_absent(host: Host) -> None:
    host.lineage("a", "dns-try")
    host.lineage("b", "standalone", "apache")
    host.lineage("c")
    state, value = host.said()
    assert state is State.WARN
    assert "a (the plugin dns-try is not here), b (the plugin apache is not here)" in value
    assert "c (" not in value
    assert host.said(KNOWN | {"dns-try", "apache"})[0] is State.OK
    assert lineages(None, {}, str(host.root)).state is State.UNKNOWN


def as_nobody(host: Host) -> tuple[int, str]:
    """Return the state and what is said in a process of another user."""
    for folder in (host.root, *host.root.parents):
        if folder == Path(gettempdir()):
            break
        folder.chmod(0o755)  # pytest's are for their owner alone
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setgid(65534)
            os.setuid(65534)
            item = lineages(KNOWN, {}, str(host.root))
            os.write(theirs, f"{item.state.value} {item.value}".encode())
        finally:
            os._exit(0)
    os.close(theirs)
    os.waitpid(child, 0)
    state, _, value = os.read(ours, 4096).decode().partition(" ")
    os.close(ours)
    return list(State).index(State(state)), value


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize("hidden", ["renewal", "live"])
def test_what_another_user_may_not_see_is_not_counted_as_good(host: Host, hidden: str) -> None:
    host.lineage("a")
    assert list(State)[as_nobody(host)[0]] is State.OK
    (host.root / "etc/letsencrypt" / hidden).chmod(0o700)
    state, value = as_nobody(host)
    assert list(State)[state] is State.UNKNOWN
    assert "0 in" not in value


@pytest.mark.parametrize(
    ("path", "target", "cure"),
    [
        (
            "etc/systemd/system/timers.target.wants/certbot-renew.timer",
            "/usr/lib/systemd/system/certbot-renew.timer",
            "systemctl disable --now certbot-renew.timer",
        ),
        (
            "usr/lib/systemd/system/timers.target.wants/certbot-renew.timer",
            "../certbot-renew.timer",
            "systemctl disable --now certbot-renew.timer",
        ),
        (
            "etc/systemd/system/timers.target.wants/certbot.timer",
            "/lib/systemd/system/certbot.timer",
            "systemctl disable --now certbot.timer",
        ),
        (
            "etc/systemd/system/timers.target.wants/snap.certbot.renew.timer",
            "../snap.certbot.renew.timer",
            "systemctl disable --now snap.certbot.renew.timer",
        ),
        (
            "etc/systemd/system/timers.target.wants/snap.certbot-fips_two.renew.timer",
            "../snap.certbot-fips_two.renew.timer",
            "systemctl disable --now snap.certbot-fips_two.renew.timer",
        ),
    ],
)
def test_another_timer(host: Host, path: str, target: str, cure: str) -> None:
    host.link(path, target)
    assert managers("certbot-fips", str(host.root)).state is State.OK  # there is nothing to renew
    host.lineage("a")
    found = managers("certbot-fips", str(host.root))
    assert (found.state, found.advice) == (State.WARN, cure)
    assert managers("certbot-fips", str(host.root)).value == f"also by {path.rpartition('/')[2]}"


def test_a_timer_of_our_own_or_one_that_is_not_started_is_none(host: Host) -> None:
    host.lineage("a")
    for name in ("renew", "health"):
        host.link(f"etc/systemd/system/timers.target.wants/snap.certbot-fips.{name}.timer", "x")
    host.write("usr/lib/systemd/system/certbot-renew.timer", "[Timer]\n")
    host.link("usr/lib/systemd/system/timers.target.wants/certbot.timer", "../certbot.timer")
    host.link("etc/systemd/system/certbot.timer", "/dev/null")  # masked
    assert managers("certbot-fips", str(host.root)).state is State.OK


DEBIANS = "0 */12 * * * root test -x /usr/bin/certbot -a \\! -d /run/systemd/system && certbot -q renew\n"


@pytest.mark.parametrize(
    ("path", "text", "counts"),
    [
        ("etc/crontab", "0 3 * * * root /opt/certbot/bin/certbot renew\n", True),
        ("etc/cron.d/certbot", DEBIANS, False),
        ("etc/cron.daily/renew", "#!/bin/sh\ncertbot renew\n", True),
        ("var/spool/cron/root", "0 3 * * * certbot renew\n", True),
        ("var/spool/cron/crontabs/root", "0 3 * * * certbot renew\n", True),
        ("etc/crontab", "# 0 3 * * * root certbot renew\n", False),
        ("etc/crontab", "0 3 * * * root certbot-fips renew\n", False),
    ],
)
def test_jobs_of_cron(host: Host, path: str, text: str, counts: bool) -> None:
    host.lineage("a")
    host.write(path, text)
    (host.root / "run/systemd/system").mkdir(parents=True)
    found = managers("certbot-fips", str(host.root))
    assert (found.state is State.WARN) == counts
    assert (path in found.advice) == counts


def test_debians_job_counts_where_there_is_no_systemd(host: Host) -> None:
    host.lineage("a")
    host.write("etc/cron.d/certbot", DEBIANS)
    assert managers("certbot-fips", str(host.root)).state is State.WARN
