"""Plugin snaps of others in Certbot's process: none brings an OpenSSL of its own to a FIPS host."""

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.snap.support import SNAP, MakeHost
from tests.snap.test_doctor import examined, state, value
from tools.architecture import ARCHITECTURE
from tools.hosts import NamespaceHost, snapd_socket

PACKAGES = f"{SNAP}/usr/lib/python3.13/site-packages"
HOSTS_LIBCRYPTO = f"/usr/lib/{ARCHITECTURE.triplet}/libcrypto.so.3"
MEMORY = "/var/snap/certbot-fips/x1/fips/plugins-x1.json"
NAME = "certbot-dns-try"
PLUGIN = """
from certbot.plugins import common
class Authenticator(common.Plugin):
    description = "Try"
    @classmethod
    def add_parser_arguments(cls, add):
        {later}
"""
LOAD = "import ctypes; ctypes.CDLL({!r})"


def wheel(name: str) -> Path:
    """Return an installed package; `cryptography` of this Python's is linked with an OpenSSL statically."""
    spec = find_spec(name)
    assert spec
    assert spec.origin
    return Path(spec.origin).parent


STATIC = wheel("cryptography") / "hazmat/bindings/_rust.abi3.so"


class PluginHost:
    """A host with one plugin snap that snapd has connected."""

    def __init__(self, host: NamespaceHost, python: str = "python3.13") -> None:
        self.host = host
        self.folder = f"/snap/{NAME}/x1/lib/{python}/site-packages"
        info = f"{self.folder}/certbot_dns_try-1.dist-info"
        self.write(f"{info}/METADATA", "Metadata-Version: 2.1\nName: certbot-dns-try\nVersion: 1\n")
        self.write(f"{info}/entry_points.txt", "[certbot.plugins]\ndns-try = dns_try:Authenticator\n")
        host.run(["ln", "-s", "x1", f"/snap/{NAME}/current"]).check()
        connection = {
            "plug": {"snap": "certbot-fips", "plug": "plugin"},
            "plug-attrs": {"content": "certbot-1"},
            "slot": {"snap": NAME, "slot": "certbot"},
            "slot-attrs": {"read": [f"$SNAP/lib/{python}/site-packages"]},
        }
        self.write("/run/connections", json.dumps({"result": {"established": [connection]}}))
        snapd_socket.start(host, "/run/snapd.socket", "/run/connections")

    def write(self, path: str, text: str) -> None:
        self.host.run(["sh", "-euc", 'mkdir -p "${0%/*}"; cat > "$0"', path], stdin=text).check()

    def code(self, first: str = "", later: str = "pass") -> None:
        """Give the plugin its code: ``first`` when it is loaded, ``later`` when its options are asked for."""
        self.write(f"{self.folder}/dns_try.py", first + PLUGIN.format(later=later))

    def add(self, file: Path, name: str) -> None:
        self.host.copy(file, f"{self.folder}/{name}")

    def used(self) -> bool:
        """Tell whether Certbot has the plugin; where not, it says why, and works."""
        listed = self.host.run(["certbot-fips", "plugins"]).check()
        has = "* dns-try" in listed.stdout
        assert has == ("is not used" not in listed.stderr)
        assert has or NAME in listed.stderr
        return has


@pytest.fixture
def flagged_host(make_host: MakeHost) -> PluginHost:
    return PluginHost(make_host())


@pytest.fixture(params=["flagged", "unflagged"])
def plugin_host(request: pytest.FixtureRequest, make_host: MakeHost) -> Iterator[PluginHost]:
    yield PluginHost(make_host(flagged=request.param == "flagged"))


def test_a_plugin_with_an_openssl_linked_in_is_not_used_in_fips_mode(make_host: MakeHost) -> None:
    for flagged in (True, False):
        plugin = PluginHost(make_host(flagged=flagged))
        plugin.code()
        plugin.add(STATIC, "dns_try_native/_native.abi3.so")
        assert plugin.used() is not flagged
        found = examined(plugin.host, 0)
        assert state(found, f"plugin:{NAME}") == ("warn" if flagged else "info")
        assert "dns_try_native/_native.abi3.so" in value(found, f"plugin:{NAME}")


