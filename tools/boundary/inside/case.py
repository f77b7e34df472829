"""An operation that is done to see where it is computed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

#: Where what the cases need lies on the host: keys that were made without FIPS, and the lists of algorithms.
MADE = "/run/boundary/made"


@dataclass(frozen=True)
class Case:
    """One operation: the public names that it is done by, and what is to be computed for it.

    `service` is a kind of `tools.observe.primitives.KINDS`; "" where the operation may compute nothing.
    `remark` says what is not approved in it, and by which rule. A case is done twice and counted the second
    time, so that what it needs is there; a program is started once.
    """

    names: tuple[str, ...]
    label: str
    service: str
    run: Callable[[], object]
    remark: str = ""
    program: bool = False


def case(names: str, service: str, run: Callable[[], object], label: str = "", remark: str = "") -> Case:
    """Return the case of names such as `kdf.hkdf.HKDF.{derive,verify}`."""
    return Case(tuple(expanded(names)), label, service, run, remark)


def expanded(names: str) -> Iterator[str]:
    """Yield the names that braces stand for."""
    parts = [part.split(",") for part in re.split(r"[{}]", names)]
    yield from ("".join(chosen) for chosen in product(*parts))


class RefusedError(Exception):
    """The openssl program did not do it; the text is what it said of it."""


def openssl(*arguments: str, given: bytes = b"") -> bytes:
    """Run the snap's openssl program as its app does; raise RefusedError when it fails.

    AssertionError: it wrote a private key in the clear that was to be encrypted.
    """
    command = [f"{sys.prefix}/bin/fips-exec", f"{sys.prefix}/libexec/openssl/openssl", *arguments]
    done = subprocess.run(command, input=given, capture_output=True, timeout=60, cwd=MADE, check=False)
    if done.returncode:
        raise RefusedError(said(done.stderr.decode(errors="replace")))
    if "-passout" in arguments and b"PRIVATE KEY" in done.stdout and b"ENCRYPTED" not in done.stdout:
        raise AssertionError("a private key in the clear")
    return done.stdout


def said(stderr: str) -> str:
    """Return the words of an error of the program: the reason it gives first, or its last line."""
    errors = re.findall(r"error:[0-9A-F]+:([^:]*):[^:]*:([^:]*):", stderr)
    if errors:
        return ": ".join(errors[0])
    lines = [line for line in stderr.splitlines() if line.strip() and "Use -help" not in line]
    return lines[-1].strip() if lines else "it said nothing"


def made(name: str) -> bytes:
    """Return what was made for the cases, without FIPS."""
    return Path(MADE, name).read_bytes()


def kept(name: str, make: Callable[[], bytes]) -> bytes:
    """Return what is kept by that name: the host without the flag makes it, the other finds it."""
    file = Path(MADE, name.replace("/", "-"))
    if not file.exists():
        file.write_bytes(make())
    return file.read_bytes()
