"""How a plugin's files are judged; tests/snap/test_plugins.py has real plugins in the packed snap."""

import os
import sysconfig
from importlib.util import find_spec
from pathlib import Path

import pytest

from fips_launch.place import Place
from fips_launch.plugins import answer, has_openssl, look, openssl_in

#: Of which a top-level module is "in the snap": this Python's own.
PATH = [sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib")]


def bindings() -> Path:
    """Return a real extension module that is linked with an OpenSSL statically."""
    spec = find_spec("cryptography")
    assert spec
    assert spec.origin
    return Path(spec.origin).with_name("hazmat") / "bindings" / "_rust.abi3.so"


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    (tmp_path / "dns_try").mkdir()
    (tmp_path / "dns_try" / "__init__.py").touch()
    return tmp_path


def test_an_openssl_is_known_by_its_code_and_not_by_its_name() -> None:
    assert has_openssl(str(bindings()))
    for name in ("_ssl", "_hashlib"):  # linked with a libcrypto, and with its version in their text
        spec = find_spec(name)
        assert spec
        assert spec.origin
        assert not has_openssl(spec.origin)
    assert not has_openssl(__file__)


@pytest.mark.parametrize("marker", [b"lib(%lu)\0 reason(%lu)", b"lib(%u)reason(%u)", b"AES, CRYPTOGAMS by <"])
def test_what_marks_it_counts_in_a_program_alone(plugin: Path, marker: bytes) -> None:
    file = plugin / "dns_try" / "code"
    file.write_bytes(marker)
    assert openssl_in(str(plugin), PATH) == ""
    file.write_bytes(b"\x7fELF" + marker)
    assert openssl_in(str(plugin), PATH) == str(file)


@pytest.mark.parametrize(
    ("name", "shadowed"),
    [
        ("json/native.so", True),
        ("json.libs/libcrypto-1.so", True),
        ("json.cpython-313-x86_64-linux-gnu.so", True),
        ("jsons/native.so", False),
        ("dns_try/json/native.so", False),
        ("site-packages/native.so", False),
        ("lib-dynload/native.so", False),
    ],
)
def test_what_the_snap_has_too_is_never_loaded(plugin: Path, name: str, shadowed: bool) -> None:
    file = plugin / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.symlink_to(bindings())
    assert (openssl_in(f"{plugin}/", PATH) == "") == shadowed


def test_folders_behind_links_are_looked_into_once(
    plugin: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "up").symlink_to(elsewhere)
    (plugin / "dns_try" / "linked").symlink_to(elsewhere)
    os.mkfifo(plugin / "dns_try" / "pipe")
    assert openssl_in(str(plugin), PATH) == ""
    (elsewhere / "native.so").write_bytes(bindings().read_bytes())
    assert openssl_in(str(plugin), PATH).endswith("/native.so")


def test_what_cannot_be_read_cannot_be_used(tmp_path: Path) -> None:
    assert "cannot be told" in look(Place("/opt/copy"), str(tmp_path / "absent"))
    (tmp_path / "dns_try").mkdir()
    (tmp_path / "dns_try" / "loop").symlink_to("loop")
    assert look(Place("/opt/copy"), str(tmp_path)) == ""  # no program can load that either


@pytest.mark.parametrize("said", ["", "Hello", "[]", "{}", '{"loads": "try", "fails": ""}', '{"loads": []}'])
def test_what_is_no_answer_of_a_trial_is_a_plugin_that_does_not_load(said: str) -> None:
    assert answer(said) == ([], "its code ends the trial before there is an answer")
    assert answer('{"loads": ["try"], "fails": ""}') == (["try"], "")