def test_what_links_to_ours_or_is_shadowed_by_ours_is_no_openssl(flagged_host: PluginHost) -> None:
    """The control: no false alarm for what has the version's text, needs libcrypto, or is not loaded."""
    flagged_host.code()
    for package in (wheel("cryptography"), wheel("yaml")):
        flagged_host.add(package, package.name)
    for name, file in (
        ("linked", f"{PACKAGES}/cryptography/hazmat/bindings/_rust.abi3.so"),
        ("cffi", f"{PACKAGES}/_cffi_backend.*.so"),
        ("ssl", f"{SNAP}/usr/lib/python3.13/lib-dynload/_ssl.*.so"),
        ("link", "/snap/certbot-dns-try"),  # a loop
    ):
        target = f"{flagged_host.folder}/dns_try_{name}"
        flagged_host.host.run(["sh", "-euc", f"mkdir {target}; ln -s {file} {target}"]).check()
    assert flagged_host.used()
    found = examined(flagged_host.host, 0)
    assert value(found, "plugins") == NAME
    assert state(found, f"plugin:{NAME}") == "ok"


def test_a_plugin_for_another_python_is_used_if_it_loads(make_host: MakeHost) -> None:
    """As upstream's plugin snaps are, for Python 3.12; the control: what does not load is told by name."""
    plugin = PluginHost(make_host(), "python3.12")
    plugin.code()
    assert plugin.used()
    assert state(examined(plugin.host, 0), f"plugin:{NAME}") == "ok"
    plugin.code(first="import _built_for_another_python")
    why = "ModuleNotFoundError: No module named '_built_for_another_python'"
    listed = plugin.host.run(["certbot-fips", "plugins"]).check()
    assert "* dns-try" not in listed.stdout and "* standalone" in listed.stdout
    assert f"The dns-try plugin, 'dns_try', errored while loading: {why}" in listed.stderr
    found = examined(plugin.host, 0)
    assert state(found, f"plugin:{NAME}") == "warn"
    assert why in value(found, f"plugin:{NAME}")


#: Speaks past `sys.stdout`, at once and at its end.
SPEAK = """
import atexit, os
os.write(1, b"{}")
atexit.register(os.write, 1, b"[]")
"""


def test_what_a_plugin_says_is_no_answer_of_its_trial(flagged_host: PluginHost) -> None:
    """The control is one that ends the trial without an answer: it is told so, and nothing else is lost."""
    flagged_host.code(first=SPEAK)
    found = examined(flagged_host.host, 0)
    assert value(found, f"plugin:{NAME}") == "used; it has no OpenSSL of its own"
    flagged_host.code(first="import os; os._exit(0)")
    found = examined(flagged_host.host, 0)
    assert state(found, f"plugin:{NAME}") == "warn"
    assert "it does not load: its code ends the trial" in value(found, f"plugin:{NAME}")
    assert state(found, "lineages") == "ok"


@pytest.mark.parametrize("when", ["first", "later"])
def test_a_libcrypto_that_a_plugin_loads_ends_certbot(make_host: MakeHost, when: str) -> None:
    """From outside of its folder, where it is loaded or not before it is used; not in FIPS mode it may."""
    plugin = PluginHost(make_host())
    plugin.code(**{when: LOAD.format(HOSTS_LIBCRYPTO)})
    result = plugin.host.run(["certbot-fips", "certificates", "--authenticator", "dns-try"])
    assert result.returncode == 78
    said = [line for line in result.stderr.splitlines() if line.startswith("certbot-fips: ")]
    assert len(said) == 1
    assert f"a plugin has loaded another libcrypto or module: {HOSTS_LIBCRYPTO}; " in said[0]
    control = PluginHost(make_host(flagged=False))
    control.code(**{when: LOAD.format(HOSTS_LIBCRYPTO)})
    assert control.used()


#: Runs the OpenSSL that is linked into a package which the snap has too, or a libcrypto by another name.
BY_PATH = """
import ctypes, importlib.util
path = {!r}
if path.endswith(".abi3.so"):
    importlib.util.module_from_spec(importlib.util.spec_from_file_location("_rust", path))
else:
    ctypes.CDLL(path)
"""


