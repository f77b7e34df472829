"""Verify evidence: every byte by a signature, every signature by the policy, every claim by another file.

Nothing is true because it stands there: a file counts when its sha256 is in a statement, a statement when a
key of the policy signed it and may say it, and a count when it follows from the results beside it.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tools.build import compare
from tools.build.base import unpack
from tools.digest import sha256
from tools.release import envelope, junit, runs, texts
from tools.release.envelope import Said
from tools.release.errors import ReleaseError
from tools.release.inventory import FILE as BOM_IN_SNAP
from tools.release.inventory import check
from tools.release.inventory.bom import invalid
from tools.release.make import BUILD, PROVENANCE, RAN, RESULT, SIGNED
from tools.release.policy import Policy

#: What is said of a channel.
STEP = re.compile(r"(?:approval|(release|decision)-(\d{1,3}))\.dsse\.json")
#: Of each of these by its first word: what its signer has to be allowed to say, and its kind.
SAID_OF_STEP = {
    None: ("approval", envelope.APPROVAL),
    "release": ("release", envelope.RELEASE),
    "decision": ("release", envelope.SUMMARY),
}
#: Where the snap's files lie on a host; the second is Red Hat's.
OURS = re.compile(r"(?:/var/lib/snapd)?/snap/certbot-fips/[^/]+/(.+)")
#: What the module's own program says at the end, where every self-test passed.
SELF_TEST = "INSTALL PASSED"


@dataclass(frozen=True)
class Host:
    """What is verified of a host."""

    said: Said
    results: junit.Results


@dataclass
class Evidence:
    """What is verified of a snap.

    :ivar whole: what is said of the snap itself is as it has to be; if not, no host was looked at.
    :ivar held: the snap itself was read, and its inventory held against all that is in it.
    :ivar files: the sha256 of each file that the inventory has, by its path in the snap.
    :ivar boundary: how many operations are computed where, by the inventory.
    :ivar problems: a line for everything that is not as it has to be.
    """

    folder: Path
    whole: bool = False
    held: bool = False
    subject: dict[str, Any] = field(default_factory=dict)
    module: dict[str, Any] = field(default_factory=dict)
    bom: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    boundary: dict[str, int] = field(default_factory=dict)
    build: Said | None = None
    provenance: Said | None = None
    hosts: dict[str, Host] = field(default_factory=dict)
    runs: dict[str, Said] = field(default_factory=dict)
    approvals: dict[str, Said] = field(default_factory=dict)
    releases: dict[str, dict[int, Said]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def verify(folder: Path, policy: Policy, now: datetime, snap: Path | None = None) -> Evidence:
    """Return what a folder of evidence shows, and what is wrong with it.

    :param folder: named by the snap's sha256.
    :param now: the time.
    :param snap: the snap itself; without it, it is known by its digests alone.
    """
    found = Evidence(folder)
    try:
        _snap(found, policy, now)
        if snap is not None:
            _itself(found, snap)
    except ReleaseError as error:
        found.problems.append(str(error))
        return found
    found.whole = True
    for path in _below(folder / "hosts"):
        try:
            found.hosts[path.name] = _host(found, path, policy, now)
        except ReleaseError as error:
            found.problems.append(f"hosts/{path.name}: {error}")
    for path in _below(folder / "runs"):
        try:
            found.runs[path.name] = _run(found, path, policy, now)
        except ReleaseError as error:
            found.problems.append(f"runs/{path.name}: {error}")
    for path in _below(folder / "channels"):
        try:
            _channel(found, path, policy, now)
        except ReleaseError as error:
            found.problems.append(f"channels/{path.name}: {error}")
    return found


def _below(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def missing(found: Evidence, policy: Policy, channel: str, now: datetime) -> Iterator[str]:
    """Yield a line for all evidence that a channel asks for and that is not there, failed, or does not count.

    :param found: what is verified.
    """
    wanted = policy.channels[channel]
    oldest = now - timedelta(days=wanted.days)
    for what, said in (("the snap", found.build), ("the provenance", found.provenance)):
        if said is not None and channel not in said.by.channels:
            yield f"{what}: signed by {said.by.name}, which says nothing for {channel}"
    if wanted.clean and (found.subject.get("changed", True) or found.subject.get("commit") == "unknown"):
        yield "the snap was built from changes that are not committed"
    for name in wanted.hosts:
        host = found.hosts.get(name)
        if host is None:
            yield f"{name}: there is no evidence that counts"
            continue
        if channel not in host.said.by.channels:
            yield f"{name}: signed by {host.said.by.name}, which says nothing for {channel}"
        if texts.moment(host.said.predicate["ended"], name) < oldest:
            yield f"{name}: older than {wanted.days} days ({host.said.predicate['ended']})"
        for test in policy.tests[name]:
            if why := host.results.why_not(test):
                yield f"{name}: {test} {why}"
        for test in sorted(set(host.results.failed) - set(policy.tests[name])):
            yield f"{name}: {test} failed"
    for name in wanted.runs:
        run = found.runs.get(name)
        if run is None:
            yield f"{name}: there is no evidence that counts"
            continue
        if channel not in run.by.channels:
            yield f"{name}: signed by {run.by.name}, which says nothing for {channel}"
        if texts.moment(run.predicate["ended"], name) < oldest:
            yield f"{name}: older than {wanted.days} days ({run.predicate['ended']})"


def _snap(found: Evidence, policy: Policy, now: datetime) -> None:
    folder = found.folder
    if folder.is_symlink() or not folder.is_dir():
        raise ReleaseError(f"there is no evidence in {folder}")
    digest = folder.name
    found.build = envelope.opened(folder / BUILD, envelope.BUILD, digest, policy.authorities)
    _may(found.build, "build")
    found.provenance = envelope.opened(folder / PROVENANCE, envelope.PROVENANCE, digest, policy.authorities)
    _may(found.provenance, "build")
    said, name = found.build.predicate, found.build.name
    texts.judge(said, "build", name)
    content = _bytes(folder, said["files"], {name, found.provenance.name, "hosts", "runs", "channels"})
    _time(said["made"], name, policy, now)
    found.subject = texts.parse(content["subject.json"], "subject.json")
    texts.judge(found.subject, "subject", "subject.json")
    found.module = texts.parse(content["module.json"], "module.json")
    texts.judge(found.module, "module", "module.json")
    if found.subject["sha256"] != digest:
        raise ReleaseError("subject.json is of another snap")
    if found.subject["commit"] != said["commit"]:
        raise ReleaseError(f"{name} is of another commit than subject.json")
    for each in (found.build, found.provenance):
        _of_commit(found, each)
    found.bom = _inventory(found, content["bom.cdx.json"])
    name = found.provenance.name
    texts.judge(found.provenance.predicate, "provenance", name)
    built = found.provenance.predicate["buildDefinition"]
    parameters = built["externalParameters"]
    pins = {each["digest"].get("sha256") for each in built["resolvedDependencies"]}
    if parameters["commit"] != found.subject["commit"]:
        raise ReleaseError(f"{name} is of another commit than subject.json")
    if parameters["origin"] != found.module["origin"]:
        raise ReleaseError(f"{name} says another origin of the module than module.json")
    if found.module["source"].partition("/")[0] == "sha256" and found.module["source"][7:] not in pins:
        raise ReleaseError(f"{name} has not the module's source")


def _inventory(found: Evidence, text: bytes) -> dict[str, Any]:
    """Return the inventory, if it is one and says of snap and module what the other files say."""
    name = "bom.cdx.json"
    bom: dict[str, Any] = texts.parse(text, name)
    if wrong := invalid(text.decode(errors="replace")):
        raise ReleaseError(f"{name} is not CycloneDX 1.6: {wrong}")
    # What CycloneDX leaves open, and every inventory of ours has.
    try:
        top = bom["metadata"]["component"]
        snap = (top["version"], check.said(top, "commit"))
        refs = [(str(each["bom-ref"]), each) for each in check.components(bom)]
        found.files = {
            each["name"]: each["hashes"][0]["content"] for ref, each in refs if ref.startswith("file:")
        }
        said = [
            (each["hashes"][0]["content"], each["version"], check.said(each, "fips:validation"))
            for ref, each in refs
            if ref.startswith("module:")
        ]
        found.boundary = check.boundary(bom)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ReleaseError(f"{name} is no inventory of a snap of ours") from error
    if snap != (found.subject["version"], found.subject["commit"]):
        raise ReleaseError(f"{name} is of another snap than subject.json")
    if said != [(found.module["sha256"], found.module["version"], found.module["validation"])]:
        raise ReleaseError(f"{name} says something else of the FIPS module than module.json")
    return bom


def _itself(found: Evidence, snap: Path) -> None:
    """Hold the snap's bytes, and what can be read in it, against what is said of it."""
    if not snap.is_file() or sha256(snap) != found.subject["sha256"]:
        raise ReleaseError(f"{snap} is not the snap that the evidence is of")
    with snap.open("rb") as file:
        if hashlib.file_digest(file, "sha3_384").hexdigest() != found.subject["sha3-384"]:
            raise ReleaseError("subject.json has another sha3-384 than the snap")
    if compare.read(snap, BOM_IN_SNAP) != texts.read(found.folder / "bom.cdx.json"):
        raise ReleaseError("bom.cdx.json is not the inventory that is in the snap")
    module = compare.read(snap, compare.MODULE)
    if hashlib.sha256(module).hexdigest() != found.module["sha256"]:
        raise ReleaseError("module.json is of another module than the one in the snap")
    record = texts.parse(compare.read(snap, compare.RECORD), "the snap's record")
    for name in ("version", "origin", "source", "validation", "sealed_sources_checked"):
        if found.module[name] != record[name]:
            raise ReleaseError(f"module.json says another {name} than the snap's record")
    with tempfile.TemporaryDirectory() as unpacked:
        for line in check.differences(unpack(snap, Path(unpacked))):
            raise ReleaseError(f"bom.cdx.json: {line}")
    found.held = True


