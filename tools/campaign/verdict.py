"""The verdict on a case, from outside: what the process was given, and what it had mapped."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterable
from pathlib import Path

from tools.campaign.case import Case
from tools.campaign.fault import CRASH, FAILS, HELPLESS, KILLED, MUTE, NOTHING, STRICT
from tools.campaign.payload import Got, weigh
from tools.campaign.plan import Plan
from tools.campaign.process import Watched
from tools.campaign.stage import Stage

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
_CRASHES = {
    signal.SIGSEGV,
    signal.SIGBUS,
    signal.SIGILL,
    signal.SIGABRT,
    signal.SIGFPE,
    signal.SIGTRAP,
    signal.SIGSYS,
}
#: The loader on LD_PRELOAD; `python3 -v` and `-Ximporttime`; the loader on versions, of which it names many.
_NOISE = re.compile(
    rb"ERROR: ld\.so|warning: debug option|\s+\d+:\s|\s*#|import "
    rb"|.*: no version information|.*: version `\S+' not found"
)
_SCRIPT = re.compile(rb"usr/bin/(python3|fips-\w+): ")
_PYTHON, _OPENSSL = "/usr/bin/python3.13", "/usr/libexec/openssl/openssl"
_KEY = b"PRIVATE KEY-----"
_SHA256 = b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_MD5 = b"d41d8cd98f00b204e9800998ecf8427e"


def judge(case: Case, plan: Plan, stage: Stage, ended: list[Watched]) -> tuple[str, str]:
    """Return the outcome of the whole case, the worst of its processes', and the evidence in a few words."""
    verdicts = [_judge(case, plan, stage, each) for each in ended]
    order = [*FAILED, *ALLOWED]
    return min(verdicts, key=lambda verdict: order.index(verdict[0]))


def _judge(case: Case, plan: Plan, stage: Stage, ended: Watched) -> tuple[str, str]:
    if case.door.kind == "hook":
        return _hook(case, plan, stage, ended)
    if case.door.kind == "report":
        return _report(case, plan, stage, ended)
    got = _got(case, ended)
    mapped = _mapped(ended, _OPENSSL if case.door.kind == "openssl" else _PYTHON)
    if got and mapped is None and case.door.name.startswith("shell") and ended.seen:
        return "host's", ""
    if got and mapped is None and NOTHING in plan.excuses and case.door.kind == "text" and not case.door.told:
        return "nothing", ""  # its exit status is all that there is to go by, and it is the loader's
    if plan.must and got and got.weak:
        return "silent", f"it was given {', '.join(got.weak)}"
    if got and plan.must:
        if mapped is None:
            return "unseen", "no process of the snap was seen"
        return ("fips", "") if _ours(plan, mapped) else ("silent", f"mapped: {sorted(mapped) or 'nothing'}")
    if got:
        if got.weak:
            return "default", ""
        if case.door.kind == "python":
            return ("strict" if STRICT in plan.excuses else "wrong mode"), "weak things were refused"
        return "default", ""
    return _nothing_done(case, plan, ended, mapped)


def _got(case: Case, ended: Watched) -> Got | None:
    """Return what the process achieved; None: nothing."""
    out = ended.stdout
    if case.door.kind == "python":
        return weigh(out)
    if case.door.kind == "openssl":
        if case.door.told:
            done = _SHA256 in out if case.door.told == "sha256" else _KEY in out
            return Got((), True) if done else None
        return Got((case.door.name,), True) if _MD5 in out or _KEY in out else None
    done = case.door.told.encode() in out if case.door.told else ended.status == 0
    return Got((), True) if done else None


def _mapped(ended: Watched, program: str) -> frozenset[str] | None:
    """Return the libraries of this program of the snap, by what this machine's kernel says of it."""
    seen = [libraries for (_, exe), libraries in ended.seen.items() if exe.endswith(program)]
    return next((libraries for libraries in reversed(seen) if libraries), seen[-1] if seen else None)


def _ours(plan: Plan, mapped: Iterable[str]) -> bool:
    root = plan.root.replace("\n", "\\012")
    counted = {path for path in mapped if Path(path).name.startswith(("libcrypto", "fips"))}
    return counted == {f"{root}/usr/lib/libcrypto.so.3", f"{root}/usr/lib/ossl-modules/fips.so"}


