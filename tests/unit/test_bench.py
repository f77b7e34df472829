"""Ratios, their spread, and which runs are told of."""

import statistics
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.bench.measure import BEST_OF, Sample, best_rounds, rounds
from tools.bench.report import Figure, table

TIMES = st.floats(min_value=1e-3, max_value=1e6)
PAIRS = st.lists(st.tuples(TIMES, TIMES), min_size=1, max_size=20)


@given(PAIRS)
def test_the_ratio_is_taken_pair_by_pair(pairs: list[tuple[float, float]]) -> None:
    ratios = [ours / other for ours, other in pairs]
    found = Figure("start", "ms", pairs, "pip").json()
    assert found["ratio"] == {
        "median": statistics.median(ratios),
        "min": min(ratios),
        "max": max(ratios),
    }
    assert found["pairs"] == [list(pair) for pair in pairs]


def test_the_ratio_is_not_that_of_the_medians() -> None:
    """The control: a machine that slows down as it is measured changes no ratio of a pair."""
    figure = Figure("start", "ms", [(10.0, 20.0), (100.0, 200.0), (100.0, 100.0), (10.0, 20.0)], "pip")
    assert figure.json()["ratio"] == {"median": 0.5, "min": 0.5, "max": 1.0}
    assert figure.row() == ("start", "0.50", "0.50 … 1.00", "55.0", "60.0", "ms", "pip", "")


def test_one_pair_has_no_spread() -> None:
    assert Figure("size", "MB", [(12.0, 15.0)], "the aim").row()[1:3] == ("0.80", "")


@pytest.mark.parametrize(
    ("ratio", "more_is_better", "verdict"),
    [
        (0.9, False, "limit 1.00: kept"),
        (1.0, False, "limit 1.00: kept"),
        (1.1, False, "limit 1.00: MISSED"),
        (0.9, True, "limit 1.00: MISSED"),
        (1.0, True, "limit 1.00: kept"),
        (1.1, True, "limit 1.00: kept"),
    ],
)
def test_a_limit_is_kept_or_missed(ratio: float, more_is_better: bool, verdict: str) -> None:
    figure = Figure("speed", "1/s", [(ratio, 1.0)], "the limit", more_is_better, ("limit", 1.0))
    assert figure.row()[-1] == verdict
    assert figure.json()["bound"] == {"word": "limit", "ratio": 1.0}


def test_the_table_has_a_line_for_each_figure() -> None:
    figures = [
        Figure("start", "ms", [(80.0, 100.0), (90.0, 100.0)], "pip"),
        Figure("SHA-256", "GB/s", [(1234.0, 617.0)], "distribution", more_is_better=True),
    ]
    assert table(figures).splitlines() == [
        "figure                    ratio    min … max  ours  other  unit  against       bound",
        "start                      0.85  0.80 … 0.90  85.0    100  ms    pip",
        "SHA-256 (more is better)   2.00               1234    617  GB/s  distribution",
    ]


def noted(notes: list[str], name: str, *cpu: float) -> Callable[[], Sample]:
    """Return an action that notes its name and took so much CPU, the last value again and again."""
    values = list(cpu)

    def run() -> Sample:
        notes.append(name)
        return Sample(seconds=1.0, cpu=values.pop(0) if len(values) > 1 else values[0], peak=1, said="")

    return run


def test_rounds_are_in_turn_after_a_warm_up() -> None:
    notes: list[str] = []
    measured = rounds(2, noted(notes, "a", 9, 1, 2), noted(notes, "b", 9, 3, 4))
    assert "".join(notes) == "ababab"
    assert [(a.cpu, b.cpu) for a, b in measured] == [(1, 3), (2, 4)]


def test_the_best_of_a_round_is_each_programs_own() -> None:
    notes: list[str] = []
    (first, second) = best_rounds(2, noted(notes, "a", 0, 5, 3, 4, 6, 7), noted(notes, "b", 0, 8, 9, 8, 2, 8))
    assert "".join(notes) == "ab" * 2 * (1 + BEST_OF)
    assert (first[0].cpu, first[1].cpu) == (3, 2)  # not the warm-up, nor one of another turn
    assert (second[0].cpu, second[1].cpu) == (7, 8)
