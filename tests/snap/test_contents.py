"""What is in the packed file: one OpenSSL, the module that is on record, and a size that can be carried."""

import hashlib
import json
import re
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from tests.conftest import PROJECT
from tests.snap.support import SNAP
from tools.architecture import ARCHITECTURE
from tools.build.base import GLIBC, LIBRARIES, dynamic, glibc, taken
from tools.build.elf import elf_files
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
def files(root: Path) -> list[Path]:
    found = elf_files(root)
    assert len(found) > 20
    return found


def defined(path: Path) -> Iterator[str]:
    """Yield the functions that a file itself holds."""
    with path.open("rb") as file:
        for section in ELFFile(file).iter_sections():
            if isinstance(section, SymbolTableSection):
                for symbol in section.iter_symbols():
                    if symbol["st_shndx"] != "SHN_UNDEF" and symbol["st_info"]["type"] == "STT_FUNC":
                        yield symbol.name


def test_no_second_libcrypto(root: Path, files: list[Path]) -> None:
    for path in files:
        name = str(path.relative_to(root))
        if name.startswith(PROVIDER_TOOL) or name in (LIBCRYPTO, MODULE):
            continue
        assert not FUNCTIONS & set(defined(path)), name
        content = path.read_bytes()
        assert SHA256_CONSTANTS not in content, name
        # A file that takes libcrypto as a library may hold the text of the headers it was compiled with.
        assert not VERSION_TEXT.search(content) or "libcrypto.so.3" in dynamic(path, "DT_NEEDED"), name


def test_the_search_would_find_one(root: Path) -> None:
    """The control: what is looked for is in the two that may be there."""
    assert set(defined(root / LIBCRYPTO)) >= FUNCTIONS
    assert VERSION_TEXT.search((root / LIBCRYPTO).read_bytes())
    assert SHA256_CONSTANTS in (root / LIBCRYPTO).read_bytes()
    assert SHA256_CONSTANTS in (root / MODULE).read_bytes()


def test_no_library_is_searched_for_where_the_caller_says(root: Path, files: list[Path]) -> None:
    """DT_RPATH comes before LD_LIBRARY_PATH, DT_RUNPATH after it; a foreign path is a hole."""
    for path in files:
        name = path.relative_to(root)
        assert not dynamic(path, "DT_RUNPATH"), name
        for rpath in dynamic(path, "DT_RPATH"):
            for folder in rpath.split(":"):
                assert folder.startswith(
                    ("$ORIGIN", "/snap/core24/current/", "/snap/certbot-fips/current/")
                ), name


def test_what_is_taken_from_the_base_is_on_the_list(root: Path, files: list[Path]) -> None:
    assert taken(root) == LIBRARIES
    wanted = {path.relative_to(root): max(glibc(path), default=(0,)) for path in files}
    assert max(wanted.values()) >= (2, 34)  # the control: there are versions to be read
    assert not {name: version for name, version in wanted.items() if version > GLIBC}


def missing_hardening(path: Path) -> set[str]:
    """Return what of the usual hardening a file lacks."""
    with path.open("rb") as file:
        elf = ELFFile(file)
        segments = {segment["p_type"]: segment for segment in elf.iter_segments()}
        section = elf.get_section_by_name(".dynamic")
        tags = list(section.iter_tags()) if isinstance(section, DynamicSection) else []
        flags = {tag.entry.d_tag: tag.entry.d_val for tag in tags}
        found = {
            "PIE": elf["e_type"] == "ET_DYN",
            "RELRO": "PT_GNU_RELRO" in segments,
            "BIND_NOW": "DT_BIND_NOW" in flags
            or bool(flags.get("DT_FLAGS", 0) & 0x8)  # DF_BIND_NOW
            or bool(flags.get("DT_FLAGS_1", 0) & 0x1),  # DF_1_NOW
            "NX": "PT_GNU_STACK" in segments and not segments["PT_GNU_STACK"]["p_flags"] & 1,  # PF_X
        }
    return {name for name, there in found.items() if not there}


def test_what_we_compile_is_hardened(root: Path, files: list[Path]) -> None:
    """But for the module and its release's own program and libraries, built by the policy's steps."""
    unhardened = {str(path.relative_to(root)) for path in files if missing_hardening(path)}
    assert unhardened == {
        MODULE,
        *(f"{PROVIDER_TOOL}{name}" for name in ("openssl", "libcrypto.so.3", "libssl.so.3")),
    }


