"""Compare the FIPS modules in two snaps bit for bit: `python3 -m tools.build.compare A.snap B.snap`.

Exit status 0: they are; 1: they are not; 2: it could not be told. Needs the program unsquashfs, and none of
what `make setup` installs.
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from tools.build.errors import BuildError

MODULE = "usr/lib/ossl-modules/fips.so"
RECORD = "usr/share/fips-provider/record.json"


def read(snap: Path, inside: str) -> bytes:
    """Return the content of a file in a packed snap.

    :raises BuildError: no unsquashfs, no snap, or no such file in it.
    """
    try:
        done = subprocess.run(["unsquashfs", "-cat", str(snap), inside], capture_output=True)
    except FileNotFoundError as error:
        raise BuildError("the program unsquashfs is missing: install squashfs-tools") from error
    # An old unsquashfs says nothing and ends with 0 when there is no such file.
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["it is not in there"]
        raise BuildError(f"{snap}: {inside} cannot be read: {said[0]}")
    return done.stdout


def main(arguments: list[str]) -> int:
    """Compare the modules of the snaps that the command line names; see the module's text for the result."""
    if len(arguments) != 2:
        print("usage: python3 -m tools.build.compare A.snap B.snap", file=sys.stderr)
        return 2
    modules = []
    try:
        for snap in map(Path, arguments):
            module = read(snap, MODULE)
            record = json.loads(read(snap, RECORD))
            modules.append(module)
            digest = hashlib.sha256(module).hexdigest()
            print(f"{digest}  {record['version']} from its {record['origin']}  {snap}")
    except BuildError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    first, second = modules
    if first == second:
        print(f"the same, bit for bit: {len(first)} bytes")
        return 0
    differing = sum(a != b for a, b in zip(first, second, strict=False)) + abs(len(first) - len(second))
    print(f"compare: the modules differ in {differing} of {max(map(len, modules))} bytes", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
