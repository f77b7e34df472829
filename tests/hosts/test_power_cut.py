"""A machine that goes down in the middle of a refresh has the snap when it is up again, whole.

That of its kernel, snapd and disk; what the hooks leave at each of their steps is in tests/snap.
"""

from pathlib import Path

import pytest

from tools.hosts.vm.host import QemuHost

#: Install a second revision, and hold its hook where the new config is written and not yet selected. What
#: nobody has written through is kept from the disk, so that the cut comes soon enough for it.
REFRESH = """
echo 0 > /proc/sys/vm/dirty_writeback_centisecs
snap install --no-wait --dangerous --classic /var/tmp/again.snap
until [ -e /var/snap/certbot-fips/x2/fips/openssl-x2.cnf.unproven ]; do sleep 0.1; done
pkill -STOP -x fips-hook
[ -e /var/snap/certbot-fips/x2/fips/openssl-x2.cnf.unproven ]
echo lost > /var/tmp/not-written-through
snap changes
"""
#: Wait until snapd has done what it had begun, or undone it.
SETTLED = """
until said=$(snap changes) && ! echo "$said" | grep certbot-fips | grep -qE ' (Do|Doing|Undo|Undoing) '; do
    sleep 1
done
"""


@pytest.fixture
def host(snap_file: Path) -> QemuHost:
    return QemuHost("debian-13", flagged=True, snap=snap_file)


def test_a_virtual_machine_that_is_killed_in_the_hook(host: QemuHost, snap_file: Path) -> None:
    with host:
        host.copy(snap_file, "/var/tmp/again.snap")
        changes = host.run(["sh", "-euc", REFRESH], timeout=300).check().stdout
        assert " Doing " in changes.strip().splitlines()[-1]
        host.cut_power()
        host.run(["sh", "-uc", SETTLED], timeout=600).check()
        # The control of the cut: what was not written through is gone.
        assert host.run(["cat", "/var/tmp/not-written-through"]).stdout == ""
        revision = host.run(["readlink", "/snap/certbot-fips/current"]).check().stdout.strip()
        made = host.run(["ls", "/var/snap/certbot-fips/current/fips"]).check().stdout
        assert made == f"openssl-{revision}.cnf\n"
        said = host.run(["certbot-fips.doctor"]).check().stdout
        assert said.startswith("FIPS: active\n")
        assert "timers: renew active, health active" in said
