"""The inventory in the packed snap has every file of machine code, package and crate, and nothing else."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PROJECT
from tests.snap.support import SNAP
from tools.build.base import unpack
from tools.hosts import NamespaceHost
from tools.release.__main__ import main
from tools.release.inventory import FILE, check
from tools.release.inventory.built import SITE
from tools.release.inventory.packages import installed

Bom = dict[str, Any]


@pytest.fixture(scope="module")
def root(flagged: NamespaceHost) -> Path:
    return flagged.path(SNAP)


@pytest.fixture
def bom(root: Path) -> Bom:
    found: Bom = json.loads((root / FILE).read_text())
    return found


@pytest.mark.provider
def test_it_has_all_that_is_in_the_snap_and_nothing_else(root: Path) -> None:
    assert list(check.differences(root)) == []


def pick(bom: Bom, start: str) -> dict[str, Any]:
    return next(each for each in check.components(bom) if each["bom-ref"].startswith(start))


def lose(start: str) -> Callable[[Bom], None]:
    """Take the first component out whose reference begins so, and all that says something of it."""

    def change(bom: Bom) -> None:
        ref = pick(bom, start)["bom-ref"]
        for holder in (bom, *check.components(bom)):
            if "components" in holder:
                holder["components"] = [each for each in holder["components"] if each["bom-ref"] != ref]
        bom["dependencies"] = [each for each in bom["dependencies"] if each["ref"] != ref]
        for each in bom["dependencies"]:
            if ref in each.get("dependsOn", []):
                each["dependsOn"].remove(ref)

    return change


def another_digest(bom: Bom) -> None:
    pick(bom, "file:usr/lib/ossl-modules")["hashes"][0]["content"] = "0" * 64


def a_package_more(bom: Bom) -> None:
    bom["components"].append(
        {"type": "library", "name": "x", "version": "1", "bom-ref": "x", "purl": "pkg:pypi/x@1"}
    )


def validated(bom: Bom) -> None:
    for each in pick(bom, "module:")["properties"]:
        if each["name"] == "certbot-fips:fips:validation":
            each["value"] = "validated, certificate #1"


def an_unknown_key(bom: Bom) -> None:
    bom["colour"] = "red"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lose("file:usr/lib/libcrypto"), "the file usr/lib/libcrypto.so.3 is in the snap and not in the"),
        (lose("file:usr/lib/python3.13/fips_launch/prove.py"), "fips_launch/prove.py is in the snap and not"),
        (
            lose("pkg:pypi/josepy@"),
            "the package pkg:pypi/josepy@2.2.0 is in the snap and not in the inventory",
        ),
        (
            lose("pkg:cargo/asn1@"),
            "the crate pkg:cargo/asn1@0.24.1#cryptography is in the snap and not in the",
        ),
        (lose("module:"), "the inventory has 0 FIPS modules, the snap one"),
        (another_digest, "the file usr/lib/ossl-modules/fips.so has another sha256 than the inventory says"),
        (a_package_more, "the package pkg:pypi/x@1 is in the inventory and not in the snap"),
        (validated, "the inventory says something else of the FIPS module than the snap's record"),
        (an_unknown_key, "snap/bom.cdx.json is not CycloneDX 1.6: top level: Additional properties are not"),
    ],
)
def test_what_differs_is_said(root: Path, bom: Bom, change: Callable[[Bom], None], line: str) -> None:
    change(bom)
    found = list(check.differences(root, json.dumps(bom)))
    assert any(line in each for each in found), found


def test_a_truncated_one_is_said(root: Path) -> None:
    text = (root / FILE).read_text()
    (said,) = check.differences(root, text[: len(text) // 2])
    assert said.startswith("snap/bom.cdx.json is not CycloneDX 1.6: no JSON")


def test_the_command_says_it_of_a_packed_snap(
    snap_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inventory", str(snap_file)]) == 0
    assert "has all that is in it, and nothing else" in capsys.readouterr().out
    (tmp_path / "no.snap").write_text("no")
    assert main(["inventory", str(tmp_path / "no.snap")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_file_that_was_put_in_is_found(snap_file: Path, tmp_path: Path) -> None:
    """The control on the snap's side: its own files, with one more and one changed."""
    there = unpack(snap_file, tmp_path)
    (there / "usr/lib/evil.so").write_bytes((there / "usr/lib/libssl.so.3").read_bytes())
    with (there / "usr/lib/libssl.so.3").open("ab") as file:
        file.write(b"\0")
    (there / SITE / "stray.pyc").write_bytes(b"")
    assert list(check.differences(there)) == [
        "the file usr/lib/evil.so is in the snap and not in the inventory",
        "the file usr/lib/libssl.so.3 has another sha256 than the inventory says",
        f"{SITE}/stray.pyc is in the snap, and of no package",
    ]


