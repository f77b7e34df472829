"""The configure hook, and the one that asks before a plugin gets into Certbot's process."""

import os

from fips_launch import config, decide, place
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


def prepare_plug_plugin(here: place.Place) -> None:
    """Let a plugin snap be connected only if the administrator trusts it with root.

    A plugin runs in Certbot's own process.  The consent is for one connection, as with Certbot's own
    snap, and is used up.

    :raises ValueError: there is no consent; the text says how to give it.
    """
    if get(TRUST) != "ok":
        raise ValueError(
            "a plugin runs as root in Certbot's process: if you trust its author with that, run"
            f" `snap set {here.instance} {TRUST}=ok` and connect it again"
        )
    config.run("snapctl", "unset", TRUST, variables=os.environ)
