"""What the documents for people say, for the tests that hold it against the program."""

import re
from collections.abc import Collection, Iterator

from tests.conftest import PROJECT

FILES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md")])


def text(name: str) -> str:
    return (PROJECT / name).read_text()


def tables(name: str) -> Iterator[tuple[list[str], list[list[str]]]]:
    """Yield the header and the rows of each table of a document, code without its backticks."""
    for table in re.findall(r"(?:^ *\|.*\|\n)+", text(name), re.MULTILINE):
        header, _, *rows = (
            [cell.strip().strip("`").strip() for cell in line.strip().strip("|").split("|")]
            for line in table.splitlines()
        )
        yield header, rows


def column(name: str, *headings: str) -> list[str]:
    """Return the first column of the tables that have one of these headings there."""
    return [row[0] for header, rows in tables(name) if header[0] in headings for row in rows]


def example(name: str, first: str) -> list[str]:
    """Return the lines of the example of output that begins with this line."""
    lines = text(name).splitlines()
    block = []
    for line in lines[lines.index("    " + first) :]:
        if line and not line.startswith("    "):
            break
        block.append(line[4:])
    return "\n".join(block).strip().splitlines()


def shows(block: list[str], free: Collection[str] = ()) -> re.Pattern[str]:
    """Return what output an example stands for: a line `…` is any lines, and within a line it is any text.

    :param free: labels whose values are this machine's.
    """
    pattern = ""
    for line in block:
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
            continue
        label = re.match(r"\S? *(\S+(?: \S+)*)(?=  )", line)
        if label and label[1] in free:
            line = f"{label[0]}…"
        pattern += re.escape(line).replace("…", ".*") + r"\n"
    return re.compile(pattern)
