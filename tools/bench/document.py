"""docs/bench.md with its picture, from docs/bench.json, which `make bench` measured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.bench.goals import RATIOS, VALUES, WHY
from tools.bench.measure import BenchError
from tools.bench.picture import picture
from tools.bench.report import HEAD, LEFT, Figure

DOCS = Path(__file__).resolve().parents[2] / "docs"
DATA, DOCUMENT, PICTURE = DOCS / "bench.json", DOCS / "bench.md", DOCS / "bench.svg"
INTRODUCTION = """
*Ours* is the packed snap, with its thirteen DNS plugins, on a FIPS-flagged host, FIPS proven in every
process. *pip* is Certbot from PyPI with its nginx and apache plugins alone, on the distribution's Python,
without FIPS. Ours is measured, then the other, in turn; a ratio is that of a pair, and the table has the
median of the ratios with their least and most. [bench.json](bench.json) has all pairs, and
[testing](testing.md#measure) says how each is measured.
"""


def write(measured: Path) -> None:
    """Write the three files of the documents.

    :param measured: what `make bench` wrote.
    :raises BenchError: it is not there, or was measured in the quick form.
    """
    try:
        text = measured.read_text()
    except FileNotFoundError:
        raise BenchError(f"nothing was measured, for there is no {measured}: run `make bench`") from None
    found = json.loads(text)
    if found["quick"]:
        raise BenchError(f"{measured} has rough figures, of the quick form: run `make bench`")
    DATA.write_text(text)
    DOCUMENT.write_text("\n".join(document(found)) + "\n")
    PICTURE.write_text(picture(figures(found)))


def figures(found: dict[str, Any]) -> list[Figure]:
    """Return the figures of a JSON file of the bench's."""
    return [Figure.from_json(figure) for figure in found["figures"]]


def document(found: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the document. `found`: what the JSON file holds."""
    measured = figures(found)
    here, snap = found["machine"], found["snap"]
    yield "<!-- Made by `python3 -m tools.bench --document`, of what `make bench` measured: do not edit. -->"
    yield "# How fast and how large, measured"
    yield from INTRODUCTION.splitlines()
    yield ""
    yield f"Measured {found['measured'][:10]} on {here['system']}, {here['cpu']}, {here['cores']} cores,"
    yield f"load {here['load']:.1f}, against Python {here['python']} and {here['openssl']}: `{snap['file']}`,"
    yield f"SHA-256 `{snap['sha256']}`."
    if reference := found["reference"]:
        yield f"The reference is `{reference['file']}`, SHA-256 `{reference['sha256']}`."
    yield ""
    yield f"| {' | '.join(HEAD)} |"
    yield f"|{'|'.join('---' if column in LEFT else '--:' for column in range(len(HEAD)))}|"
    for figure in measured:
        yield f"| {' | '.join(figure.row())} |"
    yield ""
    yield f"![Time and memory of renew over the number of lineages, ours and pip's]({PICTURE.name})"
    if missed := [figure.name for figure in measured if figure.missed]:
        yield ""
        yield "## Goals missed"
        yield ""
        for name in missed:
            yield f"- {name}{f': {WHY[name]}' if name in WHY else ''}"
    absent = [name for name in (*RATIOS, *VALUES) if name not in {figure.name for figure in measured}]
    if absent:
        yield ""
        yield f"Not measured in this run, though there is a goal: {', '.join(absent)}."
