"""Do the operations one by one, as the other end says; a line of JSON about each.

It writes what is offered and reached first, then for each case that it is ready, waits for a line, does it,
writes how it went, and waits again. What happens to the counters between the lines is that operation's.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator

from tools.boundary.inside import asymmetric, documents, names, program, python, reach, symmetric, tls
from tools.boundary.inside.case import Case, RefusedError


def cases() -> Iterator[Case]:
    """Yield all operations."""
    for module in symmetric, asymmetric, documents, python, tls, program:
        yield from module.cases()


def tell(what: object) -> None:
    """Write a line."""
    print(json.dumps(what), flush=True)


def words(error: BaseException) -> str:
    """Return what an error says, without what differs from run to run."""
    said = " ".join(str(part) for part in error.args)
    reason = re.search(r"reason(?:_text)?[=:] ?b?['\"]([^'\"]+)", said)
    text = f"OpenSSL: {reason[1]}" if reason else str(error).partition("\n")[0]
    text = re.sub(r" ?\(_ssl\.c:\d+\)|0x[0-9a-f]+", "", text)
    text = re.sub(r": error:[0-9A-F]+:([^:]*):[^:]*:([^:]*):.*", r": \1: \2", text)
    name = "" if isinstance(error, RefusedError) else f"{type(error).__name__}: "
    return f"{name}{text}"[:160].strip()


def attempt(case: Case) -> str:
    """Do a case; return the words of its refusal, "" when it was done."""
    try:
        case.run()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a panic of Rust is no Exception
        return words(error)
    return ""


def main(keep: bool = False) -> None:
    """Do them all, in the order of the table.

    keep: do each that is no program once, for the sake of what is kept, and tell nothing.
    """
    every = [*cases()]
    if keep:
        for one in every:
            if not one.program:
                attempt(one)
        return
    offered = [*names.operations(), *program.operations()]
    tell(
        {
            "offered": offered,
            "reached": reach.reached([*offered, *(name for one in every for name in one.names)]),
        }
    )
    for one in every:
        if not one.program:
            attempt(one)
        tell({"names": one.names, "label": one.label, "service": one.service, "remark": one.remark})
        sys.stdin.readline()
        tell({"refused": attempt(one), "program": one.program})
        sys.stdin.readline()
