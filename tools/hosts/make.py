"""A system of hosts.yaml as a host."""

from __future__ import annotations

from pathlib import Path

from tools.hosts.base import HostError, SnapHost
from tools.hosts.catalog import System


def make_host(system: System, snap: Path | None = None) -> SnapHost:
    """Return the host of a system, not yet up; on entry it comes up and gets the packed snap, if any.

    Raise HostRefusedError when its userland cannot be built on this machine.
    """
    # Imported when wanted: each kind has needs of its own.
    if system.kind == "tmt":
        from tools.hosts.here import HereHost

        return HereHost(snap, system.name)
    if system.kind == "namespace":
        from tools.hosts.namespace import NamespaceHost

        return NamespaceHost(snap, system.flag)
    from tools.hosts.roots import root

    userland = root(system.root) if system.root else None
    if system.kind in ("docker", "image"):
        from tools.hosts.docker import DockerHost

        return DockerHost(root=userland, image=system.image, flag=system.flag, snap=snap)
    if userland is None:
        raise HostError(
            f"{system.name} is a machine elsewhere, which spread makes: {system.backend}:{system.name}"
        )
    if system.kind == "nspawn":
        from tools.hosts.nspawn import NspawnHost

        return NspawnHost(userland, system.flag, snap)
    from tools.hosts.qemu import QemuHost

    return QemuHost(userland, system.flag, snap)


def task_host(system: System, snap: Path) -> SnapHost:
    """Return the host of a system for spread's tasks, as make_host does.

    The suite's own scripts have snapd install the snap; where none runs, the host has it from the beginning.
    """
    return make_host(system, None if system.snapd else snap)
