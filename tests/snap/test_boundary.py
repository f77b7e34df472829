"""Where every operation is computed that the snap offers: as docs/boundary.json has it."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tools.boundary import table
from tools.boundary.measure import Counters, Walk, prepare, walk
from tools.hosts import NamespaceHost
from tools.observe import NoFunctionError, ObserveError

#: What an auditor is told by name: outside the module, and inside though not approved.
OUTSIDE = {
    "cmac.CMAC.{update,finalize,verify,copy}",
    "kdf.kbkdf.KBKDFHMAC.{derive,derive_into,verify}",
    "kdf.hkdf.HKDF.{derive,derive_into,verify}",
    "kdf.concatkdf.ConcatKDFHash.{derive,derive_into,verify}",
    "asymmetric.ec.derive_private_key",
    "asymmetric.dh.generate_parameters",
    "hashlib.blake2b.{copy,digest,hexdigest,update}",
    "hmac.new a callable",
    "openssl prime",
    "openssl passwd",
}


@pytest.fixture(scope="module")
def walked(
    provider: str, snap_file: Path, flagged: NamespaceHost, tmp_path_factory: pytest.TempPathFactory
) -> Walk:
    """All operations on the FIPS host."""
    if provider:
        pytest.skip("docs/boundary.md is about the recipe's own module")
    kept = tmp_path_factory.mktemp("boundary") / "made"
    prepare(snap_file, kept)
    try:
        return walk(flagged, kept)
    except NoFunctionError:
        raise
    except ObserveError as reason:
        pytest.skip(str(reason))


def test_the_table_is_what_is_measured(walked: Walk) -> None:
    """Made anew by `make boundary`; a new public name without a case is an error here too."""
    committed = table.committed()
    absent = {table.known(row) for row in committed if row.where == "not offered"}
    found = table.rows(walked, absent)
    assert [str(row) for row in found] == [str(row) for row in committed]
    assert found == committed


def test_the_document_is_made_of_the_table() -> None:
    assert table.DOCUMENT.read_text() == "\n".join(table.document(table.committed())) + "\n"


def test_what_is_known_to_be_outside_is_told() -> None:
    told = {row.operation for row in table.committed() if row.where in table.OUTSIDE}
    told |= {table.known(row) for row in table.committed() if row.where in table.OUTSIDE}
    assert told >= OUTSIDE


def test_a_new_name_fails(walked: Walk) -> None:
    """The control: something is offered that no case does."""
    with pytest.raises(table.NoCaseError, match=r"kdf\.new\.KDF\.derive"):
        table.rows(replace(walked, offered=[*walked.offered, "kdf.new.KDF.derive"]))


def test_a_case_that_is_wrong_fails(walked: Walk) -> None:
    """A mistake in a case is no refusal."""
    wrong = replace(walked.done[0], refused="TypeError: an argument is missing")
    with pytest.raises(table.NoCaseError, match="an argument is missing"):
        table.rows(replace(walked, done=[wrong, *walked.done[1:]]))


@pytest.mark.parametrize(
    ("python", "where", "kind"),
    [
        ("import hashlib; hashlib.sha256(b'')", "module", "SHA-2"),
        ("import hashlib; hashlib.md5(b'', usedforsecurity=False)", "libcrypto", "MD5"),
        (
            "import ctypes, ssl; lib = ctypes.CDLL('libcrypto.so.3'); c = ctypes.create_string_buffer(512);"
            "lib.SHA256_Init(c); lib.SHA256_Final(c, c)",
            "libcrypto",
            "SHA-2",
        ),
    ],
)
def test_the_counters_tell_the_files_apart(
    flagged: NamespaceHost, python: str, where: str, kind: str
) -> None:
    """The control: a legacy function by ctypes, and what is asked for as not for security, are outside."""
    with ExitStack() as stack:
        try:
            counters = Counters(stack, flagged)
        except NoFunctionError:
            raise
        except ObserveError as reason:
            pytest.skip(str(reason))
        flagged.run(["certbot-fips.python3", "-c", "import ssl"]).check()
        before = counters.read()
        flagged.run(["certbot-fips.python3", "-c", python]).check()
        module, libcrypto = (
            after[kind] - earlier[kind] for earlier, after in zip(before, counters.read(), strict=True)
        )
    if where == "module":
        assert module > before[0][kind]
        assert libcrypto == 0
    else:
        assert libcrypto > 0
