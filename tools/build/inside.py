"""What runs in the root: the parts become the packed snap. `tools.build` starts it; the job comes by stdin.

No argument, variable or umask of the machine reaches it; `tools.build.root` has the list of what does.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path
from typing import Any

from tools.build import compare, lifecycle, pull, snap
from tools.build.errors import BuildError
from tools.progress import step
from tools.release.inventory import bom
from tools.release.inventory.built import Built
from tools.release.inventory.module import Validation

CRAFTCTL = """\
#!/usr/bin/python3 -I
import sys
sys.path.insert(0, {packages!r})
from craft_parts.ctl import main
main()
"""


def build(job: dict[str, Any]) -> None:
    """Build the parts and pack the snap, as `tools.build.__main__` says it in the job."""
    work, cache = Path(job["work"]), Path(job["cache"])
    primed = lifecycle.prime(job["parts"], job["recipe"]["name"], work, cache, job["jobs"], job["shown"])
    built = Built(
        recipe=job["recipe"],
        parts=job["parts"],
        project=Path.cwd(),
        prime=primed,
        work=work / "parts",
        packages=cache / pull.PACKAGES,
        record=job["record"],
        provider=json.loads((primed / compare.RECORD).read_text()),
        time=job["time"],
    )
    with step("make the inventory"):
        bom.put(built)
    # The store takes no snap of grade devel to candidate and stable.
    grade = job["recipe"]["grade"] if Validation.of(built.provider).number else "devel"
    snap.pack(
        {**job["recipe"], "grade": grade},
        primed,
        Path("snap/hooks"),
        job["record"],
        job["time"],
        work / job["packed"],
    )


def _surroundings(job: dict[str, Any]) -> None:
    """Make what the parts' scripts see: nothing of the builder's, craftctl, and cargo with the crates."""
    os.umask(0o022)
    packages = os.environ.pop("PYTHONPATH")
    programs = Path("/tmp/bin")
    programs.mkdir()
    craftctl = programs / "craftctl"
    craftctl.write_text(CRAFTCTL.format(packages=packages.split(":")[0]))
    craftctl.chmod(0o755)
    os.environ["PATH"] += f":{programs}"
    cargo = Path(os.environ["CARGO_HOME"])
    cargo.mkdir()
    if job["crates"]:
        (cargo / "config.toml").write_text(
            '[source.crates-io]\nreplace-with = "cache"\n'
            f"[source.cache]\ndirectory = {json.dumps(job['crates'])}\n[net]\noffline = true\n"
        )


def main() -> int:
    """Return 0, or 1 with one line on stderr that says what to do."""
    job = json.load(sys.stdin)
    try:
        _surroundings(job)
        build(job)
    except BuildError as error:
        print(f"build: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(f"build: the disk is full ({error.filename}): free some space and try again", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
