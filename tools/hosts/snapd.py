"""What hosts with real snapd share."""

from __future__ import annotations

from pathlib import Path

from tools.hosts.base import Host

INSTALL_SECONDS = 300.0


def install(host: Host, snap: Path, *options: str) -> None:
    """Copy a packed snap to a host and have its snapd install it.

    Raise HostError when snapd or a hook refuses it.
    """
    target = f"/var/tmp/{snap.name}"
    host.copy(snap, target)
    try:
        host.run(["snap", "install", "--dangerous", *options, target], timeout=INSTALL_SECONDS).check()
    finally:
        host.run(["rm", "-f", target])
