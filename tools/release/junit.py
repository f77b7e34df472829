"""JUnit's file of results, as pytest writes it too, by the names that the policy has for tests."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

from tools.release.errors import ReleaseError

TASK = ".task.yaml"


@dataclass(frozen=True)
class Case:
    """A task of spread that was run.

    :ivar failure: why it failed; None: it passed.
    """

    task: str
    seconds: float
    failure: str | None


def written(cases: list[Case], host: str) -> bytes:
    """Return the file of results of tasks on a host."""
    top = ElementTree.Element("testsuites")
    failures = sum(case.failure is not None for case in cases)
    suite = ElementTree.SubElement(
        top, "testsuite", name=host, tests=str(len(cases)), failures=str(failures), errors="0", skipped="0"
    )
    for case in cases:
        name = f"{host}:{case.task.rpartition('/')[2]}"
        of_class = f"{case.task.replace('/', '.')}{TASK}"
        found = ElementTree.SubElement(
            suite, "testcase", classname=of_class, name=name, time=f"{case.seconds:.3f}"
        )
        if case.failure is not None:
            # XML 1.0 has no place for most control characters.
            text = "".join(each for each in case.failure if each.isprintable() or each in "\n\t")
            ElementTree.SubElement(found, "failure", message=text.splitlines()[0][:200]).text = text
    return bytes(ElementTree.tostring(top, encoding="utf-8", xml_declaration=True))


@dataclass(frozen=True)
class Results:
    """How the tests on a host ended; a skipped one has its reason."""

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    skipped: dict[str, str]

    @property
    def counts(self) -> dict[str, int]:
        """Their numbers."""
        return {"passed": len(self.passed), "failed": len(self.failed), "skipped": len(self.skipped)}

    def why_not(self, test: str) -> str | None:
        """Return why a test does not count as passed; None: it does."""
        if test in self.failed:
            return "failed"
        if test in self.skipped:
            return f"was skipped ({self.skipped[test]})" if self.skipped[test] else "was skipped"
        return None if test in self.passed else "was not run"


def results(text: bytes, host: str) -> Results:
    """Read a file of results.

    :param host: of which tasks of spread have the name: a task of another host is a mistake.
    :raises ReleaseError: it is no such file, or a test is in it twice.
    """
    # In an encoding of two bytes a DOCTYPE would not be seen.
    if b"\0" in text or not text.startswith(b"<"):
        raise ReleaseError("junit.xml is no XML in UTF-8")
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise ReleaseError("junit.xml has entities of its own")
    try:
        top = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ReleaseError(f"junit.xml is truncated or no XML ({error})") from error
    passed, failed, skipped, seen = [], [], dict[str, str](), set[str]()
    for case in top.iter("testcase"):
        name = _name(case.get("classname", ""), case.get("name", ""), host)
        if name in seen:
            raise ReleaseError(f"junit.xml has {name} twice")
        seen.add(name)
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        elif (why := case.find("skipped")) is not None:
            skipped[name] = " ".join(why.get("message", "").split())[:120]
        else:
            passed.append(name)
    return Results(tuple(sorted(passed)), tuple(sorted(failed)), dict(sorted(skipped.items())))


def _name(of_class: str, name: str, host: str) -> str:
    if not of_class.endswith(TASK):
        return f"{of_class}::{name}"
    task = of_class.removesuffix(TASK).replace(".", "/")
    if name != f"{host}:{task.rpartition('/')[2]}":
        raise ReleaseError(f"junit.xml has {name}, of another host than {host}")
    return task
