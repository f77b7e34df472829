"""Which of Certbot's hooks failed when they last ran: Certbot itself goes on, and ends with 0.

Kept for the doctor as JSON, beside the snap's data.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from fips_launch.files import write
from fips_launch.place import Place

DEPLOY = "deploy-hook"
KINDS = ("pre-hook", DEPLOY, "post-hook")


@dataclass(frozen=True)
class Failed:
    """A hook's last run, which failed."""

    kind: str
    """one of KINDS"""
    command: str
    lineage: str
    """whose certificate it was to deploy, by its name; empty for the other kinds"""
    status: int
    """its exit status; negative: the number of the signal that ended it"""
    time: str
    """ISO 8601, in UTC"""


def failed(here: Place) -> list[Failed]:
    """Return them in the order in which they failed; OSError or ValueError if the record cannot be read."""
    try:
        with open(here.failed_hooks, encoding="ascii") as file:
            return [Failed(**entry) for entry in json.load(file)]
    except FileNotFoundError:
        return []
    except TypeError as error:
        raise ValueError(str(error)) from None


def ended(here: Place, kind: str, command: str, lineage: str, status: int) -> None:
    """Put on record that a hook failed, or take it out; OSError if that cannot be."""
    try:
        known = failed(here)
    except ValueError:
        known = []  # damaged: what fails now is on record again
    now = [each for each in known if (each.kind, each.command, each.lineage) != (kind, command, lineage)]
    if status:
        now.append(Failed(kind, command, lineage, status, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"))
    if now != known:
        write(here.failed_hooks, json.dumps([asdict(each) for each in now]))
