"""What the algorithms do in a second, by `openssl speed`."""

from __future__ import annotations

import re
from collections.abc import Callable

from tools.bench.measure import BenchError, Program, rounds
from tools.bench.report import Figure
from tools.bench.subjects import Subjects
from tools.hosts.base import LOGIN_ENVIRONMENT

BLOCK = "16384"  # bytes; the largest record of TLS
#: Name, arguments, unit, in how many of what `openssl speed` says a unit is, and the line that says it
#: (`openssl speed -mr`: bytes a second; of key pairs, operations a second, signing first).
ALGORITHMS = (
    ("AES-256-GCM", ("-evp", "aes-256-gcm"), "GB/s", 1e9, r"^\+F:\d+:[^:]+:([\d.]+)"),
    ("SHA-256", ("-evp", "sha256"), "GB/s", 1e9, r"^\+F:\d+:[^:]+:([\d.]+)"),
    ("RSA-2048 sign", ("rsa2048",), "1/s", 1.0, r"^\+F2:\d+:2048:([\d.]+)"),
    ("P-256 sign", ("ecdsap256",), "1/s", 1.0, r"^\+F4:\d+:256:([\d.]+)"),
)


def throughput(subjects: Subjects) -> list[Figure]:
    """Measure the snap's openssl on the FIPS host, FIPS proven ÷ the distribution's without FIPS."""
    ours = subjects.app(subjects.flagged, "openssl")
    other = Program(subjects.unflagged, ("/usr/bin/openssl",), LOGIN_ENVIRONMENT)
    figures = []
    for name, arguments, unit, scale, line in ALGORITHMS:
        speeds = (_speed(program, arguments, line) for program in (ours, other))
        pairs = [(a / scale, b / scale) for a, b in rounds(subjects.rounds(5), *speeds)]
        figures.append(Figure(name, unit, pairs, "distribution", more_is_better=True))
    return figures


def _speed(program: Program, arguments: tuple[str, ...], line: str) -> Callable[[], float]:
    def run() -> float:
        done = program("speed", "-mr", "-seconds", "1", "-bytes", BLOCK, *arguments)
        found = re.search(line, done.said, re.MULTILINE)
        if found is None:
            raise BenchError(f"{program.host.name}: `openssl speed {' '.join(arguments)}` gave no figure")
        return float(found[1])

    return run
