"""Measure the packed snap; print a table of ratios and write build/bench.json.

Exit status: 0 when everything was measured, whether the goals are reached or not; 1 when something could not
be, with one line on stderr for each; 2 for wrong arguments; 130 when interrupted.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import ssl
import sys
import time
from pathlib import Path
from typing import Any

from tools import architecture
from tools.bench import certificates, document, lineages, package, starts, throughput
from tools.bench.measure import BenchError
from tools.bench.report import Figure, table
from tools.bench.subjects import Subjects
from tools.build.errors import BuildError
from tools.hosts import HostError, newest_snap
from tools.progress import say, step

PROJECT = Path(__file__).resolve().parents[2]
WORK = PROJECT / "build" / "bench"
OUTPUT = PROJECT / "build" / "bench.json"
FIGURES = {
    "version": starts.version,
    "cold": starts.cold,
    "context": starts.context,
    "launcher": starts.launcher,
    "issuance": certificates.issuance,
    "dns": certificates.dns,
    "renew": lineages.renew,
    "timer": lineages.timer,
    "certificates": lineages.certificates,
    "throughput": throughput.throughput,
    "size": package.size,
    "build": package.build,
}
#: What has no quick form.
SLOW = {"build"}


def identity(snap: Path) -> dict[str, str]:
    """Return name and SHA-256 of a packed snap. Raise BenchError when it is none."""
    if not snap.is_file():
        raise BenchError(f"no packed snap at {snap}: run `make snap`")
    content = snap.read_bytes()
    if content[:4] != b"hsqs":  # squashfs
        raise BenchError(f"{snap} is no packed snap: run `make snap`")
    return {"file": snap.name, "sha256": hashlib.sha256(content).hexdigest()}


def measure(names: list[str], subjects: Subjects) -> tuple[list[Figure], int]:
    """Measure the figures of these names; return them, and how many could not be measured.

    Of each of the latter stderr has one line that says why.
    """
    figures, failed = [], 0
    with subjects.stack:
        for name in names:
            try:
                with step(f"measure {name}"):
                    figures += FIGURES[name](subjects)
            except (BenchError, BuildError, HostError) as error:
                print(f"bench: {name}: {error}", file=sys.stderr)
                failed += 1
    return figures, failed


def machine() -> dict[str, Any]:
    """Return what the figures hang on, besides the snap."""
    models = [
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")
    ]
    return {
        "cpu": models[0].partition(":")[2].strip() if models else "unknown",
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "system": platform.freedesktop_os_release()["PRETTY_NAME"],
        "python": platform.python_version(),  # .venv's is the distribution's, and so is its OpenSSL
        "openssl": ssl.OPENSSL_VERSION,
        "load": os.getloadavg()[0],
    }


def main() -> int:
    """Measure what the command line says; return the exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.bench", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--snap", type=Path, metavar="FILE", help="the packed snap (default: newest in dist/)"
    )
    parser.add_argument(
        "--reference", type=Path, metavar="FILE", help="the packed snap that a cold start is compared with"
    )
    parser.add_argument(
        "--quick", action="store_true", help="one round of everything, few lineages: rough figures, sooner"
    )
    parser.add_argument(
        "--document",
        action="store_true",
        help="measure nothing: write table and picture of the documents from build/bench.json",
    )
    names = ", ".join(FIGURES)
    parser.add_argument("figure", nargs="*", help=f"{names} (default: all; with --quick all but build)")
    arguments = parser.parse_args()
    if unknown := set(arguments.figure) - set(FIGURES):
        parser.error(f"no figure {', '.join(sorted(unknown))}: there are {names}")
    without = {*(SLOW if arguments.quick else ()), *(() if arguments.reference else ("cold",))}
    chosen = arguments.figure or [name for name in FIGURES if name not in without]
    try:
        if arguments.document:
            document.write(OUTPUT)
            return 0
        if complaint := architecture.complaint():
            raise BenchError(complaint)
        snap, reference = arguments.snap or newest_snap(), arguments.reference
        # Before the work: the load that others make, and the file that a build may replace.
        found = {
            "measured": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "quick": arguments.quick,
            "machine": machine(),
            "snap": identity(snap),
            "reference": identity(reference) if reference else None,
        }
        figures, failed = measure(chosen, Subjects(snap, WORK, arguments.quick, reference))
    except (BenchError, HostError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: interrupted; no figures were written", file=sys.stderr)
        return 130
    OUTPUT.parent.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(figure.json()) for figure in figures)
    OUTPUT.write_text(f'{json.dumps(found)[:-1]}, "figures": [\n{lines}\n]}}\n')
    here = found["machine"]
    say(f"\n{snap.name} on {here['system']}, {here['cpu']}, {here['cores']} cores, load {here['load']:.1f}")
    say(f"against Python {here['python']} and {here['openssl']}\n\n{table(figures)}\n\nall pairs: {OUTPUT}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
