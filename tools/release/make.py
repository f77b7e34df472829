"""`make evidence`: what was seen of a snap on a host, signed."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from securesystemslib.signer import Signer

from tools.build.recipe import PROJECT
from tools.digest import sha256
from tools.release import attestation, envelope, runs, subject, texts
from tools.release.errors import ReleaseError
from tools.release.junit import Results
from tools.release.observed import Observed, observe
from tools.release.policy import Run

EVIDENCE = PROJECT / "dist/evidence"
#: Who signs, or the folder into which predicates go as NAME.json, for whoever signs them elsewhere.
By = Signer | Path
#: What each host's folder ends with: it names every other file there that is no statement itself.
SIGNED = f"host{envelope.SUFFIX}"
RESULT = f"test-result{envelope.SUFFIX}"
#: The same of a run.
RAN = f"run{envelope.SUFFIX}"
#: The same of the snap.
BUILD = f"build{envelope.SUFFIX}"
PROVENANCE = f"provenance{envelope.SUFFIX}"


def folder_of(digest: str, below: Path = EVIDENCE) -> Path:
    """Return where the evidence of a snap lies, by its hex sha256."""
    return below / digest


def of_snap(snap: Path, by: By, below: Path = EVIDENCE, revision: int | None = None) -> Path:
    """Write what is to be said of a snap by itself, and return its folder.

    :param revision: the store's, where it is known.
    :raises BuildError: it is no snap of ours.
    """
    about = subject.subject(snap, revision)
    folder = folder_of(about["sha256"], below)
    files = {
        "subject.json": texts.dump(about).encode(),
        "module.json": texts.dump(subject.module(snap)).encode(),
        "bom.cdx.json": subject.bill(snap),
    }
    said = {"commit": about["commit"], "made": texts.stamp(datetime.now(UTC)), "files": digests(files)}
    _lay(folder, files)
    _state(folder / PROVENANCE, about, envelope.PROVENANCE, subject.provenance(snap), by)
    _state(folder / BUILD, about, envelope.BUILD, said, by)
    return folder


def of_host(folder: Path, about: dict[str, Any], seen: Observed, by: By) -> None:
    """Write what was seen on a host into the folder of its snap.

    :param about: the snap's subject.json.
    """
    there, names = folder / "hosts" / seen.predicate["host"], digests(seen.files)
    result = {
        "result": "FAILED" if seen.results.failed else "PASSED",
        "configuration": [{"name": "junit.xml", "digest": {"sha256": names["junit.xml"]}}],
        "passedTests": list(seen.results.passed),
        "warnedTests": [],
        "failedTests": list(seen.results.failed),
    }
    said = {**seen.predicate, "files": names}
    texts.judge(said, "host", "the host's statement")
    _lay(there, seen.files)
    _state(there / RESULT, about, envelope.TEST_RESULT, result, by)
    _state(there / SIGNED, about, envelope.HOST, said, by)


def of_run(folder: Path, about: dict[str, Any], transcript: bytes, seen: dict[str, Any], by: By) -> None:
    """Write what a long run said into the folder of its snap."""
    files = {"transcript.txt": transcript}
    said = {**seen, "files": digests(files)}
    texts.judge(said, "run", "the run's statement")
    _lay(folder / "runs" / seen["run"], files)
    _state(folder / "runs" / seen["run"] / RAN, about, envelope.RUN, said, by)


def ran(snap: Path, wanted: Run, by: By, below: Path = EVIDENCE) -> tuple[Path, list[str]]:
    """Make the evidence of a long run on a snap; return the snap's folder, and why it shows nothing."""
    about = subject.subject(snap)
    transcript, seen = runs.run(snap, wanted, about["commit"])
    folder = _begun(snap, about, by, below)
    of_run(folder, about, transcript, seen, by)
    return folder, list(runs.wrong(wanted, seen, transcript, about["sha256"]))


def evidence(snap: Path, host: str, by: By, below: Path = EVIDENCE) -> tuple[Path, Results]:
    """Make the evidence of a snap on a host; return the folder of the snap's, and how the tests ended."""
    about = subject.subject(snap)
    seen = observe(snap, host, about["commit"])
    folder = _begun(snap, about, by, below)
    of_host(folder, about, seen, by)
    return folder, seen.results


def attested(bundle: Path, below: Path = EVIDENCE) -> Path:
    """Lay a statement that was signed elsewhere, by a run of the CI, to the files that it is about.

    Nothing of it is believed for that: `verify` does, or does not.

    :param bundle: Sigstore's, as actions/attest writes it.
    :returns: where it is now.
    :raises ReleaseError: it says nothing of what is there.
    """
    text = texts.read(bundle)
    said = attestation.payload(text, bundle.name)
    try:
        kind, predicate, digest = (
            said["predicateType"],
            said["predicate"],
            said["subject"][0]["digest"]["sha256"],
        )
        folder = {path.name: path for path in below.iterdir()}[digest] if below.is_dir() else below / "none"
        hosts, done = ({path.name: path for path in (folder / name).glob("*")} for name in ("hosts", "runs"))
        match kind:
            case envelope.BUILD:
                target = folder / BUILD
            case envelope.PROVENANCE:
                target = folder / PROVENANCE
            case envelope.RUN:
                target = done[predicate["run"]] / RAN
            case envelope.HOST:
                target = hosts[predicate["host"]] / SIGNED
            case _:
                seen = predicate["configuration"][0]["digest"]["sha256"]
                (there,) = (each for each in hosts.values() if sha256(each / "junit.xml") == seen)
                target = there / RESULT
    except (KeyError, IndexError, TypeError, ValueError, OSError) as error:
        raise ReleaseError(f"{bundle.name} says nothing of what is below {below}") from error
    target = target.with_name(target.name.removesuffix(envelope.SUFFIX) + attestation.SUFFIX)
    target.write_bytes(text)
    return target


def _begun(snap: Path, about: dict[str, Any], by: By, below: Path) -> Path:
    """Return the folder of a snap; what its builder has said of it, or will elsewhere, stays as it is."""
    folder = folder_of(about["sha256"], below)
    there = (folder / BUILD).is_file() or isinstance(by, Path)
    return folder if there else of_snap(snap, by, below)


def _state(path: Path, about: dict[str, Any], kind: str, predicate: dict[str, Any], by: By) -> None:
    """Sign a statement, or put its predicate where it will be signed."""
    if isinstance(by, Path):
        by.mkdir(parents=True, exist_ok=True)
        (by / f"{path.name.removesuffix(envelope.SUFFIX)}.json").write_text(texts.dump(predicate))
    else:
        path.write_text(envelope.sign(descriptor(about), kind, predicate, by))


def descriptor(about: dict[str, Any]) -> dict[str, Any]:
    """Return what a statement is about (in-toto, ResourceDescriptor)."""
    return {"name": about["file"], "digest": {"sha256": about["sha256"], "sha3_384": about["sha3-384"]}}


def digests(files: dict[str, bytes]) -> dict[str, str]:
    """Return the hex sha256 of each file, by its name."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def _lay(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
