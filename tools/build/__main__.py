"""`python3 -m tools.build`: build the snap, and print its path as the last line."""

import argparse
import errno
import fcntl
import hashlib
import json
import os
import platform
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

from tools.build import lifecycle, recipe, snap
from tools.build.errors import BuildError, UnavailableError
from tools.build.progress import say
from tools.build.sources import sha256

# The build leans on the distribution's tools alone, not on what happens to be on this machine; the
# last folder is that of craft-parts' own craftctl.
SEARCHED = ("/usr/sbin", "/usr/bin", "/sbin", "/bin", str(Path(sys.executable).parent))
ARCHITECTURE = "amd64"
HOOKS = recipe.PROJECT / "snap" / "hooks"
FOREIGN = (
    *("PYTHON", "CARGO", "RUST", "LD_", "OPENSSL_", "CRAFT_", "SNAP", "MAKE", "MFLAGS", "PROVIDER"),
    *("CFLAGS", "CPPFLAGS", "CXXFLAGS", "LDFLAGS", "CC", "CXX", "PKG_CONFIG"),
)


def build(provider: str | None, work: Path, origin: str | None = None) -> Path:
    """Build the snap of the recipe.

    :param provider: FIPS provider by its name in origins.yaml; None: the recipe's own.
    :param work: work folder, kept between builds.
    :param origin: the FIPS provider's only origin, "tarball" or "crate"; None: the first that can be had.
    :returns: the packed file.
    :raises BuildError: the build cannot be done; one line that says why.
    """
    machine = platform.machine()
    if machine != "x86_64":
        raise BuildError(f"this machine is {machine}: the recipe builds amd64 on amd64 alone")
    if os.geteuid() != 0:
        raise BuildError("root is needed (packages are installed): become root and try again")
    if not shutil.which("snap"):
        raise BuildError("the program snap is missing: run `make setup`")
    os.chdir(recipe.PROJECT)  # craft-parts takes it as the project folder
    what = recipe.load()
    origins = yaml.safe_load((Path(__file__).parent / "origins.yaml").read_text())
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BuildError(f"another build runs in {work}: wait for it to end") from error
        parts = lifecycle.resolve(what["parts"], origins, provider, work / "cache", origin)
        # With another provider it goes where nothing looks for the snap that is meant when none is named.
        other = f"provider-{provider}" if provider else ""
        version = f"{what['version']}+{other}" if other else what["version"]
        packed = recipe.PROJECT / "dist" / other / f"{what['name']}_{version}_{ARCHITECTURE}.snap"
        note = work / f"{packed.name}.made-of"
        made_of = digest({**what, "parts": parts})
        if packed.is_file() and note.is_file() and note.read_text() == f"{made_of} {sha256(packed)}":
            packed.touch()  # the tools take the one that was built last
            say("    nothing has changed since it was packed")
            return packed
        snap.pack(what, lifecycle.prime(parts, work), HOOKS, packed, ARCHITECTURE)
        note.write_text(f"{made_of} {sha256(packed)}")
        return packed


def digest(what: dict[str, Any]) -> str:
    """Return what stands for all that a packed snap is made of: the recipe, resolved, and our own files.

    What a part reads below parts/ is in there too, for the builder has added its digest to the part.
    """
    ours = recipe.digest([HOOKS, Path(__file__).parent])
    return hashlib.sha256(f"{json.dumps(what, sort_keys=True)} {ours}".encode()).hexdigest()


def main() -> int:
    """Run the build of the command line; 0 when the snap is there, 69 when a source cannot be had here."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.build", description=__doc__)
    parser.add_argument("--provider", help="FIPS provider to build (see origins.yaml); default: the recipe's")
    parser.add_argument(
        "--origin",
        choices=["tarball", "crate", ""],
        help="the FIPS provider's only origin; default: its tarball, or where that cannot be had its crate",
    )
    parser.add_argument("--work", type=Path, default=recipe.PROJECT / "build", help="work folder")
    arguments = parser.parse_args()
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        del os.environ[name]
    os.environ["PATH"] = ":".join(SEARCHED)
    os.environ["CARGO_HOME"] = str(arguments.work.resolve() / "cache" / "cargo")
    try:
        packed = build(arguments.provider or None, arguments.work.resolve(), arguments.origin or None)
    except BuildError as error:
        print(f"build: {error}", file=sys.stderr)
        return os.EX_UNAVAILABLE if isinstance(error, UnavailableError) else 1
    except KeyboardInterrupt:
        print("build: interrupted; the next run goes on from here", file=sys.stderr)
        return 130
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(f"build: the disk is full ({error.filename}): free some space and try again", file=sys.stderr)
        return 1
    say(f"    {packed.stat().st_size / 1e6:.1f} MB")
    say(str(packed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
