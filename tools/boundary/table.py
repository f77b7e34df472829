"""The table of all operations, as JSON and as a document for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

from tools.boundary.measure import ALONG, Done, Walk

PROJECT = Path(__file__).resolve().parents[2]
DATA, DOCUMENT = PROJECT / "docs/boundary.json", PROJECT / "docs/boundary.md"

#: Where an operation is computed, and what that means.
WHERE = {
    "module": "in the module; in libcrypto nothing is computed",
    "mixed": "in the module, and something in libcrypto too",
    "libcrypto": "in libcrypto",
    "own code": "by a package or the program, of the parts that are named; random numbers by the kernel",
    "nothing": "nothing is computed, or no more than bytes compared and numbers read",
    "refused": "not at all: it is refused, in the words that stand beside it",
    "not offered": "not at all, nor is it without the flag, in the words that stand beside it",
}
OUTSIDE = ("mixed", "libcrypto", "own code")
#: The parts of the document, by how the names in them begin.
PARTS = {
    "cryptography": "By its public names; `cryptography.` and `hazmat.primitives.` are left out.",
    "Python": "`hashlib`, `hmac` and `ssl`; for TLS, a client and a server in memory that both ask for it.",
    "openssl": "`certbot-fips.openssl`: its commands, and each algorithm of its lists.",
}
#: What stands above the tables.
INTRODUCTION = """
Where each operation is computed that the snap's Python and its openssl program offer, on a FIPS-flagged
host, and which are refused. While the packed snap did each of them, the kernel counted how often OpenSSL's
innermost functions were entered in `fips.so` and in `libcrypto.so.3`;
[primitives.py](../tools/observe/primitives.py) lists them. A public name for which there is no case fails,
so the list is whole. What is no operation is left out by the rules and reasons in
[names.py](../tools/boundary/inside/names.py) and [program.py](../tools/boundary/inside/program.py).
[boundary.json](boundary.json) is the same for programs.

