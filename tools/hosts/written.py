"""What spread.yaml has from hosts.yaml: lists below keys that a comment marks.

    systems: # from hosts.yaml: backend adhoc
      - debian-12: {environment: {...}}

A mark asks for the systems of a `backend` or of a `suite`.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tools.hosts.catalog import SUITES, System, systems

PROJECT = Path(__file__).resolve().parents[2]
FILE = PROJECT / "spread.yaml"
_MARKED = re.compile(
    r"^(?P<indent> *)(?P<key>\w+: # from hosts\.yaml: (?P<what>\w+) (?P<value>\w+)\n)"
    r"(?:(?P=indent) +- .*\n)*",
    re.MULTILINE,
)


def renewed(text: str) -> str:
    """Return a file's text with the lists that hosts.yaml now says."""
    every = list(systems().values())

    def lines(found: re.Match[str]) -> str:
        lead = found["indent"]
        entries = (f"{lead}  - {entry}\n" for entry in _entries(found["what"], found["value"], every))
        return lead + found["key"] + "".join(entries)

    return _MARKED.sub(lines, text)


def write() -> list[Path]:
    """Write the lists; return the file, if it has changed."""
    text = FILE.read_text()
    if (new := renewed(text)) == text:
        return []
    FILE.write_text(new)
    return [FILE]


def _entries(what: str, value: str, every: list[System]) -> list[str]:
    if what == "backend":
        return [_spread_system(system) for system in every if system.backend == value]
    return [system.name for system in every if SUITES[value](system)]


def _spread_system(system: System) -> str:
    keys: dict[str, object] = {"environment": system.facts}
    if system.backend != "adhoc":
        keys["image"] = system.image
    if system.manual:
        keys["manual"] = True
    flow = yaml.safe_dump(keys, default_flow_style=True, sort_keys=False, width=float("inf"))
    return f"{system.name}: {flow.rstrip()}"
