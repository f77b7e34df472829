from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.moves.support import LETSENCRYPT
from tools.acme import AcmeServer
from tools.hosts.nspawn import NspawnHost


@pytest.fixture(scope="session")
def host(snap_file: Path) -> Iterator[NspawnHost]:
    """Debian 12 with its own Certbot, under the flag, and our snap beside that."""
    with NspawnHost("debian-12-certbot", flagged=True, snap=snap_file) as host:
        host.run(["systemctl", "disable", "--now", "certbot.timer"]).check()
        yield host


@pytest.fixture(scope="session")
def acme(host: NspawnHost) -> Iterator[AcmeServer]:
    with AcmeServer(host) as acme:
        yield acme


@pytest.fixture(autouse=True)
def clean(host: NspawnHost) -> Iterator[None]:
    """Leave neither certificates nor another Certbot's timer behind."""
    empty = 'rm -rf "$0"; mkdir "$0"; echo no-random-sleep-on-renew=true > "$0/cli.ini"'
    host.run(["sh", "-euc", empty, LETSENCRYPT]).check()
    yield
    host.run(
        [
            "sh",
            "-uc",
            "systemctl disable --now certbot.timer certbot-renew.timer; snap remove --purge certbot;"
            "rm -rf /opt/certbot* /etc/cron.d/certbot-of-pip /usr/lib/systemd/system/certbot-renew.*",
        ]
    )