An operation is where the function is that it is named for: an HKDF that `cryptography` makes of HMACs is
not the module's, though each HMAC is. Parsing, writing and the seed from the kernel are not counted. **C**
marks what Certbot, its plugins, or what they do ACME, JOSE and HTTPS with can reach: what their bytecode
names ([reach.py](../tools/boundary/inside/reach.py)), which is too much rather than too little.
"""
PYTHON = ("hashlib.", "hmac.", "ssl.", "libssl.")


@dataclass(frozen=True)
class Row:
    """An operation: where it is computed under the flag, and what more there is to say."""

    operation: str
    label: str
    where: str
    parts: list[str]
    """What else is computed, beside what the operation is named for: `AES in the module`."""
    words: str
    """Those of the refusal."""
    remark: str
    reached: bool
    """By Certbot or its plugins."""

    @property
    def part(self) -> str:
        """The part of the document."""
        if self.operation.startswith("openssl"):
            return "openssl"
        return "Python" if self.operation.startswith(PYTHON) else "cryptography"

    def __str__(self) -> str:
        label = f" ({self.label})" if self.label else ""
        return f"{self.operation}{label}: {self.where} {', '.join(self.parts)} {self.words}".rstrip()


#: How an error begins that says nothing of the operation, but that its case is wrong.
WRONG = (
    *("TypeError:", "AttributeError:", "NameError:", "ImportError:", "KeyError:", "AssertionError:"),
    *("OSError:", "FileNotFoundError:", "TimeoutExpired:"),
)


class NoCaseError(Exception):
    """Something is offered that no case does, or whose case is wrong; the text names it."""


def missing(walk: Walk) -> list[str]:
    """Return the names that are offered and that no case does."""
    done = {name for one in walk.done for name in one.names}
    return [name for name in walk.offered if name not in done]


def rows(walk: Walk, elsewhere: Iterable[str] = ()) -> list[Row]:
    """Return the table of a walk under the flag.

    :param elsewhere: the operations that are not done without the flag either, as `key`.
    :raises NoCaseError: a public name has no case, or a wrong one.
    """
    if names := missing(walk):
        raise NoCaseError(f"no case in tools/boundary/inside does: {', '.join(names)}")
    if wrong := [f"{key(done)}: {done.refused}" for done in walk.done if done.refused.startswith(WRONG)]:
        raise NoCaseError(f"cases in tools/boundary/inside are wrong: {'; '.join(wrong)}")
    absent = set(elsewhere)
    return [_row(done, key(done) in absent, walk.reached) for done in walk.done]


def key(done: Done) -> str:
    """Return by what an operation is known."""
    return f"{_together(done.names)} {done.label}".strip()


def known(row: Row) -> str:
    """Return the same of a row."""
    return f"{row.operation} {row.label}".strip()


def _row(done: Done, absent: bool, reached: list[str]) -> Row:
    where = "not offered" if done.refused and absent else done.where
    parts: list[str] = []
    if where in OUTSIDE:
        module = done.module - ALONG - {done.service} if where == "own code" else frozenset()
        libcrypto = done.libcrypto - ({done.service} if where == "libcrypto" else set()) - {"random numbers"}
        parts = [f"{kind} in the module" for kind in sorted(module)]
        parts += [f"{kind} in libcrypto" for kind in sorted(libcrypto)]
    remark = done.remark if where in ("module", *OUTSIDE) else ""
    used = any(name in reached for name in done.names)
    return Row(_together(done.names), done.label, where, parts, done.refused, remark, used)


def _together(names: tuple[str, ...]) -> str:
    """Return names of one class as one: `kdf.hkdf.HKDF.{derive,verify}`."""
    if len(names) == 1:
        return names[0]
    places = {name.rpartition(".")[0] for name in names}
    if len(places) > 1:
        return ", ".join(names)
    return f"{places.pop()}.{{{','.join(name.rpartition('.')[2] for name in names)}}}"


def write(table: list[Row]) -> None:
    """Write the table into the project."""
    lines = ",\n".join(json.dumps(asdict(row), ensure_ascii=False) for row in table)
    DATA.write_text(f"[\n{lines}\n]\n")
    DOCUMENT.write_text("\n".join(document(table)) + "\n")


def committed() -> list[Row]:
    """Return the table that the project has."""
    return [Row(**row) for row in json.loads(DATA.read_text())]


def document(table: list[Row]) -> Iterator[str]:
    """Yield the lines of the document."""
    yield "<!-- Made by `make boundary`, from what it measured: do not edit. -->"
    yield "# The boundary, measured"
    yield from INTRODUCTION.splitlines()
    yield ""
    yield "| where | the operation is computed | operations |"
    yield "|---|---|---|"
    for where, meaning in WHERE.items():
        yield f"| {where} | {meaning} | {sum(row.where == where for row in table)} |"
    yield ""
    yield "## Outside the module"
    yield ""
    yield from _table([row for row in table if row.where in OUTSIDE], with_where=True)
    yield ""
    yield "## In the module and not refused, though not approved"
    yield ""
    yield from _table([row for row in table if row.where == "module" and row.remark], with_where=False)
    for part, meaning in PARTS.items():
        yield ""
        yield f"## All of {part}"
        yield ""
        yield meaning
        yield ""
        yield from _table([row for row in table if row.part == part], with_where=True)


def _table(table: list[Row], with_where: bool) -> Iterator[str]:
    yield f"| operation | with | {'where | ' if with_where else ''}C | |"
    yield f"|---|---|{'---|' if with_where else ''}---|---|"
    for operation, same in groupby(table, key=lambda row: row.operation):
        for number, row in enumerate(same):
            name = f"`{operation}`" if number == 0 else ""
            more = "; ".join(filter(None, [*row.parts, _cell(row.words), row.remark]))
            where = f"{row.where} | " if with_where else ""
            label = f"`{_cell(row.label)}`" if row.part == "openssl" and row.label else _cell(row.label)
            yield f"| {name} | {label} | {where}{'C' if row.reached else ''} | {more} |"


def _cell(text: str) -> str:
    """Return a text so that it does not end its cell."""
    return text.replace("|", "\\|").replace("<", "&lt;")
