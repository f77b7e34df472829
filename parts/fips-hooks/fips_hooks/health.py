"""The check-health hook: the doctor's verdict, in the words that snapd has for it.

snapd asks after an install and a refresh; the service `health` tells it in between.
"""

import os

from fips_doctor import report, verdict
from fips_doctor.evidence import State
from fips_launch import config, place

LONGEST = 70  # characters; snapd cuts what is longer
STATUS = {
    verdict.OFF_BY_SETTING: "blocked",
    verdict.UNKNOWN: "waiting",
    verdict.NOT_ACTIVE: "error",
    verdict.BROKEN: "error",
}
# A fault in the evidence of these is not the snap's.
CURED_BY_ADMINISTRATOR = {"mode", "trust_store", "kernel_flag", "hooks"}
CURED_BY_WAITING = {"entropy"}


def health(found: report.Report, instance: str) -> list[str]:
    """Return the arguments of `snapctl set-health` for what the doctor found.

    okay: as it should be; waiting: a hook has not run, or it cannot be told; blocked: the administrator
    has to do something; error: the snap is broken.
    """
    command = f"{instance}.doctor"
    if found.verdict in STATUS:
        status, code, text = STATUS[found.verdict], found.verdict, found.headline
    elif faults := [name for name, item in found.evidence.items() if item.state is State.BAD]:
        name = faults[0]
        status = "error"
        if name in CURED_BY_ADMINISTRATOR:
            status = "blocked"
        elif name in CURED_BY_WAITING:
            status = "waiting"
        code, text = name.replace("_", "-"), f"not as it should be: {found.evidence[name].label}"
    elif "config" in found.evidence and found.evidence["config"].state is State.WARN:
        status, code, text = "waiting", "hook-not-run", "the install hook has not run"
    else:
        return ["okay"]
    return [status, f"{text}; run {command}"[:LONGEST], f"--code={code}"]


def check(here: place.Place) -> None:
    """Tell snapd how we are; ValueError or OSError if it cannot be told."""
    config.run("snapctl", "set-health", *health(report.examine(here), here.instance), variables=os.environ)