@pytest.mark.parametrize("by", ["shadowed package", "another name", "deleted file"])
def test_openssl_by_whatever_path_ends_certbot(make_host: MakeHost, by: str) -> None:
    for flagged in (True, False):
        plugin = PluginHost(make_host(flagged=flagged))
        plugin.add(wheel("cryptography"), "cryptography")
        plugin.host.run(["cp", HOSTS_LIBCRYPTO, "/opt/other.so"]).check()
        path = f"{plugin.folder}/cryptography/hazmat/bindings/_rust.abi3.so"
        if by != "shadowed package":
            path = "/opt/other.so"
        gone = f"import os; os.remove({path!r})" if by == "deleted file" else ""
        plugin.code(first=f"{BY_PATH.format(path)}\n{gone}\n")
        if flagged:
            result = plugin.host.run(["certbot-fips", "plugins"])
            assert result.returncode == 78
            assert f"a plugin has loaded another libcrypto or module: {path}" in result.stderr
        else:
            assert plugin.used()


SEE = """
import importlib.util, sys
sys.path.insert(0, __file__.rpartition("/")[0])
seen = []
for name in ("cryptography", "requests", "ftplib", "dns_try_own"):
    kept = sys.modules.pop(name, None)
    seen.append(importlib.util.find_spec(name).origin)
    if kept:
        sys.modules[name] = kept
with open("/run/seen", "w") as file:
    print(*seen, sep="\\n", file=file)
"""


def test_what_is_in_the_snap_is_never_taken_from_a_plugin(plugin_host: PluginHost) -> None:
    """Whatever it does to `sys.path`; packages and single files, of Certbot's and of Python's own."""
    for name in ("cryptography/__init__", "requests/__init__", "ftplib", "dns_try_own"):
        plugin_host.write(f"{plugin_host.folder}/{name}.py", "")
    plugin_host.code(first=SEE)
    assert plugin_host.used()
    *ours, own = plugin_host.host.run(["cat", "/run/seen"]).check().stdout.splitlines()
    assert len(ours) == 3
    assert all(path.startswith("/snap/certbot-fips/") for path in ours)
    assert own.startswith(f"/snap/{NAME}/")


def test_what_was_found_is_remembered_for_a_revision(flagged_host: PluginHost) -> None:
    """Its files are read again when snapd's file is another, and when the memory is damaged."""
    host, blob = flagged_host.host, f"/var/lib/snapd/snaps/{NAME}_x1.snap"
    flagged_host.code()
    flagged_host.write(blob, "the packed plugin")
    host.run(["mount", "--bind", f"/snap/{NAME}/x1", "/mnt"]).check()  # where it can be changed still
    for options in (["--bind", f"/snap/{NAME}/x1"], ["-o", "remount,bind,ro"]):
        host.run(["mount", *options, f"/snap/{NAME}/x1"]).check()
    assert flagged_host.used()
    assert f"{NAME}_x1.snap" in host.run(["cat", MEMORY]).check().stdout
    target = "/mnt/lib/python3.13/site-packages/native.so"
    host.copy(STATIC, target)
    assert flagged_host.used()  # nobody has read it
    flagged_host.write(blob, "another packed plugin")
    assert not flagged_host.used()
    host.run(["rm", target]).check()
    assert not flagged_host.used()
    for damage in ("{", "[]", "1", json.dumps({f"/snap/{NAME}/current/lib/python3.13/site-packages/": ""})):
        host.run(["tee", MEMORY], stdin=damage).check()
        assert flagged_host.used(), damage


def test_a_plugin_that_can_change_is_read_each_time(flagged_host: PluginHost) -> None:
    flagged_host.code()
    assert flagged_host.used()
    flagged_host.add(STATIC, "native.so")
    assert not flagged_host.used()
    assert flagged_host.host.run(["test", "-e", MEMORY]).returncode == 1


def test_a_plugin_that_cannot_be_read_is_not_used(flagged_host: PluginHost) -> None:
    flagged_host.host.run(["rm", f"/snap/{NAME}/current"]).check()
    listed = flagged_host.host.run(["certbot-fips", "plugins"]).check()
    assert "it cannot be told whether it has an OpenSSL of its own" in listed.stderr
