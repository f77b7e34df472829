"""A timer that the administrator has stopped or disabled stays so over a refresh.

snapd before 2.68 enables and starts all of them again.  Hooks run before and after a refresh, and after a
revert, but none before that: what they keep serves refreshes, which come by themselves.
"""

import json
import os

from fips_launch import config
from fips_launch.files import write
from fips_launch.place import TIMERS, Place


def _kept(here: Place) -> str:
    return os.path.join(os.path.dirname(here.setting), "timers")


def _state(unit: str) -> tuple[bool, bool]:
    """Return whether systemd has a unit active, and enabled; ValueError if it does not say."""
    said = config.run("systemctl", "show", "--property=ActiveState,UnitFileState", unit, variables=os.environ)
    fields = dict(line.split("=", 1) for line in said.split())
    return fields["ActiveState"] == "active", fields["UnitFileState"] == "enabled"


def keep(here: Place) -> None:
    """Keep what timers are stopped or disabled, before a refresh; ValueError or OSError if that cannot be."""
    if not os.path.isdir("/run/systemd/system"):
        return
    units = {unit: _state(unit) for unit in (f"snap.{here.instance}.{name}.timer" for name in TIMERS)}
    stopped = {unit: enabled for unit, (active, enabled) in units.items() if not active}
    write(_kept(here), json.dumps({"revision": here.revision, "stopped": stopped}))


def restore(here: Place) -> None:
    """Stop and disable those again, after a refresh; ValueError or OSError if that cannot be."""
    try:
        with open(_kept(here), encoding="ascii") as file:
            known = json.load(file)
    except FileNotFoundError:
        return
    os.remove(_kept(here))
    if known["revision"] == here.revision:
        return  # that refresh was undone
    for unit, enabled in known["stopped"].items():
        config.run("systemctl", "stop", unit, variables=os.environ)
        if not enabled:
            config.run("systemctl", "disable", unit, variables=os.environ)
