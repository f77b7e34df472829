"""Starting: Certbot's, also when all is cold, that of a first SSLContext, and what the launcher has in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tools.bench.measure import BenchError, Program, Sample, best_rounds, rounds
from tools.bench.report import Figure, of_samples
from tools.bench.subjects import Subjects
from tools.hosts.base import LOGIN_ENVIRONMENT

#: Ends by saying whether the module is in the process.
CONTEXT = (
    "import ssl; ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); print('fips.so' in open('/proc/self/maps').read())"
)
#: Says besides who decided about FIPS.
TAKES_CRYPTO = f"import hashlib, sys; {CONTEXT}; print(sys.modules['fips_launch.boot'].decision.source)"
VERSION = r"^certbot \d"
#: A start whose files are in memory reads 60 kB of squashfs' tables, a cold one reads 11 MB.
COLD_BYTES = 1_000_000
#: In place of fips_launch.boot: the decision that those who import it want to see, and on a host without FIPS
#: the bare selection, for the interpreter's main program has selected FIPS by then.
_DECIDED = "class decision: fips, source = {fips}, 'stand-in'\n"
NO_LAUNCHER = _DECIDED.format(fips=True) + "def run(): pass\n"
ONLY_SELECT = (
    _DECIDED.format(fips=False)
    + "import os\ndef run(): os.environ['OPENSSL_CONF'] = '{root}/etc/ssl/default.cnf'\n"
)
STAND_IN = "/opt/bench/fips_launch"


def version(subjects: Subjects) -> list[Figure]:
    """`certbot --version`: FIPS proven ÷ PyPI."""
    ours, other = subjects.certbot, subjects.pip_certbot
    programs = (partial(program, "--version", says=VERSION) for program in (ours, other))
    return of_samples("certbot --version", rounds(subjects.rounds(20), *programs), "pip")


def cold(subjects: Subjects) -> list[Figure]:
    """`certbot --version` right after the snap is mounted ÷ the same of another snap, the reference.

    All that it reads is unpacked then; the packed file itself is in memory. Raise BenchError when no
    reference was named.
    """
    if subjects.reference is None:
        raise BenchError("no snap to compare a cold start with: name one with --reference")
    ours = subjects.app(subjects.host(flagged=True))
    other = subjects.app(subjects.host(flagged=True, snap=subjects.reference))
    measured = rounds(subjects.rounds(10), first_start(ours), first_start(other))
    pairs = [(a.seconds, b.seconds) for a, b in measured]
    return [Figure("cold start", "s", pairs, "the reference")]


def first_start(certbot: Program, mount: bool = True) -> Callable[[], Sample]:
    """Return an action that mounts the snap anew and then does `certbot --version`.

    It raises BenchError when less of the snap's file was read for that than of anything cold; `mount`: False
    for its control.
    """
    root = certbot.environment["SNAP"]
    name, revision = Path(root).parts[-2:]
    file = f"/var/lib/snapd/snaps/{name}_{revision}.snap"
    anew = 'umount "$1"; mount -t squashfs -o ro,nodev,loop "$0" "$1"'

    def read() -> int:
        """Return how many bytes were read from the snap's device (the kernel's block/stat.rst)."""
        device = certbot.host.path(root).stat().st_dev
        stat = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat")
        return int(stat.read_text().split()[2]) * 512

    def run() -> Sample:
        if mount:
            certbot.host.run(["sh", "-euc", anew, file, root]).check()
        before = read()
        done = certbot("--version", says=VERSION)
        if read() - before < COLD_BYTES:
            raise BenchError(f"{certbot.host.name}: `certbot --version` was not cold")
        return done

    return run


def context(subjects: Subjects) -> list[Figure]:
    """Measure what FIPS adds to a first SSLContext ÷ what loading the module adds to a bare program.

    The latter is the module's own self-test, which every process pays that uses it, and little else. The bare
    program is the snap's openssl without the launcher: as it starts it reads its config and loads the
    providers named there. Both differences are of CPU time, for nothing here waits, and they are small beside
    what else happens on a machine.
    """
    flagged, unflagged = (subjects.app(host, "python3") for host in (subjects.flagged, subjects.unflagged))
    with_module, without = _bare(flagged, "openssl.cnf"), _bare(unflagged, "default.cnf")
    measured = best_rounds(
        subjects.rounds(40),
        partial(flagged, "-c", CONTEXT, says="^True$"),
        partial(unflagged, "-c", CONTEXT, says="^False$"),
        partial(with_module, "list", "-providers", says=r"\n  fips\n"),
        partial(without, "list", "-providers", says=r"(?s)^Providers:(?!.*\n  fips\n)"),
    )
    pairs = [((a.cpu - b.cpu) * 1e3, (c.cpu - d.cpu) * 1e3) for a, b, c, d in measured]
    return [Figure("first SSLContext, FIPS less default", "ms", pairs, "module in bare program")]


def _bare(app: Program, config: str) -> Program:
    root = app.environment["SNAP"]
    variables = {
        "OPENSSL_CONF": f"{root}/etc/ssl/{config}",
        "OPENSSL_MODULES": f"{root}/usr/lib/ossl-modules",
    }
    return Program(app.host, (f"{root}/usr/libexec/openssl/openssl",), {**LOGIN_ENVIRONMENT, **variables})


def launcher(subjects: Subjects) -> list[Figure]:
    """Measure what the launcher adds to a program that uses hashes and TLS anyway ÷ the goal, in CPU time.

    The same interpreter on a second host has in place of the launcher one that does nothing.
    """
    figures = []
    for words, flagged, decider, stand_in in (
        ("FIPS", True, "flag", NO_LAUNCHER),
        ("default", False, "no-flag", ONLY_SELECT),
    ):
        usual = subjects.app(subjects.flagged if flagged else subjects.unflagged, "python3")
        bare = subjects.app(subjects.host(flagged=flagged), "python3")
        _replace_launcher(bare, stand_in)
        actions = (
            partial(python, "-c", TAKES_CRYPTO, says=f"^{flagged}\n{who}\n$")
            for python, who in ((usual, decider), (bare, "stand-in"))
        )
        measured = best_rounds(subjects.rounds(20), *actions)
        added = ((a.cpu - b.cpu) * 1e3 for a, b in measured)
        figures.append(Figure.of_values(f"launcher, {words}", "ms", added))
    return figures


def _replace_launcher(python: Program, boot: str) -> None:
    """Mount a launcher over the snap's own, compiled as that is."""
    host, root = python.host, python.environment["SNAP"]
    host.run(["mkdir", "-p", STAND_IN]).check()
    host.path(f"{STAND_IN}/__init__.py").touch()
    host.path(f"{STAND_IN}/boot.py").write_text(boot.format(root=root))
    python("-m", "compileall", "-q", STAND_IN)
    own = python("-c", "import fips_launch; print(fips_launch.__path__[0])").said.strip()
    host.run(["mount", "--bind", STAND_IN, own]).check()
