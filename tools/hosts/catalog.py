"""The systems of hosts.yaml, by name."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.hosts.base import HostError

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
