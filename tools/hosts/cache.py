"""What hosts are made of is made once, and kept under build/roots by what it was made from.

A build goes on aside and is renamed when it is whole, so that an interrupted one is never taken for done; a
lock lets two runs share one build.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from tools.hosts.base import HostError, HostRefusedError
from tools.progress import step

CACHE = Path(__file__).resolve().parents[2] / "build/roots"
LITTLE_MIB = 1024  # what fails with less free space may have failed for that


def once(name: str, made_of: str, build: Callable[[Path], None]) -> Path:
    """Return the folder that holds what `build` makes from `made_of`; build it if it is not there."""
    if os.geteuid() != 0:
        raise HostRefusedError("userlands are built by root: become root and try again")
    done = CACHE / f"{name}-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}"
    if done.is_dir():
        return done
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.is_dir():
            return done
        for old in CACHE.glob(f"{name}-*/"):  # of another recipe, or half built
            shutil.rmtree(old)
        aside = CACHE / f"{name}-unfinished"
        try:
            build(aside)
            aside.chmod(0o755)
            aside.rename(done)
        except HostRefusedError:
            raise
        except (HostError, OSError) as error:
            free = shutil.disk_usage(CACHE).free >> 20
            hint = f"; only {free} MiB are free in {CACHE}: free some space" if free < LITTLE_MIB else ""
            raise HostError(f"{error}{hint}") from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return done


def command(*words: str) -> None:
    """Run a command of this machine; raise HostError with what it said when it fails."""
    done = subprocess.run(words, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()
        # Behind "--" where another enters a namespace for it.
        program = words[words.index("--") + 1] if "--" in words else words[0]
        raise HostError(f"{program} failed ({done.returncode}) and said: {' / '.join(said[-3:])}")


def progress(what: str) -> AbstractContextManager[None]:
    """Say what is being waited for, on standard error: what `allocate` says on the other is an address."""
    return step(what, to=sys.stderr)
