"""`make evidence`: what was seen of a snap on a host, signed."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from securesystemslib.signer import Signer

from tools.build.recipe import PROJECT
from tools.release import envelope, runs, subject, texts
from tools.release.junit import Results
from tools.release.observed import Observed, observe
from tools.release.policy import Run

EVIDENCE = PROJECT / "dist/evidence"
#: What each host's folder ends with: it names every other file there.
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


def of_snap(snap: Path, signer: Signer, below: Path = EVIDENCE, revision: int | None = None) -> Path:
    """Write what is to be said of a snap by itself, and return its folder.

    :param revision: the store's, where it is known.
    :raises BuildError: it is no snap of ours.
    """
    about = subject.subject(snap, revision)
    folder = folder_of(about["sha256"], below)
    resource = descriptor(about)
    files = {
        "subject.json": texts.dump(about).encode(),
        "module.json": texts.dump(subject.module(snap)).encode(),
        "bom.cdx.json": subject.bill(snap),
        PROVENANCE: envelope.sign(resource, envelope.PROVENANCE, subject.provenance(snap), signer).encode(),
    }
    said = {"commit": about["commit"], "made": texts.stamp(datetime.now(UTC)), "files": digests(files)}
    files[BUILD] = envelope.sign(resource, envelope.BUILD, said, signer).encode()
    _lay(folder, files)
    return folder


def of_host(folder: Path, about: dict[str, Any], seen: Observed, signer: Signer) -> None:
    """Write what was seen on a host into the folder of its snap.

    :param about: the snap's subject.json.
    """
    resource, files = descriptor(about), dict(seen.files)
    result = {
        "result": "FAILED" if seen.results.failed else "PASSED",
        "configuration": [{"name": "junit.xml", "digest": {"sha256": digests(files)["junit.xml"]}}],
        "passedTests": list(seen.results.passed),
        "warnedTests": [],
        "failedTests": list(seen.results.failed),
    }
    files[RESULT] = envelope.sign(resource, envelope.TEST_RESULT, result, signer).encode()
    said = {**seen.predicate, "files": digests(files)}
    texts.judge(said, "host", "the host's statement")
    files[SIGNED] = envelope.sign(resource, envelope.HOST, said, signer).encode()
    _lay(folder / "hosts" / seen.predicate["host"], files)


def of_run(
    folder: Path, about: dict[str, Any], transcript: bytes, seen: dict[str, Any], signer: Signer
) -> None:
    """Write what a long run said into the folder of its snap."""
    files = {"transcript.txt": transcript}
    said = {**seen, "files": digests(files)}
    texts.judge(said, "run", "the run's statement")
    files[RAN] = envelope.sign(descriptor(about), envelope.RUN, said, signer).encode()
    _lay(folder / "runs" / seen["run"], files)


def ran(snap: Path, wanted: Run, signer: Signer, below: Path = EVIDENCE) -> Path:
    """Make the evidence of a long run on a snap, and return the folder of the snap's."""
    about = subject.subject(snap)
    transcript, seen = runs.run(snap, wanted, about["commit"])
    folder = _begun(snap, about, signer, below)
    of_run(folder, about, transcript, seen, signer)
    return folder


def evidence(snap: Path, host: str, signer: Signer, below: Path = EVIDENCE) -> tuple[Path, Results]:
    """Make the evidence of a snap on a host; return the folder of the snap's, and how the tests ended."""
    about = subject.subject(snap)
    seen = observe(snap, host, about["commit"])
    folder = _begun(snap, about, signer, below)
    of_host(folder, about, seen, signer)
    return folder, seen.results


def _begun(snap: Path, about: dict[str, Any], signer: Signer, below: Path) -> Path:
    """Return the folder of a snap; what its builder has said of it stays as it is."""
    folder = folder_of(about["sha256"], below)
    return folder if (folder / BUILD).is_file() else of_snap(snap, signer, below)


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
