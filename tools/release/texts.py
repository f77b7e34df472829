"""JSON as it is read and written here: strictly, by a schema, in one form."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from tools.release.errors import ReleaseError

SCHEMAS = Path(__file__).with_name("schemas")
#: No file of evidence is near it; what is larger is not read.
LIMIT = 16 << 20


def dump(content: Any) -> str:
    """Return JSON for a file: sorted, and readable."""
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def read(path: Path, limit: int = LIMIT) -> bytes:
    """Return a file's content.

    :raises ReleaseError: there is no such regular file, or it is larger than the limit.
    """
    try:
        if path.is_symlink() or not path.is_file():
            raise ReleaseError(f"{path.name} is missing or no file")
        if path.stat().st_size > limit:
            raise ReleaseError(f"{path.name} is larger than {limit >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise ReleaseError(f"{path.name} cannot be read: {error.strerror}") from error


def parse(text: bytes, name: str) -> Any:
    """Return what JSON says; a key that is there twice would say two things.

    :param name: of what it is, for the message.
    :raises ReleaseError: it is no such JSON.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key is there twice")
        return found

    try:
        return json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise ReleaseError(f"{name} is truncated or no JSON ({str(error)[:80]})") from error


def judge(content: Any, schema: str, name: str) -> None:
    """Hold a text against one of the schemas.

    :raises ReleaseError: it is not as that says, in one line.
    """
    wrong = jsonschema.exceptions.best_match(_validator(schema).iter_errors(content))
    if wrong is not None:
        place = "/".join(map(str, wrong.absolute_path))
        raise ReleaseError(f"{name}: {f'{place}: ' if place else ''}{' '.join(wrong.message.split())[:200]}")


@cache
def _validator(schema: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        json.loads((SCHEMAS / f"{schema}.json").read_text()), format_checker=jsonschema.FormatChecker()
    )


def moment(text: str, name: str) -> datetime:
    """Return a time (RFC 3339, with its offset).

    :raises ReleaseError: it is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except (ValueError, TypeError) as error:
        raise ReleaseError(f"{name}: {str(text)[:40]!r} is no time") from error
    if found.tzinfo is None:
        raise ReleaseError(f"{name}: {text!r} has no offset from UTC")
    return found


def stamp(time: datetime) -> str:
    """Return a time as RFC 3339, in UTC, by the second."""
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
