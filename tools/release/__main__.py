"""`python3 -m tools.release`: what a snap is made of, what was seen of it, and what may be done with it.

Exit status 0: it is so; 1: it is not, and a line on stderr says why; 2: it could not be told.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tools.build.base import unpack
from tools.build.errors import BuildError
from tools.hosts import HostError, newest_snap
from tools.release.errors import ReleaseError
from tools.release.inventory import check


def inventory(arguments: argparse.Namespace) -> int:
    """Hold a snap's inventory against the snap."""
    snap = arguments.snap or newest_snap()
    with tempfile.TemporaryDirectory() as folder:
        found = list(check.differences(unpack(snap, Path(folder))))
    for line in found:
        print(f"inventory: {line}", file=sys.stderr)
    if not found:
        print(f"the inventory of {snap.name} has all that is in it, and nothing else")
    return 1 if found else 0


def main(words: list[str] | None = None) -> int:
    """Answer the question of the command line; see the module's text for the result."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.release", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("inventory", help="hold a snap's inventory against the snap")
    one.add_argument("snap", type=Path, nargs="?", help="default: the one that was built last")
    one.set_defaults(answer=inventory)
    arguments = parser.parse_args(words)
    try:
        return int(arguments.answer(arguments))
    except ReleaseError as error:
        print(f"{arguments.command}: {error}", file=sys.stderr)
        return 1
    except (BuildError, HostError, OSError) as error:
        print(f"{arguments.command}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
