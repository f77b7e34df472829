"""Long runs on a snap: their command, how it ended and all that it said."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tools.build.recipe import PROJECT
from tools.hosts import newest_snap
from tools.release import texts
from tools.release.errors import ReleaseError
from tools.release.policy import Run

SNAP = "{snap}"


def run(snap: Path, wanted: Run, commit: str) -> tuple[bytes, dict[str, Any]]:
    """Run it, showing what it says, and return the transcript and schemas/run.json without `files`.

    :param commit: that the snap is of.
    :raises ReleaseError: it would be a run on another snap.
    """
    if SNAP not in wanted.command and newest_snap().resolve() != snap.resolve():
        raise ReleaseError(f"{wanted.name} runs on the snap that was built last, which is not {snap}")
    words = [word.replace(SNAP, str(snap)) for word in wanted.command]
    started, said = datetime.now(UTC), []
    with subprocess.Popen(
        [sys.executable, "-m", *words], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            sys.stdout.write(line.decode(errors="replace"))
            sys.stdout.flush()
    ended = datetime.now(UTC)
    return b"".join(said), {
        "run": wanted.name,
        "commit": commit,
        "machine": f"{platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {platform.release()}",
        "command": ["python3", "-m", *wanted.command],
        "started": texts.stamp(started),
        "ended": texts.stamp(ended),
        "seconds": round((ended - started).total_seconds(), 1),
        "exit_status": process.returncode,
    }


def wrong(wanted: Run, said: dict[str, Any], transcript: bytes, digest: str) -> Iterator[str]:
    """Yield why a run does not show what it is for.

    :param wanted: the policy's.
    :param said: the statement.
    :param digest: hex sha256 of the snap.
    """
    if said["run"] != wanted.name or said["command"] != ["python3", "-m", *wanted.command]:
        yield "it is another command than the policy's"
    if said["exit_status"] != 0:
        yield f"it ended with {said['exit_status']}"
    text = transcript.decode(errors="replace")
    for pattern in wanted.shows:
        if not re.search(pattern.replace("{sha256}", digest), text, re.MULTILINE):
            yield f"it does not say {pattern}"
