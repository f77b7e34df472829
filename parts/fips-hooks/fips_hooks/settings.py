"""The configure hook, and the one that asks before a plugin gets into Certbot's process."""

import json
import os
import re

from fips_launch import config, decide, place, plugins, snapd
from fips_launch.files import write

TRUST = "trust-plugin-with-root"


def get(name: str) -> str:
    """Return a setting of `snap set`, empty if it is not set; ValueError if snapd does not say."""
    return config.run("snapctl", "get", name, variables=os.environ).strip()


def configure(here: place.Place) -> None:
    """Check and keep the setting `fips`; not set means `auto`.

    :raises ValueError, OSError: its value is unknown, the text has the list; or it cannot be kept.
    """
    value = get("fips") or "auto"
    if value not in decide.SETTINGS:
        raise ValueError(f"fips={value[:40]!r} is unknown: set it to one of {', '.join(decide.SETTINGS)}")
    write(here.setting, value + "\n")


def compare(here: place.Place) -> None:
    """Keep in the setting's file that snapd has another, or no longer has.

    :raises ValueError, OSError: snapd does not say, or it cannot be kept.
    """
    of_snapd = get("fips") or "auto"  # asked first: the configure hook writes before snapd keeps it
    try:
        word = decide.word_in(here.setting)
    except OSError:
        return  # on already, and told
    word = "auto" if word is None else word
    agreed = decide.agreed(word, of_snapd)
    if agreed != word:
        write(here.setting, agreed + "\n")


def _connecting(here: place.Place) -> str:
    """Return the snap whose plugin is being connected, empty if snapd does not say.

    A hook is told the attributes of the other side, but not whose they are; the change that snapd is at is.
    """
    try:
        changes = snapd.get("/v2/changes?select=in-progress")
    except (OSError, ValueError):
        return ""
    summaries = [task["summary"] for change in changes for task in change.get("tasks", [])]
    named = [re.search(rf"{re.escape(here.instance)}:plugin to ([^:\s]+):", each) for each in summaries]
    return next((each[1] for each in named if each), "")


def _why_not(here: place.Place) -> str:
    """Return why the plugin that is being connected cannot work, empty if it can or that cannot be told."""
    if not (snap := _connecting(here)):
        return ""
    read = config.run("snapctl", "get", "--slot", ":plugin", "read", variables=os.environ).strip()
    folder = plugins.folder_of(snap, json.loads(read) if read.startswith("[") else [read] if read else [])
    done = config.run(*(here.python, "-I", "-m", "fips_launch.try_plugin", folder), variables=os.environ)
    loads, fails = plugins.answer(done)
    return "" if loads else fails


def prepare_plug_plugin(here: place.Place) -> None:
    """Let a plugin snap be connected only if the administrator trusts it with root, and it can work.

    A plugin runs in Certbot's own process.  The consent is for one connection, as with Certbot's own
    snap, and is used up by one that is made.

    :raises ValueError: there is no consent, the text says how to give it; or the plugin cannot work.
    """
    if get(TRUST) != "ok":
        raise ValueError(
            "a plugin runs as root in Certbot's process: if you trust its author with that, run"
            f" `snap set {here.instance} {TRUST}=ok` and connect it again"
        )
    if why := _why_not(here):
        raise ValueError(f"this plugin cannot be used: {why}")
    config.run("snapctl", "unset", TRUST, variables=os.environ)
