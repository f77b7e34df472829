"""The documents say what is so: their links, commands and file names, and what they list of the program."""

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fips_doctor.evidence import State
from fips_hooks.health import health
from fips_launch import words
from tests.conftest import PROJECT
from tests.documents import FILES, column, example, tables, text
from tests.unit.test_doctor import evidence, report
from tools.build.reproduce import REMEDIES
from tools.campaign.verdict import ALLOWED, FAILED
from tools.hosts.catalog import systems

ADMINISTRATORS = "docs/administrators.md"
PARTS = PROJECT / "parts"
#: Those that say something to people.
PACKAGES = ("fips-launch/fips_launch", "fips-hooks/fips_hooks", "fips-doctor/fips_doctor")
#: Evidence that is never BAD, or only together with what has a code of its own.
WITHOUT_CODE = {
    *("process", "openssl", "refused", "validation", "kernel", "system", "host_openssl", "snap", "services"),
    *("forced_mode", "linked_module", "upstream_snap", "plugins", "lineages", "two_managers"),
    *("lineage_keys", "hooks_path"),
}


def anchors(file: Path) -> set[str]:
    """Return the places in a document that a link can name, as GitHub makes them of its headings."""
    headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def code(file: Path) -> list[str]:
    """Return what stands in a document as code, within lines and in blocks."""
    content = file.read_text()
    blocks = re.findall(r"^(?: {4}| {7})(.*)$", content, re.MULTILINE)
    return [*blocks, *re.findall(r"`([^`\n]+)`", content)]


def test_there_are_the_documents() -> None:
    assert {file.name for file in FILES} >= {
        *("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"),
        *("administrators.md", "auditors.md", "design.md", "releasing.md", "testing.md"),
    }


def test_readme_is_short() -> None:
    assert len(text("README.md").splitlines()) <= 120


def leads_somewhere(file: Path, target: str) -> bool:
    path, _, place = target.partition("#")
    found = file.parent / path if path else file
    return target.startswith("https://") or (found.exists() and (not place or place in anchors(found)))


def wrong(file: Path) -> list[str]:
    """Return the links of a document that lead nowhere, and its commands and files that are not there."""
    found = [at for at in re.findall(r"\]\(([^)]+)\)", file.read_text()) if not leads_somewhere(file, at)]
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    for pattern, is_there in (
        (r"^(?:sudo )?make ([a-z-]+)", lambda target: target in targets),
        (r"python3 -m ([\w.]+)", importlib.util.find_spec),
        (r"(?:WHERE=|tools\.hosts (?:run|shell) )([\w.-]+)", lambda system: system in systems()),
        (r"^((?:parts|tools|tests|docs|snap/hooks|plans)/[\w./-]*)$", lambda name: (PROJECT / name).exists()),
    ):
        named = [name for line in code(file) for name in re.findall(pattern, line)]
        found += [name for name in named if not is_there(name)]
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PROJECT)))
def test_links_commands_and_files_are_there(file: Path) -> None:
    assert wrong(file) == []


def test_what_is_not_there_is_found(tmp_path: Path) -> None:
    """The control."""
    (tmp_path / "b.md").write_text("# A heading\n")
    sound = "[a](b.md#a-heading) `make spread WHERE=debian-12` `tools/hosts` `python3 -m tools.build`\n"
    unsound = "[a](c.md) [a](b.md#no) `make tests WHERE=none` `tools/host` `python3 -m tools.no`\n"
    (tmp_path / "a.md").write_text(sound + unsound)
    assert wrong(tmp_path / "a.md") == ["c.md", "b.md#no", "tests", "tools.no", "none", "tools/host"]


def templates(node: ast.AST | None) -> list[str]:
    """Return the texts that an expression can be, `…` for what is filled in."""
    match node:
        case ast.Constant(value=str(value)):
            return [value]
        case ast.JoinedStr(values=values):
            return ["".join(filled(part) for part in values)]
        case ast.BoolOp(values=[*_, ast.List(elts=[last])]):
            return templates(last)
        case ast.IfExp(body=body, orelse=orelse):
            return templates(body) + templates(orelse)
    return []


def filled(part: ast.expr) -> str:
    match part:
        case ast.Constant(value=str(value)):
            return value
        case ast.FormattedValue(value=ast.Name(id="PREFIX")):
            return ""
    return "…"