def _expected(path: Path, kind: str, known: Container[str]) -> None:
    """Raise ReleaseError unless it is a folder of that kind which the policy names."""
    if path.is_symlink() or not path.is_dir():
        raise ReleaseError(f"is no folder of a {kind}")
    if path.name not in known:
        raise ReleaseError(f"the policy has no such {kind}")


def _host(found: Evidence, path: Path, policy: Policy, now: datetime) -> Host:
    _expected(path, "host", policy.tests)
    digest = found.subject["sha256"]
    said = envelope.opened(path / SIGNED, envelope.HOST, digest, policy.authorities)
    _may(said, "host", path.name)
    result = envelope.opened(path / RESULT, envelope.TEST_RESULT, digest, policy.authorities)
    about = said.predicate
    texts.judge(about, "host", said.name)
    content = _bytes(path, about["files"], {said.name, result.name})
    if about["host"] != path.name:
        raise ReleaseError(f"{said.name} is of another host ({about['host']})")
    for each in (said, result):
        _of_commit(found, each)
    _when(found, said, policy, now)
    results = junit.results(content["junit.xml"], path.name)
    if about["tests"] != results.counts:
        raise ReleaseError(f"{said.name} counts other tests than junit.xml has")
    _result(result, said, results)
    if about["boundary"] != found.boundary:
        raise ReleaseError(f"{said.name} says another boundary than the inventory")
    _seen(found, said, content)
    return Host(said, results)


