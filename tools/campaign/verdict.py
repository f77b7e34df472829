"""The verdict on a case: tables of rules on what was seen of a process; the first that fits wins."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tools.campaign.fault import (
    CRASH,
    CROWDED,
    FAILS,
    HELPLESS,
    KILLED,
    MUTE,
    NOTHING,
    SCRIPTLESS,
    STARVED,
    STRICT,
)
from tools.campaign.observation import Observation

SECONDS = 5.0
ANOTHER = b"Another instance of Certbot is already running."
STATUS = 78
"""Of what was not proven, see `fips_launch.refusal`."""
#: Outcomes that are as they should be; the others are failures, `silent` the worst.
ALLOWED = {
    "fips": "in FIPS, and proven",
    "refused": "one clear line, or one for each of two faults, and a non-zero exit",
    "default": "the right work, where FIPS is not asked for",
    "strict": "in FIPS, where the case leaves open whether it is asked for; so is a program by its path",
    "told": "the doctor or snapd's health says that it is not as it should be",
    "failed": "in FIPS and proven (or not asked for it), then failed loudly for want of a file or memory",
    "killed": "ended by the signal or the limit of the case, nothing done",
    "crashed": "ended by the processor: its machine code is damaged or it has no stack, nothing done",
    "stuck": "its machine code is damaged and runs in circles, nothing done",
    "host's": "a shell ran the host's python3, for the snap's is gone",
    "openssl's": "a program by its path, or for want of a file, computed nothing, with OpenSSL's own lines",
    "starved": "could open no more files while it started, failed loudly, nothing done",
    "barred": "the provider's own program is no executable file",
    "nothing": "nothing started, as the loader was told, or there was no script",
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
    """If `fits`, the outcome is this one; `evidence` says by which facts of the observation `o`."""

    name: str
    outcome: str
    evidence: str
    fits: Callable[[Observation], object]


def _works_as_asked(o: Observation) -> bool:
    return not o.asked or o.ours


def _by_the_processor(o: Observation) -> bool:
    by = (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGABRT)
    return o.killer in (*by, signal.SIGFPE, signal.SIGTRAP, signal.SIGSYS)


def _mute_success(o: Observation) -> bool:
    return o.code == 0 and 1 in o.closed


def _refused_by_the_module(o: Observation) -> bool:
    weak = o.entry_point.kind == "openssl" and not o.entry_point.told
    return weak and bool(o.mapped) and o.ours


def _prompt(o: Observation) -> bool:
    """Python asks for more after a failure, and ends with success."""
    return o.code == 0 and o.entry_point.interactive and FAILS in o.excuses and bool(o.mapped)


def _clear(o: Observation) -> bool:
    """One line, or none where there is nowhere to write it (or the loader's alone), and no traceback."""
    heard = len(o.said) == 1 or (not o.said and (bool(o.stderr.strip()) or MUTE in o.excuses))
    return heard and b"Traceback" not in o.stderr


def _both(o: Observation) -> bool:
    """Certbot's one line on what is damaged, and the launcher's on the libcrypto that a plugin has loaded."""
    two = len(o.said) == 2 and b" cannot be loaded: " in o.said[0] and b"Traceback" not in o.stderr
    return two and o.code == STATUS and o.last.startswith("certbot-fips: a plugin has loaded ")


def _active(o: Observation) -> bool:
    return o.headline.startswith("FIPS: active")


def _off(o: Observation) -> bool:
    return o.headline.startswith("FIPS: off")


def _good_news(o: Observation) -> bool:
    mute = 1 in o.closed and not o.health and o.status == 0  # its exit status is all that is heard of it
    return o.health == "okay" or o.headline.startswith(("FIPS: active", "FIPS: off, host")) or mute


def _news(o: Observation) -> bool:
    return bool(o.health or o.headline) or (1 in o.closed and o.status is not None)


#: Of a process that achieved something: was it in FIPS, if that is asked for?
WORKED = (
    Rule(
        "the host's python3", "host's", "", lambda o: o.entry_point.shell and o.any_seen and not o.snap_seen
    ),
    Rule("weak things given", "silent", "it was given {o.weak}", lambda o: o.asked and o.weak),
    Rule(
        *("no memory seen", "unseen", "no process of the snap was seen"),
        lambda o: o.asked and not o.snap_seen,
    ),
    Rule("work in FIPS", "fips", "", lambda o: o.asked and o.ours),
    Rule(
        # Certbot's work, with another libcrypto that a plugin has loaded meanwhile.
        *("found out at its end", "refused", "{o.last}"),
        lambda o: o.asked and o.code == STATUS and o.last.startswith("certbot-fips: "),
    ),
    Rule("work without the module", "silent", "mapped: {o.libraries}", lambda o: o.asked),
    Rule("weak things where they may be", "default", "", lambda o: o.weak),
    Rule(
        *("weak things refused, perhaps rightly", "strict", "weak things were refused"),
        lambda o: o.entry_point.kind == "python" and STRICT in o.excuses,
    ),
    Rule(
        *("weak things failed for want of a file or memory", "failed", "weak things failed"),
        lambda o: o.entry_point.kind == "python" and FAILS in o.excuses and not o.ours,
    ),
    Rule(
        *("weak things refused for no reason", "wrong mode", "weak things were refused"),
        lambda o: o.entry_point.kind == "python",
    ),
    Rule("work where FIPS is not asked for", "default", "", lambda _: True),
)

#: Of a hook, by its file: made right, or else left alone or away (and the rules on what ended judge it).
HOOK = (
    Rule("made", "fips", "what the hook makes is there", lambda o: o.status == 0 and o.made),
    Rule("no hook ran", "nothing", "", lambda o: o.status == 0 and NOTHING in o.excuses),
    Rule(
        *("not made, and success", "damage done", "exit 0, and what the hook makes is not there"),
        lambda o: o.status == 0,
    ),
    Rule("half made", "damage done", "a file that is neither old nor right", lambda o: o.spoiled),
)

#: Of what people and snapd are told: good news only where a process of the snap was seen like that.
REPORT = (
    Rule(
        *("good news without proof", "silent", "good news, and no process in FIPS: {o.news}"),
        lambda o: o.asked and not o.ours and _good_news(o),
    ),
    Rule(
        "called off where it is asked for",
        "untrue",
        "{o.headline}",
        lambda o: o.asked and _good_news(o) and _off(o),
    ),
    Rule("good news, proven", "fips", "", lambda o: o.asked and _good_news(o)),
    Rule(
        "called active, perhaps rightly",
        "strict",
        "{o.headline}",
        lambda o: _active(o) and STRICT in o.excuses,
    ),
    Rule("called active where it is not", "untrue", "{o.headline}", _active),
    Rule("good news where FIPS is not asked for", "default", "", _good_news),
    # Health goes to snapd, and that it was told is success; the doctor's exit status tells too.
    Rule("bad news", "told", "{o.news}", lambda o: _news(o) and (o.health or o.status)),
    Rule("bad news, and success", "untrue", "{o.news}", _news),
)

#: Of a process that achieved nothing that could be seen: did it end as it should?
ENDED = (
    Rule(
        *("runs in circles", "stuck", "until it was killed"),
        lambda o: o.status is None and CRASH in o.excuses and not o.said,
    ),
    Rule(
        *("too slow", "late", "{o.seconds:.1f} s; it said: {o.last}"),
        lambda o: o.status is None or o.seconds > SECONDS,
    ),
    Rule(
        *("ended by the case's signal or limit", "killed", "{o.killer.name}"),
        lambda o: o.killer and KILLED in o.excuses and (not _by_the_processor(o) or o.killer == o.sent),
    ),
    Rule(
        *("ended by the processor", "crashed", "{o.killer.name}"),
        lambda o: CRASH in o.excuses and _by_the_processor(o),
    ),
    Rule("ended by a signal", "unclear", "{o.killer.name}; it said: {o.last}", lambda o: o.killer),
    Rule(
        *("ended itself for SIGINT", "killed", "SIGINT"),
        lambda o: o.code == 130 and o.sent == signal.SIGINT and not o.said,
    ),
    Rule(
        *("done, and nowhere to say it", "default", "by its exit status"),
        lambda o: _mute_success(o) and not o.asked,
    ),
    Rule(
        *("done in FIPS, and nowhere to say it", "fips", "seen in its memory"),
        lambda o: _mute_success(o) and o.mapped and o.ours,
    ),
    Rule(
        *("done without FIPS, and nowhere to say it", "silent", "seen in its memory"),
        lambda o: _mute_success(o) and o.mapped,
    ),
    Rule(
        # Go's own words for the signal, and its registers.
        *("snap-exec ended by the signal", "killed", "snap-exec, on the way"),
        lambda o: o.sent and not o.mapped and b"\ngoroutine " in o.stderr,
    ),
    Rule(
        *("the signal was faster", "killed", "before it was started"),
        lambda o: o.sent and not o.mapped and o.code == 126 and not o.said,
    ),
    Rule("failed at the prompt", "failed", "{o.last}", lambda o: _prompt(o) and _works_as_asked(o)),
    Rule("failed at the prompt, without FIPS", "silent", "{o.last}", _prompt),
    Rule("nothing ran", "nothing", "", lambda o: o.code == 0 and NOTHING in o.excuses),
    Rule(
        # glibc's _exit(5), in rtld.c: it traces nothing that has more rights than its caller.
        *("the loader traces nothing that is privileged", "nothing", "the loader's exit status"),
        lambda o: o.code == 5 and NOTHING in o.excuses and not o.mapped and not o.stderr,
    ),
    Rule(
        *("an empty script", "nothing", "nothing to be read from its stdin"),
        lambda o: o.code == 0 and SCRIPTLESS in o.excuses and o.entry_point.stdin,
    ),
    Rule(
        *("success, and nothing done", "unclear", "exit 0 and nothing done; it said: {o.last}"),
        lambda o: o.code == 0,
    ),
    Rule(
        *("the module refused what is weak", "fips", "the module refused"),
        lambda o: o.asked and _refused_by_the_module(o),
    ),
    Rule(
        *("the module refused what is weak, perhaps rightly", "strict", "the module refused"),
        lambda o: (STRICT in o.excuses or o.entry_point.by_path) and _refused_by_the_module(o),
    ),
    Rule(
        *("another Certbot had the lock", "failed", "{o.last}"),
        lambda o: CROWDED in o.excuses and ANOTHER in o.stderr and o.mapped and _works_as_asked(o),
    ),
    Rule(
        *("failed after it had started right", "failed", "{o.last}"),
        lambda o: FAILS in o.excuses and o.mapped and _works_as_asked(o),
    ),
    Rule(
        *("Python's words for SIGINT", "killed", "KeyboardInterrupt"),
        lambda o: o.sent == signal.SIGINT and o.last == "KeyboardInterrupt" and not _clear(o),
    ),
    Rule(
        *("not to be started by its path", "barred", "{o.last}"),
        lambda o: o.entry_point.barred and o.code == 126 and not o.snap_seen,
    ),
    Rule(
        *("OpenSSL's own lines", "openssl's", "{o.last}"),
        lambda o: (
            (o.entry_point.by_path or (o.entry_point.kind == "openssl" and STARVED in o.excuses))
            and o.snap_seen
            and (o.said or MUTE in o.excuses)
        ),
    ),
    Rule(
        *("no more files", "starved", "{o.last}"),
        lambda o: STARVED in o.excuses and b"Too many open files" in o.stderr and not _clear(o),
    ),
    Rule(
        *("failed, and a plugin found out at its end", "refused", "{o.last}"),
        lambda o: o.asked and FAILS in o.excuses and _both(o),
    ),
    Rule(
        *("not one clear line", "unclear", "exit {o.code}, {o.lines} lines, the last: {o.last}"),
        lambda o: not _clear(o),
    ),
    Rule("one clear line", "refused", "{o.last}", lambda o: o.asked or o.excuses & {HELPLESS, STRICT}),
    Rule("one clear line, and no reason", "helpless", "{o.last}", lambda _: True),
)


def rules(o: Observation) -> Iterable[Rule]:
    """Return the rules for what was seen, in their order; the last one always fits."""
    if o.entry_point.kind == "hook":
        return (*HOOK, *ENDED)
    if o.entry_point.kind == "report":
        return (*REPORT, *ENDED)
    return ENDED if o.got is None else WORKED


def rule(o: Observation) -> Rule:
    """Return the first rule that fits."""
    return next(each for each in rules(o) if each.fits(o))


def judge(observations: Iterable[Observation]) -> tuple[str, str]:
    """Return the outcome of a case, the worst of its processes', and the evidence in a few words."""
    order = [*FAILED, *ALLOWED]
    verdicts = [(each.outcome, each.evidence.format(o=o)) for o in observations for each in [rule(o)]]
    return min(verdicts, key=lambda verdict: order.index(verdict[0]))
