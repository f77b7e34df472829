"""What snapd's hooks do on the host; snapd itself comes with the hosts that have it."""

from collections.abc import Mapping

import pytest

from tests.snap.support import MADE_HERE, MakeHost
from tests.snap.test_faults import DAMAGE, damage, in_fips
from tools.hosts import NamespaceHost


@pytest.mark.provider
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


@pytest.mark.provider
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


def answers_of_snapd(host: NamespaceHost, settings: Mapping[str, str]) -> None:
    """Let a program stand in for snapctl, which needs snapd: it knows settings, and writes down the rest."""
    cases = "".join(f"'get {name}') echo '{value}';; " for name, value in settings.items())
    write_down = "{ for word; do printf '%s\\t' \"$word\"; done; echo; } >> /run/snapctl-calls"
    script = f'#!/bin/sh\ncase "$*" in {cases} get*) echo;; *) {write_down};; esac\n'
    host.run(["tee", "/run/snapctl"], stdin=script).check()
    host.run(
        ["sh", "-euc", "chmod +x /run/snapctl; mount --bind /run/snapctl $(readlink -f /usr/bin/snapctl)"]
    ).check()


def calls_of_snapd(host: NamespaceHost) -> list[list[str]]:
    """Return what snapd was told, but not asked."""
    said = host.run(["sh", "-c", "cat /run/snapctl-calls 2> /dev/null"]).stdout
    return [line.rstrip("\t").split("\t") for line in said.splitlines()]


@pytest.mark.parametrize(
    ("setting", "expected"), [("", False), ("auto", False), ("on", True), ("off", False)]
)
def test_configure_keeps_the_setting(make_host: MakeHost, setting: str, expected: bool) -> None:
    host = make_host(flagged=False)
    answers_of_snapd(host, {"fips": setting})
    host.run(["snap", "run", "--hook=configure", "certbot-fips"]).check()
    assert in_fips(host) is expected


def test_configure_refuses_an_unknown_setting(make_host: MakeHost) -> None:
    host = make_host(flagged=False)
    answers_of_snapd(host, {"fips": "yes"})
    result = host.run(["snap", "run", "--hook=configure", "certbot-fips"])
    assert result.returncode != 0
    assert len(result.stderr.splitlines()) == 1
    assert "auto, on, off" in result.stderr
    assert not in_fips(host)


@pytest.mark.parametrize("what", DAMAGE)
def test_a_setting_can_be_changed_on_a_broken_machine(make_host: MakeHost, what: str) -> None:
    """The administrator must be able to opt out, so that renewals go on while the snap is mended."""
    host = make_host()
    damage(host, *DAMAGE[what])
    answers_of_snapd(host, {"fips": "off"})
    result = host.run(["snap", "run", "--hook=configure", "certbot-fips"]).check()
    assert (result.stdout, result.stderr) == ("", "")
    assert host.run(["cat", "/var/snap/certbot-fips/common/fips"]).stdout == "off\n"
    if not DAMAGE[what][0].endswith("libcrypto.so.3"):  # the others are not needed without FIPS
        assert not in_fips(host)


def test_hooks_work_with_data_on_other_file_systems(make_host: MakeHost) -> None:
    host = make_host(flagged=False)
    for folder in ("/var/snap/certbot-fips/x1", "/var/snap/certbot-fips/common"):
        host.run(["mount", "-t", "tmpfs", "other", folder]).check()
    answers_of_snapd(host, {"fips": "on"})
    for hook in ("install", "configure", "post-refresh"):
        host.run(["snap", "run", f"--hook={hook}", "certbot-fips"]).check()
    assert host.run(["cat", MADE_HERE]).check().stdout
    assert in_fips(host)


@pytest.mark.parametrize("option", ["ro", "size=4k,nr_inodes=2"], ids=["read-only", "full"])
@pytest.mark.parametrize("hook", ["install", "configure"])
def test_data_that_cannot_be_written(make_host: MakeHost, hook: str, option: str) -> None:
    host = make_host()
    folder = "/var/snap/certbot-fips/" + ("x1" if hook == "install" else "common")
    host.run(["mount", "-t", "tmpfs", "-o", option, "other", folder]).check()
    host.run(["sh", "-c", f"cat /dev/zero > {folder}/full"])
    answers_of_snapd(host, {"fips": "off"})
    result = host.run(["snap", "run", f"--hook={hook}", "certbot-fips"])
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith(f"certbot-fips: {hook} hook: ")
    assert in_fips(host)


