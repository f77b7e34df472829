"""The campaign's oracle, rule by rule, on made-up observations: each rule wins on what it is there for."""

import signal
from dataclasses import replace
from typing import Any

import pytest

from tools.campaign.entry_points import ENTRY_POINTS
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
from tools.campaign.payload import Got
from tools.campaign.verdict import ALLOWED, ANOTHER, ENDED, FAILED, HOOK, REPORT, SECONDS, WORKED, judge, rule

RULES = (*WORKED, *HOOK, *REPORT, *ENDED)
LIBCRYPTO = frozenset({"/somewhere/libcrypto.so.3"})
LINE = b"certbot-fips: FIPS is needed, and something is missing\n"
DAMAGED = b"The apache plugin errored: a part of Certbot cannot be loaded: ImportError\n"
PLUGIN = b"certbot-fips: a plugin has loaded another libcrypto or module: /x; disconnect the plugin\n"
MISSING = b"certbot-fips: cannot start: libcrypto.so.3: version `OPENSSL_3.4.0' not found; reinstall\n"


def seen(entry_point: str, *excuses: str, exits: int = 0, killed: int = 0, **facts: Any) -> Observation:
    """Return what is seen on a FIPS host at an entry point of the snap, but for these facts."""
    observation = Observation(
        next(each for each in ENTRY_POINTS if each.name == entry_point), status=exits << 8 | killed
    )
    return replace(observation, excuses=frozenset(excuses), **facts)


IN_FIPS: dict[str, Any] = {"snap_seen": True, "any_seen": True, "mapped": LIBCRYPTO, "ours": True}
WITHOUT: dict[str, Any] = {"snap_seen": True, "any_seen": True, "mapped": LIBCRYPTO, "ours": False}
STRONG, WEAK = Got(()), Got(("md5",))
HANGS: dict[str, Any] = {"status": None, "seconds": 8.0}
TRACEBACK = b"Traceback (most recent call last):\nKeyboardInterrupt\n"

