"""From the evidence to one verdict: its code, its headline, the exit status."""

from fips_doctor.evidence import Evidence, State
from fips_launch.decide import Decision, Source

ACTIVE = "fips-active"
OFF = "fips-off"
OFF_BY_SETTING = "fips-off-by-setting"
NOT_ACTIVE = "fips-not-active"
BROKEN = "snap-broken"
UNKNOWN = "fips-unknown"

HEADLINES = {
    ACTIVE: "FIPS: active",
    OFF: "FIPS: off, host not flagged",
    OFF_BY_SETTING: "FIPS: OFF BY SETTING ON A FIPS HOST",
    NOT_ACTIVE: "FIPS: REQUIRED BUT NOT ACTIVE",
    BROKEN: "FIPS: off, and the snap is broken",
    UNKNOWN: "FIPS: could not be told",
}
AS_IT_SHOULD_BE, NOT_AS_IT_SHOULD_BE, NOT_TOLD = 0, 1, 2
# What a process of the snap could and could not do; the rest is about the machine and the files.
OF_PROCESSES = ("process", "openssl")


def verdict(decision: Decision, flag: Decision, evidence: Evidence) -> str:
    """Return the code of the verdict.

    :param decision: what the launcher decides here. :param flag: what the kernel's flag alone would have it.
    """
    states = {evidence[name].state for name in OF_PROCESSES}
    if decision.fips and State.BAD in states:
        return NOT_ACTIVE
    if State.UNKNOWN in states:
        return UNKNOWN
    if decision.fips:
        return ACTIVE
    if flag.fips:
        return OFF_BY_SETTING if decision.source == Source.SETTING_OFF else NOT_ACTIVE
    return BROKEN if State.BAD in states else OFF


def headline(code: str, evidence: Evidence) -> str:
    """Return the first line of the screen; faults that leave the verdict as it is are counted in it."""
    faults = sum(item.state is State.BAD for item in evidence.values())
    text = HEADLINES[code]
    if code in (ACTIVE, OFF) and faults:
        return f"{text}, BUT {'1 THING IS' if faults == 1 else f'{faults} THINGS ARE'} NOT RIGHT"
    return text


def exit_status(code: str, evidence: Evidence) -> int:
    """Return 0 as it should be, 1 not as it should be, 2 could not tell."""
    if code == UNKNOWN:
        return NOT_TOLD
    faults = any(item.state is State.BAD for item in evidence.values())
    return AS_IT_SHOULD_BE if code in (ACTIVE, OFF) and not faults else NOT_AS_IT_SHOULD_BE
