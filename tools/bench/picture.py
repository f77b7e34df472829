"""One picture: time and memory of `renew` over the number of lineages, ours and the other's."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from xml.sax.saxutils import escape

from tools.bench.report import Figure, number

WIDTH, HEIGHT = 760, 330
#: Where the lines of a panel are, from its own left edge and from the top, and how wide the panel is.
LEFT, RIGHT, TOP, BOTTOM, PANEL = 56, 350, 62, 280, 380
OURS, OTHER = "this snap, FIPS proven", "Certbot from PyPI, without FIPS"
STYLE = """
text { font: 12px sans-serif; fill: #1f2328 }
.title { font-weight: bold }
.axis { stroke: #8c959f }
.ours { stroke: #0969da; fill: #0969da }
.other { stroke: #bc4c00; fill: #bc4c00 }
polyline.ours, polyline.other { fill: none; stroke-width: 2 }
polyline.other { stroke-dasharray: 6 3 }
text.ours, text.other { stroke: none }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .ours { stroke: #58a6ff; fill: #58a6ff }
  .other { stroke: #f0883e; fill: #f0883e }
}
"""

Scale = Callable[[float], float]


def picture(figures: Sequence[Figure]) -> str:
    """Return the picture as SVG, readable on white and on black.

    :param figures: what was measured; those with a number of lineages are drawn, by their units s and MB.
    """
    title = "certbot renew, no certificate due"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{title}: time and memory over the number of lineages</title>",
        f"<style>{STYLE}</style>",
        f'<text class="title" x="{LEFT}" y="18">{title}</text>',
        f'<text class="ours" x="{LEFT}" y="38">● {OURS}</text>',
        f'<text class="other" x="{LEFT + 180}" y="38">● {OTHER}</text>',
    ]
    drawn = [figure for figure in figures if figure.lineages]
    for left, what, words, logarithmic in (
        (0, "time", "time, s", True),
        (PANEL, "memory", "memory, MB", False),
    ):
        of_panel = [figure for figure in drawn if figure.name.endswith(f": {what}")]
        lines += [f'<g transform="translate({left})">', *_panel(of_panel, words, logarithmic), "</g>"]
    return "\n".join([*lines, "</svg>", ""])


def _panel(figures: Sequence[Figure], words: str, logarithmic: bool) -> Iterator[str]:
    values = [value for figure in figures for pair in figure.pairs for value in pair]
    if not values:
        return
    if logarithmic:
        ticks = [10.0**power for power in range(_floor(min(values)), _floor(max(values)) + 2)]
    else:
        step = 10.0 ** _floor(max(values))
        ticks = [step * tick for tick in range(math.ceil(max(values) / step) + 1)]
    up = _scale(ticks[0], ticks[-1], BOTTOM, TOP, logarithmic)
    many = [figure.lineages or 1 for figure in figures]
    along = _scale(min(many), max(*many, min(many) + 1), LEFT + 12, RIGHT - 12, True)
    yield f'<text x="{LEFT}" y="{TOP - 8}">{escape(words)}</text>'
    for tick in ticks:
        y = up(tick)
        yield f'<path class="axis" stroke-opacity=".3" d="M{LEFT} {y:.1f}H{RIGHT}"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>'
    for each in many:
        yield f'<text x="{along(each):.1f}" y="{BOTTOM + 18}" text-anchor="middle">{each:,}</text>'
    yield f'<text x="{(LEFT + RIGHT) / 2:.0f}" y="{BOTTOM + 38}" text-anchor="middle">lineages</text>'
    for side, series in enumerate(("ours", "other")):
        points = []
        for figure in figures:
            found = [pair[side] for pair in figure.pairs]
            x, middle = along(figure.lineages or 1), statistics.median(found)
            points.append(f"{x:.1f},{up(middle):.1f}")
            yield f'<path class="{series}" d="M{x:.1f} {up(min(found)):.1f}V{up(max(found)):.1f}"/>'
            yield f'<circle class="{series}" cx="{x:.1f}" cy="{up(middle):.1f}" r="3.5">'
            spread = f"{number(min(found))} … {number(max(found))}"
            yield f"<title>{escape(figure.name)}: {number(middle)} {figure.unit} ({spread})</title></circle>"
        yield f'<polyline class="{series}" points="{" ".join(points)}"/>'


def _floor(value: float) -> int:
    """Return the power of ten that is just below."""
    return math.floor(math.log10(value))


def _scale(least: float, most: float, at_least: float, at_most: float, logarithmic: bool) -> Scale:
    of: Scale = math.log10 if logarithmic else float
    return lambda value: at_least + (at_most - at_least) * (of(value) - of(least)) / (of(most) - of(least))
