"""The snap as it is here: its mode and why, revision, config, services."""

import os

from fips_doctor.evidence import REINSTALL, Evidence, Item, State, host_run, read, run
from fips_launch import decide, environment
from fips_launch.decide import Decision, Source
from fips_launch.place import TIMERS, Place


def of_snapd(here: Place) -> str | None:
    """Return the setting that snapd has; None if it does not say, for it answers what `snap run` started."""
    with open("/proc/self/environ", "rb") as file:
        variables = {os.fsdecode(n): os.fsdecode(v) for n, v in environment.parse(file.read()).items()}
    if not here.instance or variables.get("SNAP_INSTANCE_NAME") != here.instance:
        return None
    done = run("snapctl", "get", "fips", variables=variables, seconds=5)
    return (done.out.strip() or "auto") if done.status == 0 else None


def decided(here: Place) -> Decision:
    """Return what the launcher decides; and that FIPS has to be on where snapd has another setting."""
    decision = decide.decide(here.setting)
    told = of_snapd(here)
    if told is None or decision.source == Source.SETTING_UNREADABLE:
        return decision
    word = decide.word_in(here.setting)
    return decide.by_word(decide.agreed("auto" if word is None else word, told), here.setting)


def mode(here: Place, decision: Decision, flag: Decision) -> Evidence:
    """Tell the administrator's setting, and what follows from it and the kernel's flag."""
    word = (read(here.setting) or "auto").strip()[:40]
    value = f"{word}: FIPS {'has to be on' if decision.fips else 'is not asked for'}, {decision.reason}"
    command = f"snap set {here.name} fips=auto"
    if decision.source in (Source.SETTING_UNKNOWN, Source.SETTING_UNREADABLE):
        return {"mode": Item("mode", value, State.BAD, command)}
    if decision.source == Source.SETTING_OFF and flag.fips:
        return {"mode": Item("mode", value, State.BAD, f"{command}, unless FIPS is not wanted here")}
    return {"mode": Item("mode", value)}


def installed(here: Place) -> Evidence:
    """Tell where this copy lies, its version, and which config its processes are given."""
    lines = (read(here.root + "/meta/snap.yaml") or "").splitlines()
    version = next(
        (line.partition(":")[2].strip(" '\"") for line in lines if line.startswith("version:")), ""
    )
    where = f"{here.instance} {version}, revision {here.revision}" if here.instance else "not by snapd"
    config = here.select(True)["OPENSSL_CONF"]
    if not here.instance or config == here.installed_config:
        chosen = Item("FIPS config", config, State.OK)
    else:
        remedy = f"run `snap run --hook=post-refresh {here.instance}` as root"
        chosen = Item("FIPS config", f"{config}: no hook has made this machine's own", State.WARN, remedy)
    if not os.path.isfile(config):
        chosen = Item("FIPS config", f"{config} is missing or no file", State.BAD, REINSTALL)
    return {"snap": Item("snap", f"{where}, in {here.root}"), "config": chosen}


def services(here: Place) -> Evidence:
    """Tell whether systemd has the timers of this snap, and how the renewal of the last one ended."""
    names = [f"snap.{here.instance}.{name}.timer" for name in TIMERS]
    if not here.instance or not os.path.isdir("/run/systemd/system"):
        return {"services": Item("services", "cannot be told: no snapd or no systemd here", State.UNKNOWN)}
    done = host_run("systemctl", "is-active", *names, seconds=5)
    words = done.out.split()
    if len(words) != len(names):
        return {"services": Item("services", done.last_line, State.UNKNOWN)}
    value = "timers: " + ", ".join(f"{name} {word}" for name, word in zip(TIMERS, words, strict=True))
    if set(words) != {"active"}:
        return {"services": Item("services", value, State.WARN, f"snap start --enable {here.instance}")}
    renew = f"snap.{here.instance}.renew.service"
    done = host_run("systemctl", "show", "--property=Result", renew, seconds=5)
    result = done.out.strip().removeprefix("Result=")
    if result != "success":
        value += f"; renew's last run: {result or done.last_line}"
        return {"services": Item("services", value, State.WARN, f"journalctl -u {renew}")}
    return {"services": Item("services", value, State.OK)}
