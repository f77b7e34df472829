"""What may be said of the FIPS provider follows from what the build can show."""

import hashlib
import importlib.util
import shutil
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tools.build import provider, recipe, seal
from tools.build.errors import BuildError, UnavailableError

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
    claim = record.claim("3.1.2", origin, sources, certificate)
    assert claim.pop("validation") == words
    # Its sunset is told where the certificate is, and nowhere else.
    assert claim == ({"certificate_sunset": "2030-03-10"} if words.startswith("validated") else {})


def test_the_recipes_certificate_has_a_sunset(record: ModuleType) -> None:
    certificate = provider.variables(recipe.load()["parts"][provider.PART])["FIPS_CERTIFICATE"]
    assert certificate in record.SUNSETS


@pytest.fixture
def release(tmp_path: Path) -> tuple[Path, str, Path]:
    """A release of two module sources, its seal, and the digests of the two."""
    (tmp_path / "providers").mkdir()
    (tmp_path / "a.c").write_text("int a;\n")
    (tmp_path / "b.h").write_text("int b;\n")
    listing = tmp_path / "providers" / "fips-sources.checksums"
    listing.write_text("".join(f"{64 * '0'}  {name}\n" for name in ("a.c", "b.h")))
    digests = tmp_path / "digests"
    digests.write_text(
        "".join(
            f"{hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()}  {name}\n"
            for name in ("a.c", "b.h")
        )
    )
    return tmp_path, hashlib.sha256(listing.read_bytes()).hexdigest(), digests


def test_unchanged_sources_are_counted(record: ModuleType, release: tuple[Path, str, Path]) -> None:
    assert record.count_sealed_sources(*release) == 2


def test_without_a_seal_nothing_is_counted(record: ModuleType, release: tuple[Path, str, Path]) -> None:
    assert record.count_sealed_sources(release[0], "", release[2]) == 0


@pytest.mark.parametrize("name", ["a.c", "b.h"])
def test_a_changed_source_stops_the_build(
    record: ModuleType, release: tuple[Path, str, Path], name: str
) -> None:
    (release[0] / name).write_text("int c;\n")
    with pytest.raises(SystemExit, match=rf"1 sources of the module are not those .*sealed, first: {name}"):
        record.count_sealed_sources(*release)


def test_a_missing_source_stops_the_build(record: ModuleType, release: tuple[Path, str, Path]) -> None:
    (release[0] / "b.h").unlink()
    with pytest.raises(SystemExit, match=r"first: b\.h"):
        record.count_sealed_sources(*release)


def test_a_changed_list_stops_the_build(record: ModuleType, release: tuple[Path, str, Path]) -> None:
    with pytest.raises(SystemExit, match="not the release's sealed list"):
        record.count_sealed_sources(release[0], 64 * "0", release[2])


def test_digests_of_other_files_stop_the_build(record: ModuleType, release: tuple[Path, str, Path]) -> None:
    release[2].write_text(release[2].read_text().replace("b.h", "c.h"))
    with pytest.raises(SystemExit, match="is of another list"):
        record.count_sealed_sources(*release)


SEALED = [
    name
    for name in yaml.safe_load(Path(seal.__file__).with_name("origins.yaml").read_text())["providers"]
    if seal.digests(name).is_file()
]


def test_every_release_with_a_seal_has_its_digests() -> None:
    origins = yaml.safe_load(Path(seal.__file__).with_name("origins.yaml").read_text())
    with_seal = [name for name, pin in origins["providers"].items() if "sealed" in pin]
    assert sorted(SEALED) == sorted(["3.1.2", *with_seal])


@pytest.mark.parametrize("name", SEALED)
def test_the_digests_are_derived_where_the_release_verifies(name: str, tmp_path: Path) -> None:
    """By the release's own script, whose checksums its seal vouches for; not with one changed byte."""
    sources = tmp_path / "openssl"
    try:
        shutil.copytree(provider_sources(name), sources)
    except UnavailableError as error:
        pytest.skip(str(error))
    if reason := tools_missing():
        pytest.skip(reason)
    assert seal.derive(sources, seal.sealed(name)) == seal.digests(name).read_text()
    changed = sources / "crypto" / "sha" / "sha256.c"
    changed.write_text(changed.read_text().replace("0x428a2f98", "0x428a2f99"))
    with pytest.raises(BuildError, match=r"^1 of \d+ checksums are not the sealed list's"):
        seal.derive(sources, seal.sealed(name))


def provider_sources(name: str) -> Path:
    """Return the release's source tree, from its second origin."""
    parts: dict[str, Any] = recipe.load()["parts"]
    origins = yaml.safe_load(Path(seal.__file__).with_name("origins.yaml").read_text())
    provider.pin(parts, origins, name)
    provider.from_crate(parts[provider.PART], origins, name, recipe.PROJECT / "build" / "cache" / "crates")
    return Path(parts[provider.PART]["source"])


def tools_missing() -> str | None:
    for program in ("unifdef", "openssl", "perl"):
        if shutil.which(program) is None:
            return f"the release's script wants the program {program}"
    version = subprocess.run(["perl", "-e", "print $]"], capture_output=True, text=True, check=True).stdout
    return (
        f"the release's script computes other checksums under Perl {version}"
        if float(version) >= 5.039
        else None
    )
