"""Measure programs on hosts, in turns."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tools.hosts import NamespaceHost

#: Where clock.py is copied to on a host.
CLOCK = "/opt/bench/clock.py"
BEST_OF = 5

T = TypeVar("T")


class BenchError(Exception):
    """Nothing can be measured, or what was measured failed; the text is one line that says why."""


@dataclass(frozen=True)
class Sample:
    """What one run of a program took; see clock.py."""

    seconds: float
    cpu: float
    peak: int
    said: str


@dataclass(frozen=True)
class Program:
    """A program on a host: the beginning of its command line, and its whole environment."""

    host: NamespaceHost
    command: tuple[str, ...]
    environment: Mapping[str, str]

    def __call__(self, *arguments: str, says: str = "") -> Sample:
        """Run it. `says`: a regular expression, found in what it says when it has done its work.

        Raise BenchError when it fails or says something else, HostError when it does not end.
        """
        clock = self.host.path(CLOCK)
        if not clock.exists():
            self.host.copy(Path(__file__).with_name("clock.py"), CLOCK)
        run = [*self.command, *arguments]
        # Absolute: the PATH of the program measured may have another python3 in front.
        command = ["/usr/bin/python3", "-IS", CLOCK, *run]
        done = self.host.run(command, env=self.environment, timeout=600).check()
        found = json.loads(done.stdout)
        failed = found.pop("status") != 0
        if failed or not re.search(says, found["said"]):
            how = "failed" if failed else "did not do its work"
            last = (found["said"].strip() or "nothing").splitlines()[-1]
            raise BenchError(f"{self.host.name}: `{shlex.join(run)}` {how} and said: {last}")
        return Sample(**found)


def here(*command: str) -> str:
    """Return what a program of this machine says; raise BenchError with its last line when it fails."""
    # A caller's PYTHONPATH and the like are not for the distribution's Python.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise BenchError(f"`{Path(command[0]).name}` said: {said}")
    return done.stdout


def rounds(count: int, *actions: Callable[[], T]) -> list[tuple[T, ...]]:
    """Do all actions in turn, `count` times after a warm-up; return what each round gave."""
    for action in actions:
        action()
    return [tuple(action() for action in actions) for _ in range(count)]


def best_rounds(count: int, *actions: Callable[[], Sample]) -> list[tuple[Sample, ...]]:
    """Do `rounds` of which each gives, of BEST_OF runs in turn, those that took least CPU.

    They tell what a program takes when nothing else disturbs it: for differences of a few milliseconds.
    """
    return [
        tuple(min(runs, key=lambda run: run.cpu) for runs in zip(*rounds(BEST_OF, *actions), strict=True))
        for _ in range(count)
    ]