def test_everything_has_a_hash_and_a_licence(bom: Bom) -> None:
    for each in check.components(bom):
        if each["type"] == "cryptographic-asset":
            continue
        assert each.get("licenses"), each["name"]
        hashed = each.get("hashes") or any(ref.get("hashes") for ref in each.get("externalReferences", []))
        assert hashed or all(inner["hashes"] for inner in each["components"]), each["name"]


def test_every_patch_is_in_it(bom: Bom) -> None:
    named = {each["name"] for each in check.components(bom) if each["bom-ref"].startswith("patch:")}
    assert named == {str(file.relative_to(PROJECT)) for file in PROJECT.glob("parts/*/*.patch")}
    diffs = {
        patch["diff"]["url"]
        for each in check.components(bom)
        for patch in each.get("pedigree", {}).get("patches", [])
    }
    assert diffs == named


def test_it_says_the_same_of_the_module_as_the_record(root: Path, bom: Bom) -> None:
    record = json.loads((root / check.RECORD).read_text())
    module = pick(bom, "module:")
    assert module["hashes"][0]["content"] == record["module_sha256"]
    assert check.said(module, "fips:origin") == record["origin"]
    certified = record["validation"].startswith("validated, certificate #")
    assert (check.said(module, "fips:certificate") != "none") is certified
    levels = {
        level
        for each in check.components(bom)
        if each["type"] == "cryptographic-asset"
        for level in each["cryptoProperties"]["algorithmProperties"]["certificationLevel"]
    }
    assert levels == ({"fips140-3-l1"} if certified else {"none"})


def test_the_module_provides_the_services_and_libcrypto_needs_the_module(bom: Bom) -> None:
    module = pick(bom, "module:")["bom-ref"]
    needs = {each["ref"]: each.get("dependsOn", []) for each in bom["dependencies"]}
    assert module in needs[pick(bom, "release:openssl@")["bom-ref"]]
    (provided,) = [each["provides"] for each in bom["dependencies"] if "provides" in each]
    assets = [each["bom-ref"] for each in bom["components"] if each["type"] == "cryptographic-asset"]
    assert sorted(provided) == sorted(assets)


def test_its_packages_are_those_that_python_finds(flagged: NamespaceHost, root: Path) -> None:
    """What the inventory takes for a package is what Python's own importlib.metadata does."""
    program = """
from importlib.metadata import distributions
print(*sorted(f"{each.metadata['Name']} {each.version}" for each in distributions()))
"""
    said = flagged.run(["certbot-fips.python3", "-c", program]).check().stdout
    ours = sorted(f"{each.metadata['Name']} {each.version}" for each in installed(root))
    assert said.split() == " ".join(ours).split()


def test_it_lies_beside_the_snap_too(snap_file: Path, root: Path) -> None:
    assert snap_file.with_suffix(".cdx.json").read_bytes() == (root / FILE).read_bytes()


def test_its_time_is_that_of_the_files(root: Path, bom: Bom) -> None:
    time = json.loads((root / "snap/build.json").read_text())["time"]
    assert datetime.fromisoformat(bom["metadata"]["timestamp"]) == datetime.fromtimestamp(time, UTC)
    assert bom["serialNumber"].startswith("urn:uuid:")
