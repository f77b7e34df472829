"""What is said of the module's advisories holds: who in the snap calls the functions that they name."""

from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from tests.snap.support import SNAP
from tools.hosts import NamespaceHost
from tools.release.inventory import files
from tools.release.inventory.built import facts

LIBSSL, OPENSSL = "usr/lib/libssl.so.3", "usr/libexec/openssl/openssl"
RUST = "usr/lib/python3.13/site-packages/cryptography/hazmat/bindings/_rust.abi3.so"
#: The module release's own program is there for `fipsinstall` alone.
ASIDE = "usr/libexec/fips-provider/"


def imported(file: Path) -> set[str]:
    with file.open("rb") as opened:
        table = ELFFile(opened).get_section_by_name(".dynsym")
        if not isinstance(table, SymbolTableSection):
            return set()
        return {each.name for each in table.iter_symbols() if each["st_shndx"] == "SHN_UNDEF"}


@pytest.fixture(scope="module")
def callers(flagged: NamespaceHost) -> dict[str, set[str]]:
    """Who imports which function, but for libcrypto and the module themselves."""
    root = flagged.path(SNAP)
    found: dict[str, set[str]] = {}
    for name in files.elf(root):
        if not name.startswith(ASIDE):
            for function in imported(root / name):
                found.setdefault(function, set()).add(name)
    return found


@pytest.mark.parametrize(
    ("function", "by"),
    [
        ("EVP_PKEY_public_check", {OPENSSL, LIBSSL}),  # CVE-2023-6237, CVE-2024-4603; libssl: DHE
        ("EVP_PKEY_param_check", {OPENSSL}),  # CVE-2024-4603
        ("EVP_PKEY_encapsulate", {OPENSSL, LIBSSL, RUST}),  # CVE-2026-31790; libssl, cryptography: ML-KEM
    ],
)
def test_the_functions_of_the_advisories_have_these_callers(
    callers: dict[str, set[str]], function: str, by: set[str]
) -> None:
    assert callers[function] == by


def test_the_search_finds_callers(callers: dict[str, set[str]]) -> None:
    """The control: cryptography signs by EVP, and OpenSSL's program, too."""
    assert {OPENSSL, RUST} <= callers["EVP_DigestSign"] | callers["EVP_DigestSignInit"]


def test_what_is_not_affected_says_why() -> None:
    """And what says that no code is there would have to show it."""
    for name, advisory in facts("advisories")["advisories"].items():
        for subject in ("module", "certbot"):
            said = advisory[subject]
            assert said["detail"], name
            if said["state"] == "not_affected":
                assert said["justification"] == "code_not_reachable", name
            else:
                assert (said["state"], bool(said["workaround"])) == ("exploitable", True), name