def test_what_is_hardened_can_be_told(tmp_path: Path) -> None:
    """The control: a program that is compiled without lacks all of it."""
    (tmp_path / "a.c").write_text("int main(void) { return 0; }\n")
    flags = ["-no-pie", "-Wl,-z,norelro,-z,lazy,-z,execstack"]
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("there is no gcc on this machine to compile a program without hardening")
    subprocess.run([compiler, *flags, "-o", "a", "a.c"], cwd=tmp_path, check=True, capture_output=True)
    assert missing_hardening(tmp_path / "a") == {"PIE", "RELRO", "BIND_NOW", "NX"}


def test_stack_and_buffers_are_guarded(root: Path) -> None:
    """What the flags put in: calls to the C library's checked functions and to its end of a smashed stack."""
    for name in ("usr/bin/python3.13", LIBCRYPTO, "usr/lib/libaugeas.so.0"):
        with (root / name).open("rb") as file:
            section = ELFFile(file).get_section_by_name(".dynsym")
            assert isinstance(section, SymbolTableSection)
            asked = {symbol.name for symbol in section.iter_symbols() if symbol["st_shndx"] == "SHN_UNDEF"}
        assert "__stack_chk_fail" in asked, name
        assert [symbol for symbol in asked if symbol.endswith("_chk")], name


def test_every_extension_module_can_be_imported(flagged: NamespaceHost) -> None:
    """All symbols are bound when a library is loaded: one that nothing has would show here."""
    program = """
import importlib, pathlib, sysconfig
folder = pathlib.Path(sysconfig.get_path("platstdlib"), "lib-dynload")
for file in sorted(folder.glob("*.so")):
    importlib.import_module(file.name.partition(".")[0])
print(len(list(folder.glob("*.so"))))
"""
    said = flagged.run(["certbot-fips.python3", "-c", program]).check().stdout
    assert int(said) > 20


def test_the_snap_says_what_it_was_built_from_and_in(root: Path) -> None:
    record = json.loads((root / "snap/build.json").read_text())
    assert re.fullmatch("[0-9a-f]{40}|unknown", record["commit"])
    assert all(re.fullmatch(r"\S+ \S+ [0-9a-f]{64}", package) for package in record["root"]["packages"])
    names = {package.split()[0] for package in record["root"]["packages"]}
    assert {"gcc", "libc6-dev", "perl"} <= names
    assert (
        hashlib.sha256("\n".join(record["root"]["packages"]).encode()).hexdigest() == record["root"]["sha256"]
    )
    assert "-fstack-protector-strong" in record["hardening"]["hardened_cflags"]
    assert {int(path.lstat().st_mtime) for path in root.rglob("*")} == {record["time"]}


def test_texts_of_the_metadata_keep_their_lines(root: Path) -> None:
    assert "\ndescription: |\n  Certbot with" in (root / "meta/snap.yaml").read_text()


def test_every_program_uses_the_loader_of_the_base(root: Path, files: list[Path]) -> None:
    for path in files:
        with path.open("rb") as file:
            loader = ELFFile(file).get_section_by_name(".interp")
            if loader is not None:
                base = f"/snap/core24/current/{ARCHITECTURE.loader}\0"
                assert loader.data() == base.encode(), path.relative_to(root)


@pytest.mark.provider
def test_the_record_is_of_the_module_that_is_there(root: Path) -> None:
    record = json.loads((root / "usr/share/fips-provider/record.json").read_text())
    assert record["module_sha256"] == hashlib.sha256((root / MODULE).read_bytes()).hexdigest()
    assert record["version"].encode() in (root / MODULE).read_bytes()
    if record["origin"] != "tarball":
        assert record["validation"].endswith("not validated")


@pytest.mark.provider
def test_what_may_not_be_called_validated_is_of_grade_devel(root: Path) -> None:
    """So that the store itself keeps it from candidate and stable."""
    record = json.loads((root / "usr/share/fips-provider/record.json").read_text())
    validated = record["validation"].startswith("validated, certificate #")
    grade = "stable" if validated else "devel"
    assert f"\ngrade: {grade}\n" in (root / "meta/snap.yaml").read_text()


def test_the_icon_is_the_recipes(root: Path) -> None:
    recipe = yaml.safe_load((PROJECT / "snapcraft.yaml").read_text())
    assert (root / "meta/gui/icon.svg").read_bytes() == (PROJECT / recipe["icon"]).read_bytes()


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
