"""What is in the packed file: one OpenSSL, the module that is on record, and a size that can be carried."""

import hashlib
import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from tests.snap.support import SNAP
from tools.hosts import NamespaceHost

PROVIDER_TOOL = "usr/libexec/fips-provider/"  # the module release's own openssl, for fipsinstall alone
LIBCRYPTO = "usr/lib/libcrypto.so.3"
MODULE = "usr/lib/ossl-modules/fips.so"
#: OPENSSL_VERSION_TEXT and its like in other libraries: a static copy without symbols still has it.
VERSION_TEXT = re.compile(
    rb"OpenSSL \d+\.\d+\.\d+\S* +\d+ [A-Z][a-z]{2} \d{4}|LibreSSL \d|BoringSSL|AWS-LC|wolfSSL|mbed TLS"
)
#: The first of FIPS 180-4's 64 constants of SHA-256, as every implementation for this processor has them.
SHA256_CONSTANTS = struct.pack("<4I", 0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5)
#: Exported or local, these are functions of a libcrypto and of nothing else.
FUNCTIONS = {
    "EVP_MD_fetch",
    "OPENSSL_init_crypto",
    "EVP_DigestInit_ex",
    "RSA_new",
    "SHA256_Update",
    "CRYPTO_malloc",
}


@pytest.fixture(scope="module")
def root(flagged: NamespaceHost) -> Path:
    return flagged.path(SNAP)


@pytest.fixture(scope="module")
def elf_files(root: Path) -> list[Path]:
    found = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink() and is_elf(path)]
    assert len(found) > 20
    return found


def is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def defined(path: Path) -> Iterator[str]:
    """Yield the functions that a file itself holds."""
    with path.open("rb") as file:
        for section in ELFFile(file).iter_sections():
            if isinstance(section, SymbolTableSection):
                for symbol in section.iter_symbols():
                    if symbol["st_shndx"] != "SHN_UNDEF" and symbol["st_info"]["type"] == "STT_FUNC":
                        yield symbol.name


def needed(path: Path) -> set[str]:
    """Return the libraries that a file asks the loader for."""
    with path.open("rb") as file:
        dynamic = ELFFile(file).get_section_by_name(".dynamic")
        tags = list(dynamic.iter_tags()) if isinstance(dynamic, DynamicSection) else []
        return {str(vars(tag)["needed"]) for tag in tags if tag.entry.d_tag == "DT_NEEDED"}


def test_no_second_libcrypto(root: Path, elf_files: list[Path]) -> None:
    for path in elf_files:
        name = str(path.relative_to(root))
        if name.startswith(PROVIDER_TOOL) or name in (LIBCRYPTO, MODULE):
            continue
        assert not FUNCTIONS & set(defined(path)), name
        content = path.read_bytes()
        assert SHA256_CONSTANTS not in content, name
        # A file that takes libcrypto as a library may hold the text of the headers it was compiled with.
        assert not VERSION_TEXT.search(content) or "libcrypto.so.3" in needed(path), name


def test_the_search_would_find_one(root: Path) -> None:
    """The control: what is looked for is in the two that may be there."""
    assert set(defined(root / LIBCRYPTO)) >= FUNCTIONS
    assert VERSION_TEXT.search((root / LIBCRYPTO).read_bytes())
    assert SHA256_CONSTANTS in (root / LIBCRYPTO).read_bytes()
    assert SHA256_CONSTANTS in (root / MODULE).read_bytes()


def test_no_library_is_searched_for_where_the_caller_says(root: Path, elf_files: list[Path]) -> None:
    """DT_RPATH comes before LD_LIBRARY_PATH, DT_RUNPATH after it; a foreign path is a hole."""
    for path in elf_files:
        with path.open("rb") as file:
            dynamic = ELFFile(file).get_section_by_name(".dynamic")
            tags = list(dynamic.iter_tags()) if isinstance(dynamic, DynamicSection) else []
        name = path.relative_to(root)
        assert not [tag for tag in tags if tag.entry.d_tag == "DT_RUNPATH"], name
        for rpath in (str(vars(tag)["rpath"]) for tag in tags if tag.entry.d_tag == "DT_RPATH"):
            for folder in rpath.split(":"):
                assert folder.startswith(
                    ("$ORIGIN", "/snap/core24/current/", "/snap/certbot-fips/current/")
                ), name


def test_every_program_uses_the_loader_of_the_base(root: Path, elf_files: list[Path]) -> None:
    for path in elf_files:
        with path.open("rb") as file:
            loader = ELFFile(file).get_section_by_name(".interp")
            if loader is not None:
                assert loader.data() == b"/snap/core24/current/lib64/ld-linux-x86-64.so.2\0", (
                    path.relative_to(root)
                )


@pytest.mark.provider
def test_the_record_is_of_the_module_that_is_there(root: Path) -> None:
    record = json.loads((root / "usr/share/fips-provider/record.json").read_text())
    assert record["module_sha256"] == hashlib.sha256((root / MODULE).read_bytes()).hexdigest()
    assert record["version"].encode() in (root / MODULE).read_bytes()
    if record["origin"] != "tarball":
        assert record["validation"].endswith("not validated")


@pytest.mark.provider
def test_the_module_that_runs_is_the_one_on_record(flagged: NamespaceHost, root: Path) -> None:
    record = json.loads((root / "usr/share/fips-provider/record.json").read_text())
    shown = flagged.run(["certbot-fips.openssl", "list", "-providers", "-provider", "fips"]).check().stdout
    assert f"name: OpenSSL FIPS Provider\n    version: {record['version']}\n    status: active" in shown


def test_bytecode_is_compiled_in(root: Path) -> None:
    """A read-only snap cannot make up for it: every start would compile anew."""
    library = root / "usr/lib/python3.13"
    for name in ("ssl", "site-packages/certbot/main", "fips_launch/boot"):
        source = library / f"{name}.py"
        compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        assert compiled.is_file() or source.with_suffix(".pyc").is_file(), name


def test_nothing_is_in_it_that_only_a_build_needs(root: Path) -> None:
    assert not [path for path in root.rglob("*") if path.is_file() and path.suffix in (".a", ".h", ".la")]
