"""The FIPS module of the snap: what it is by the snap's record, and whether the file is that, and whole.

What may be claimed of it is taken from the record, word for word.
"""

import datetime
import json
from typing import Any

from fips_doctor.evidence import REINSTALL, Evidence, Item, State, host_run, read
from fips_launch import config
from fips_launch.place import Place

YEAR = 366  # days


def record(here: Place) -> dict[str, Any]:
    """Return the snap's record of the module, empty if it cannot be read."""
    try:
        found = json.loads(read(here.record) or "")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def identity(here: Place, recorded: dict[str, Any]) -> Evidence:
    """Say what the record says, and compare the file with it, by the host's own sha256sum."""
    if not {"name", "version", "origin", "module_sha256", "validation"} <= set(recorded):
        missing = Item("module", f"{here.record} cannot be read", State.BAD, REINSTALL)
        return {
            "module": missing,
            "validation": Item("validation", "no record, no claim", State.BAD, REINSTALL),
        }
    done = host_run("sha256sum", "-b", here.module)
    sha256 = done.out.split(" ")[0] if done.status == 0 else ""
    if not sha256:
        digest = Item(
            "module's sha256", done.last_line, State.BAD if done.status else State.UNKNOWN, REINSTALL
        )
    elif sha256 == recorded["module_sha256"]:
        digest = Item("module's sha256", f"{sha256}, as recorded", State.OK)
    else:
        digest = Item("module's sha256", f"{sha256}, NOT AS RECORDED", State.BAD, REINSTALL)
    return {
        "module": Item("module", f"{recorded['name']} {recorded['version']}, from its {recorded['origin']}"),
        "validation": validation(recorded, datetime.date.today()),
        "module_sha256": digest,
    }


def validation(recorded: dict[str, Any], today: datetime.date) -> Item:
    """Say what may be claimed, word for word; a year ahead of the certificate's sunset, to be looked at."""
    label, words = "validation", str(recorded["validation"])
    if "certificate_sunset" not in recorded:
        return Item(label, words)
    sunset = datetime.date.fromisoformat(recorded["certificate_sunset"])
    days = (sunset - today).days
    if days >= YEAR:
        return Item(label, words)
    when = f"is on {sunset}, in {days} days" if days > 0 else f"was on {sunset}: it is historical"
    remedy = f"the certificate's sunset {when}; refresh to a snap whose module has a later one"
    return Item(label, words, State.WARN, remedy)


def self_test(here: Place) -> Evidence:
    """Run the module's self-tests and its integrity check, by its own release's fipsinstall."""
    label = "module's self-tests"
    try:
        made = config.make(here.provider_openssl, here.module, here.template)
    except (OSError, ValueError) as error:
        return {"self_test": Item(label, " ".join(str(error).split()), State.BAD, REINSTALL)}
    in_use = here.select(True)["OPENSSL_CONF"]
    if made != read(in_use):
        remedy = REINSTALL
        if in_use == here.installed_config:
            remedy = f"run `snap run --hook=post-refresh {here.instance}` as root, or {REINSTALL}"
        return {"self_test": Item(label, f"pass, but {in_use} is not what they make", State.BAD, remedy)}
    return {"self_test": Item(label, "pass, its MAC is right and in the config in use", State.OK)}