def said(file: Path) -> Iterator[str]:
    """Yield what the functions of a Python file say when something is wrong, and why they decide."""
    at = {"refuse": 0, "end": 0, "exit": 0, "print": 0, "Decision": 2}
    functions = [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)]
    for node in (inner for function in functions for inner in ast.walk(function)):
        match node:
            case ast.Raise(exc=ast.Call(args=[first, *_])):
                yield from templates(first)
            case ast.Assign(targets=[ast.Name(id="what" | "why" | "doing" | "lines")], value=value):
                yield from templates(value)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=words):
                if name in at and len(words) > at[name]:
                    yield from templates(words[at[name]])


def refusals() -> set[str]:
    """Return every refusal of launcher, hooks and doctor, and every reason, as the program's text has it."""
    found = {line for package in PACKAGES for file in (PARTS / package).glob("*.py") for line in said(file)}
    for file, pattern in (
        ("main.c", r'(?:fail\(|snprintf\(text, sizeof\(text\), )"([^"]+)"'),
        ("probe.c", r'PyErr_\w+\(PyExc_OSError, "([^"]+)"'),
    ):
        found |= set(re.findall(pattern, (PARTS / "python-setup" / file).read_text()))
    plain = {line.replace("%s", "…").removeprefix("certbot-fips: ") for line in found}
    return {line for line in plain if re.search("[a-z]{2}", line)}


def test_every_refusal_has_its_remedy() -> None:
    listed = column(ADMINISTRATORS, "beginning", "reason", "what")
    assert set(listed) == refusals()
    remedies = [
        row[-1] for header, rows in tables(ADMINISTRATORS) if header[0] in ("reason", "what") for row in rows
    ]
    assert all(remedies)


def test_every_health_code_is_listed() -> None:
    names = {
        str(key.value)
        for file in (PARTS / "fips-doctor/fips_doctor").glob("*.py")
        for function in ast.parse(file.read_text()).body
        if isinstance(function, ast.FunctionDef) and isinstance(function.returns, ast.Name)
        if function.returns.id == "Evidence"
        for node in ast.walk(function)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    }
    assert len(names) > 20
    assert names > WITHOUT_CODE
    # Where Python cannot start, a shell says so.
    said = re.search(r"set-health (\w+) .* --code=(\S+)", (PARTS / "fips-hooks/check-health").read_text())
    assert said
    found = {("okay", ""), (said[1], said[2])}
    for name in names:
        for needed, flagged in ((True, True), (False, False), (False, True)):
            for state in State:
                status, *words = health(report(evidence(**{name: state}), needed, flagged), "certbot-fips")
                if words and words[-1] not in {f"--code={name.replace('_', '-')}" for name in WITHOUT_CODE}:
                    found.add((status, words[-1].removeprefix("--code=")))
    listed = [
        (row[0], row[1]) for header, rows in tables(ADMINISTRATORS) if header[0] == "health" for row in rows
    ]
    assert sorted(listed) == sorted(found)


def test_every_word_on_certbots_errors_is_listed() -> None:
    told = dict.fromkeys(row.what.removeprefix("FIPS: ") for row in words.TABLE)
    assert column(ADMINISTRATORS, "told") == list(told)


def test_every_line_of_the_doctor_is_explained() -> None:
    """`tests/snap/test_documents.py` holds the example against the program."""
    lines = example(ADMINISTRATORS, "FIPS: active")[2:]
    shown = [re.split("  +", line[2:])[0].replace("`", "") for line in lines]
    assert [label.replace("`", "") for label in column(ADMINISTRATORS, "line")] == shown


def test_every_outcome_of_the_campaign_is_explained() -> None:
    listed = [row for header, rows in tables("docs/auditors.md") if header[0] == "outcome" for row in rows]
    assert [tuple(row) for row in listed] == [*ALLOWED.items(), *FAILED.items()]


def test_every_remedy_that_makes_builds_the_same_is_listed() -> None:
    assert column("docs/testing.md", "remedy") == list(REMEDIES)


def test_every_system_that_can_be_brought_up_here_is_listed() -> None:
    here = {system.name for system in systems().values() if system.backend == "adhoc" and not system.manual}
    listed = " ".join(column("docs/testing.md", "system"))
    assert set(re.findall(r"[a-z]+-[\w-]+", listed)) == here
