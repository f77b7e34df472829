"""Other Certbots on a host, with what renews by them: from these people come, and to these they go back.

Debian's package is the real one. Upstream's snap and EPEL's package are not available without a store and a
mirror: their stand-ins are Certbot from PyPI, of the release that is meant, where those have it and with
their timers.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import PROJECT
from tools.build import packages
from tools.hosts import Result
from tools.hosts.nspawn import NspawnHost

#: Debian 12's; the packages from PyPI are for it.
PYTHON = "3.11"
_START = """\
#!/bin/sh
# The host's trust store: this one brings its own.
PYTHONPATH="${{SNAP:-/opt}}/certbot-{release}" REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt \\
    exec /usr/bin/python3 -c 'import sys; from certbot.main import main; sys.exit(main())' "$@"
"""
_SNAP = """\
name: certbot
version: '{release}'
summary: stand-in for upstream's snap
description: Certbot from PyPI, on the host's Python.
confinement: classic
base: core24
architectures: [all]
apps:
  certbot:
    command: certbot
  renew:
    command: certbot -q renew
    daemon: oneshot
    timer: 00:00~24:00/2
"""
_EPEL_SERVICE = """\
[Unit]
Description=stand-in for EPEL's certbot-renew.service
[Service]
Type=oneshot
ExecStart=/opt/certbot renew --noninteractive --no-random-sleep-on-renew
"""
_EPEL_TIMER = """\
[Unit]
Description=stand-in for EPEL's certbot-renew.timer
[Timer]
OnCalendar=*-*-* 00/12:00:00
Persistent=true
[Install]
WantedBy=timers.target
"""


@dataclass(frozen=True)
class Other:
    """Another Certbot on a host."""

    host: NspawnHost
    command: str
    timer: str
    """What renews by it, as the doctor names it."""

    def __call__(self, *arguments: str) -> Result:
        """Run it without a question; a failure is for the test to judge."""
        return self.host.run([self.command, *arguments, "--non-interactive"])


def debian(host: NspawnHost) -> Other:
    """Return the package of the host's distribution, which is there already."""
    host.run(["systemctl", "enable", "--now", "certbot.timer"]).check()
    return Other(host, "/usr/bin/certbot", "certbot.timer")


def pip(host: NspawnHost, release: str = "5.8") -> Other:
    """Install Certbot from PyPI, with a line for cron as its documentation has it."""
    _put(host, release, "/opt")
    line = "0 0,12 * * * root /opt/certbot renew -q\n"
    host.run(["tee", "/etc/cron.d/certbot-of-pip"], stdin=line).check()
    return Other(host, "/opt/certbot", "/etc/cron.d/certbot-of-pip")


def epel_stand_in(host: NspawnHost) -> Other:
    """Install what has the names of EPEL's package: its timer and service."""
    _put(host, "5.8", "/opt")
    for kind, text in (("service", _EPEL_SERVICE), ("timer", _EPEL_TIMER)):
        host.run(["tee", f"/usr/lib/systemd/system/certbot-renew.{kind}"], stdin=text).check()
    host.run(["systemctl", "daemon-reload"]).check()
    host.run(["systemctl", "enable", "--now", "certbot-renew.timer"]).check()
    return Other(host, "/opt/certbot", "certbot-renew.timer")


def snap_stand_in(host: NspawnHost, release: str = "2.11") -> Other:
    """Have snapd install what has the name of upstream's snap and its service."""
    folder = "/var/tmp/stand-in"
    host.run(["mkdir", "-p", f"{folder}/meta"]).check()
    _put(host, release, folder)
    host.run(["tee", f"{folder}/meta/snap.yaml"], stdin=_SNAP.format(release=release)).check()
    host.run(["snap", "pack", "--filename=certbot.snap", folder, "/var/tmp"]).check()
    host.run(["snap", "install", "--dangerous", "--classic", "/var/tmp/certbot.snap"]).check()
    host.run(["rm", "-rf", folder, "/var/tmp/certbot.snap"]).check()
    return Other(host, "/snap/bin/certbot", "snap.certbot.renew.timer")


def _put(host: NspawnHost, release: str, folder: str) -> None:
    """Put Certbot from PyPI, and a script that starts it, into a folder of the host."""
    pins = Path(__file__).with_name(f"certbot-{release}.txt")
    kept = packages.install(pins, PYTHON, PROJECT / "build/cache", f"certbot-{release}")
    with tempfile.TemporaryDirectory() as made:
        whole = Path(made, "whole")
        whole.mkdir(mode=0o755)
        shutil.copytree(kept, whole / f"certbot-{release}")
        (whole / "certbot").write_text(_START.format(release=release))
        (whole / "certbot").chmod(0o755)
        host.copy(whole, folder)
