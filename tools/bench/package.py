"""The packed file, and building it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

from tools.bench.measure import BenchError
from tools.bench.report import Figure
from tools.bench.subjects import Subjects
from tools.progress import say

AIM_MB = 15.0
CORES = 2
COLD_MINUTES = 12.0
UNCHANGED_SECONDS = 20.0


def size(subjects: Subjects) -> list[Figure]:
    """Size of the packed file ÷ the aim."""
    megabytes = subjects.snap.stat().st_size / 1e6
    return [Figure("packed size", "MB", [(megabytes, AIM_MB)], "the aim", bound=("aim", 1.0))]


def build(subjects: Subjects) -> list[Figure]:
    """Build from nothing, sources included, and once more with nothing changed ÷ the limits.

    On two cores of this machine, in a work folder of its own that is removed afterwards. The packed file goes
    to dist/, as any build's does.
    """
    work = subjects.work / "build"
    shutil.rmtree(work, ignore_errors=True)
    cores = sorted(os.sched_getaffinity(0))[:CORES]
    if len(cores) < CORES:
        raise BenchError(f"the limit is for {CORES} cores and this machine has {len(cores)}")
    command = ["taskset", "--cpu-list", ",".join(map(str, cores))]
    command += [sys.executable, "-m", "tools.build", "--work", str(work)]
    took = []
    for what in ("cold", "unchanged"):
        say(f"    {what} build on {CORES} cores")
        began = time.monotonic()
        if subprocess.run(command, check=False).returncode != 0:
            raise BenchError(f"the {what} build failed, see above")
        took.append(time.monotonic() - began)
    shutil.rmtree(work)
    limit = ("limit", 1.0)
    return [
        Figure("cold build on 2 cores", "min", [(took[0] / 60, COLD_MINUTES)], "the limit", bound=limit),
        Figure("unchanged rebuild", "s", [(took[1], UNCHANGED_SECONDS)], "the limit", bound=limit),
    ]
