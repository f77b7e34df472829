"""The verdict on a case: tables of rules on what was seen of a process; the first that fits wins."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tools.campaign.fault import CRASH, FAILS, HELPLESS, KILLED, MUTE, NOTHING, STRICT
from tools.campaign.observation import Observation

SECONDS = 5.0
#: Outcomes that are as they should be; the others are failures, `silent` the worst.
ALLOWED = {
    "fips": "in FIPS, and proven",
    "refused": "one clear line and a non-zero exit",
    "default": "the right work, where FIPS is not asked for",
    "strict": "in FIPS, where the case leaves open whether it is asked for",
    "told": "the doctor or snapd's health says that it is not as it should be",
    "failed": "in FIPS and proven (or not asked for it), then failed loudly for want of a file or memory",
    "killed": "ended by the signal or the limit of the case, nothing done",
    "crashed": "ended by the processor: its machine code is damaged or it has no stack, nothing done",
    "stuck": "its machine code is damaged and runs in circles, nothing done",
    "host's": "a shell ran the host's python3, for the snap's is gone",
    "nothing": "nothing started, as the loader was told",
}
FAILED = {
    "silent": "ran without FIPS, though FIPS is asked for",
    "unseen": "worked, but its memory was never seen",
    "late": f"took more than {SECONDS:g} seconds",
    "unclear": "failed without one clear line",
    "helpless": "refused, where FIPS is not asked for and nothing hinders",
    "wrong mode": "in FIPS, where FIPS is not asked for",
    "untrue": "the doctor or snapd's health says what is not so",
    "damage done": "a hook left what it should not",
}


@dataclass(frozen=True)
class Rule:
    """If `fits`, the outcome is this one; `evidence` says in a few words what it rests on."""

    name: str
    outcome: str
    fits: Callable[[Observation], bool]
    evidence: Callable[[Observation], str] = lambda _: ""


def _works_as_asked(o: Observation) -> bool:
    return not o.asked or o.ours


def _signal(o: Observation) -> str:
    return signal.Signals(o.killer).name


def _by_the_processor(o: Observation) -> bool:
    return o.killer in (
        *(signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGABRT),
        *(signal.SIGFPE, signal.SIGTRAP, signal.SIGSYS),
    )


def _clear(o: Observation) -> bool:
    """One line, or none where there is nowhere to write it (or the loader's alone), and no traceback."""
    heard = len(o.said) == 1 or (not o.said and (bool(o.stderr.strip()) or MUTE in o.excuses))
    return heard and b"Traceback" not in o.stderr


def _prompt(o: Observation) -> bool:
    return o.code == 0 and o.door.interactive and FAILS in o.excuses and bool(o.mapped)


def _good_news(o: Observation) -> bool:
    mute = 1 in o.closed and not o.health and o.status == 0  # its exit status is all that is heard of it
    return o.health == "okay" or o.headline.startswith(("FIPS: active", "FIPS: off, host")) or mute


def _news(o: Observation) -> bool:
    return bool(o.health or o.headline) or (1 in o.closed and o.status is not None)


#: Of a process that achieved something: was it in FIPS, if that is asked for?
WORKED = (
    Rule("the host's python3", "host's", lambda o: o.door.shell and o.any_seen and not o.snap_seen),
    Rule(
        # Its exit status is all that there is to go by, and it is the loader's.
        "the loader's exit status",
        "nothing",
        lambda o: NOTHING in o.excuses and o.door.kind == "text" and not o.door.told and not o.snap_seen,
    ),
    Rule(
        "weak things given",
        "silent",
        lambda o: o.asked and o.got is not None and bool(o.got.weak),
        lambda o: f"it was given {', '.join(o.got.weak if o.got else ())}",
    ),
    Rule(
        "no memory seen",
        "unseen",
        lambda o: o.asked and not o.snap_seen,
        lambda _: "no process of the snap was seen",
    ),
    Rule("work in FIPS", "fips", lambda o: o.asked and o.ours),
    Rule(
        "work without the module",
        "silent",
        lambda o: o.asked,
        lambda o: f"mapped: {sorted(o.mapped) or 'nothing'}",
    ),
    Rule("weak things where they may be", "default", lambda o: o.got is not None and bool(o.got.weak)),
    Rule(
        "weak things refused, perhaps rightly",
        "strict",
        lambda o: o.door.kind == "python" and STRICT in o.excuses,
        lambda _: "weak things were refused",
    ),
    Rule(
        "weak things refused for no reason",
        "wrong mode",
        lambda o: o.door.kind == "python",
        lambda _: "weak things were refused",
    ),
    Rule("work where FIPS is not asked for", "default", lambda _: True),
)

#: Of a hook, by its file: made right, or else left alone or away (and the rules on what ended judge it).
HOOK = (
    Rule("made", "fips", lambda o: o.status == 0 and o.made, lambda _: "what the hook makes is there"),
    Rule("no hook ran", "nothing", lambda o: o.status == 0 and NOTHING in o.excuses),
    Rule(
        "not made, and success",
        "damage done",
        lambda o: o.status == 0,
        lambda _: "exit 0, and what the hook makes is not there",
    ),
    Rule("half made", "damage done", lambda o: o.spoiled, lambda _: "a file that is neither old nor right"),
)

#: Of what people and snapd are told: good news only where a process of the snap was seen like that.
REPORT = (
    Rule(
        "good news without proof",
        "silent",
        lambda o: o.asked and not o.ours and _good_news(o),
        lambda o: f"good news, and no process in FIPS: {o.headline or o.health}",
    ),
    Rule(
        "called off where it is asked for",
        "untrue",
        lambda o: o.asked and _good_news(o) and o.headline.startswith("FIPS: off"),
        lambda o: o.headline,
    ),
    Rule("good news, proven", "fips", lambda o: o.asked and _good_news(o)),
    Rule(
        "called active, perhaps rightly",
        "strict",
        lambda o: o.headline.startswith("FIPS: active") and STRICT in o.excuses,
        lambda o: o.headline,
    ),
    Rule(
        "called active where it is not",
        "untrue",
        lambda o: o.headline.startswith("FIPS: active"),
        lambda o: o.headline,
    ),
    Rule("good news where FIPS is not asked for", "default", _good_news),
    Rule(
        # Health goes to snapd, and that it was told is success; the doctor's exit status tells too.
        "bad news",
        "told",
        lambda o: _news(o) and bool(o.health or o.status),
        lambda o: o.headline or o.health,
    ),
    Rule("bad news, and success", "untrue", _news, lambda o: o.headline or o.health),
)

#: Of a process that achieved nothing that could be seen: did it end as it should?
ENDED = (
    Rule(
        "runs in circles",
        "stuck",
        lambda o: o.status is None and CRASH in o.excuses and not o.said,
        lambda _: "until it was killed",
    ),
    Rule(
        "too slow",
        "late",
        lambda o: o.status is None or o.seconds > SECONDS,
        lambda o: f"{o.seconds:.1f} s; it said: {o.last}",
    ),
    Rule(
        "ended by the case's signal or limit",
        "killed",
        lambda o: bool(o.killer) and KILLED in o.excuses and (not _by_the_processor(o) or o.killer == o.sent),
        _signal,
    ),
    Rule("ended by the processor", "crashed", lambda o: CRASH in o.excuses and _by_the_processor(o), _signal),
    Rule(
        "ended by a signal",
        "unclear",
        lambda o: bool(o.killer),
        lambda o: f"{_signal(o)}; it said: {o.last}",
    ),
    Rule(
        "ended itself for SIGINT",
        "killed",
        lambda o: o.code == 130 and o.sent == signal.SIGINT and not o.said,
        lambda _: "SIGINT",
    ),
    Rule(
        "done, and nowhere to say it",
        "default",
        lambda o: o.code == 0 and 1 in o.closed and not o.asked,
        lambda _: "by its exit status",
    ),
    Rule(
        "done in FIPS, and nowhere to say it",
        "fips",
        lambda o: o.code == 0 and 1 in o.closed and bool(o.mapped) and o.ours,
        lambda _: "seen in its memory",
    ),
    Rule(
        "done without FIPS, and nowhere to say it",
        "silent",
        lambda o: o.code == 0 and 1 in o.closed and bool(o.mapped),
        lambda _: "seen in its memory",
    ),
    Rule(
        # Go's own words for the signal, and its registers.
        "snap-exec ended by the signal",
        "killed",
        lambda o: bool(o.sent) and not o.mapped and b"\ngoroutine " in o.stderr,
        lambda _: "snap-exec, on the way",
    ),
    Rule(
        "the signal was faster",
        "killed",
        lambda o: bool(o.sent) and not o.mapped and o.code == 126 and not o.said,
        lambda _: "before it was started",
    ),
    Rule(
        # Python then asks for more, and ends with success.
        "failed at the prompt",
        "failed",
        lambda o: _prompt(o) and _works_as_asked(o),
        lambda o: o.last,
    ),
    Rule("failed at the prompt, without FIPS", "silent", lambda o: _prompt(o), lambda o: o.last),
    Rule("nothing ran", "nothing", lambda o: o.code == 0 and NOTHING in o.excuses),
    Rule(
        "success, and nothing done",
        "unclear",
        lambda o: o.code == 0,
        lambda o: f"exit 0 and nothing done; it said: {o.last}",
    ),
    Rule(
        "the module refused what is weak",
        "fips",
        lambda o: o.door.kind == "openssl" and not o.door.told and o.asked and bool(o.mapped) and o.ours,
        lambda _: "the module refused",
    ),
    Rule(
        "failed after it had started right",
        "failed",
        lambda o: FAILS in o.excuses and bool(o.mapped) and _works_as_asked(o),
        lambda o: o.last,
    ),
    Rule(
        "Python's words for SIGINT",
        "killed",
        lambda o: o.sent == signal.SIGINT and o.last == "KeyboardInterrupt" and not _clear(o),
        lambda _: "KeyboardInterrupt",
    ),
    Rule(
        "not one clear line",
        "unclear",
        lambda o: not _clear(o),
        lambda o: f"exit {o.code}, {len(o.said)} lines, the last: {o.last}",
    ),
    Rule(
        "one clear line",
        "refused",
        lambda o: o.asked or HELPLESS in o.excuses or STRICT in o.excuses,
        lambda o: o.last,
    ),
    Rule("one clear line, and no reason", "helpless", lambda _: True, lambda o: o.last),
)


def rules(o: Observation) -> Iterable[Rule]:
    """Return the rules for what was seen, in their order; the last one always fits."""
    if o.door.kind == "hook":
        return (*HOOK, *ENDED)
    if o.door.kind == "report":
        return (*REPORT, *ENDED)
    return ENDED if o.got is None else WORKED


def rule(o: Observation) -> Rule:
    """Return the first rule that fits."""
    return next(each for each in rules(o) if each.fits(o))


def judge(observations: Iterable[Observation]) -> tuple[str, str]:
    """Return the outcome of a case, the worst of its processes', and the evidence in a few words."""
    order = [*FAILED, *ALLOWED]
    verdicts = [(each.outcome, each.evidence(o)) for o in observations for each in [rule(o)]]
    return min(verdicts, key=lambda verdict: order.index(verdict[0]))
