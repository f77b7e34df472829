"""Makes a failing case small: fewer faults, the same failure."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky, NoSuchExample

from tools.campaign.case import Case

_TRIES = 40


def shrink(case: Case, fails: Callable[[Case], bool]) -> tuple[int, ...]:
    """Return the numbers of the faults that are enough for `fails`; all of them when it fails no more."""
    everything = tuple(range(len(case.faults)))
    kept = st.tuples(*[st.booleans()] * len(everything))
    chosen = kept.map(lambda which: [number for number in everything if which[number]])
    quiet = settings(
        database=None,
        deadline=None,
        max_examples=_TRIES,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    try:
        found = find(chosen, lambda numbers: fails(case.keep(numbers)), settings=quiet)
    except (NoSuchExample, Flaky):  # it fails now and then
        return everything
    return tuple(found)
