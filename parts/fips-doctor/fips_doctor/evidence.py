"""A piece of evidence, and how it is got from files and programs without ever being held up."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

SECONDS = 60.0  # for each program; all together take well under one, but an emulated processor is slow
REINSTALL = "reinstall the snap: `snap remove`, `snap install`; what is in /etc/letsencrypt stays"
HOST_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class State(Enum):
    """What a piece of evidence means."""

    OK = "ok"
    INFO = "info"
    """neither good nor bad"""
    WARN = "warn"
    """to be looked at; FIPS itself is not touched by it"""
    BAD = "bad"
    """not as it should be"""
    UNKNOWN = "unknown"
    """it could not be told"""


@dataclass(frozen=True)
class Item:
    """A piece of evidence: its label on the screen, what was found, and what to do if that is not good."""

    label: str
    value: str
    state: State = State.INFO
    remedy: str = ""

    @property
    def advice(self) -> str:
        """What to do, empty where nothing has to be done."""
        return "" if self.state in (State.OK, State.INFO) else self.remedy


Evidence = dict[str, Item]


@dataclass(frozen=True)
class Done:
    """How a program ended: its exit status (None: it did not run, or not in time) and what it said."""

    status: int | None
    out: str
    err: str

    @property
    def last_line(self) -> str:
        """The last line it said, of stderr if there is one."""
        return (self.err.strip() or self.out.strip() or f"exit status {self.status}").splitlines()[-1]


def run(*command: str, variables: Mapping[str, str] | None = None, seconds: float = SECONDS) -> Done:
    """Run a program and wait for it; none of its failures is an exception.

    :param variables: its environment; None: that of this process, which is the host's.
    """
    try:
        done = subprocess.run(
            command,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return Done(None, "", f"no answer within {seconds:g} s")
    except (OSError, ValueError) as error:
        return Done(None, "", str(error))
    return Done(done.returncode, done.stdout, done.stderr)


def host_program(name: str) -> str | None:
    """Return the path of a program of the operating system, whatever PATH says; None if it has none."""
    paths = (f"{folder}/{name}" for folder in HOST_PATH.split(":"))
    return next((path for path in paths if os.access(path, os.X_OK)), None)


def host_run(name: str, *arguments: str, seconds: float = SECONDS) -> Done:
    """Run a program of the operating system, with the languages of scripts."""
    program = host_program(name)
    if program is None:
        return Done(None, "", f"no {name} on this host")
    variables = {"PATH": HOST_PATH, "LC_ALL": "C", "HOME": "/"}
    return run(program, *arguments, variables=variables, seconds=seconds)


def read(path: str, limit: int = 65536) -> str | None:
    """Return the text of a file, None if it is not there or cannot be read; never waits for a pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            return os.read(descriptor, limit).decode(errors="replace")
        finally:
            os.close(descriptor)
    except OSError:
        return None


def listed(names: Sequence[str]) -> str:
    """Return names for a person: `a, b`, or `none`."""
    return ", ".join(names) or "none"
