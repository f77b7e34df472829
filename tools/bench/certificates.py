"""Certbot at work: issuance, and renewal of many certificates of which none is due."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

from tools.bench.measure import BenchError, Program, Sample, rounds
from tools.bench.report import Figure
from tools.bench.subjects import Subjects
from tools.progress import say

ORIGINAL = "original.example.org"
LINEAGES = "/var/lib/lineages"
NO_ANSWER = "An error occurred requesting ACME Renewal Information"
#: How many lineages, and rounds to measure with them.
MANY = ((1, 10), (100, 10), (1000, 5))
FEW = ((1, 1), (10, 1))


def issuance(subjects: Subjects) -> list[Figure]:
    """Issue over HTTP-01 from pebble ÷ PyPI: until it is there, and the CPU that it took.

    Of the time, some seconds are Certbot's own: it sleeps before it asks whether the authority is done.
    """
    numbers = count()

    def issue(program: Program) -> Callable[[], Sample]:
        return lambda: subjects.certonly(program, f"{next(numbers)}.example.org")

    measured = rounds(subjects.rounds(8), issue(subjects.certbot), issue(subjects.pip_certbot))
    return [
        Figure("issuance from pebble, time", "s", [(a.seconds, b.seconds) for a, b in measured], "pip"),
        Figure("issuance from pebble, CPU", "s", [(a.cpu, b.cpu) for a, b in measured], "pip"),
    ]


def renew(subjects: Subjects) -> list[Figure]:
    """Run `certbot renew` over lineages of which none is due ÷ PyPI: time, and peak memory."""
    figures = []
    programs = (subjects.certbot, subjects.pip_certbot)
    for program in programs:
        subjects.certonly(program, ORIGINAL, "--config-dir", LINEAGES)
    for many, usual in FEW if subjects.quick else MANY:
        say(f"    {many:,} lineages")
        for program in programs:
            _copy_lineage(program.host.path(LINEAGES), many)
        measured = rounds(subjects.rounds(usual), *(renewal(program, many, LINEAGES) for program in programs))
        what = f"certbot renew, {many:,} not due"
        seconds = [(a.seconds, b.seconds) for a, b in measured]
        peaks = [(a.peak / 1e6, b.peak / 1e6) for a, b in measured]
        figures.append(Figure(f"{what}, time", "s", seconds, "pip"))
        figures.append(Figure(f"{what}, memory", "MB", peaks, "pip"))
    return figures


def _copy_lineage(folder: Path, many: int) -> None:
    """Have `many` lineages in a folder of Certbot's by copying one; those that are there stay."""
    settings = (folder / "renewal" / f"{ORIGINAL}.conf").read_text()
    for number in range(1, many):
        name = f"{number:04}.example.org"
        conf = folder / "renewal" / f"{name}.conf"
        if conf.exists():
            continue
        for kind in ("archive", "live"):
            (folder / kind / name).mkdir()
        for file in (folder / "archive" / ORIGINAL).iterdir():
            (folder / "archive" / name / file.name).write_bytes(file.read_bytes())
        for link in (folder / "live" / ORIGINAL).glob("*.pem"):
            target = str(link.readlink()).replace(ORIGINAL, name)
            (folder / "live" / name / link.name).symlink_to(target)
        conf.write_text(settings.replace(ORIGINAL, name))


def renewal(program: Program, many: int, folder: str) -> Callable[[], Sample]:
    """Return an action that runs `certbot renew` over the lineages of a folder of Certbot's.

    As the timer does, twelve hours after the last time: Certbot asks the authority about each lineage
    (RFC 9773), and notes in its settings when to ask again. That is taken back, so that the next run asks
    too, and about copies. The action raises BenchError when a lineage was renewed, or got no answer.
    """
    confs = list(program.host.path(f"{folder}/renewal").glob("*.conf"))

    def run() -> Sample:
        settings = {conf: conf.read_text() for conf in confs}
        done = program("renew", "--no-random-sleep-on-renew", "--config-dir", folder)
        skipped = done.said.count("fullchain.pem expires on")
        noted = sum(conf.read_text() != text for conf, text in settings.items())
        answered = noted - done.said.count(NO_ANSWER)
        for conf, text in settings.items():
            conf.write_text(text)
        if (skipped, answered) != (many, many):
            raise BenchError(
                f"of {many} lineages `certbot renew` left {skipped} alone and was answered about {answered}:"
                f" {done.said[-200:]!r}"
            )
        return done

    return run
