"""What snapd's hooks do on the host; snapd itself comes with the hosts that have it."""

import pytest

from tests.snap.support import MADE_HERE, MakeHost
from tests.snap.test_faults import DAMAGE, damage, in_fips
from tools.hosts import NamespaceHost


@pytest.mark.parametrize("hook", ["install", "post-refresh"])
def test_the_module_is_installed_on_this_machine(make_host: MakeHost, hook: str) -> None:
    """By the module release's own `fipsinstall`: the host has run install; each hook can be run again."""
    host = make_host()
    before = host.run(["cat", MADE_HERE]).check().stdout
    assert "module-mac = " in before
    assert "install-status" not in before
    result = host.run(["snap", "run", f"--hook={hook}", "certbot-fips"]).check()
    assert (result.stdout, result.stderr) == ("", "")
    assert host.run(["cat", MADE_HERE]).check().stdout == before
    assert in_fips(host)


@pytest.mark.parametrize("what", ["module missing", "module with one byte flipped", "module cut short"])
@pytest.mark.parametrize("hook", ["install", "post-refresh"])
def test_a_module_that_does_not_pass_its_self_tests(make_host: MakeHost, hook: str, what: str) -> None:
    """The hook fails, also where FIPS is not needed today, so that snapd undoes the install or refresh."""
    host = make_host(flagged=False)
    damage(host, *DAMAGE[what])
    result = host.run(["snap", "run", f"--hook={hook}", "certbot-fips"])
    assert result.returncode != 0
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("certbot-fips: ")


def answer_of_snapd(host: NamespaceHost, setting: str) -> None:
    """Let a program stand in for snapctl, which needs snapd: it knows `snapctl get fips`."""
    script = f"#!/bin/sh\n[ \"$*\" = 'get fips' ] && echo '{setting}'\n"
    host.run(["tee", "/run/snapctl"], stdin=script).check()
    host.run(
        ["sh", "-euc", "chmod +x /run/snapctl; mount --bind /run/snapctl $(readlink -f /usr/bin/snapctl)"]
    ).check()


@pytest.mark.parametrize(
    ("setting", "expected"), [("", False), ("auto", False), ("on", True), ("off", False)]
)
def test_configure_keeps_the_setting(make_host: MakeHost, setting: str, expected: bool) -> None:
    host = make_host(flagged=False)
    answer_of_snapd(host, setting)
    host.run(["snap", "run", "--hook=configure", "certbot-fips"]).check()
    assert in_fips(host) is expected


def test_configure_refuses_an_unknown_setting(make_host: MakeHost) -> None:
    host = make_host(flagged=False)
    answer_of_snapd(host, "yes")
    result = host.run(["snap", "run", "--hook=configure", "certbot-fips"])
    assert result.returncode != 0
    assert len(result.stderr.splitlines()) == 1
    assert "auto, on, off" in result.stderr
    assert not in_fips(host)
