"""A case: what one seed stands for."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from random import Random

from tools.campaign import environments, plugins, state, surroundings
from tools.campaign.damages import Files
from tools.campaign.entry_points import ENTRY_POINTS, EntryPoint
from tools.campaign.fault import Fault
from tools.campaign.plan import SNAP, Plan
from tools.hosts.base import LOGIN_ENVIRONMENT

#: With these the helpers on the way (a stand-in for `snap run`, snap-exec) would fail and not the snap.
_BY_PATH = {"place", "user", "capability", "limit", "name", "proc"}
_UNFLAGGED = 0.15


def _kinds(files: Files) -> Mapping[str, tuple[Callable[[Random], Fault], int]]:
    """Return each kind of fault, how it is drawn, and its share of the cases. One line adds a kind."""
    return {
        "environment": (environments.draw, 30),
        "damage": (files.draw, 30),
        "flag": (state.flag, 7),
        "data": (state.data, 8),
        "setting": (state.setting, 4),
        "plugin": (plugins.draw, 4),
        "place": (surroundings.place, 6),
        "user": (surroundings.user, 3),
        "capability": (surroundings.capability, 3),
        "limit": (surroundings.limit, 5),
        "signal": (surroundings.signals, 5),
        "streams": (surroundings.streams, 2),
        "name": (surroundings.name, 1),
        "crowd": (surroundings.crowd, 2),
        "proc": (surroundings.no_proc, 1),
    }


@dataclass(frozen=True)
class Case:
    """An entry point and the faults around it; the first fault gives the case its kind."""

    seed: int
    entry_point: EntryPoint
    faults: tuple[Fault, ...]
    flagged: bool

    @property
    def kind(self) -> str:
        """The row of the report."""
        return self.faults[0].kind if self.faults else "none"

    @property
    def text(self) -> str:
        """The case for people."""
        host = "" if self.flagged else " on an unflagged host"
        faults = "; ".join(fault.text for fault in self.faults) or "nothing wrong"
        return f"{self.entry_point.name}{host}: {faults}"

    def keep(self, numbers: Collection[int]) -> Case:
        """Return the case with these of its faults alone."""
        kept = tuple(fault for number, fault in enumerate(self.faults) if number in numbers)
        return Case(self.seed, self.entry_point, kept, self.flagged)

    def plan(self) -> Plan:
        """Return what is to be done."""
        plan = Plan(argv=[], fips=self.flagged, bare=not self.flagged)
        plan.env = {name.encode(): value.encode() for name, value in LOGIN_ENVIRONMENT.items()}
        for fault in self.faults:
            fault.apply(plan)
        root = "/snap/certbot-fips/current" if plan.root == SNAP else plan.root
        plan.argv = [os.fsencode(word.replace("{root}", root)) for word in self.entry_point.argv]
        plan.stdin = self.entry_point.stdin.encode()
        return plan


def _once(kinds: list[str]) -> list[str]:
    """Drop what a host cannot have twice: only variables and damaged files are independent."""
    return [k for n, k in enumerate(kinds) if k in ("environment", "damage") or k not in kinds[:n]]


def _meets(entry_point: EntryPoint, faults: Collection[Fault]) -> bool:
    """Tell whether an entry point can be reached where all of this is wrong, and meets it."""
    kinds = {fault.kind for fault in faults}
    return (
        (entry_point.anywhere or not kinds & _BY_PATH)
        and (entry_point.plugins or "plugin" not in kinds)
        # By their name the other entry points are known.
        and (entry_point.kind == "python" or "name" not in kinds)
        and not (entry_point.by_path and any(fault.beyond for fault in faults))
    )


def draw(seed: int, files: Files) -> Case:
    """Return the case that `seed` stands for, with a snap of these files: the same on every machine."""
    random = Random(seed)
    drawn = _kinds(files)
    shares = [share for _, share in drawn.values()]
    kinds = random.choices(list(drawn), shares)
    while random.random() < 0.4 and len(kinds) < 4:
        kinds += random.choices(list(drawn), shares)
    if kinds[0] == "environment":
        kinds += ["environment"] * random.randrange(4)
    if kinds[0] == "place" and random.random() < 0.5:
        kinds.append("setting")  # the installed snap's
    if "plugin" in kinds:  # which snapd tells of
        kinds = [kind for kind in kinds if kind not in _BY_PATH]
    faults = tuple(drawn[kind][0](random) for kind in _once(kinds))
    entry_points = [each for each in ENTRY_POINTS if _meets(each, faults)]
    entry_point = random.choices(entry_points, [each.weight for each in entry_points])[0]
    return Case(seed, entry_point, faults, random.random() >= _UNFLAGGED)
