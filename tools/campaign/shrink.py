"""Makes a failing case small: fewer faults, the same failure."""

from __future__ import annotations

from collections.abc import Callable

from tools.campaign.case import Case


def shrink(case: Case, fails: Callable[[Case], bool]) -> tuple[int, ...]:
    """Return the numbers of the faults of which none can be spared; all of them when it fails no more."""
    kept = tuple(range(len(case.faults)))
    for number in kept:
        fewer = tuple(each for each in kept if each != number)
        if fails(case.keep(fewer)):
            kept = fewer
    return kept