#: For each rule what it has to recognize. Most would be taken by a later rule too, were it not for this one.
EXAMPLES = {
    "the host's python3": seen("shell", got=WEAK, any_seen=True),
    "weak things given": seen("python3 app", got=WEAK, **IN_FIPS),
    "no memory seen": seen("certbot", got=STRONG),
    "work in FIPS": seen("certbot", got=STRONG, **IN_FIPS),
    "found out at its end": seen("certbot", exits=78, got=STRONG, stderr=b"Saving a log\n" + LINE, **WITHOUT),
    "work without the module": seen("certbot", got=STRONG, **WITHOUT),
    "weak things where they may be": seen("python3 app", got=WEAK, asked=False, **WITHOUT),
    "weak things refused, perhaps rightly": seen("python3 app", STRICT, got=STRONG, asked=False),
    "weak things failed for want of a file or memory": seen(
        "python3 app", FAILS, got=STRONG, asked=False, **WITHOUT
    ),
    "weak things refused for no reason": seen("python3 app", got=STRONG, asked=False),
    "work where FIPS is not asked for": seen("certbot", got=STRONG, asked=False),
    "made": seen("install hook", NOTHING, made=True),
    "no hook ran": seen("install hook", NOTHING),
    "not made, and success": seen("install hook"),
    "half made": seen("install hook", exits=1, stderr=LINE, spoiled=True),
    "good news without proof": seen("doctor", headline="FIPS: active"),
    "called off where it is asked for": seen("doctor", headline="FIPS: off, host not flagged", ours=True),
    "good news, proven": seen("health service", health="okay", ours=True),
    "called active, perhaps rightly": seen("doctor", STRICT, headline="FIPS: active", asked=False),
    "called active where it is not": seen("doctor", headline="FIPS: active", asked=False),
    "good news where FIPS is not asked for": seen(
        "doctor", headline="FIPS: off, host not flagged", asked=False
    ),
    "bad news": seen("doctor", exits=1, headline="FIPS: REQUIRED BUT NOT ACTIVE"),
    "bad news, and success": seen("doctor", headline="FIPS: REQUIRED BUT NOT ACTIVE"),
    "runs in circles": seen("certbot", CRASH, **HANGS),
    "too slow": seen("certbot", CRASH, stderr=LINE, **HANGS),
    "ended by the case's signal or limit": seen("certbot", KILLED, CRASH, killed=signal.SIGTERM),
    "ended by the processor": seen("certbot", KILLED, CRASH, killed=signal.SIGSEGV),
    "ended by a signal": seen("certbot", KILLED, killed=signal.SIGSEGV),
    "ended itself for SIGINT": seen("certbot", HELPLESS, exits=130, sent=signal.SIGINT),
    "done, and nowhere to say it": seen("certbot", closed=frozenset({1}), asked=False, **WITHOUT),
    "done in FIPS, and nowhere to say it": seen("certbot", closed=frozenset({1}), **IN_FIPS),
    "done without FIPS, and nowhere to say it": seen("certbot", closed=frozenset({1}), **WITHOUT),
    "snap-exec ended by the signal": seen(
        "certbot", exits=2, sent=signal.SIGQUIT, stderr=b"SIGQUIT: quit\n\ngoroutine 1 [running]:\n"
    ),
    "the signal was faster": seen("certbot", MUTE, exits=126, sent=signal.SIGUSR1),
    "failed at the prompt": seen("python3 -i", FAILS, NOTHING, stderr=LINE, **IN_FIPS),
    "failed at the prompt, without FIPS": seen("python3 -i", FAILS, NOTHING, stderr=LINE, **WITHOUT),
    "nothing ran": seen("certbot", NOTHING),
    "the loader traces nothing that is privileged": seen("certbot", NOTHING, HELPLESS, exits=5),
    "an empty script": seen("python3 -", SCRIPTLESS, **IN_FIPS),
    "success, and nothing done": seen("certbot"),
    "the module refused what is weak": seen("openssl md5", exits=1, stderr=b"unsupported\nmore\n", **IN_FIPS),
    "the module refused what is weak, perhaps rightly": seen(
        "openssl by path md5", exits=1, stderr=b"unsupported\nmore\n", asked=False, **IN_FIPS
    ),
    "another Certbot had the lock": seen("certbot", CROWDED, exits=1, stderr=ANOTHER, **IN_FIPS),
    "failed after it had started right": seen("certbot", FAILS, exits=1, stderr=TRACEBACK, **IN_FIPS),
    "Python's words for SIGINT": seen("certbot", exits=1, sent=signal.SIGINT, stderr=TRACEBACK),
    "not to be started by its path": seen("the provider's openssl by path", exits=126, stderr=b"denied\n"),
    "OpenSSL's own lines": seen("openssl by path md5", exits=1, stderr=b"unsupported\nmore\n", **WITHOUT),
    "no more files": seen(
        "python3", STARVED, exits=78, stderr=b"OSError: [Errno 24] Too many open files: '/x'\n" + LINE
    ),
    "failed, and a plugin found out at its end": seen(
        "certbot", FAILS, exits=78, stderr=DAMAGED + PLUGIN, **WITHOUT
    ),
    "not one clear line": seen("certbot", FAILS, exits=1, stderr=TRACEBACK, **WITHOUT),
    "one clear line": seen("certbot", exits=78, stderr=LINE),
    "one clear line, and no reason": seen("certbot", exits=78, stderr=LINE, asked=False),
}


def test_each_rule_has_an_example_and_each_outcome_a_rule() -> None:
    assert [each.name for each in RULES] == list(EXAMPLES)
    assert {each.outcome for each in RULES} == {*ALLOWED, *FAILED}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_rule_recognizes_its_example(name: str) -> None:
    assert rule(EXAMPLES[name]).name == name


@pytest.mark.parametrize("name", [name for name, each in EXAMPLES.items() if each.asked and not each.ours])
def test_only_proof_is_taken_for_fips(name: str) -> None:
    """A hook proves it itself, before it makes its file; what it leaves is compared byte by byte."""
    assert rule(EXAMPLES[name]).outcome != "fips" or EXAMPLES[name].entry_point.kind == "hook"


@pytest.mark.parametrize(
    "facts",
    [
        {"got": STRONG, **WITHOUT},
        {"got": STRONG},
        {"got": WEAK, **IN_FIPS},
        {"exits": 1},
        {"exits": 1, "stderr": b"two\nlines\n"},
        {"exits": 78, "stderr": LINE, "seconds": SECONDS + 1},
        {"killed": signal.SIGKILL},
    ],
    ids=str,
)
def test_nothing_that_is_wrong_passes_without_an_excuse(facts: dict[str, Any]) -> None:
    assert rule(seen("certbot", **facts)).outcome in FAILED


