"""What may be said of the FIPS provider follows from what the build can show."""

import hashlib
import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from tools.build import recipe

FILE = recipe.PROJECT / "parts" / "fips-provider-record" / "record.py"
NOT_VALIDATED = "3.1.2, module sources verified, not obtained as its policy demands: not validated"


@pytest.fixture(scope="module")
def record() -> ModuleType:
    spec = importlib.util.spec_from_file_location("record", FILE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("origin", "sources", "certificate", "words"),
    [
        ("tarball", 614, "4985", "validated, certificate #4985"),
        ("crate", 614, "4985", NOT_VALIDATED),
        ("tarball", 614, "", "3.1.2, module sources verified, no certificate on record: not validated"),
        ("crate", 614, "", NOT_VALIDATED),
        ("tarball", 0, "4985", "3.1.2: not validated"),
        ("crate", 0, "4985", "3.1.2: not validated"),
        ("TARBALL", 614, "4985", NOT_VALIDATED),
        ("", 614, "4985", NOT_VALIDATED),
    ],
)
def test_claims(record: ModuleType, origin: str, sources: int, certificate: str, words: str) -> None:
    assert record.validation("3.1.2", origin, sources, certificate) == words


def release(folder: Path, source: str) -> str:
    """Write a release of one module source, sealed as OpenSSL's are; return the seal."""
    (folder / "providers").mkdir(parents=True)
    (folder / "util").mkdir()
    (folder / "a.c").write_text(source)
    tool = folder / "util" / "fips-checksums.sh"
    tool.write_text('#!/bin/sh\nsha256sum "$@"\n')
    tool.chmod(0o755)
    listing = subprocess.run(["util/fips-checksums.sh", "a.c"], cwd=folder, capture_output=True, check=True)
    (folder / "providers" / "fips-sources.checksums").write_bytes(listing.stdout)
    return hashlib.sha256(listing.stdout).hexdigest()


def test_unchanged_sources_are_counted(record: ModuleType, tmp_path: Path) -> None:
    seal = release(tmp_path / "r", "int a;\n")
    assert record.count_sealed_sources(tmp_path / "r", seal) == 1


def test_a_changed_source_stops_the_build(record: ModuleType, tmp_path: Path) -> None:
    seal = release(tmp_path / "r", "int a;\n")
    (tmp_path / "r" / "a.c").write_text("int b;\n")
    with pytest.raises(SystemExit, match=r"differ from the release's sealed list"):
        record.count_sealed_sources(tmp_path / "r", seal)


def test_a_changed_list_stops_the_build(record: ModuleType, tmp_path: Path) -> None:
    release(tmp_path / "r", "int a;\n")
    with pytest.raises(SystemExit, match="not the release's sealed list"):
        record.count_sealed_sources(tmp_path / "r", 64 * "0")
