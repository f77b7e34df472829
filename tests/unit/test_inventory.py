"""What the inventory is made from says what the documents, the record and the boundary say."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PROJECT
from tools.build.errors import BuildError
from tools.digest import sha256
from tools.release.inventory import module, packages, releases, terms
from tools.release.inventory.built import SITE, Built, facts

AUDITORS = " ".join((PROJECT / "docs/auditors.md").read_text().split())
ROWS: list[dict[str, Any]] = json.loads((PROJECT / module.BOUNDARY).read_text())
NOT = "3.1.2, module sources verified, not obtained as its policy demands: not validated"


def sunsets() -> dict[str, str]:
    file = PROJECT / "parts/fips-provider-record/record.py"
    spec = importlib.util.spec_from_file_location("record", file)
    assert spec is not None and spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    found: dict[str, str] = loaded.SUNSETS
    return found


def test_the_advisories_are_those_of_the_document() -> None:
    assert set(facts("advisories")["advisories"]) == set(re.findall(r"\[(CVE-\d+-\d+)\]", AUDITORS))


def test_the_certificates_are_those_of_the_document_and_of_the_record() -> None:
    known = facts("facts")["certificates"]
    assert {number: str(each["sunset"]) for number, each in known.items()} == sunsets()
    for number, each in known.items():
        for word in (f"#{number}", each["caveat"], str(each["sunset"]), each["url"], each["release"]):
            assert word in AUDITORS, word


def test_every_licence_is_an_spdx_expression() -> None:
    known = facts("facts")
    for expression in (
        *known["licences"].values(),
        *known["licence-words"].values(),
        *(each["licence"] for each in known["releases"].values()),
        *(each["licence"] for each in known["bundled"].values()),
    ):
        terms.licence(expression)


def test_every_service_is_shown_by_the_boundary() -> None:
    for service in facts("services")["services"]:
        assert module.rows_of(service, ROWS), service["name"]


def test_every_approved_operation_that_certbot_reaches_is_of_a_service_or_has_a_reason() -> None:
    known = facts("services")
    of_services = {name for service in known["services"] for name in module.rows_of(service, ROWS)}
    reached = {
        module.operation(row)
        for row in ROWS
        if row["reached"] and row["where"] == "module" and not row["remark"]
    }
    rest = sorted(reached - of_services)
    assert [name for name in rest if not any(re.search(each, name) for each in known["others"])] == []
    idle = [each for each in known["others"] if not any(re.search(each, name) for name in rest)]
    assert not idle


def test_a_service_that_the_boundary_does_not_show_is_said() -> None:
    """The control: an operation that is refused shows no service."""
    with pytest.raises(BuildError, match=r"services\.yaml: MD5: the boundary does not show"):
        module.rows_of({"name": "MD5", "by": [r"hashes\.MD5 \|"]}, ROWS)


def test_a_module_is_validated_by_its_record_alone() -> None:
    said = module.Validation.of({"version": "3.1.2", "validation": NOT})
    assert (said.number, said.level.value, said.words) == (None, "none", NOT)
    said = module.Validation.of({"version": "3.1.2", "validation": "validated, certificate #4985"})
    assert (said.number, said.level.value) == ("4985", "fips140-3-l1")


@pytest.mark.parametrize(
    "record",
    [
        {"version": "3.1.2", "validation": "validated, certificate #1"},
        {"version": "3.5.4", "validation": "validated, certificate #4985"},
    ],
)
def test_a_certificate_that_is_unknown_or_another_releases_is_refused(record: dict[str, str]) -> None:
    with pytest.raises(BuildError, match=r"facts.yaml has no certificate #\d+ of 3"):
        module.Validation.of(record)


def built(folder: Path, origin: str, source: str, words: str, url: str = "") -> Built:
    """What the inventory of the module is made from, with four bytes for a module."""
    file = folder / module.FILE
    file.parent.mkdir(parents=True)
    file.write_bytes(b"fips")
    record = {
        "version": "3.1.2",
        "origin": origin,
        "source": source,
        "sealed_sources_checked": 614,
        "module_sha256": sha256(file),
        "validation": words,
    }
    part = {"source": url, "build-environment": [{"FIPS_SOURCE": source}]}
    return Built({}, {"fips-provider": part}, PROJECT, folder, folder, folder, {}, record, 0)


def test_a_module_from_the_tarball_has_its_certificate(tmp_path: Path) -> None:
    url, pin = "https://example.org/openssl-3.1.2.tar.gz", "a" * 64
    found = module.component(built(tmp_path, "tarball", f"sha256/{pin}", "validated, certificate #4985", url))
    said = {each.name.removeprefix("certbot-fips:fips:"): each.value for each in found.properties}
    assert (said["certificate"], said["certification-level"]) == ("4985", "fips140-3-l1")
    assert (said["cavp"], said["sunset"]) == ("A3548", "2030-03-10")
    sources = {
        str(each.url): [hashed.content for hashed in each.hashes] for each in found.external_references
    }
    assert sources == {url: [pin], str(facts("facts")["certificates"]["4985"]["url"]): []}


def test_a_module_from_the_crate_has_none(tmp_path: Path) -> None:
    found = module.component(built(tmp_path, "crate", "openssl-src 300.1.4+3.1.2", NOT))
    said = {each.name.removeprefix("certbot-fips:fips:"): each.value for each in found.properties}
    assert (said["certificate"], said["certification-level"]) == ("none", "none")
    assert not {"cavp", "caveat", "sunset"} & set(said)
    (source,) = found.external_references
    assert str(source.url).startswith("pkg:cargo/openssl-src@300.1.4")
    assert [each.content for each in source.hashes] == [
        "80b6658b21fe1eba923af26cfe9c57a1a075a8190df2cd869a9bcd730093ffa2"
    ]
    with pytest.raises(BuildError, match=r"no Cargo\.lock has the crate openssl-src 1\.0\.0"):
        module.component(built(tmp_path / "other", "crate", "openssl-src 1.0.0", NOT))


def test_another_module_than_the_one_on_record_is_refused(tmp_path: Path) -> None:
    made = built(tmp_path, "crate", "openssl-src 300.1.4+3.1.2", NOT)
    (tmp_path / module.FILE).write_bytes(b"other")
    with pytest.raises(BuildError, match="is not the module on record"):
        module.component(made)


def package(root: Path, **fields: str) -> packages.Package:
    folder = root / SITE / "x-1.dist-info"
    folder.mkdir(parents=True)
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    (folder / "METADATA").write_text("\n".join(["Name: X.y", "Version: 1", *lines]) + "\n\ntext\n")
    return packages.Package(folder)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"License_Expression": "MIT OR Apache-2.0"}, ("MIT OR Apache-2.0", False)),
        ({"License": "MIT"}, ("MIT", False)),
        ({"License": "Apache License, Version 2.0"}, ("Apache-2.0", True)),
    ],
)
def test_a_licence_is_what_a_package_declares(
    tmp_path: Path, fields: dict[str, str], expected: tuple[str, bool]
) -> None:
    assert packages.licence(package(tmp_path, **fields)) == expected


@pytest.mark.parametrize("fields", [{}, {"License": "UNKNOWN"}, {"License": "see LICENSE.txt"}])
def test_a_licence_that_is_not_clear_stops_the_build(tmp_path: Path, fields: dict[str, str]) -> None:
    with pytest.raises(BuildError, match=r"the licence of x-y is not clear .* add it to tools/release"):
        packages.licence(package(tmp_path, **fields))


def test_a_source_that_names_no_version_is_refused() -> None:
    assert releases.version_of("https://example.org/openssl-3.5.7.tar.gz") == "3.5.7"
    with pytest.raises(BuildError, match="names no version"):
        releases.version_of("https://example.org/openssl.tar.gz")
