"""A system of hosts.yaml as a host."""

from __future__ import annotations

from pathlib import Path

from tools.hosts.base import Host, HostError
from tools.hosts.catalog import System


def make_host(system: System, snap: Path | None = None) -> Host:
    """Return the host of a system, not yet up; on entry it comes up and gets the packed snap, if any.

    Raise HostError when it is a machine elsewhere.
    """
    # Imported when wanted: each kind has needs of its own.
    if system.kind == "tmt":
        from tools.hosts.elsewhere import TmtHost

        return TmtHost(system.name, system.image, snap)
    if system.kind == "pro":
        from tools.hosts.elsewhere import MultipassHost

        return MultipassHost(str(system.image), system.base, snap)
    if system.kind == "namespace":
        from tools.hosts.namespace import NamespaceHost

        return NamespaceHost(snap, system.flag)
    if system.kind in ("docker", "image"):
        from tools.hosts.container.host import DockerHost

        return DockerHost(root=system.root, image=system.image, flag=system.flag, snap=snap)
    if system.root is None:
        raise HostError(
            f"{system.name} is a machine elsewhere, which spread makes: {system.backend}:{system.name}"
        )
    if system.kind == "nspawn":
        from tools.hosts.nspawn import NspawnHost

        return NspawnHost(system.root, system.flag, snap)
    from tools.hosts.vm.host import QemuHost

    return QemuHost(system.root, system.flag, snap)


def task_host(system: System, snap: Path) -> Host:
    """Return the host of a system for spread's tasks, as make_host does.

    The tasks' own scripts have snapd install the snap; where none runs, the host has it from the beginning.
    """
    return make_host(system, None if system.snapd else snap)
