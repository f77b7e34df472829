"""Run one suite in the snap's own Python, and write what became of each test.

`certbot-fips.python3 inside.py NEEDS REPORT PACKAGE [OPTION-OF-PYTEST ...]`, on a host, in the suite's
folder. PACKAGE is a package of the snap that the suite's tests belong into, or empty. This file is alone
there: nothing of the project can be imported.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

NEEDS, REPORT, PACKAGE, *OPTIONS = sys.argv[1:]
FOLDER = str(Path.cwd())
sys.path += [NEEDS, FOLDER]  # behind the snap's own, so that nothing of it is shadowed
if PACKAGE:
    importlib.import_module(PACKAGE).__path__.append(f"{FOLDER}/{PACKAGE.replace('.', '/')}")

import pytest  # noqa: E402 - from NEEDS

#: Of all that is said of one test (by its set-up, itself, its subtests, its end) the last of these counts.
OUTCOMES = ("skipped", "xfailed", "passed", "failed")


class Recorder:
    """Keeps, by the name of each test, what became of it and why."""

    def __init__(self) -> None:
        self.tests: dict[str, tuple[str, str]] = {}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count a file that cannot be collected as a test that fails, one that skips itself as skipped."""
        if report.outcome != "passed":
            self._add(report.nodeid, report.outcome, report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add one of the reports of a test; that its set-up or its end passed says nothing yet."""
        expected = report.outcome == "skipped" and hasattr(report, "wasxfail")
        if report.when == "call" or report.outcome != "passed":
            self._add(report.nodeid, "xfailed" if expected else report.outcome, report)

    def _add(self, name: str, outcome: str, report: pytest.CollectReport | pytest.TestReport) -> None:
        before, _ = self.tests.get(name, ("skipped", ""))
        if name not in self.tests or OUTCOMES.index(outcome) > OUTCOMES.index(before):
            crash = getattr(report.longrepr, "reprcrash", None)
            said = crash.message if crash else str(report.longrepr or "")
            self.tests[name] = outcome, said[-1000:]


def strays() -> list[str]:
    """Return the modules of the snap's packages, tests aside, that were loaded from somewhere else."""
    ours = {path.name.partition(".")[0] for place in sys.path if _in_snap(place) for path in _content(place)}
    tests = f"{PACKAGE}.tests"
    found = []
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and name.partition(".")[0] in ours and not _in_snap(file) and not name.startswith(tests):
            found.append(f"{name} ({file})")
    return found


def _in_snap(path: str) -> bool:
    return Path(path).resolve().is_relative_to(Path(sys.prefix).resolve())


def _content(place: str) -> list[Path]:
    return [*Path(place).iterdir()] if Path(place).is_dir() else []


def main() -> None:
    """Run the suite and write the report."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    how = ["--import-mode=append", "--override-ini=consider_namespace_packages=true", f"--rootdir={FOLDER}"]
    recorder = Recorder()
    plugins = ["-ppytest_timeout", "--timeout=300", "-pno:cacheprovider", "--tb=short", "-q"]
    status = pytest.main([*how, *plugins, *OPTIONS], plugins=[recorder])
    import _hashlib

    report = {
        "status": int(status),
        "fips": bool(_hashlib.get_fips_mode()),
        "strays": strays(),
        "tests": recorder.tests,
    }
    Path(REPORT).write_text(json.dumps(report))
    sys.stdout.flush()
    os._exit(0)  # a thread that a test has left would keep us


if __name__ == "__main__":
    main()
