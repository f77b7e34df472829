"""A figure, and the table of figures."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tools.bench.goals import VALUES, goal
from tools.bench.measure import Sample

HEAD = ("figure", "ratio", "min … max", "ours", "other", "unit", "against", "goal")
#: The columns that are no numbers.
LEFT = {0, 5, 6, 7}


@dataclass(frozen=True)
class Figure:
    """Pairs of values that were measured one after the other: ours, and what it is compared with.

    name: what was measured. unit: of both values. against: what the second value of a pair is.
    more_is_better: true of throughputs. lineages: how many there were, where that is what varies.
    """

    name: str
    unit: str
    pairs: Sequence[tuple[float, float]]
    against: str
    more_is_better: bool = False
    lineages: int | None = None

    @classmethod
    def of_values(cls, name: str, unit: str, values: Iterable[float]) -> Figure:
        """Return the figure of values that are compared with the goal itself."""
        return cls(name, unit, [(value, VALUES[name]) for value in values], "the goal")

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Figure:
        """Return the figure that `json` gave this."""
        pairs = [(ours, other) for ours, other in found["pairs"]]
        more = found["better"] == "more"
        return cls(found["name"], found["unit"], pairs, found["against"], more, found["lineages"])

    @property
    def ratios(self) -> list[float]:
        """Ours ÷ the other, pair by pair."""
        return [ours / other for ours, other in self.pairs]

    @property
    def missed(self) -> bool:
        """Whether it has a goal and does not reach it."""
        aimed, median = goal(self.name), statistics.median(self.ratios)
        return aimed is not None and (median < aimed if self.more_is_better else median > aimed)

    def json(self) -> dict[str, Any]:
        """Everything about it, in JSON's types."""
        ratios = self.ratios
        return {
            "name": self.name,
            "against": self.against,
            "unit": self.unit,
            "lineages": self.lineages,
            "pairs": [list(pair) for pair in self.pairs],
            "ratio": {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)},
            "better": "more" if self.more_is_better else "less",
            "goal": goal(self.name),
        }

    def row(self) -> tuple[str, ...]:
        """Return the cells of its row of the table."""
        ours, other = (statistics.median(values) for values in zip(*self.pairs, strict=True))
        ratios = self.ratios
        spread = f"{number(min(ratios))} … {number(max(ratios))}" if len(ratios) > 1 else ""
        verdict = ""
        if (aimed := goal(self.name)) is not None:
            verdict = f"{'≥' if self.more_is_better else '≤'} {number(aimed)}: "
            verdict += "MISSED" if self.missed else "kept"
        cells = (number(statistics.median(ratios)), spread, number(ours), number(other))
        name = f"{self.name} (more is better)" if self.more_is_better else self.name
        return (name, *cells, self.unit, self.against, verdict)


def of_samples(
    name: str, measured: Sequence[tuple[Sample, ...]], against: str, lineages: int | None = None
) -> list[Figure]:
    """Return what runs of a program took: time, CPU, and peak memory."""
    return [
        Figure(f"{name}: {what}", unit, pairs, against, lineages=lineages)
        for what, unit, pairs in (
            ("time", "s", [(a.seconds, b.seconds) for a, b in measured]),
            ("CPU", "s", [(a.cpu, b.cpu) for a, b in measured]),
            ("memory", "MB", [(a.peak / 1e6, b.peak / 1e6) for a, b in measured]),
        )
    ]


def table(figures: Iterable[Figure]) -> str:
    """Return the table of all figures, a line each."""
    rows = [HEAD, *(figure.row() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in LEFT else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def number(value: float) -> str:
    """Write three significant digits, and the whole of larger numbers."""
    for digits, least in ((0, 100), (1, 10)):
        if abs(value) >= least:
            return f"{value:.{digits}f}"
    return f"{value:.2f}"
