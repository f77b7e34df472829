"""The systems of hosts.yaml: by name, and as hosts."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.hosts.base import HostError, SnapHost

FILE = Path(__file__).with_name("hosts.yaml")


@dataclass(frozen=True)
class System:
    """One system of hosts.yaml: the kind of host it is, whether FIPS is flagged, and its userland."""

    name: str
    kind: str
    flag: bool
    root: str | None = None
    image: str | None = None


def load() -> dict[str, Any]:
    """Return the content of hosts.yaml."""
    content: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return content


def systems() -> dict[str, System]:
    """Return all systems that tools/hosts can bring up, here or elsewhere, by name."""
    content = load()
    described = content["systems"] | content["elsewhere"]["images"]
    return {name: System(name, **keys) for name, keys in described.items()}


def find(name: str) -> System:
    """Return a system by its name; raise HostError with the nearest names when there is none."""
    known = systems()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or list(known)
        raise HostError(f"unknown system {name!r}: is it {' or '.join(near)}? `python3 -m tools.hosts list`")
    return known[name]


def make_host(system: System, snap: Path | None = None) -> SnapHost:
    """Return the host of a system, not yet up; on entry it comes up and gets the packed snap, if any.

    Raise HostRefusedError when its userland cannot be built on this machine.
    """
    # Imported when wanted: each kind has needs of its own.
    if system.kind == "namespace":
        from tools.hosts.namespace import NamespaceHost

        return NamespaceHost(snap, system.flag)
    from tools.hosts.roots import root

    userland = root(system.root) if system.root else None
    if system.kind == "docker":
        from tools.hosts.docker import DockerHost

        return DockerHost(root=userland, image=system.image, flag=system.flag, snap=snap)
    assert userland is not None, f"{system.name} has no root"
    if system.kind == "nspawn":
        from tools.hosts.nspawn import NspawnHost

        return NspawnHost(userland, system.flag, snap)
    from tools.hosts.qemu import QemuHost

    return QemuHost(userland, system.flag, snap)


def task_host(system: System, snap: Path) -> SnapHost:
    """Return the host of a system for spread's tasks, as make_host does.

    The suite's own scripts have snapd install the snap; where none runs, the host has it from the beginning.
    """
    return make_host(system, None if system.kind in ("nspawn", "qemu") else snap)