def _of_commit(found: Evidence, said: Said) -> None:
    """Hold the commit of the run that signed a statement against the snap's."""
    if said.commit not in (None, found.subject["commit"]):
        raise ReleaseError(f"{said.name} was signed by a run of another commit ({said.commit})")


def _when(found: Evidence, said: Said, policy: Policy, now: datetime) -> None:
    """Hold commit and times of a statement against the snap's."""
    about, name = said.predicate, said.name
    if about["commit"] != found.subject["commit"]:
        raise ReleaseError(f"{name} is of another commit than the snap")
    started, ended = (_time(about[each], name, policy, now) for each in ("started", "ended"))
    if started > ended or started.timestamp() < found.subject["time"] - policy.ahead:
        raise ReleaseError(f"{name}: it began before the snap was there, or ended before it began")


def _run(found: Evidence, path: Path, policy: Policy, now: datetime) -> Said:
    _expected(path, "run", policy.runs)
    digest = found.subject["sha256"]
    said = envelope.opened(path / RAN, envelope.RUN, digest, policy.authorities)
    _may(said, "run")
    texts.judge(said.predicate, "run", said.name)
    content = _bytes(path, said.predicate["files"], {said.name})
    _of_commit(found, said)
    _when(found, said, policy, now)
    for line in runs.wrong(policy.runs[path.name], said.predicate, content["transcript.txt"], digest):
        raise ReleaseError(line)
    return said


def _channel(found: Evidence, path: Path, policy: Policy, now: datetime) -> None:
    """Take what was said of a channel: a person's approval, and each step of its releases."""
    if path.is_symlink() or not path.is_dir() or path.name not in policy.channels:
        raise ReleaseError("there is no such channel")
    digest = found.subject["sha256"]
    for file in sorted(path.iterdir()):
        step = STEP.fullmatch(file.name)
        if not step:
            raise ReleaseError(f"{file.name} belongs to no statement")
        what, kind = SAID_OF_STEP[step[1]]
        said = envelope.opened(file, kind, digest, policy.authorities)
        _may(said, what)
        about = said.predicate
        if kind == envelope.SUMMARY:
            _decided(said, path.name, policy, now)
            continue
        texts.judge(about, what, file.name)
        if about["commit"] != found.subject["commit"]:
            raise ReleaseError(f"{file.name} is of another commit than the snap")
        if about["channel"] != path.name or path.name not in said.by.channels:
            raise ReleaseError(f"{file.name} is signed by {said.by.name}, which says nothing for {path.name}")
        _time(about["released" if step[1] else "approved"], file.name, policy, now)
        if not step[1]:
            found.approvals[path.name] = said
            continue
        if about["percent"] != int(step[2]):
            raise ReleaseError(f"{file.name} is of {about['percent']} per cent")
        if not (path / f"decision-{step[2]}{envelope.SUFFIX}").exists():
            raise ReleaseError(f"{file.name} lies without the decision that it follows from")
        found.releases.setdefault(path.name, {})[about["percent"]] = said