def refresh(host: NamespaceHost, change: str) -> None:
    """Do what snapd does before the post-refresh hook: a second revision, and the data copied to it.

    :param change: shell, run in the folder of the new revision.
    """
    script = (
        'cp -a /snap/certbot-fips/x1 /snap/certbot-fips/x2; cd /snap/certbot-fips/x2; sh -euc "$0";'
        "cp -a /var/snap/certbot-fips/x1 /var/snap/certbot-fips/x2;"
        "touch /var/lib/snapd/snaps/certbot-fips_x2.snap"
    )
    host.run(["sh", "-euc", script, change]).check()
    switch(host, "x2")


def switch(host: NamespaceHost, revision: str) -> None:
    for folder in ("/snap/certbot-fips", "/var/snap/certbot-fips"):
        host.run(["ln", "-sfn", revision, f"{folder}/current"]).check()


MADE_BY_X2 = "/var/snap/certbot-fips/x2/fips"
POST_REFRESH = ["snap", "run", "--hook=post-refresh", "certbot-fips"]


def test_a_refresh_with_another_module_and_a_revert(make_host: MakeHost) -> None:
    """The old revision's config is never the new one's: not before its hook has run, and not after."""
    host = make_host()
    # Another build: its config differs, and its record of that config with it.
    other = (
        "cd etc/ssl; sed -i 's/^# The FIPS config.*/# Another/' openssl.cnf fips.cnf.in;"
        "sha256sum < openssl.cnf | cut -d' ' -f1 > openssl.cnf.sha256"
    )
    refresh(host, other)
    config = ["certbot-fips.python3", "-c", "from fips_launch import place; print(place.find().select(True))"]
    assert "/snap/certbot-fips/x2/etc/ssl/openssl.cnf" in host.run(config).check().stdout
    assert in_fips(host)
    host.run(POST_REFRESH).check()
    assert host.run(["ls", MADE_BY_X2]).stdout == "openssl-x2.cnf\n"
    assert f"{MADE_BY_X2}/openssl-x2.cnf" in host.run(config).check().stdout
    assert host.run(["head", "-n1", f"{MADE_BY_X2}/openssl-x2.cnf"]).stdout == "# Another\n"
    assert in_fips(host)
    switch(host, "x1")
    assert MADE_HERE in host.run(config).check().stdout
    assert in_fips(host)


def test_a_refresh_to_a_broken_module_fails_and_the_old_revision_works(make_host: MakeHost) -> None:
    host = make_host()
    refresh(
        host, "printf '\\377' | dd of=usr/lib/ossl-modules/fips.so bs=1 seek=700000 conv=notrunc status=none"
    )
    result = host.run(POST_REFRESH)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("certbot-fips: post-refresh hook: ")
    assert host.run(["ls", f"{MADE_BY_X2}/openssl-x2.cnf"]).returncode != 0
    switch(host, "x1")
    assert in_fips(host)


def test_what_a_killed_hook_left_is_cleared_away(make_host: MakeHost) -> None:
    host = make_host()
    for name in ("openssl-x1.cnf.new", "openssl-x1.cnf.unproven", "openssl-x0.cnf"):
        host.run(["tee", f"/var/snap/certbot-fips/x1/fips/{name}"], stdin="half").check()
    host.run(["snap", "run", "--hook=install", "certbot-fips"]).check()
    assert host.run(["ls", "/var/snap/certbot-fips/x1/fips"]).stdout == "openssl-x1.cnf\n"


@pytest.mark.parametrize("consent", ["", "no", "ok"])
def test_a_plugin_is_connected_by_consent_only(make_host: MakeHost, consent: str) -> None:
    host = make_host()
    answers_of_snapd(host, {"trust-plugin-with-root": consent})
    result = host.run(["snap", "run", "--hook=prepare-plug-plugin", "certbot-fips"])
    assert (result.returncode == 0) == (consent == "ok")
    if consent == "ok":
        assert calls_of_snapd(host) == [["unset", "trust-plugin-with-root"]]
    else:
        assert calls_of_snapd(host) == []
        assert len(result.stderr.splitlines()) == 1
        assert "`snap set certbot-fips trust-plugin-with-root=ok`" in result.stderr
