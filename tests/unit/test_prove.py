import _hashlib
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fips_launch.place import Place
from fips_launch.prove import NotProvenError, check_whole, mapped, prove

LAUNCHER = Path(__file__).resolve().parents[2] / "parts" / "fips-launch"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A copy of a real shared library."""
    path = tmp_path / "fips.so"
    path.write_bytes(Path(_hashlib.__file__).read_bytes())
    return path


def test_a_whole_library_passes(library: Path) -> None:
    check_whole(str(library))


@pytest.mark.parametrize("kept", [0, 1, 4, 10, 63, 64, 4096, -1])
def test_a_cut_library_is_refused_before_it_is_loaded(library: Path, kept: int) -> None:
    library.write_bytes(library.read_bytes()[:kept])
    with pytest.raises(NotProvenError, match="is damaged"):
        check_whole(str(library))


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("absent", "pipe", "loop", "."):
        with pytest.raises(NotProvenError, match="missing or no file"):
            check_whole(str(tmp_path / name))


def test_every_libcrypto_and_module_in_memory_is_found(tmp_path: Path) -> None:
    mappings = [
        ("00400000-00452000", "r-xp", "/snap/certbot-fips/x1/usr/bin/python3.13"),
        ("7f0000000000-7f0000001000", "r--p", "/snap/certbot-fips/x1/usr/lib/libcrypto.so.3"),
        ("7f0000001000-7f0000002000", "r-xp", "/snap/certbot-fips/x1/usr/lib/libcrypto.so.3"),
        ("7f0000002000-7f0000003000", "r-xp", "/opt/with space/libcrypto-3fd52e1b.so.1.1"),
        ("7f0000003000-7f0000004000", "r-xp", "/usr/lib/ossl-modules/fips.so (deleted)"),
        ("7f0000004000-7f0000005000", "r-xp", "/usr/lib/fips/libssl.so.3"),
        ("7f0000005000-7f0000006000", "rw-p", "[heap]"),
        ("7f0000006000-7f0000007000", "rw-p", ""),
    ]
    lines = [f"{place} {mode} 00000000 fe:01 42{' ' * 20}{path}\n" for place, mode, path in mappings]
    (tmp_path / "maps").write_text("".join(lines))
    assert mapped(str(tmp_path / "maps")) == {
        "/snap/certbot-fips/x1/usr/lib/libcrypto.so.3",
        "/opt/with space/libcrypto-3fd52e1b.so.1.1",
        "/usr/lib/ossl-modules/fips.so (deleted)",
    }


@pytest.mark.parametrize(
    ("config", "what"), [("", "did not take up its FIPS config"), ("other", "is not the one that this snap")]
)
def test_an_openssl_without_fips_is_not_proven(tmp_path: Path, library: Path, config: str, what: str) -> None:
    """This very Python's OpenSSL, in place of the snap's, is the missing or misread config."""
    root = tmp_path / "root"
    modules = root / "usr" / "lib" / "ossl-modules"
    modules.mkdir(parents=True)
    (modules / "fips.so").write_bytes(library.read_bytes())
    (root / "usr" / "lib" / "libcrypto.so.3").write_bytes(library.read_bytes())
    (root / "etc" / "ssl").mkdir(parents=True)
    (root / "etc" / "ssl" / "openssl.cnf").touch()
    digest = hashlib.sha256(config.encode()).hexdigest()
    (root / "etc" / "ssl" / "openssl.cnf.sha256").write_text(f"{digest}\n")
    code = (
        f"import sys; sys.path.insert(0, {str(LAUNCHER)!r}); from fips_launch import place, prove;"
        f"prove.prove(place.Place({str(root)!r}), True)"
    )
    variables = {"OPENSSL_CONF": str(root / "etc" / "ssl" / "openssl.cnf")}
    done = subprocess.run([sys.executable, "-I", "-c", code], env=variables, capture_output=True, text=True)
    assert done.returncode == 1
    assert what in done.stderr


def test_without_its_config_libcrypto_is_not_initialised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fips in (True, False):
        monkeypatch.setenv("OPENSSL_CONF", str(tmp_path / "absent.cnf"))
        with pytest.raises(NotProvenError, match=r"config .*absent\.cnf is missing"):
            prove(Place(str(tmp_path)), fips)
