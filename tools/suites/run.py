"""Run a suite on a host, and hold what became of it against what is expected."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.build.compare import RECORD, read
from tools.hosts import HostError, NamespaceHost
from tools.suites.expected import Entry, Run, Tests, differences, entries, expected
from tools.suites.material import HERE, WORK, Material, Suite, prepare

#: Seconds for one suite, on a machine with much else to do.
LIMIT = 3600
NEEDS, FOLDER, INSIDE, REPORT = "/srv/needs", "/srv/suite", "/srv/inside.py", "/srv/report.json"


@dataclass(frozen=True)
class Report:
    """What inside.py says of a suite.

    :ivar status: pytest's exit status.
    :ivar fips: whether Python's digests were the module's at the end.
    :ivar strays: modules that the snap has, but that were not the snap's.
    :ivar tests: what became of each test ("passed", "failed", …), and why.
    """

    status: int
    fips: bool
    strays: list[str]
    tests: Tests


@dataclass(frozen=True)
class Outcome:
    """How a suite ended.

    :ivar text: one line for people: the run, and how many tests ended how.
    :ivar wrong: what is not as it should be, a line each; empty: nothing.
    :ivar paste: entries for expected.yaml, of failures that have none; a person gives the reason.
    """

    text: str
    wrong: list[str]
    paste: str = ""


def module(snap: Path) -> str:
    """Return the release of the FIPS module in a packed snap. Raise BuildError when it cannot be read."""
    release: str = json.loads(read(snap, RECORD))["version"]
    return release


def run(suite: Suite, snap: Path, flagged: bool) -> Outcome:
    """Run one suite with a packed snap.

    :raises BuildError: what the suite is made of is not available.
    :raises HostError: the host or the suite did not come to an end.
    """
    here = Run(suite.name, flagged, module(snap))
    material = prepare(suite)
    began = time.monotonic()
    report = execute(here, suite, material, snap)
    return judge(f"{here}, {time.monotonic() - began:.0f} s", suite, flagged, report, expected(here))


def execute(here: Run, suite: Suite, material: Material, snap: Path) -> Report:
    """Run one suite on a new host; what it prints is kept in build/suites/logs.

    :raises HostError: the host or the suite did not come to an end.
    """
    options = [*suite.options, *(suite.flagged if here.flagged else []), *suite.tests]
    log = WORK / "logs" / f"{here}.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    with NamespaceHost(snap, here.flagged, shown={NEEDS: material.needs}) as host:
        host.copy(material.folder, FOLDER)
        host.copy(HERE / "inside.py", INSIDE)
        command = ["certbot-fips.python3", INSIDE, NEEDS, REPORT, suite.package, *options]
        ended = host.run(command, cwd=FOLDER, timeout=LIMIT)
        log.write_text(ended.stdout + ended.stderr, errors="replace")
        if not host.path(REPORT).exists():
            raise HostError(f"{here}: it ended with {ended.returncode} and no report: see {log}")
        return Report(**json.loads(host.path(REPORT).read_text()))


def judge(what: str, suite: Suite, flagged: bool, report: Report, listed: Sequence[Entry]) -> Outcome:
    """Say what is not as it should be.

    :param what: the run, for people.
    :param listed: the failures that are expected of it.
    """
    counts = Counter(how for how, _ in report.tests.values())
    wrong = [f"{stray} is not the snap's" for stray in report.strays]
    if report.fips != flagged:
        wrong.append(f"FIPS is {'on' if report.fips else 'off'} in the snap's Python")
    if report.status not in (0, 1):  # 1: tests failed
        wrong.append(f"pytest ended with {report.status}")
    if counts["passed"] < suite.passes:
        wrong.append(f"{counts['passed']} tests passed, of at least {suite.passes}")
    amiss, unnamed = differences(listed, report.tests)
    failures = [f"{name} fails, and is not expected to" for name in unnamed]
    numbers = ", ".join(f"{number} {how}" for how, number in sorted(counts.items()))
    return Outcome(f"{what}: {numbers}", [*wrong, *amiss, *failures], entries(unnamed, report.tests))
