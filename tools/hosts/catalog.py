"""The systems of hosts.yaml, by name, and what each of them is."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.hosts.base import HostError

FILE = Path(__file__).with_name("hosts.yaml")


@dataclass(frozen=True, kw_only=True)
class System:
    """One system of hosts.yaml, with what its kind says of it; the words are explained there."""

    name: str
    kind: str
    flag: bool
    backend: str
    root: str | None = None
    image: str | None = None
    base: str | None = None
    os: str | None = None
    snapd: bool = False
    kernel: bool = False
    slow: bool = False
    manual: bool = False

    @property
    def facts(self) -> dict[str, str]:
        """What spread's tasks are told of it, as environment variables; each is `yes` or `no`."""
        told = {"FIPS": self.flag, "SNAPD": self.snapd, "KERNEL": self.kernel, "SLOW": self.slow}
        return {f"HOST_{name}": "yes" if fact else "no" for name, fact in told.items()}


#: Which systems run the tasks of a suite of tests/spread; `any` has no list of its own.
SUITES: dict[str, Callable[[System], bool]] = {
    "fast": lambda system: not system.slow,
    "snapd": lambda system: system.snapd and not system.slow,
    "web": lambda system: system.kind == "nspawn",  # roots.py puts the web servers there
}


def load() -> dict[str, Any]:
    """Return the content of hosts.yaml."""
    content: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return content


def systems() -> dict[str, System]:
    """Return all systems, by name. Raise HostError where one has another key than a system has."""
    content = load()
    found = {}
    for name, own in content["systems"].items():
        if unknown := own.keys() - {"kind", "flag", "root", "image", "base", "os"}:
            raise HostError(
                f"{FILE.name}: {name}: `{min(unknown)}` is no key of a system, but maybe of its kind"
            )
        found[name] = System(name=name, **content["kinds"][own["kind"]], **own)
    return found


def find(name: str) -> System:
    """Return a system by its name; raise HostError with the nearest names when there is none."""
    known = systems()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or list(known)
        raise HostError(f"unknown system {name!r}: is it {' or '.join(near)}? `python3 -m tools.hosts list`")
    return known[name]
