"""Measure programs on hosts, in turns."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tools.hosts import NamespaceHost

#: Where clock.py is copied to on a host.
CLOCK = "/opt/bench/clock.py"

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

    def __call__(self, *arguments: str, best_of: int = 1) -> Sample:
        """Run it, more than once to tell what it takes when nothing else disturbs it.

        Raise BenchError when it fails, HostError when it does not end.
        """
        clock = self.host.path(CLOCK)
        if not clock.exists():
            self.host.copy(Path(__file__).with_name("clock.py"), CLOCK)
        run = [*self.command, *arguments]
        # Absolute: the PATH of the program measured may have another python3 in front.
        done = self.host.run(
            ["/usr/bin/python3", "-IS", CLOCK, str(best_of), *run], env=self.environment, timeout=600
        ).check()
        found = json.loads(done.stdout)
        if found.pop("status") != 0:
            last = (found["said"].strip() or "nothing").splitlines()[-1]
            raise BenchError(f"{self.host.name}: `{shlex.join(run)}` failed and said: {last}")
        return Sample(**found)


def rounds(count: int, *actions: Callable[[], T]) -> list[tuple[T, ...]]:
    """Do all actions in turn, `count` times after a warm-up; return what each round gave."""
    for action in actions:
        action()
    return [tuple(action() for action in actions) for _ in range(count)]
