"""`python3 -m tools.build`: build the snap, and print its path as the last line."""

import argparse
import copy
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tools import architecture
from tools.build import commit, compare, packages, pull, recipe
from tools.build import root as roots
from tools.build.errors import BuildError, UnavailableError
from tools.digest import sha256, tree
from tools.progress import say
from tools.release import inventory

HERE = Path(__file__).parent
#: craft-parts, for the Python of the root.
BUILDER = HERE / "requirements.txt"
SNAP = recipe.PROJECT / "snap"


def build(arguments: argparse.Namespace) -> Path:
    """Build the snap of the recipe.

    :param arguments: of the command line, see `main`.
    :returns: the packed file.
    :raises BuildError: the build cannot be done; one line that says why.
    """
    if complaint := architecture.complaint():
        raise BuildError(complaint)
    if os.geteuid() != 0:
        raise BuildError("root is needed (a root is made and entered): become root and try again")
    for program in ("mmdebstrap", "bwrap"):
        if not shutil.which(program):
            raise BuildError(f"the program {program} is missing: run `make setup`")
    what = recipe.load()
    base = arguments.work.resolve()
    (base / "work").mkdir(parents=True, exist_ok=True)
    with (base / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BuildError(f"another build runs in {base}: wait for it to end") from error
        return _build(what, base, arguments)


def _build(what: dict[str, Any], base: Path, arguments: argparse.Namespace) -> Path:
    cache, name = base / "cache", arguments.provider or None
    declared = what["parts"]
    root = roots.prepare(*recipe.build_needs(declared), cache / "roots")
    origins = yaml.safe_load((HERE / "origins.yaml").read_text())
    parts = pull.parts(declared, origins, name, cache, arguments.origin or None)
    pins = sorted(
        file for folder in recipe.inputs(json.dumps(parts)) for file in recipe.below(folder, "*.txt")
    )
    crates = pull.python_packages(_python(declared), pins, cache)
    builder = packages.install(BUILDER, root.python(), cache, "builder")
    for part in parts.values():  # what the builder has done, and craft-parts should not
        part.pop("build-packages", None)
        part.pop("build-snaps", None)
        part["build-environment"].append({"BUILD_ROOT_SHA256": root.digest})

    # With another provider it goes where nothing looks for the snap that is meant when none is named.
    other = f"provider-{name}" if name else ""
    version = f"{what['version']}+{other}" if other else what["version"]
    file = f"{what['name']}_{version}_{architecture.ARCHITECTURE.name}.snap"
    packed = recipe.PROJECT / "dist" / other / file
    origin = commit.here(recipe.PROJECT)
    record = {
        "name": what["name"],
        "version": what["version"],
        "commit": origin.name,
        "changed": origin.changed,
        "time": origin.time,
        "hardening": recipe.hardening(),
        "root": root.record(),
    }
    made_of = _digest({**what, "parts": parts}, record)
    note = base / f"{packed.name}.made-of"
    if packed.is_file() and note.is_file() and note.read_text() == f"{made_of} {sha256(packed)}":
        packed.touch()  # the tools take the one that was built last
        _lay_beside(packed)
        say("    nothing has changed since it was packed")
        return packed

    below = arguments.below
    job = {
        "recipe": what,
        "parts": _moved(parts, cache, f"{below}/cache"),
        "record": record,
        "time": origin.time,
        "work": f"{below}/work",
        "cache": f"{below}/cache",
        "packed": packed.name,
        "jobs": arguments.jobs,
        "shown": f"{base}/work",
        "crates": crates and str(crates).replace(str(cache), f"{below}/cache"),
    }
    command = root.command(
        *("python3", "-B", "-m", "tools.build.inside"),
        read={"project": recipe.PROJECT, "cache": cache, "builder": builder},
        write={"work": base / "work"},
        variables={
            "PYTHONPATH": f"{below}/builder",
            "CARGO_HOME": "/tmp/cargo",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": f"{below}/cache/{pull.PACKAGES}",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        },
        below=below,
        folder="project",
        hostname=arguments.hostname,
    )
    done = subprocess.run(command, input=json.dumps(job), text=True)
    if done.returncode:
        raise SystemExit(done.returncode)  # it has said why
    packed.parent.mkdir(parents=True, exist_ok=True)
    incoming = packed.with_name(f".incoming-{packed.name}")
    shutil.move(base / "work" / packed.name, incoming)
    incoming.replace(packed)  # whole, and not before
    note.write_text(f"{made_of} {sha256(packed)}")
    _lay_beside(packed)
    return packed


def _lay_beside(packed: Path) -> None:
    """Lay a copy of the inventory that is in the snap beside it."""
    packed.with_suffix(".cdx.json").write_bytes(compare.read(packed, inventory.FILE))


def _python(parts: dict[str, Any]) -> str:
    """Return the release of the snap's Python, as "3.13"."""
    found = re.search(r"/Python-(\d+\.\d+)\.", parts["python"]["source"])
    assert found
    return found[1]


def _moved(parts: dict[str, Any], here: Path, there: str) -> dict[str, Any]:
    """Return the parts with the cache where the root has it."""
    moved = copy.deepcopy(parts)
    for part in moved.values():
        if "source" in part:
            part["source"] = part["source"].replace(f"{here}/", f"{there}/")
    return moved


def _digest(what: dict[str, Any], record: dict[str, Any]) -> str:
    """Return what stands for all that a packed snap is made of: the recipe, resolved, and our own files.

    What a part reads below parts/ is in there too, for the builder has added its digest to the part.
    """
    ours = tree(SNAP, HERE, recipe.PROJECT / "tools/release/inventory", recipe.PROJECT / "docs/boundary.json")
    return hashlib.sha256(f"{json.dumps([what, record], sort_keys=True)} {ours}".encode()).hexdigest()


def main() -> int:
    """Run the build of the command line; 0 when the snap is there, 69 when a source cannot be fetched."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.build", description=__doc__)
    parser.add_argument("--provider", help="FIPS provider to build (see origins.yaml); default: the recipe's")
    parser.add_argument(
        "--origin",
        choices=["tarball", "crate", ""],
        help="the FIPS provider's only origin; default: its tarball, or where that does not answer its crate",
    )
    parser.add_argument("--work", type=Path, default=recipe.PROJECT / "build", help="work folder")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes at a time")
    # For tools.build.reproduce: what must make no difference.
    parser.add_argument("--below", default="/build", help=argparse.SUPPRESS)
    parser.add_argument("--hostname", default="build", help=argparse.SUPPRESS)
    try:
        packed = build(parser.parse_args())
    except BuildError as error:
        print(f"build: {error}", file=sys.stderr)
        return os.EX_UNAVAILABLE if isinstance(error, UnavailableError) else 1
    except KeyboardInterrupt:
        print("build: interrupted; the next run goes on from here", file=sys.stderr)
        return 130
    except OSError as error:
        full = f"the disk is full ({error.filename}): free some space and try again"
        print(f"build: {full if error.errno == errno.ENOSPC else error}", file=sys.stderr)
        return 1
    say(f"    {packed.stat().st_size / 1e6:.1f} MB, sha256 {sha256(packed)}")
    say(str(packed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