@pytest.mark.parametrize(
    ("entry_point", "stderr", "said"),
    [
        ("certbot", b"ERROR: ld.so: object 'x\ny' cannot be preloaded\n" + LINE, [LINE.strip()]),
        ("certbot", b"x: no version information available\n" + LINE, [LINE.strip()]),
        # The line itself may have the loader's words in it.
        (
            "certbot",
            b"ERROR: ld.so: object 'x\ny' cannot be loaded\n" + MISSING,
            [MISSING.strip()],
        ),
        ("certbot", b"one\n\ntwo\n", [b"one", b"two"]),
        ("python3 -v", b"import 'os' # done\nmore\n" + LINE, [LINE.strip()]),
        ("shell", b"/snap/certbot-fips/x1/usr/bin/python3: 1: not found\n" + LINE, [LINE.strip()]),
        ("install hook", b"/snap/certbot-fips/x1/usr/bin/fips-hook: 1: not found\n" * 2, None),
    ],
)
def test_what_loader_and_shell_say_around_a_line_is_not_the_snap_s(
    entry_point: str, stderr: bytes, said: list[bytes] | None
) -> None:
    assert seen(entry_point, exits=78, stderr=stderr).said == (said or stderr.splitlines()[:1])


def test_of_a_shell_that_cannot_run_it_the_last_line_counts() -> None:
    for entry_point in ("shell", "health service"):
        assert seen(entry_point, exits=127, stderr=b"one\ntwo\n").said == [b"two"]
    assert seen("doctor", exits=127, stderr=b"one\ntwo\n").said == [b"one", b"two"]
    assert seen("shell", exits=1, stderr=b"one\ntwo\n").said == [b"one", b"two"]


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        ({"entry_point": "openssl md5", "excuses": [STRICT]}, "strict"),  # long blanks and a 0 for a flag
        ({"entry_point": "openssl md5"}, "unclear"),
        ({"entry_point": "openssl by path sha256"}, "openssl's"),  # it should have worked
    ],
    ids=str,
)
def test_a_refusal_where_fips_is_not_asked_for(facts: dict[str, Any], outcome: str) -> None:
    excuses = facts.pop("excuses", [])
    lines = b"unsupported\nmore\n"
    assert (
        rule(seen(facts["entry_point"], *excuses, exits=1, stderr=lines, asked=False, **IN_FIPS)).outcome
        == outcome
    )


@pytest.mark.parametrize("entry_point", ["certbot", "python3", "renew service"])
def test_only_what_reads_a_script_may_find_none(entry_point: str) -> None:
    assert rule(seen(entry_point, SCRIPTLESS)).outcome == "unclear"


def test_a_line_in_the_middle_is_no_end() -> None:
    found = seen("certbot", exits=78, got=STRONG, stderr=LINE + b"more\n", **WITHOUT)
    assert rule(found).outcome == "silent"


@pytest.mark.parametrize(
    ("excuse", "stderr"),
    [
        (HELPLESS, DAMAGED + PLUGIN),  # nothing is damaged
        (FAILS, b"one\ntwo\n" + PLUGIN),
        (FAILS, b"one\n" + PLUGIN),
        (FAILS, TRACEBACK.splitlines(keepends=True)[0] + PLUGIN),
        (FAILS, DAMAGED + LINE),
    ],
)
def test_two_lines_are_clear_where_there_are_two_faults_to_tell(excuse: str, stderr: bytes) -> None:
    assert rule(seen("certbot", excuse, exits=78, stderr=stderr, **WITHOUT)).outcome == "unclear"


def test_a_case_is_as_bad_as_the_worst_of_its_processes() -> None:
    good, bad = EXAMPLES["work in FIPS"], EXAMPLES["work without the module"]
    assert judge([good, bad, good]) == ("silent", "mapped: ['/somewhere/libcrypto.so.3']")
    assert judge([EXAMPLES["one clear line"], good]) == ("fips", "")


def test_the_loaders_last_word_is_the_one_line_after_a_preload_of_many_lines() -> None:
    """It prints the value with its line breaks, and then what ended it."""
    preload = b"ERROR: ld.so: object '\n' from LD_PRELOAD cannot be preloaded: ignored.\n"
    last = b"/snap/certbot-fips/current/usr/bin/fips-doctor: error while loading shared libraries: libm: x\n"
    assert seen("certbot", exits=127, stderr=preload + last).said == [last.strip()]
    assert len(seen("certbot", exits=127, stderr=preload + b"a line\nanother\n").said) == 3


def test_no_want_of_memory_excuses_a_process_in_fips_where_it_is_not_asked_for() -> None:
    assert rule(seen("python3 app", FAILS, got=STRONG, asked=False, **IN_FIPS)).outcome == "wrong mode"
