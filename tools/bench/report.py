"""A figure, the table of figures, and the JSON file."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """Pairs of values that were measured one after the other: ours, and what it is compared with.

    name: what was measured. unit: of both values. against: what the second value of a pair is.
    more_is_better: true of throughputs. bound: the ratio that is allowed or aimed at, and its word
    (`limit` or `aim`), where there is one.
    """

    name: str
    unit: str
    pairs: Sequence[tuple[float, float]]
    against: str
    more_is_better: bool = False
    bound: tuple[str, float] | None = None

    @property
    def ratios(self) -> list[float]:
        """Ours ÷ the other, pair by pair."""
        return [ours / other for ours, other in self.pairs]

    def json(self) -> dict[str, Any]:
        """Everything about it, in JSON's types."""
        ratios = self.ratios
        return {
            "name": self.name,
            "against": self.against,
            "unit": self.unit,
            "pairs": [list(pair) for pair in self.pairs],
            "ratio": {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)},
            "better": "more" if self.more_is_better else "less",
            "bound": dict(zip(("word", "ratio"), self.bound, strict=True)) if self.bound else None,
        }

    def row(self) -> tuple[str, ...]:
        """Return the cells of its row of the table."""
        ours, other = (statistics.median(values) for values in zip(*self.pairs, strict=True))
        ratios = self.ratios
        median = statistics.median(ratios)
        spread = f"{_number(min(ratios))} … {_number(max(ratios))}" if len(ratios) > 1 else ""
        verdict = ""
        if self.bound:
            word, ratio = self.bound
            kept = median >= ratio if self.more_is_better else median <= ratio
            verdict = f"{word} {_number(ratio)}: {'kept' if kept else 'MISSED'}"
        cells = (_number(median), spread, _number(ours), _number(other), self.unit, self.against, verdict)
        return (f"{self.name}{' (more is better)' if self.more_is_better else ''}", *cells)


def table(figures: Iterable[Figure]) -> str:
    """Return the table of all figures, a line each."""
    head = ("figure", "ratio", "min … max", "ours", "other", "unit", "against", "bound")
    rows = [head, *(figure.row() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    left = {0, 5, 6, 7}
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _number(value: float) -> str:
    """Write three significant digits, and the whole of larger numbers."""
    for digits, least in ((0, 100), (1, 10)):
        if abs(value) >= least:
            return f"{value:.{digits}f}"
    return f"{value:.2f}"
