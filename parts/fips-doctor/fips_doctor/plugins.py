"""Plugin snaps of others that are connected, and whether Certbot uses them."""

import configparser
import functools
import glob
from dataclasses import dataclass

from fips_doctor.evidence import Done, Evidence, Item, State, listed, read, run
from fips_launch import plugins, refusal, snapd
from fips_launch.place import Place
from fips_launch.try_plugin import GROUPS

LABEL = "plugin snaps"


@dataclass(frozen=True)
class Plugin:
    """A connected plugin snap, and the folder with its packages."""

    name: str
    folder: str


def connected(here: Place) -> list[Plugin]:
    """Return the plugins of this snap that snapd has connected; OSError or ValueError if it does not say."""
    if not snapd.here():
        return []
    established = snapd.get(f"/v2/connections?snap={here.name}&interface=content").get("established", [])
    return [
        Plugin(name, plugins.folder_of(name, each.get("slot-attrs", {}).get("read", [])))
        for each in established
        if each["plug"]["plug"] == "plugin"
        for name in [str(each["slot"]["snap"])]
    ]


@functools.cache
def _tried(python: str, folder: str) -> Done:
    return run(python, "-I", "-m", "fips_launch.try_plugin", folder)


def _loaded(done: Done) -> tuple[list[str], str]:
    """Return which plugins load, and why others do not, empty if all do."""
    if done.status != 0:
        return [], refusal.parse(done.last_line)[0]
    return plugins.answer(done.out)


def judge(here: Place, plugin: Plugin, fips: bool) -> Item:
    """Tell whether Certbot uses a plugin; ``fips``: it has to be in FIPS mode."""
    label = f"plugin {plugin.name}"
    disconnect = f"snap disconnect {here.name}:plugin {plugin.name}"
    openssl = plugins.look(here, plugin.folder)
    if openssl and fips:
        return Item(label, f"not used: {openssl}", State.WARN, disconnect)
    loads, fails = _loaded(_tried(here.python, plugin.folder))
    if fails:
        partly = f"{listed(loads)} used; " if loads else ""
        remedy = f"ask its publisher for one that does, or {disconnect}"
        return Item(label, f"{partly}not used, for it does not load: {fails}", State.WARN, remedy)
    if openssl:
        return Item(label, f"used, but not in FIPS mode: {openssl}")
    return Item(label, "used; it has no OpenSSL of its own", State.OK)


def evidence(here: Place, fips: bool) -> Evidence:
    """Return a line on plugins as such, and one for each that is connected; ``fips``: it has to be on."""
    if not snapd.here():
        return {"plugins": Item(LABEL, "none: there is no snapd to connect them")}
    try:
        found = connected(here)
    except (OSError, ValueError) as error:
        return {"plugins": Item(LABEL, f"cannot be told: {error}", State.UNKNOWN)}
    whole = {"plugins": Item(LABEL, listed([plugin.name for plugin in found]))}
    return whole | {f"plugin:{plugin.name}": judge(here, plugin, fips) for plugin in found}


def names(here: Place, fips: bool) -> set[str]:
    """Return the names of the plugins that Certbot has: the snap's, and those of others that load.

    :raises OSError, ValueError: snapd does not say which are connected.
    """
    found: set[str] = set()
    for file in glob.glob(f"{glob.escape(here.packages)}/*.dist-info/entry_points.txt"):
        parser = configparser.ConfigParser(delimiters="=", interpolation=None, strict=False)
        try:
            parser.read_string(read(file) or "")
        except configparser.Error:
            continue
        found |= {name for group in GROUPS if parser.has_section(group) for name in parser[group]}
    for plugin in connected(here):
        if not (fips and plugins.look(here, plugin.folder)):
            found |= {*_loaded(_tried(here.python, plugin.folder))[0]}
    return found
