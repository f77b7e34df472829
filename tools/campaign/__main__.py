"""`python3 -m tools.campaign`: run many cases, or one again."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from tools.campaign.case import draw
from tools.campaign.process import CampaignError
from tools.campaign.report import Line, Report
from tools.campaign.runner import campaign, run_case
from tools.campaign.stage import Stage
from tools.campaign.verdict import FAILED
from tools.hosts import HostError, newest_snap

PROJECT = Path(__file__).resolve().parents[2]
STEP = 1_000_000
"""Case N of the campaign with seed S is seed S * STEP + N: each can be run by itself."""


def main() -> int:
    """Return 0 when every outcome is allowed, 1 when not, 2 when the campaign itself failed."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.campaign", description=__doc__)
    parser.add_argument("--cases", type=_count, default=10_000, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="which campaign (default: %(default)s)")
    parser.add_argument("--case", type=int, metavar="SEED", help="run this one case alone and show it")
    parser.add_argument("--keep", default="all", help="with --case: the numbers of its faults, or none")
    parser.add_argument("--jobs", type=_count, default=2, help="how many at a time (default: %(default)s)")
    parser.add_argument("--snap", type=Path, help="the packed snap (default: the newest in dist/)")
    parser.add_argument("--report", type=Path, default=PROJECT / "build/campaign/report.json")
    options = parser.parse_args()
    try:
        snap = options.snap or newest_snap()
        if options.case is not None:
            return one(snap.resolve(), options.case, options.keep)
        return many(snap.resolve(), options)
    except (HostError, CampaignError, RuntimeError) as error:
        print(f"campaign: {error}", file=sys.stderr)
    return 2


def _count(text: str) -> int:
    if int(text) < 1:
        raise ValueError
    return int(text)


def one(snap: Path, seed: int, keep: str) -> int:
    """Run one case and print all there is to know of it."""
    with Stage(snap) as stage:
        case = draw(seed, stage.files)
        if keep != "all":
            case = case.keep({int(number) for number in keep.split(",") if number.isdigit()})
        plan = case.plan()
        print(f"entry:   {case.entry_point.name}: {os.fsdecode(b' '.join(plan.argv))[:200]!r}")
        print(f"host:    FIPS is {'' if plan.must else 'not '}asked for")
        for number, fault in enumerate(case.faults):
            print(f"fault {number}: {fault.kind}: {fault.text}")
        outcome, evidence = run_case(stage, case)
        print(f"outcome: {outcome} ({evidence})")
        for ended in stage.last:
            print(f"status:  {ended.status} after {ended.seconds:.2f} s")
            print(f"stdout:  {ended.stdout.decode(errors='replace')[:2000]}")
            print(f"stderr:  {ended.stderr.decode(errors='replace')[:4000]}")
            for (pid, program), libraries in ended.seen.items():
                print(f"mapped:  {pid} {program}: {' '.join(sorted(libraries)) or 'none'}")
    return int(outcome in FAILED)


def many(snap: Path, options: argparse.Namespace) -> int:
    """Run a campaign, print its table and write its report."""
    began = time.monotonic()
    done = 0

    def tell(line: Line) -> None:
        nonlocal done
        done += 1
        if line.outcome in FAILED:
            print(f"{line.outcome}: {line.text}\n  {line.evidence}\n  {line.reproduce}", flush=True)
        if done % 500 == 0:
            print(f"{done} of {options.cases}, {(time.monotonic() - began) / 60:.1f} minutes", flush=True)

    seeds = range(options.seed * STEP, options.seed * STEP + options.cases)
    lines = campaign(snap, seeds, options.jobs, tell)
    report = Report(snap.name, options.seed, time.monotonic() - began, lines)
    report.write(options.report)
    print(f"{report.table()}\n\n{report.explain()}")
    return int(bool(report.failures))


if __name__ == "__main__":
    sys.exit(main())
