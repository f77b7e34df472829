"""The commit that a snap is built from, and its time."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.build.errors import BuildError

#: What a snap is made of: a change here that is not committed is on the snap's record.
MADE_OF = (
    *("snapcraft.yaml", "snap", "parts", "tools/build", ":(glob)tools/*.py"),
    *("tools/release/inventory", "docs/boundary.json"),  # what the inventory says
)


@dataclass(frozen=True)
class Commit:
    """What is built.

    :ivar name: hex digest of the commit; "unknown" outside a clone.
    :ivar changed: whether what a snap is made of differs from it.
    :ivar time: its time in seconds since the epoch: all files of the snap have it.
    """

    name: str
    changed: bool
    time: int


def here(project: Path) -> Commit:
    """Return the commit of a clone.

    :raises BuildError: it is no clone, and SOURCE_DATE_EPOCH does not say a time
        (reproducible-builds.org/specs/source-date-epoch).
    """
    shown = _git(project, "log", "-1", "--format=%H %ct")
    if shown is None:
        time = os.environ.get("SOURCE_DATE_EPOCH", "")
        if not (time.isdecimal() and int(time) < 1 << 32):  # squashfs has 32 bits for it
            raise BuildError(
                "this is no git clone: set SOURCE_DATE_EPOCH to the time, in seconds, of the snap's files"
            )
        return Commit("unknown", True, int(time))
    name, time = shown.split()
    return Commit(name, bool(_git(project, "status", "--porcelain", "--", *MADE_OF)), int(time))


def _git(project: Path, *words: str) -> str | None:
    # Root builds in a clone that may be another user's, who may not be able to read an index that root wrote.
    command = ["git", "-c", f"safe.directory={project}", "-c", "log.showSignature=false", "-C", str(project)]
    try:
        done = subprocess.run([*command, "--no-optional-locks", *words], capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
