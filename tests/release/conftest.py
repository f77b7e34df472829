"""A snap's evidence as the tests of `tools.release` want it, signed by keys of their own."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from securesystemslib.signer import Signer

from tools.release import junit, keys, make, policy, texts, verify
from tools.release.inventory import check
from tools.release.observed import Observed

HOST = "debian-12-fips"


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Private keys: the builder's, a laboratory's, a person's, and one that nobody knows."""
    folder = tmp_path_factory.mktemp("keys")
    found = {name: folder / f"{name}.pem" for name in ("builder", "laboratory", "person", "stranger")}
    for path in found.values():
        keys.make(path)
    return found


def rules(pairs: dict[str, Path]) -> dict[str, Any]:
    """The project's own policy, with keys."""
    content: dict[str, Any] = yaml.safe_load(policy.FILE.read_text())
    every = list(policy.CHANNELS)
    for name, may in (("builder", ["build"]), ("laboratory", ["host", "run"]), ("person", ["approval"])):
        public = pairs[name].with_suffix(".pub").read_text()
        content["keys"][name] = {"key": public, "may": may, "channels": every}
    return content


@dataclass
class Case:
    """Evidence that is as it should be, for a test to damage.

    :ivar time: when it was made.
    """

    folder: Path
    rules: dict[str, Any]
    pairs: dict[str, Path]
    time: datetime
    about: dict[str, Any]
    seen: Observed

    @property
    def host(self) -> Path:
        return self.folder / "hosts" / HOST

    def signer(self, name: str) -> Signer:
        return keys.signer(self.pairs[name])

    def policy(self) -> policy.Policy:
        file = self.folder.parent / "policy.yaml"
        file.write_text(yaml.safe_dump(self.rules))
        return policy.load(file)

    def problems(self, to: str = "edge", later: timedelta = timedelta(0)) -> list[str]:
        """What `verify` says, line by line."""
        rules, now = self.policy(), self.time + later
        found = verify.verify(self.folder, rules, now)
        missing = verify.missing(found, rules, to, now) if found.whole else []
        return [*found.problems, *missing]

    def see(self, change: Callable[[dict[str, Any], dict[str, bytes]], None], by: str = "laboratory") -> None:
        """Sign something else that was seen on the host: the statement and its files, changed."""
        predicate, files = json.loads(json.dumps(self.seen.predicate)), dict(self.seen.files)
        change(predicate, files)
        results = junit.results(files["junit.xml"], HOST)
        predicate["tests"] = results.counts
        make.of_host(self.folder, self.about, Observed(files, predicate, results), self.signer(by))


def results(failed: str = "", skipped: str = "", absent: str = "") -> bytes:
    """pytest's file of results, of all tasks that the policy wants of the host."""
    content = yaml.safe_load(policy.FILE.read_text())
    cases = []
    for name in (test for each in content["hosts"][HOST] for test in content["tests"][each]):
        inside = ""
        if name == failed:
            inside = '<failure message="no">no</failure>'
        if name == skipped:
            inside = '<skipped type="pytest.skip" message="there is no snapd">here</skipped>'
        if name != absent:
            of_class, task = name.replace("/", "."), name.rpartition("/")[2]
            named = f'classname="{of_class}.task.yaml" name="{HOST}:{task}"'
            cases.append(f'<testcase {named} time="1">{inside}</testcase>')
    suite = f'<testsuite name="pytest" tests="{len(cases)}">{"".join(cases)}</testsuite>'
    return f'<?xml version="1.0" encoding="utf-8"?><testsuites>{suite}</testsuites>'.encode()


