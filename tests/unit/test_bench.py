"""Ratios, their spread, their goals, which runs are told of, and what the documents have of them."""

import json
import statistics
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import PROJECT
from tools.bench import document, goals, upstream
from tools.bench.lineages import slope
from tools.bench.measure import BEST_OF, BenchError, Sample, best_rounds, rounds
from tools.bench.picture import picture
from tools.bench.report import Figure, of_samples, table

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
    assert Figure("size", "MB", [(12.0, 15.0)], "another").row()[1:3] == ("0.80", "")


@pytest.mark.parametrize(
    ("ratio", "more_is_better", "verdict"),
    [
        (0.4, False, "≤ 0.50: kept"),
        (0.5, False, "≤ 0.50: kept"),
        (0.6, False, "≤ 0.50: MISSED"),
        (0.4, True, "≥ 0.50: MISSED"),
        (0.5, True, "≥ 0.50: kept"),
        (0.6, True, "≥ 0.50: kept"),
    ],
)
def test_a_goal_is_kept_or_missed(
    ratio: float, more_is_better: bool, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(goals.RATIOS, "speed", 0.5)
    figure = Figure("speed", "1/s", [(ratio, 1.0)], "pip", more_is_better)
    assert figure.row()[-1] == verdict
    assert figure.missed == verdict.endswith("MISSED")
    assert figure.json()["goal"] == 0.5


def test_without_a_goal_none_is_missed() -> None:
    figure = Figure("another", "ms", [(100.0, 1.0)], "pip")
    assert (figure.row()[-1], figure.missed, figure.json()["goal"]) == ("", False, None)


def test_a_value_is_compared_with_its_goal() -> None:
    figure = Figure.of_values("packed", "MB", [36.0])
    assert figure.row() == ("packed", "1.50", "", "36.0", "24.0", "MB", "the goal", "≤ 1.00: MISSED")


def test_a_figure_comes_back_from_its_json() -> None:
    for figure in (
        Figure("SHA-256", "GB/s", [(1.0, 2.0), (2.0, 2.0)], "distribution", more_is_better=True),
        Figure("renew", "s", [(1.0, 2.0)], "pip", lineages=100),
    ):
        assert Figure.from_json(json.loads(json.dumps(figure.json()))) == figure


def test_of_runs_time_cpu_and_memory_are_told() -> None:
    runs = [(Sample(1.0, 0.5, 40_000_000, ""), Sample(2.0, 0.8, 50_000_000, ""))]
    assert [figure.row()[:5] for figure in of_samples("start", runs, "pip")] == [
        ("start: time", "0.50", "", "1.00", "2.00"),
        ("start: CPU", "0.62", "", "0.50", "0.80"),
        ("start: memory", "0.80", "", "40.0", "50.0"),
    ]


def test_the_table_has_a_line_for_each_figure() -> None:
    figures = [
        Figure("start", "ms", [(80.0, 100.0), (90.0, 100.0)], "pip"),
        Figure("speed", "GB/s", [(1234.0, 617.0)], "distribution", more_is_better=True),
    ]
    assert table(figures).splitlines() == [
        "figure                  ratio    min … max  ours  other  unit  against       goal",
        "start                    0.85  0.80 … 0.90  85.0    100  ms    pip",
        "speed (more is better)   2.00               1234    617  GB/s  distribution",
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


def test_the_slope_is_what_each_lineage_adds() -> None:
    def taking(ours: float, other: float) -> tuple[Sample, Sample]:
        return Sample(ours, 0, 0, ""), Sample(other, 0, 0, "")

    rounds = [[taking(1.0, 1.0), taking(9.0, 9.0), taking(2.0, 3.0)]] * 2
    assert slope(100, rounds).pairs == [(10.0, 20.0)] * 2


def test_pip_has_the_packages_that_the_snap_has() -> None:
    pins = dict(
        line.split()[0].split("==")
        for name in ("runtime.txt", "cryptography.txt")
        for line in (PROJECT / "parts/certbot-pins" / name).read_text().splitlines()
        if "==" in line
    )
    for name, line in upstream.pins().items():
        assert line.split()[0] == f"{name}=={pins[name]}"


def measured(*figures: Figure) -> dict[str, Any]:
    """Return what the bench writes of such figures."""
    here = {"system": "Debian", "cpu": "a processor", "cores": 2, "load": 0.1, "python": "3", "openssl": "3"}
    snap = {"file": "a.snap", "sha256": "0"}
    told = [figure.json() for figure in figures]
    return {
        "measured": "2026-11-27T00:00:00Z",
        "quick": False,
        "machine": here,
        "snap": snap,
        "reference": None,
        "figures": told,
    }


def test_the_document_has_the_table_and_tells_what_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(goals.WHY, "packed", "it has more in it")
    slow = Figure("cold start", "s", [(2.0, 1.0)], "the reference")
    lines = list(document.document(measured(Figure.of_values("packed", "MB", [36.0]), slow)))
    assert "| packed | 1.50 |  | 36.0 | 24.0 | MB | the goal | ≤ 1.00: MISSED |" in lines
    told = lines[lines.index("## Goals missed") :]
    assert told[2:4] == ["- packed: it has more in it", "- cold start"]
    assert told[-1].startswith("Not measured in this run, though there is a goal: certbot --version: time, ")
    assert "cold start" not in told[-1]


def test_nothing_is_missed_that_is_kept() -> None:
    """The control."""
    lines = list(document.document(measured(Figure.of_values("packed", "MB", [12.0]))))
    assert "## Goals missed" not in lines


def test_the_picture_has_each_program_at_each_number_of_lineages() -> None:
    figures = [
        figure
        for many in (1, 100, 1000)
        for figure in of_samples(
            f"renew, {many}",
            [(Sample(0.1 * many, 1, 10**7, ""), Sample(0.2 * many, 1, 10**8, ""))] * 2,
            "pip",
            many,
        )
    ]
    drawn = ET.fromstring(picture([*figures, Figure("another", "s", [(1.0, 1.0)], "pip")]))
    svg = "{http://www.w3.org/2000/svg}"
    points = [circle.findtext(f"{svg}title") for circle in drawn.iter(f"{svg}circle")]
    assert len(points) == 3 * 2 * 2  # numbers, programs, panels
    assert "renew, 1000: time: 200 s (200 … 200)" in points
    assert "renew, 100: memory: 10.0 MB (10.0 … 10.0)" in points
    heights = [float(circle.attrib["cy"]) for circle in drawn.iter(f"{svg}circle")]
    assert heights[:3] == sorted(heights[:3], reverse=True)  # more is higher up
    assert heights[0] > heights[3]  # and so is the slower one


def test_what_was_measured_becomes_the_documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATA", "DOCUMENT", "PICTURE"):
        monkeypatch.setattr(document, name, tmp_path / name)
    file = tmp_path / "bench.json"
    with pytest.raises(BenchError, match="nothing was measured"):
        document.write(file)
    found = measured(Figure.of_values("packed", "MB", [12.0]))
    file.write_text(json.dumps({**found, "quick": True}))
    with pytest.raises(BenchError, match="rough figures"):
        document.write(file)
    assert not (tmp_path / "DATA").exists()
    file.write_text(json.dumps(found))
    document.write(file)
    assert json.loads((tmp_path / "DATA").read_text()) == found
    assert "| packed |" in (tmp_path / "DOCUMENT").read_text()
    ET.parse(tmp_path / "PICTURE")


def test_the_documents_are_what_was_measured() -> None:
    found = json.loads(document.DATA.read_text())
    figures = document.figures(found)
    assert found["figures"] == [figure.json() for figure in figures]  # with the goals of today
    assert document.DOCUMENT.read_text() == "\n".join(document.document(found)) + "\n"
    assert document.PICTURE.read_text() == picture(figures)


def test_reasons_are_given_of_goals_that_are_missed() -> None:
    figures = document.figures(json.loads(document.DATA.read_text()))
    assert goals.WHY.keys() == {figure.name for figure in figures if figure.missed}
