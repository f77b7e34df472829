"""Plugin snaps of others that are connected, and whether Certbot uses them."""

import configparser
import glob
import http.client
import json
import os
import socket
import sys
from dataclasses import dataclass
from typing import Any

from fips_doctor.evidence import Evidence, Item, State, listed, read
from fips_launch import plugins
from fips_launch.place import Place

SOCKET = "/run/snapd.socket"
GROUPS = ("certbot.plugins", "letsencrypt.plugins")  # of entry points, by which Certbot finds plugins
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
LABEL = "plugin snaps"


class _Snapd(http.client.HTTPConnection):
    """A connection to snapd's socket."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(5)
        self.sock.connect(SOCKET)


@dataclass(frozen=True)
class Plugin:
    """A connected plugin snap, and the folder that Certbot would take; none if it is for another Python."""

    name: str
    folder: str


def connected(here: Place) -> list[Plugin]:
    """Return the plugins of this snap that snapd has connected; OSError or ValueError if it does not say."""
    if not os.path.exists(SOCKET):
        return []
    try:
        snapd = _Snapd("localhost")
        snapd.request("GET", f"/v2/connections?snap={here.name}&interface=content")
        response = snapd.getresponse()
        if response.status != http.client.OK:
            raise OSError(response.status, response.reason)
        result = json.load(response)["result"]
    except (http.client.HTTPException, KeyError) as error:
        raise ValueError(repr(error)) from None
    return [_plugin(each) for each in result.get("established", []) if each["plug"]["plug"] == "plugin"]


def _plugin(connection: dict[str, Any]) -> Plugin:
    name = str(connection["slot"]["snap"])
    folders = connection.get("slot-attrs", {}).get("read", [])
    fits = not folders or PYTHON in folders[0]
    return Plugin(name, f"/snap/{name}/current/lib/{PYTHON}/site-packages/" if fits else "")


def judge(here: Place, plugin: Plugin, fips: bool) -> Item:
    """Tell whether Certbot uses a plugin."""
    label = f"plugin {plugin.name}"
    if not plugin.folder:
        remedy = "ask its publisher for one; until then see --manual-auth-hook"
        return Item(label, f"not used: it is not built for {PYTHON}", State.WARN, remedy)
    why = plugins.look(here, plugin.folder)
    if not why:
        return Item(label, "used; it has no OpenSSL of its own", State.OK)
    if not fips:
        return Item(label, f"used, but not in FIPS mode: {why}")
    return Item(label, f"not used: {why}", State.WARN, f"snap disconnect {here.name}:plugin {plugin.name}")


def evidence(here: Place, fips: bool) -> Evidence:
    """Return a line on plugins as such, and one for each that is connected; ``fips``: it has to be on."""
    if not os.path.exists(SOCKET):
        return {"plugins": Item(LABEL, "none: there is no snapd to connect them")}
    try:
        found = connected(here)
    except (OSError, ValueError) as error:
        return {"plugins": Item(LABEL, f"cannot be told: {error}", State.UNKNOWN)}
    whole = {"plugins": Item(LABEL, listed([plugin.name for plugin in found]))}
    return whole | {f"plugin:{plugin.name}": judge(here, plugin, fips) for plugin in found}


def names(here: Place, fips: bool) -> set[str]:
    """Return the names of the plugins that Certbot has: the snap's, and of the snaps that it uses.

    :raises OSError, ValueError: snapd does not say which are connected.
    """
    used = [
        plugin.folder
        for plugin in connected(here)
        if plugin.folder and not (fips and plugins.look(here, plugin.folder))
    ]
    found: set[str] = set()
    for folder in (here.packages, *used):
        for file in glob.glob(f"{glob.escape(folder)}/*.dist-info/entry_points.txt"):
            parser = configparser.ConfigParser(delimiters="=", interpolation=None, strict=False)
            try:
                parser.read_string(read(file) or "")
            except configparser.Error:
                continue
            found |= {name for group in GROUPS if parser.has_section(group) for name in parser[group]}
    return found