def _decided(said: Said, channel: str, policy: Policy, now: datetime) -> None:
    """Hold a decision that was acted on against the channel that it lies with."""
    try:
        properties, made = said.predicate["properties"], said.predicate["timeCreated"]
        yes = envelope.answer(channel, True) in properties
    except (KeyError, TypeError) as error:
        raise ReleaseError(f"{said.name} is no decision") from error
    if channel not in said.by.channels:
        raise ReleaseError(f"{said.name} is signed by {said.by.name}, which says nothing for {channel}")
    if not yes:
        raise ReleaseError(f"{said.name} is no decision for {channel}")
    _time(made, said.name, policy, now)


def _result(said: Said, host: Said, results: junit.Results) -> None:
    """Hold in-toto's test-result against the results that it is of."""
    if said.by != host.by:
        raise ReleaseError(f"{said.name} is signed by somebody else than {host.name}")
    expected = ("FAILED" if results.failed else "PASSED", list(results.passed), list(results.failed))
    named = (said.predicate.get(name) for name in ("result", "passedTests", "failedTests"))
    if tuple(named) != expected:
        raise ReleaseError(f"{said.name} says other results than junit.xml has")


def _seen(found: Evidence, said: Said, content: dict[str, bytes]) -> None:
    """Hold what was seen on a host against the inventory: FIPS was active, by this module and no other."""
    about = said.predicate
    if about["kernel"]["flag"] != "1":
        raise ReleaseError("the kernel's flag was not on")
    doctor = texts.parse(content["doctor.json"], "doctor.json")
    try:
        judged = (doctor["verdict"], doctor["exit_status"])
    except (KeyError, TypeError) as error:
        raise ReleaseError("doctor.json is not what the doctor says") from error
    if judged != (about["doctor"]["verdict"], about["doctor"]["exit_status"]):
        raise ReleaseError(f"{said.name} says another verdict than doctor.json")
    if judged != ("fips-active", 0):
        raise ReleaseError(f"the doctor's verdict was {judged[0]}")
    if SELF_TEST not in content["self-test.txt"].decode(errors="replace").splitlines():
        raise ReleaseError("the module's self-tests did not all pass (self-test.txt)")
    libraries = texts.parse(content["libraries.json"], "libraries.json")
    if not isinstance(libraries, dict):
        raise ReleaseError("libraries.json is no list of files")
    modules = []
    for file, digest in libraries.items():
        ours = OURS.fullmatch(file)
        if ours and found.files.get(ours[1]) != digest:
            raise ReleaseError(f"in memory was {file}, which is not in the inventory")
        if not ours and ("libcrypto" in file or "fips" in Path(file).name):
            raise ReleaseError(f"in memory was {file}, which is not the snap's")
        modules += [digest] if file.endswith("/fips.so") else []
    if modules != [found.module["sha256"]] or about["module"]["sha256"] != found.module["sha256"]:
        raise ReleaseError("the module in memory was not the snap's")
    if about["module"]["version"] != found.module["version"]:
        raise ReleaseError("the module that was active has another version than the snap's")


def _bytes(folder: Path, named: dict[str, str], own: set[str]) -> dict[str, bytes]:
    """Return the files of a folder: those that are named, each with its sha256, and no others.

    :param own: what may lie there besides.
    """
    there = {path.name for path in folder.iterdir()}
    if foreign := sorted(there - set(named) - own):
        raise ReleaseError(f"{foreign[0]} belongs to no statement")
    if gone := sorted(set(named) - there):
        raise ReleaseError(f"{gone[0]} is missing")
    content = {}
    for name, digest in sorted(named.items()):
        content[name] = texts.read(folder / name)
        if hashlib.sha256(content[name]).hexdigest() != digest:
            raise ReleaseError(f"{name} was changed after it was signed")
    return content


def _may(said: Said, what: str, host: str | None = None) -> None:
    if what not in said.by.may:
        raise ReleaseError(f"{said.name} is signed by {said.by.name}, which may not say that")
    if host is not None and said.by.hosts is not None and host not in said.by.hosts:
        raise ReleaseError(f"{said.name} is signed by {said.by.name}, which may not speak for {host}")


def _time(text: str, name: str, policy: Policy, now: datetime) -> datetime:
    found = texts.moment(text, name)
    if found > now.astimezone(UTC) + timedelta(seconds=policy.ahead):
        raise ReleaseError(f"{name} is from the future ({text}): one of the two clocks is wrong")
    return found
