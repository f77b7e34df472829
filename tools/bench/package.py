"""The packed file, and building it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from importlib.metadata import Distribution, distributions
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from tools.bench import upstream
from tools.bench.measure import BenchError, here
from tools.bench.report import Figure
from tools.bench.subjects import Subjects
from tools.progress import say

RECIPE = Path(__file__).resolve().parents[2] / "snapcraft.yaml"
#: What `certbot plugins` says where there is none for DNS.
NO_DNS = r"(?s)^(?!.*\* dns-).*\* apache.*\* nginx"
CORES = 2


def size(subjects: Subjects) -> list[Figure]:
    """Size of the packed file, and of what it would be without the DNS plugins ÷ the goals.

    The latter lacks the packages that the other Certbot, which has no such plugin, does not have either. It
    is packed the same way, and has to work.
    """
    with TemporaryDirectory() as folder:
        without = Path(folder, subjects.snap.name)
        pack_without_dns(subjects.snap, without)
        host = subjects.host(flagged=True, snap=without)
        subjects.app(host)("plugins", says=NO_DNS)
        sizes = (subjects.snap.stat().st_size, without.stat().st_size)
    names = ("packed", "packed, without DNS plugins")
    return [Figure.of_values(name, "MB", [size / 1e6]) for name, size in zip(names, sizes, strict=True)]


def pack_without_dns(snap: Path, packed: Path) -> None:
    """Pack a snap once more, without the DNS plugins and what only they need.

    :raises BenchError: it cannot be unpacked or packed.
    """
    with TemporaryDirectory() as folder:
        tree = Path(folder, "tree")
        here("unsquashfs", "-no-progress", "-dest", str(tree), str(snap))
        (packages,) = tree.glob("usr/lib/python3*/site-packages")
        kept = upstream.pins().keys() - set(upstream.DNS)
        for distribution in distributions(path=[str(packages)]):
            if re.sub(r"[-_.]+", "-", distribution.name).lower() not in kept:
                _remove(distribution)
        compression = yaml.safe_load(RECIPE.read_text())["compression"]
        options = (f"--compression={compression}", f"--filename={packed.name}")
        here("snap", "pack", *options, str(tree), str(packed.parent))


def _remove(distribution: Distribution) -> None:
    """Remove what its list of files has, of which the snap has some as bytecode alone."""
    for file in distribution.files or ():
        path = Path(str(distribution.locate_file(file)))
        for each in (path, path.with_suffix(".pyc")):
            each.unlink(missing_ok=True)
        while path.parent.is_dir() and not any(path.parent.iterdir()):
            path = path.parent
            path.rmdir()


def build(subjects: Subjects) -> list[Figure]:
    """Build from nothing, sources included, and once more with nothing changed ÷ the goals.

    On two cores of this machine, in a work folder of its own that is removed afterwards. The packed file goes
    to dist/, as any build's does.
    """
    work = subjects.work / "build"
    shutil.rmtree(work, ignore_errors=True)
    cores = sorted(os.sched_getaffinity(0))[:CORES]
    if len(cores) < CORES:
        raise BenchError(f"the goal is for {CORES} cores and this machine has {len(cores)}")
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
    cold, unchanged = took
    return [
        Figure.of_values("cold build on 2 cores", "min", [cold / 60]),
        Figure.of_values("unchanged rebuild", "s", [unchanged]),
    ]
