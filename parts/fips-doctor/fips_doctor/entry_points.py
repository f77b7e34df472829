"""What processes of the snap can and cannot do that come in by its proven entry points."""

import json
from typing import Any

from fips_doctor.evidence import REINSTALL, Done, Evidence, Item, State, listed, read, run
from fips_doctor.probe import MUST_BE_REFUSED, MUST_WORK
from fips_launch import config, refusal
from fips_launch.place import Place

PYTHON = "python3 and certbot"


def _result(done: Done) -> dict[str, Any] | None:
    """Return what the probe printed; None if that is not what it prints."""
    try:
        found: dict[str, Any] = json.loads(done.out) if done.status == 0 else {}
    except ValueError:
        return None
    return found if {"works", "groups", "libraries"} <= set(found) else None


def refused_to_run(label: str, done: Done) -> Item:
    """Return what the launcher said, its remedy apart."""
    what, remedy = refusal.parse(done.last_line)
    advice = REINSTALL if remedy == refusal.REINSTALL else remedy
    return Item(label, f"refused to run: {what}", State.BAD, advice)


def python(here: Place, fips: bool) -> Evidence:
    """Probe the entry point of Certbot and Python; ``fips``: it has to be in FIPS mode."""
    done = run(here.python, "-I", "-m", "fips_doctor.probe")
    found = _result(done)
    if done.status == refusal.STATUS:
        return {"process": refused_to_run(PYTHON, done)}
    if found is None:
        state = State.UNKNOWN if done.status is None else State.BAD
        return {"process": Item(PYTHON, f"failed: {done.last_line}", state, REINSTALL)}
    works: dict[str, bool] = found["works"]
    failed = [name for name in MUST_WORK if not works.get(name)]
    given = [name for name in MUST_BE_REFUSED if works.get(name, True)]
    foreign = set(found["libraries"]) ^ ({here.libcrypto, here.module} if fips else {here.libcrypto})
    shown = [path.removeprefix(here.root + "/") for path in found["libraries"]]
    strange = set(found["groups"]) - set(config.approved_groups(read(here.template) or ""))
    in_fips = not given and not foreign

    def judge(good: bool) -> State:
        return State.OK if good else State.BAD

    mode = "in FIPS mode, proven" if in_fips and fips else "in OpenSSL's default mode"
    if fips and not in_fips:
        mode = "NOT in FIPS mode"
    return {
        "process": Item(PYTHON, mode, judge(in_fips or not fips), REINSTALL),
        "libraries": Item("libraries mapped", listed(shown), judge(not foreign), REINSTALL),
        "works": Item(
            "probes that must work",
            f"failed: {listed(failed)}" if failed else f"all do: {listed(list(MUST_WORK))}",
            judge(not failed),
            REINSTALL,
        ),
        "refused": Item(
            "probes FIPS refuses",
            f"not refused: {listed(given)}" if given else f"all are: {listed(list(MUST_BE_REFUSED))}",
            judge(not given) if fips else State.INFO,
            REINSTALL,
        ),
        "groups": Item(
            "TLS groups offered",
            listed(found["groups"]),
            judge(not strange and bool(found["groups"])) if fips else State.INFO,
            REINSTALL,
        ),
    }


def openssl(here: Place, fips: bool) -> Evidence:
    """Probe the entry point of programs that are not Python."""
    done = run(here.fips_exec, here.openssl, "dgst", "-md5", "/dev/null")
    label = "openssl"
    if done.status is None:
        return {"openssl": Item(label, done.last_line, State.UNKNOWN, REINSTALL)}
    if done.status == refusal.STATUS:
        return {"openssl": refused_to_run(label, done)}
    refused = done.status == 1 and not done.out.strip() and "unsupported" in done.err
    given = done.status == 0
    value = "refuses MD5" if refused else "gives MD5" if given else f"failed: {done.last_line}"
    return {"openssl": Item(label, value, State.OK if (refused if fips else given) else State.BAD, REINSTALL)}
