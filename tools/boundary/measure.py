"""Do every operation on a host, and see by the kernel's counters in which file it is computed."""

from __future__ import annotations

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any

from tools.boundary import made
from tools.hosts import HostError, NamespaceHost
from tools.hosts.base import LOGIN_ENVIRONMENT
from tools.observe import CallCounter
from tools.observe.calls import present
from tools.observe.primitives import KINDS

INSIDE, CODE = Path(__file__).parent / "inside", "/run/boundary/tools/boundary/inside"
LIBRARIES = "/snap/certbot-fips/current/usr/lib"
START = """
import sys, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, "/run/boundary")
from tools.boundary.inside.driver import main
main"""
#: Kinds that go with others: random numbers, and AES by which the module makes them and seeds itself anew.
ALONG = {"random numbers", "AES"}


@dataclass(frozen=True)
class Done:
    """How an operation went on a host: refused, in whose words, or what was computed in which file."""

    names: tuple[str, ...]
    label: str
    service: str
    remark: str
    refused: str
    module: frozenset[str]
    libcrypto: frozenset[str]

    @property
    def where(self) -> str:
        """Where it was computed, in a word of `tools.boundary.table.WHERE`."""
        if self.refused:
            return "refused"
        if not self.service:
            return "libcrypto" if self.libcrypto else "module" if self.module - ALONG else "nothing"
        if self.service in self.libcrypto:
            return "mixed" if self.service in self.module else "libcrypto"
        if self.service not in self.module:
            return "own code"
        return "mixed" if self.libcrypto else "module"


@dataclass(frozen=True)
class Walk:
    """All operations on one host."""

    done: list[Done]
    offered: list[str]
    reached: list[str]


class Counters:
    """The counters on both files of a host; on none of them where it is only to be seen what is refused."""

    def __init__(self, stack: ExitStack, host: NamespaceHost, on: bool = True) -> None:
        every = [name for functions in KINDS.values() for name in functions]
        files = [host.path(f"{LIBRARIES}/{name}") for name in ("ossl-modules/fips.so", "libcrypto.so.3")]
        self._files = [
            stack.enter_context(CallCounter(file, present(file, every) if on else ())) for file in files
        ]

    def read(self) -> list[dict[str, int]]:
        """Return the number of computations of each kind so far: in the module, and in libcrypto."""
        read = [file.counts() for file in self._files]
        found = [
            {kind: sum(counts.get(name, 0) for name in functions) for kind, functions in KINDS.items()}
            for counts in read
        ]
        for (
            counts
        ) in found:  # a CTR-DRBG expands two keys whenever it generates, more or less often in a process
            counts["AES"] -= 2 * counts["random numbers"]
        return found


def both(snap: Path) -> tuple[Walk, Walk]:
    """Return the walks on a host with the FIPS flag, and on one without it; raise as `walk` does."""
    with TemporaryDirectory(prefix="certbot-fips-boundary-") as folder, ThreadPoolExecutor() as pool:
        kept = Path(folder) / "made"
        prepare(snap, kept)
        flagged, plain = pool.map(lambda flag: _walked(snap, flag, kept), (True, False))
        return flagged, plain


def _walked(snap: Path, flagged: bool, kept: Path) -> Walk:
    with NamespaceHost(snap, flagged=flagged) as host:
        return walk(host, kept, counted=flagged)


def prepare(snap: Path, kept: Path) -> None:
    """Make what the operations need, on a host without the flag; raise HostError where that cannot be."""
    with NamespaceHost(snap, flagged=False) as host:
        host.copy(INSIDE, CODE)
        made.make(host)
        host.run(["certbot-fips.python3", "-c", f"{START}(keep=True)"], timeout=300).check()
        shutil.copytree(host.path(made.FOLDER), kept)


def walk(host: NamespaceHost, kept: Path, counted: bool = True) -> Walk:
    """Do all operations on a host.

    :param kept: what `prepare` made.
    :param counted: is it to be seen where it is computed, or only what is refused?
    :raises ObserveError: nothing can be counted on this machine.
    :raises HostError: the snap does not do what the operations need.
    """
    host.copy(INSIDE, CODE)
    host.copy(kept, made.FOLDER)
    with ExitStack() as stack:
        counters = Counters(stack, host, counted)
        errors = stack.enter_context(TemporaryFile("w+"))
        program = _program(host, counters)
        given = [f"{key}={value}" for key, value in LOGIN_ENVIRONMENT.items()]
        driver = stack.enter_context(
            subprocess.Popen(
                [*host.entering(), "env", "-i", *given, "certbot-fips.python3", "-c", f"{START}()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        )
        assert driver.stdin is not None
        assert driver.stdout is not None
        first = _line(driver.stdout, errors)
        done = []
        while line := driver.stdout.readline():
            case = json.loads(line)
            before = counters.read()
            print(file=driver.stdin, flush=True)
            went = _line(driver.stdout, errors)
            now = counters.read()
            print(file=driver.stdin, flush=True)
            module, libcrypto = (
                frozenset(
                    kind
                    for kind, count in after.items()
                    if count - earlier[kind] > (own[kind] if went["program"] else 0)
                )
                for earlier, after, own in zip(before, now, program, strict=True)
            )
            names = tuple(case["names"])
            told = (case["label"], case["service"], case["remark"], went["refused"])
            done.append(Done(names, *told, module, libcrypto))
        if driver.wait():
            raise _ended(errors)
    return Walk(done, first["offered"], first["reached"])


def _program(host: NamespaceHost, counters: Counters) -> list[dict[str, int]]:
    """Return what a start of the openssl program computes by itself: the self-tests, and the proof."""
    before = counters.read()
    host.run(["certbot-fips.openssl", "version"]).check()
    after = counters.read()
    return [{kind: one[kind] - other[kind] for kind in one} for one, other in zip(after, before, strict=True)]


def _line(stream: IO[str], errors: IO[str]) -> dict[str, Any]:
    line = stream.readline()
    if not line:
        raise _ended(errors)
    found: dict[str, Any] = json.loads(line)
    return found


def _ended(errors: IO[str]) -> HostError:
    """Return the error for operations that ended early."""
    errors.seek(0)
    said = errors.read().strip().splitlines()[-3:]
    return HostError(f"the operations ended early and said: {' / '.join(said)}")
