"""What Certbot and its plugins can reach, read from their bytecode.

A name counts as reached when one file of these packages has its last part and, but for Python's own
modules, the name of its module or its class too, which may stand in an annotation, that is, in a text.
That takes too much rather than too little: names are compared, no call is followed, and what is reached
through a package that is not in the list is reached by its own name.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.machinery import SourcelessFileLoader
from pathlib import Path
from types import CodeType

#: Certbot with the plugins in the snap, its ACME, JOSE and HTTPS, and what they call OpenSSL by.
PACKAGES = ("certbot", "certbot_apache", "certbot_nginx", "acme", "josepy", "requests", "urllib3", "OpenSSL")

_ANNOTATION = re.compile(r"[\w.]+(\[[\w., |\[\]]+\])?( \| [\w.\[\], |]+)?")


def reached(names: Iterable[str]) -> list[str]:
    """Return those of the names that are reached."""
    files = [*_files()]
    return sorted(name for name in set(names) if any(_mentions(words, name) for words in files))


def _mentions(words: set[str], name: str) -> bool:
    *path, last = name.split(".")
    return last in words and bool(path) and path[-1] in words


def _files() -> Iterator[set[str]]:
    """Yield the names in each file."""
    site = next(Path(place) for place in sys.path if place.endswith("site-packages"))
    for package in PACKAGES:
        for file in sorted((site / package).rglob("*.pyc")):
            code = SourcelessFileLoader("read", str(file)).get_code("read")
            if code is not None:
                yield set(_names([code]))


def _names(codes: Sequence[CodeType]) -> Iterator[str]:
    """Yield the names in code, with those of imports and annotations by their parts."""
    for code in codes:
        for text in _texts(code.co_consts):
            if _ANNOTATION.fullmatch(text):
                yield from re.findall(r"\w+", text)
        for name in code.co_names:
            yield from name.split(".")
        yield from _names([one for one in code.co_consts if isinstance(one, CodeType)])


def _texts(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple):
            yield from _texts(value)
