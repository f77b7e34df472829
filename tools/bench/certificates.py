"""Issuance: over HTTP, and over DNS with a plugin.

Of the time, some seconds are Certbot's own: it sleeps before it asks whether the authority is done.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from tools.bench.measure import Program, Sample, rounds
from tools.bench.report import Figure, of_samples
from tools.bench.subjects import Subjects


def issuance(subjects: Subjects) -> list[Figure]:
    """Issue from pebble over HTTP-01 ÷ PyPI."""
    return _issuance(subjects, "issuance", "pip", (subjects.certbot, subjects.pip_certbot), "--standalone")


def dns(subjects: Subjects) -> list[Figure]:
    """Issue from pebble over DNS-01 with the plugin for RFC 2136 ÷ PyPI with that plugin."""
    programs = (subjects.certbot, subjects.pip_certbot_with_dns)
    for program in programs:
        how = subjects.nameserver(program.host)
    return _issuance(subjects, "issuance by rfc2136", "pip and its plugin", programs, *how)


def _issuance(
    subjects: Subjects, name: str, against: str, programs: tuple[Program, Program], *how: str
) -> list[Figure]:
    numbers = count()

    def issue(program: Program) -> Callable[[], Sample]:
        return lambda: subjects.certonly(program, f"{how[0].strip('-')}-{next(numbers)}.example.org", *how)

    return of_samples(name, rounds(subjects.rounds(8), *map(issue, programs)), against)
