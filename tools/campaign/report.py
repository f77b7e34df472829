"""What a campaign found, for people and for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.campaign.verdict import ALLOWED, FAILED


@dataclass(frozen=True)
class Line:
    """One case that was run."""

    seed: int
    kind: str
    entry_point: str
    text: str
    outcome: str
    evidence: str
    seconds: float
    reproduce: str = ""
    """For a failure: the command that shows it, with the faults that are enough."""


@dataclass(frozen=True)
class Report:
    """All cases of a campaign."""

    snap: str
    seed: int
    seconds: float
    lines: Sequence[Line]

    @property
    def failures(self) -> list[Line]:
        """The cases whose outcome is not allowed, the worst first."""
        worst = list(FAILED)
        return sorted(
            (line for line in self.lines if line.outcome in FAILED), key=lambda x: worst.index(x.outcome)
        )

    def table(self) -> str:
        """Return cases by kind and outcome, a row each; `silent` is always there."""
        counts = Counter((line.kind, line.outcome) for line in self.lines)
        outcomes = [
            name for name in (*ALLOWED, *FAILED) if name == "silent" or any(o == name for _, o in counts)
        ]
        rows = [["kind", "cases", *outcomes]]
        for kind in (*sorted({line.kind for line in self.lines}), "all"):
            cells = [
                sum(n for (k, o), n in counts.items() if kind in (k, "all") and o == name)
                for name in outcomes
            ]
            rows.append([kind, str(sum(cells)), *(str(cell) if cell else "-" for cell in cells)])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        text = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        silent = sum(line.outcome == "silent" for line in self.lines)
        summary = f"{len(self.lines)} cases, silent = {silent}, {len(self.failures)} not as it should be"
        return "\n".join([*text, "", f"{summary}; seed {self.seed}, {self.seconds / 60:.1f} minutes"])

    def explain(self) -> str:
        """Return what the outcomes in the table mean, and each failure with the command that shows it."""
        seen = {line.outcome for line in self.lines}
        meanings = [f"  {name}: {text}" for name, text in (ALLOWED | FAILED).items() if name in seen]
        failures = [f"{x.outcome}: {x.text}\n  {x.evidence}\n  {x.reproduce}" for x in self.failures]
        return "\n".join([*meanings, *failures])

    def write(self, path: Path) -> None:
        """Write everything as JSON, and the table beside it as text."""
        path.parent.mkdir(parents=True, exist_ok=True)
        counts: dict[str, dict[str, int]] = {}
        for line in self.lines:
            row = counts.setdefault(line.kind, {})
            row[line.outcome] = row.get(line.outcome, 0) + 1
        content = {
            "snap": self.snap,
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "cases": len(self.lines),
            "silent": sum(line.outcome == "silent" for line in self.lines),
            "outcomes": ALLOWED | FAILED,
            "by_kind": counts,
            "failures": [asdict(line) for line in self.failures],
            "lines": [asdict(line) for line in self.lines],
        }
        path.write_text(json.dumps(content, indent=1, ensure_ascii=True) + "\n")
        path.with_suffix(".txt").write_text(f"{self.table()}\n\n{self.explain()}\n")
