"""A plugin snap of somebody else's that snapd has connected: its code runs in Certbot's own process.

snapd is a stand-in that answers what the case says; the plugin's folder is a real one, at the path where
Certbot looks for it.  Whether a plugin has brought an OpenSSL is read from the memory of the process.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from random import Random

from tools.architecture import ARCHITECTURE
from tools.campaign.fault import FAILS, Fault
from tools.campaign.plan import BIND, CASE, FOREIGN, Mount, Plan

NAME = "certbot-dns-case"
SOCKET = f"{CASE}/snapd.socket"
#: Where the stand-in for snapd listens, and what it answers.
LISTENS, ANSWER = "/run/snapd-of-cases", f"{CASE}/connections"
CURRENT = f"{CASE}/plugin"
_PYTHON = "lib/python3.13/site-packages"
_FOLDER = f"/snap/{NAME}/current/{_PYTHON}"
_LIBCRYPTO = f"/usr/lib/{ARCHITECTURE.triplet}/libcrypto.so.3"
_LINKED_IN = f"{FOREIGN}/hazmat/bindings/_rust.abi3.so"


def foreign() -> Path:
    """Return the folder of this Python's own `cryptography`: its wheel has an OpenSSL linked in."""
    spec = find_spec("cryptography")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("cryptography")
    return Path(spec.origin).parent


def _load(path: str) -> str:
    return f"import ctypes; ctypes.CDLL({path!r})"


_FIRST = f"import sys; sys.path.insert(0, {_FOLDER!r})\n"
_FORGET = "for name in [n for n in sys.modules if n.startswith('cryptography')]: del sys.modules[name]\n"
_PLUGIN = """
from certbot.plugins import common
class Authenticator(common.Plugin):
    description = "of a case"
    @classmethod
    def add_parser_arguments(cls, add):
        {later}
"""
_MODULES = ("hashlib", "hmac", "ssl", "_hashlib", "requests", "acme", "certbot", "fips_launch", "ftplib")


@dataclass(frozen=True)
class Plugin:
    """What a plugin is and has.

    first: code of its module that runs when it is loaded; later: when its options are asked for.
    code: the module instead, None: there is no module; files: more of its files, links: by their targets.
    """

    first: str = ""
    later: str = "pass"
    code: str | None = _PLUGIN
    files: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    entry_points: str = "[certbot.plugins]\ndns-case = dns_case:Authenticator\n"


PLUGINS: dict[str, Plugin] = {
    "as it should be": Plugin(),
    "with a libcrypto that it loads": Plugin(_load(f"{_FOLDER}/own.so"), links={"own.so": _LIBCRYPTO}),
    "with a libcrypto that it loads late": Plugin(
        later=_load(f"{_FOLDER}/own.so"), links={"own.so": _LIBCRYPTO}
    ),
    "with a libcrypto that it does not load": Plugin(links={"own.so": _LIBCRYPTO}),
    "with an OpenSSL linked in": Plugin(_load(f"{_FOLDER}/native.so"), links={"native.so": _LINKED_IN}),
    "that loads the host's libcrypto": Plugin(_load(_LIBCRYPTO)),
    "that loads the host's libcrypto late": Plugin(later=_load(_LIBCRYPTO)),
    "with a cryptography of its own": Plugin(
        "import cryptography.hazmat.bindings._rust", links={"cryptography": FOREIGN}
    ),
    "that puts its cryptography first": Plugin(
        f"{_FIRST}{_FORGET}import cryptography.hazmat.bindings._rust", links={"cryptography": FOREIGN}
    ),
    "with modules named like ours": Plugin(files={f"{each}.py": _load(_LIBCRYPTO) for each in _MODULES}),
    "that puts modules named like ours first": Plugin(
        f"{_FIRST}import ftplib", files={f"{each}.py": _load(_LIBCRYPTO) for each in _MODULES}
    ),
    "whose module does not parse": Plugin(code="def ("),
    "whose module is missing": Plugin(code=None),
    "that raises": Plugin("raise RuntimeError('a plugin')"),
    "that raises late": Plugin(later="raise RuntimeError('a plugin')"),
    "with a class that is missing": Plugin(code=""),
    "with nonsense for entry points": Plugin(entry_points="nonsense\n[[["),
}


def _connection(python: str = _PYTHON) -> bytes:
    """Return what snapd says of a plugin that is connected, as far as it is read."""
    connection = {
        "plug": {"snap": "certbot-fips", "plug": "plugin"},
        "plug-attrs": {"content": "certbot-1"},
        "slot": {"snap": NAME, "slot": "certbot"},
        "slot-attrs": {"read": [f"$SNAP/{python}"]},
    }
    return json.dumps({"result": {"established": [connection]}}).encode()


#: What else can be wrong: the answer, and whether there is a folder.
_ODD = {
    "for another Python": (_connection("lib/python3.12/site-packages"), True),
    "that has no folder": (_connection(), False),
    "that snapd does not tell of": (b"", True),
}


def draw(random: Random) -> Fault:
    """Draw a plugin."""
    return connected(random.choice([*PLUGINS, *_ODD]))


def connected(name: str) -> Fault:
    """Return the fault that a plugin is connected: one of PLUGINS, or odd."""

    def apply(plan: Plan) -> None:
        answer, there = _ODD.get(name, (_connection(), True))
        plan.excuses.add(FAILS)
        plan.last_mounts.append(Mount(f"{CASE}/letsencrypt", "/etc/letsencrypt", "", BIND))
        plan.files.append(_maker(PLUGINS.get(name, PLUGINS["as it should be"]), answer, there))

    return Fault("plugin", f"there is a plugin {name}", apply)


def _maker(plugin: Plugin, answer: bytes, there: bool) -> Callable[[Path], None]:
    def make(case: Path) -> None:
        (case / "letsencrypt").mkdir()
        (case / "letsencrypt/cli.ini").write_text(
            "authenticator = dns-case\n"
        )  # it is loaded when it is named
        (case / "snapd.socket").symlink_to(LISTENS)
        (case / "connections").write_bytes(answer)
        if not there:
            return
        folder = case / "plugin" / _PYTHON
        info = folder / "certbot_dns_case-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(plugin.entry_points)
        if plugin.code is not None:
            code = plugin.code.replace("{later}", plugin.later)
            (folder / "dns_case.py").write_text(f"{plugin.first}\n{code}")
        for path, content in plugin.files.items():
            (folder / path).write_text(content)
        for path, target in plugin.links.items():
            (folder / path).symlink_to(target)

    return make