def seen(about: dict[str, Any], bom: dict[str, Any], module: dict[str, Any], time: datetime) -> Observed:
    """A stand-in for what `observe` sees on a host: `test_evidence.py` sees it for real."""
    named = {each["name"]: each for part in bom["components"] for each in part.get("components", [])}
    files = ("usr/lib/libcrypto.so.3", "usr/lib/libssl.so.3", "usr/lib/ossl-modules/fips.so")
    libraries = {f"/snap/certbot-fips/x1/{name}": named[name]["hashes"][0]["content"] for name in files}
    doctor = {"verdict": "fips-active", "exit_status": 0}
    xml = results()
    return Observed(
        files={
            "doctor.json": texts.dump(doctor).encode(),
            "libraries.json": texts.dump(libraries).encode(),
            "self-test.txt": b"HMAC : (Module_Integrity) : Pass\nINSTALL PASSED\n",
            "junit.xml": xml,
        },
        predicate={
            "host": HOST,
            "kind": "nspawn",
            "commit": about["commit"],
            "started": texts.stamp(time - timedelta(minutes=2)),
            "ended": texts.stamp(time),
            "seconds": 120.0,
            "kernel": {"release": "6.1.0", "flag": "1", "own": False},
            "system": "a stand-in",
            "openssl": "OpenSSL 3.0.20",
            "snapd": "2.57.6",
            "doctor": doctor,
            "module": {"version": module["version"], "sha256": module["sha256"]},
            "boundary": check.boundary(bom),
            "tests": junit.results(xml, HOST).counts,
        },
        results=junit.results(xml, HOST),
    )


@pytest.fixture(scope="session")
def made(
    snap_file: Path, pairs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, bytes], Case]:
    """The evidence of the packed snap, made once: its files by their paths below the folder."""
    folder = make.of_snap(snap_file, keys.signer(pairs["builder"]), tmp_path_factory.mktemp("evidence"))
    about, module, bom = (
        json.loads((folder / f"{name}.json").read_text()) for name in ("subject", "module", "bom.cdx")
    )
    time = datetime.now(UTC)
    case = Case(folder, rules(pairs), pairs, time, about, seen(about, bom, module, time))
    make.of_host(folder, about, case.seen, case.signer("laboratory"))
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }, case


@pytest.fixture
def case(made: tuple[dict[str, bytes], Case], tmp_path: Path) -> Case:
    """The evidence, for one test to damage."""
    files, first = made
    folder = tmp_path / first.about["sha256"]
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return Case(folder, rules(first.pairs), first.pairs, first.time, first.about, first.seen)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


PROGRAM = str(Path(__file__).with_name("snapcraft_stand_in.py"))
SNAP = str(Path(__file__).with_name("snap_stand_in.py"))


class Shop:
    """The stand-in's store, for a test to look into and to change."""

    def __init__(self, file: Path, version: str) -> None:
        self._file = file
        self.write(
            {
                "name": "certbot-fips",
                "version": version,
                "revisions": {"7": {"version": "5.7.0", "sha256": "7", "uploaded": "2026-10-01T00:00:00Z"}},
                "releases": [[7, risk, None] for risk in ("edge", "beta", "candidate", "stable")],
                "closed": [],
                "account": {
                    "email": "release@example.org",
                    "username": "release",
                    "id": "x",
                    "permissions": "package_access, package_push, package_release",
                    "channels": "no restrictions",
                    "expires": "2099-01-01T00:00:00.000Z",
                },
            }
        )

    def read(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._file.read_text())
        return found

    def write(self, content: dict[str, Any]) -> None:
        self._file.write_text(json.dumps(content))

    def change(self, **changed: Any) -> None:
        self.write({**self.read(), **changed})

    @property
    def released(self) -> list[list[Any]]:
        found: list[list[Any]] = self.read()["releases"][4:]
        return found


@pytest.fixture
def shop(tmp_path: Path, case: Case, monkeypatch: pytest.MonkeyPatch) -> Shop:
    file = tmp_path / "store.json"
    monkeypatch.setenv("STAND_IN_STORE", str(file))
    monkeypatch.setenv("SNAPCRAFT_STORE_CREDENTIALS", "x")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))  # other tests release at the same time
    return Shop(file, case.about["version"])


def able(case: Case, **channel: dict[str, Any]) -> None:
    """A policy in which what this test has is enough: the evidence of one host, whatever the module is."""
    for name, wanted in case.rules["channels"].items():
        wanted |= {"hosts": [], "runs": [], "clean": False}
        wanted.pop("module", None)
        wanted |= channel.get(name, {})
    case.rules["channels"]["edge"]["hosts"] = ["debian-12-fips"]
    case.rules["keys"]["builder"]["may"] = ["build", "release"]
