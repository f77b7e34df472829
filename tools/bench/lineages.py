"""Certbot with many lineages: `renew` with none due and with some, and `certificates`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tools.bench.measure import BenchError, Program, Sample, rounds
from tools.bench.report import Figure, of_samples
from tools.bench.subjects import Subjects
from tools.progress import say

ORIGINAL = "original.example.org"
FOLDER = "/var/lib/lineages"
LOG = "/var/log/letsencrypt/letsencrypt.log"
NO_ANSWER = "An error occurred requesting ACME Renewal Information"
#: Earlier than the test authority's certificates are valid for (90 days).
DUE = "renew_before_expiry = 100 days\n"
#: With how many lineages each round is done, and how many rounds.
MANY = (((1, 100, 1000), 10), ((5000,), 4))
FEW = (((1, 40), 1),)


def renew(subjects: Subjects) -> list[Figure]:
    """Run `certbot renew` over lineages of which none is due ÷ PyPI; and what each lineage adds."""
    figures = []
    programs = (subjects.certbot, subjects.pip_certbot)
    for numbers, usual in FEW if subjects.quick else MANY:
        say(f"    {', '.join(f'{many:,}' for many in numbers)} lineages")
        actions = [
            renewal(program, lineages(subjects, program, many)) for many in numbers for program in programs
        ]
        measured = rounds(subjects.rounds(usual), *actions)
        pairs = [list(zip(found[::2], found[1::2], strict=True)) for found in measured]
        for many, of_many in zip(numbers, zip(*pairs, strict=True), strict=True):
            figures += of_samples(f"renew, {many:,} not due", of_many, "pip", many)
        if len(numbers) > 1:
            figures.append(slope(numbers[-1] - numbers[0], pairs))
    return figures


def slope(more: int, measured: Iterable[Sequence[tuple[Sample, ...]]]) -> Figure:
    """Return what each lineage adds to the time, from the fewest to the most of a round.

    more: how many there are more then. measured: of each round, for each number of lineages, ours and the
        other.
    """
    pairs = []
    for fewest, *_, most in measured:
        ours, other = ((b.seconds - a.seconds) / more * 1e3 for a, b in zip(fewest, most, strict=True))
        pairs.append((ours, other))
    return Figure("renew, for each lineage", "ms", pairs, "pip")


def timer(subjects: Subjects) -> list[Figure]:
    """Do what the timer does, with 10 of 1,000 lineages due ÷ PyPI."""
    many, due = (10, 1) if subjects.quick else (1000, 10)
    # Without the service's random sleep, which is minutes.
    programs = (
        subjects.app(subjects.flagged, "renew"),
        replace(subjects.pip_certbot, command=(*subjects.pip_certbot.command, "-q", "renew")),
    )
    actions = (renewal(program, lineages(subjects, program, many, due), verb=()) for program in programs)
    measured = rounds(subjects.rounds(3), *actions)
    return of_samples(f"the timer's run, {due} of {many:,} due", measured, "pip")


def certificates(subjects: Subjects) -> list[Figure]:
    """Run `certbot certificates` ÷ PyPI."""
    many = 10 if subjects.quick else 1000

    def listing(program: Program) -> Callable[[], Sample]:
        folder = lineages(subjects, program, many)

        def run() -> Sample:
            done = program("certificates", "--config-dir", folder)
            if (told := done.said.count("Certificate Name: ")) != many:
                raise BenchError(f"of {many} lineages `certbot certificates` told {told}")
            return done

        return run

    measured = rounds(subjects.rounds(5), *map(listing, (subjects.certbot, subjects.pip_certbot)))
    return of_samples(f"certificates, {many:,}", measured, "pip")


def lineages(subjects: Subjects, program: Program, many: int, due: int = 0) -> str:
    """Return a folder of Certbot's with so many lineages: one that it was issued, and copies.

    Made when it is first asked for. So many of them are due at every renewal, the others at none.
    """
    folder = f"{FOLDER}-{many}-{due}"
    here = program.host.path(folder)
    if here.exists():
        return folder
    original = program.host.path(FOLDER)
    if not original.exists():
        subjects.certonly(program, ORIGINAL, "--standalone", "--config-dir", FOLDER)
    shutil.copytree(original, here, symlinks=True)
    conf = here / "renewal" / f"{ORIGINAL}.conf"
    settings = conf.read_text().replace(f"{FOLDER}/", f"{folder}/")
    conf.write_text((DUE if due else "") + settings)
    for number in range(1, many):
        name = f"{number:04}.example.org"
        for kind in ("archive", "live"):
            shutil.copytree(here / kind / ORIGINAL, here / kind / name, symlinks=True)
        for link in (here / "live" / name).glob("*.pem"):
            target = str(link.readlink()).replace(ORIGINAL, name)
            link.unlink()
            link.symlink_to(target)
        copy = (DUE if number < due else "") + settings.replace(ORIGINAL, name)
        (here / "renewal" / f"{name}.conf").write_text(copy)
    return folder


def renewal(program: Program, folder: str, verb: tuple[str, ...] = ("renew",)) -> Callable[[], Sample]:
    """Return an action that runs `certbot renew` over the lineages of a folder of Certbot's.

    As the timer does, twelve hours after the last time: Certbot asks the authority about each lineage
    (RFC 9773), and notes in its settings when to ask again. That is taken back, so that the next run asks
    too, and about copies. The action raises BenchError when other lineages were renewed than are due, or one
    got no answer. verb: what the program is yet to be told.
    """
    here = program.host.path(folder)
    confs = sorted((here / "renewal").glob("*.conf"))
    due = {conf.stem for conf in confs if DUE in conf.read_text()}

    def run() -> Sample:
        settings = {conf: conf.read_text() for conf in confs}
        links = dict(_links(here))
        done = program(*verb, "--no-random-sleep-on-renew", "--config-dir", folder)
        renewed = {name for name, target in _links(here) if target != links[name]}
        noted = sum(conf.read_text() != text for conf, text in settings.items())
        answered = noted - program.host.path(LOG).read_text().count(NO_ANSWER)
        for conf, text in settings.items():
            conf.write_text(text)
        if (renewed, answered) != (due, len(confs)):
            raise BenchError(
                f"of {len(confs)} lineages, {len(due)} due, `certbot renew` renewed {len(renewed)}"
                f" and was answered about {answered}: {done.said[-200:]!r}"
            )
        return done

    return run


def _links(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield of each lineage which certificate is its latest."""
    for live in (folder / "live").iterdir():
        if live.is_dir():
            yield live.name, str((live / "cert.pem").readlink())
