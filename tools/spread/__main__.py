"""`python3 -m tools.spread SYSTEM [TASK ...]`: run spread's tasks on one system, where there is no spread."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tools.hosts.base import HostError
from tools.hosts.packed import newest_snap
from tools.spread.model import SpreadError, load, nearest
from tools.spread.plan import Job, jobs
from tools.spread.run import FailedError, Session, open_session

PROJECT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Return 0 when all tasks passed, 1 when one failed or could not be run."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.spread", description=__doc__)
    parser.add_argument("system", help="a system of spread.yaml's backend adhoc")
    parser.add_argument("task", nargs="*", help="names of tasks (default: all that are not manual)")
    arguments = parser.parse_args()
    try:
        return run(arguments.system, arguments.task)
    except (HostError, SpreadError, FailedError) as error:
        print(f"spread: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("spread: interrupted; nothing is left behind", file=sys.stderr)
        return 130
    return 1


def run(system: str, tasks: list[str]) -> int:
    """Run tasks on a system, print a line for each. Raise HostError or SpreadError when none can be run."""
    project = load(PROJECT)
    every = jobs(project, "adhoc", manual=True)
    known = list(project.systems["adhoc"])
    if ":" in system:
        raise SpreadError(f"{system} is a machine elsewhere: that needs spread itself")
    if system not in known:
        raise SpreadError(f"unknown system {system}: {nearest(system, known)}")
    chosen = [job for job in every if job.system.name == system]
    names = {Path(job.task.name).name for job in chosen}
    for task in tasks:
        if task not in names:
            raise SpreadError(f"unknown task {task} on {system}: {nearest(task, sorted(names))}")
    wanted = tasks or {Path(job.task.name).name for job in chosen if not job.task.keys.get("manual")}
    with open_session(PROJECT, system, newest_snap()) as session:
        done = [_one(session, job) for job in chosen if Path(job.task.name).name in wanted]
    return int(not all(done))


def _one(session: Session, job: Job) -> bool:
    began = time.monotonic()
    failure = ""
    try:
        session.run(job)
    except FailedError as error:
        failure = f"\n{error}"
    print(
        f"{'FAIL' if failure else 'pass'} {job.name} ({time.monotonic() - began:.0f} s){failure}", flush=True
    )
    return not failure


if __name__ == "__main__":
    sys.exit(main())
