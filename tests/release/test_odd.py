"""What has the right signature and the wrong form ends in a line, and in no traceback."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.release.conftest import HOST, Case
from tools.release import envelope, junit, make, verify
from tools.release.observed import Observed
from tools.release.policy import Policy

ODD: tuple[Any, ...] = (None, 0, "", [], {}, [None], {"": None}, "2026-01-01")


def odd(content: dict[str, Any], depth: int = 2) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield copies of a text in which something is gone or is another thing, with what that is."""

    def walk(inside: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        if len(path) < depth and isinstance(inside, dict):
            for key in inside:
                yield (*path, key)
                yield from walk(inside[key], (*path, key))

    for path in list(walk(content, ())):
        for value in (..., *ODD):
            copy = json.loads(json.dumps(content))
            holder = copy
            for step in path[:-1]:
                holder = holder[step]
            if value is ...:
                del holder[path[-1]]
            elif holder[path[-1]] == value:
                continue
            else:
                holder[path[-1]] = value
            yield f"{'/'.join(map(str, path))}: {value!r}", copy


def predicate_of(case: Case, name: str) -> dict[str, Any]:
    statement = json.loads(base64.b64decode(json.loads((case.folder / name).read_text())["payload"]))
    found: dict[str, Any] = statement["predicate"]
    return found


def lines(case: Case, rules: Policy, what: str) -> list[str]:
    found = verify.verify(case.folder, rules, case.time)
    said = [*found.problems, *(verify.missing(found, rules, "edge", case.time) if found.whole else ())]
    for line in said:
        assert line and "\n" not in line, what
    return said


@pytest.mark.parametrize("name", ["subject.json", "module.json", "bom.cdx.json", "provenance.dsse.json"])
def test_of_the_snap(case: Case, name: str) -> None:
    """The builder's own key signs all of it."""
    signer, resource = case.signer("builder"), make.descriptor(case.about)
    build, path = predicate_of(case, "build.dsse.json"), case.folder / name
    signed = name.endswith(envelope.SUFFIX)
    whole = predicate_of(case, name) if signed else json.loads(path.read_text())
    # Of the inventory only what is looked at: it is large, and its schema is CycloneDX's.
    if name == "bom.cdx.json":
        modules = [each for each in whole["components"] if each["bom-ref"].startswith("module:")]
        whole |= {"components": modules, "dependencies": [], "vulnerabilities": []}
    part = {"metadata": whole["metadata"]} if name == "bom.cdx.json" else whole
    seen, rules = 0, case.policy()
    for what, content in odd(part, 3 if name == "bom.cdx.json" else 2):
        text = json.dumps({**whole, **content} if part is not whole else content)
        if signed:
            text = envelope.sign(resource, envelope.PROVENANCE, json.loads(text), signer)
        path.write_text(text)
        files = {**build["files"], name: make.digests({"": text.encode()})[""]}
        said = envelope.sign(resource, envelope.BUILD, {**build, "files": files}, signer)
        (case.folder / "build.dsse.json").write_text(said)
        lines(case, rules, what)
        seen += 1
    assert seen > 10


def test_of_the_statements(case: Case) -> None:
    resource, rules = make.descriptor(case.about), case.policy()
    for name, kind, by in (
        ("build.dsse.json", envelope.BUILD, "builder"),
        (f"hosts/{HOST}/host.dsse.json", envelope.HOST, "laboratory"),
        (f"hosts/{HOST}/test-result.dsse.json", envelope.TEST_RESULT, "laboratory"),
    ):
        whole = (case.folder / name).read_bytes()
        for what, content in odd(predicate_of(case, name)):
            (case.folder / name).write_text(envelope.sign(resource, kind, content, case.signer(by)))
            lines(case, rules, f"{name}: {what}")
        (case.folder / name).write_bytes(whole)
    assert case.problems() == []


@pytest.mark.parametrize("name", ["doctor.json", "libraries.json", "self-test.txt", "junit.xml"])
@pytest.mark.parametrize(
    "content",
    [b"", b"null", b"[]", b"{}", b"[[[", b"\xff\xfe", b'{"verdict": []}', b'{"/a": 1}', b"<a/>", b"1e999"],
)
def test_of_a_hosts_files(case: Case, name: str, content: bytes) -> None:
    files = {**case.seen.files, name: content}
    seen = Observed(files, case.seen.predicate, junit.Results((), (), {}))
    make.of_host(case.folder, case.about, seen, case.signer("laboratory"))
    assert lines(case, case.policy(), name)
