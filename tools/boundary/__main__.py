"""Measure the boundary on the packed snap and write docs/boundary.md and docs/boundary.json.

Exit status: 0 when they are written; 1 with one line on stderr when something has no case, or nothing can be
counted on this machine; 130 when interrupted.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.boundary import table
from tools.boundary.measure import both
from tools.hosts import HostError, newest_snap
from tools.observe import ObserveError


def main() -> int:
    """Write the table; return the exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.boundary", description=__doc__.splitlines()[0])
    parser.add_argument("snap", nargs="?", type=Path, help="the packed snap (default: the newest in dist/)")
    arguments = parser.parse_args()
    try:
        flagged, plain = both(arguments.snap or newest_snap())
        absent = [table.key(done) for done in plain.done if done.refused]
        found = table.rows(flagged, absent)
    except (HostError, ObserveError, table.NoCaseError) as error:
        print(f"boundary: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("boundary: interrupted; nothing is left behind", file=sys.stderr)
        return 130
    table.write(found)
    print(f"{len(found)} operations in {table.DOCUMENT.name} and {table.DATA.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
