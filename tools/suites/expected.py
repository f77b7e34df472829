"""The failures that are expected, each with its reason, and what differs from them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

FILE = Path(__file__).with_name("expected.yaml")
#: The FIPS modules with which it was looked at what fails, and why.
MODULES = ("3.1.2", "3.5.4")
#: What became of each test, by its name, and why.
Tests = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Run:
    """A suite, on a host of one kind, with one FIPS module in the snap."""

    suite: str
    flagged: bool
    module: str

    def __str__(self) -> str:
        return f"{self.suite}, {'flagged' if self.flagged else 'unflagged'}, module {self.module}"


@dataclass(frozen=True)
class Entry:
    """Tests that are expected to fail, for one reason.

    :ivar tests: their names; ``*`` stands for anything, and then every test of such a name has to fail.
    :ivar when: "flagged", "unflagged" or "always".
    :ivar module: the release of the only FIPS module with which they fail; "": with each.
    """

    reason: str
    tests: tuple[str, ...]
    when: str = "flagged"
    module: str = ""

    def is_for(self, run: Run) -> bool:
        """Say whether these failures are expected of such a run."""
        flag = self.when in ("always", "flagged" if run.flagged else "unflagged")
        return flag and self.module in ("", run.module)


@cache
def everything() -> dict[str, list[Entry]]:
    """Return all that is expected to fail, by the names of the suites."""
    content = yaml.safe_load(FILE.read_text())
    return {
        suite: [Entry(**{**entry, "tests": tuple(entry["tests"])}) for entry in listed]
        for suite, listed in content.items()
    }


def expected(run: Run) -> list[Entry]:
    """Return what is expected to fail in such a run."""
    return [entry for entry in everything().get(run.suite, []) if entry.is_for(run)]


def differences(listed: Iterable[Entry], tests: Tests) -> tuple[list[str], list[str]]:
    """Hold what became of tests against the failures that are expected.

    :returns: what is wrong with the expectations, a line each; and the failures that none of them names.
    """
    wrong, named = [], set()
    for pattern in (pattern for entry in listed for pattern in entry.tests):
        found = {name: tests[name][0] for name in _matching(pattern, tests)}
        failed = {name for name, how in found.items() if how == "failed"}
        named |= failed
        if not found:
            wrong.append(f"no test has the name {pattern}, which is expected to fail")
        elif not failed:
            wrong.append(f"{pattern} is expected to fail, and is {' or '.join(sorted(set(found.values())))}")
        else:
            fine = (name for name, how in found.items() if how not in ("failed", "skipped"))
            wrong += [f"{name} is expected to fail by {pattern}, and is {found[name]}" for name in fine]
    return wrong, sorted(name for name, (how, _) in tests.items() if how == "failed" and name not in named)


def entries(unnamed: Iterable[str], tests: Tests) -> str:
    """Return entries for expected.yaml of failures that have none, by what was said; a person says why."""
    by_reason: dict[str, set[str]] = {}
    for name in unnamed:
        said = (tests[name][1].strip().splitlines() or [""])[-1]
        by_reason.setdefault(re.sub(r"0x[0-9a-fA-F]+|\d+", "…", said)[-200:], set()).add(_widest(name, tests))
    listed = [{"reason": f"? {said}", "tests": sorted(names)} for said, names in by_reason.items()]
    return yaml.safe_dump(listed, width=110, sort_keys=False, allow_unicode=True) if listed else ""


def _widest(name: str, tests: Tests) -> str:
    """Return the widest pattern around a failing test (file, class, function) of which every test fails."""
    base = name.partition("[")[0]
    parts = base.split("::")
    wider = ["::".join([*parts[:count], "*"]) for count in range(1, len(parts))]
    for pattern in (*wider, *([f"{base}[*"] if base != name else [])):
        if all(tests[other][0] in ("failed", "skipped") for other in _matching(pattern, tests)):
            return pattern
    return name


def _matching(pattern: str, tests: Tests) -> list[str]:
    if "*" not in pattern:
        return [pattern] if pattern in tests else []
    whole = re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
    return [name for name in tests if whole.fullmatch(name)]
