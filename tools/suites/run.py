"""Run a suite on a host, and hold what became of it against what is expected."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tools.build.compare import RECORD, read
from tools.hosts import HostError, NamespaceHost
from tools.suites.expected import Run, differences, entries, expected
from tools.suites.material import HERE, WORK, Suite, prepare

#: Seconds for one suite; the slowest takes three minutes on two cores that have nothing else to do.
LIMIT = 3600
HELPERS, FOLDER, INSIDE, REPORT = "/srv/helpers", "/srv/suite", "/srv/inside.py", "/srv/report.json"


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


def run(suite: Suite, snap: Path, flagged: bool) -> Outcome:
    """Run one suite with a packed snap.

    :raises BuildError: what the suite is made of cannot be had.
    :raises HostError: the host or the suite did not come to an end.
    """
    material = prepare(suite)
    module = json.loads(read(snap, RECORD))["version"]
    here = Run(suite.name, flagged, module)
    began = time.monotonic()
    with NamespaceHost(snap, flagged, shown={HELPERS: material.helpers}) as host:
        host.copy(material.folder, FOLDER)
        host.copy(HERE / "inside.py", INSIDE)
        options = [*suite.options, *(suite.flagged if flagged else []), *suite.tests]
        command = ["certbot-fips.python3", INSIDE, HELPERS, REPORT, suite.package, *options]
        ended = host.run(command, cwd=FOLDER, timeout=LIMIT)
        log = WORK / "logs" / f"{str(here).replace(', ', '-').replace(' ', '-')}.txt"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(ended.stdout + ended.stderr, errors="replace")
        if not host.path(REPORT).exists():
            raise HostError(f"{here}: it ended with {ended.returncode} and no report: see {log}")
        report = json.loads(host.path(REPORT).read_text())
    tests: dict[str, tuple[str, str]] = {name: (how, why) for name, (how, why) in report["tests"].items()}
    counts = Counter(how for how, _ in tests.values())
    wrong = [f"{stray} is not the snap's" for stray in report["strays"]]
    if report["fips"] != flagged:
        wrong.append(f"FIPS is {'on' if report['fips'] else 'off'} in Python")
    if report["status"] not in (0, 1):
        wrong.append(f"pytest ended with {report['status']}: see {log}")
    if counts["passed"] < suite.passes:
        wrong.append(f"{counts['passed']} tests passed, where {suite.passes} have to")
    amiss, unnamed = differences(expected(here), tests)
    listed = ", ".join(f"{number} {how}" for how, number in sorted(counts.items()))
    text = f"{here}: {listed}; {time.monotonic() - began:.0f} s"
    failures = [f"{name} fails, and is not expected to" for name in unnamed]
    return Outcome(text, [*wrong, *amiss, *failures], entries(unnamed, tests))
