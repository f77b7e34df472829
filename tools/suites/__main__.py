"""`python3 -m tools.suites`: run other people's suites in the snap's own Python."""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.build.errors import BuildError
from tools.hosts import HostError, newest_snap
from tools.progress import say
from tools.suites.material import Suite, suites
from tools.suites.run import Outcome, run


def main() -> int:
    """Return 0 when every suite ended as expected, 1 when one did not, 2 when it could not be told."""
    known = suites()
    parser = argparse.ArgumentParser(prog="python3 -m tools.suites", description=__doc__)
    parser.add_argument("suite", nargs="*", metavar="SUITE", help=f"{', '.join(known)} (default: all)")
    parser.add_argument(
        "--provider",
        action="append",
        help="the snap with this FIPS module, too (default: the recipe's alone)",
    )
    parser.add_argument("--on", choices=["flagged", "unflagged"], help="the only host (default: both)")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="suites at a time")
    options = parser.parse_args()
    if unknown := set(options.suite) - set(known):
        parser.error(f"no suite {', '.join(sorted(unknown))}: there are {', '.join(known)}")
    wanted = [known[name] for name in options.suite or known]
    flags = [True, False] if options.on is None else [options.on == "flagged"]
    try:
        snaps = [newest_snap(provider) for provider in (None, *(options.provider or []))]
        with ThreadPoolExecutor(options.jobs) as pool:
            jobs = [(suite, snap, flagged) for snap in snaps for flagged in flags for suite in wanted]
            outcomes = list(pool.map(_told, jobs))
    except (BuildError, HostError) as error:
        print(f"suites: {error}", file=sys.stderr)
        return 2
    return int(any(outcome.wrong for outcome in outcomes))


def _told(job: tuple[Suite, Path, bool]) -> Outcome:
    """Run one, and say at once how it ended."""
    try:
        outcome = run(*job)
    except HostError as error:  # the others are still of interest
        outcome = Outcome(job[0].name, [str(error)])
    lines = [outcome.text, *(f"    {line}" for line in outcome.wrong)]
    if outcome.paste:
        lines += ["    for tools/suites/expected.yaml, with the reasons:", outcome.paste]
    say("\n".join(lines))
    return outcome


if __name__ == "__main__":
    sys.exit(main())