def _nothing_done(case: Case, plan: Plan, ended: Watched, mapped: frozenset[str] | None) -> tuple[str, str]:
    said = [line for line in ended.stderr.splitlines() if line and not _NOISE.match(line)]
    if set(case.door.argv) & {"-v", "-Ximporttime"} or b"ERROR: ld.so" in ended.stderr:
        # They were asked to say more; the loader prints a value with its line breaks.
        said = [line for line in said if line.startswith(b"certbot-fips: ")] or said
    if case.door.name.startswith("shell") or case.door.kind == "hook":
        # A shell takes what the kernel does not for a script of its own.
        said = [line for line in said if not _SCRIPT.search(line)] or said[:1]
        if os.WIFEXITED(ended.status or 0) and os.WEXITSTATUS(ended.status or 0) in (126, 127):
            said = said[-1:]  # or says in its own way, with all the arguments, that it cannot run it
    last = said[-1].decode(errors="replace")[:300] if said else "nothing"
    if ended.status is None or ended.seconds > SECONDS:
        if CRASH in plan.excuses and ended.status is None and not said:
            return "stuck", "until it was killed"
        return "late", f"{ended.seconds:.1f} s; it said: {last}"
    if os.WIFSIGNALED(ended.status):
        number = os.WTERMSIG(ended.status)
        if KILLED in plan.excuses and number not in _CRASHES - {plan.signal[0] if plan.signal else 0}:
            return "killed", signal.Signals(number).name
        if CRASH in plan.excuses and number in _CRASHES:
            return "crashed", signal.Signals(number).name
        return "unclear", f"{signal.Signals(number).name}; it said: {last}"
    code = os.WEXITSTATUS(ended.status)
    if code == 130 and plan.signal and plan.signal[0] == signal.SIGINT and not said:
        return "killed", "SIGINT"
    if code == 0 and 1 in plan.closed and not plan.must:  # done, and nowhere to say it
        return "default", "by its exit status"
    if code == 0 and 1 in plan.closed and mapped:
        return "fips" if _ours(plan, mapped) else "silent", "seen in its memory"
    if plan.signal and not mapped and b"\ngoroutine " in ended.stderr:
        return "killed", "snap-exec, on the way"  # Go's own words for the signal, and its registers
    if plan.signal and code == 126 and not said and not mapped:
        return "killed", "before it was started"
    if code == 0 and "-i" in case.door.argv and FAILS in plan.excuses and mapped:
        return (
            "failed" if not plan.must or _ours(plan, mapped) else "silent"
        ), last  # Python then asks for more
    if code == 0:
        return (
            ("nothing", "")
            if NOTHING in plan.excuses
            else ("unclear", f"exit 0 and nothing done; it said: {last}")
        )
    if case.door.kind == "openssl" and not case.door.told and plan.must and mapped and _ours(plan, mapped):
        return "fips", "the module refused"
    if FAILS in plan.excuses and mapped and (not plan.must or _ours(plan, mapped)):
        return "failed", last
    clear = len(said) == 1 or (not said and (ended.stderr.strip() or MUTE in plan.excuses))
    if not clear or b"Traceback" in ended.stderr:
        if plan.signal and plan.signal[0] == signal.SIGINT and last == "KeyboardInterrupt":
            return "killed", "KeyboardInterrupt"
        return "unclear", f"exit {code}, {len(said)} lines, the last: {last}"
    if plan.must or plan.excuses & {HELPLESS, STRICT}:
        return "refused", last
    return "helpless", last


def _hook(case: Case, plan: Plan, stage: Stage, ended: Watched) -> tuple[str, str]:
    """Judge a hook by its file: made right, or else left alone or away, and never half of it."""
    if ended.status == 0:
        right = stage.setting() == b"auto\n" if case.door.told == "setting" else stage.config() == stage.made
        if right:
            return "fips", "what the hook makes is there"
        if NOTHING in plan.excuses:
            return "nothing", ""
        return "damage done", "exit 0, and what the hook makes is not there"
    plan.excuses.add(HELPLESS)
    return _nothing_done(case, plan, ended, None)


def _report(case: Case, plan: Plan, stage: Stage, ended: Watched) -> tuple[str, str]:
    """Judge what people and snapd are told: good news only where a process of the snap was seen like that.

    The doctor's own process has no crypto; what it knows comes from children, which are watched as well.
    """
    lines = ended.stdout.decode(errors="replace").splitlines()
    line = next((line for line in lines if line.startswith("FIPS: ")), "")  # LD_SHOW_AUXV comes before it
    status = stage.health()
    mute = 1 in plan.closed and ended.status is not None  # its exit status is all that is heard of it
    seen = [libraries for (_, exe), libraries in ended.seen.items() if exe.endswith((_PYTHON, _OPENSSL))]
    proven = any(_ours(plan, libraries) for libraries in seen)
    good = line.startswith(("FIPS: active", "FIPS: off, host")) or (mute and not status and not ended.status)
    if status == "okay" or good:
        if plan.must and not proven:
            return "silent", f"good news, and no process in FIPS: {line or status}"
        if plan.must:
            return ("untrue", line) if line.startswith("FIPS: off") else ("fips", "")
        if line.startswith("FIPS: active"):
            return ("strict", line) if STRICT in plan.excuses else ("untrue", line)
        return "default", ""
    if status or line or mute:
        # Health goes to snapd, and that it was told is success; the doctor's exit status tells too.
        return ("told" if status or ended.status else "untrue"), line or status
    return _nothing_done(case, plan, ended, None)
