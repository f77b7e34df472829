"""A fixed sample of the campaign, and that the campaign would notice what it is there to find."""

import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from tests.conftest import PROJECT
from tools.campaign import plugins
from tools.campaign.case import Case, draw
from tools.campaign.damages import LIBRARY, WHOLE, Files, replaced, swapped, whole
from tools.campaign.entry_points import ENTRY_POINTS, EntryPoint
from tools.campaign.environments import variable
from tools.campaign.fault import CRASH, KILLED, Fault
from tools.campaign.plan import SNAP, Plan
from tools.campaign.process import CampaignError
from tools.campaign.report import Line
from tools.campaign.runner import campaign, run_case
from tools.campaign.shrink import shrink
from tools.campaign.stage import Stage
from tools.campaign.state import flagged, made_here, set_to
from tools.campaign.surroundings import capable, covered, located, no_more_files, without
from tools.campaign.verdict import ALLOWED, FAILED

SAMPLE = range(300)


def entry_point(name: str) -> EntryPoint:
    return next(each for each in ENTRY_POINTS if each.name == name)


_LAUNCHER = f"{LIBRARY}/fips_launch/__pycache__"
#: One without a main function, and two with one.
NO_MAIN, SOME_MAIN, CERTBOTS = (
    swapped(f"{_LAUNCHER}/certbot.cpython-313.pyc", other)
    for other in (
        f"{_LAUNCHER}/decide.cpython-313.pyc",
        f"{_LAUNCHER}/chain.cpython-313.pyc",
        f"{LIBRARY}/site-packages/certbot/main.pyc",
    )
)
#: Cases that have failed once, shrunk: the entry point and what was wrong.
ONCE_FAILED: dict[str, tuple[str, *tuple[Fault, ...]]] = {
    "Python said in thirty lines that it cannot start": (
        "python3 -I",
        whole(f"{LIBRARY}/encodings/aliases.pyc", "empty"),
    ),
    "the same, by an entry point of snapd's": ("python3 app", whole(LIBRARY, "missing")),
    "Python warned before the launcher's line": ("certbot", whole(f"{LIBRARY}/lib-dynload", "empty")),
    "Certbot could not be loaded: a traceback": ("certbot", whole(f"{LIBRARY}/hashlib.pyc", "empty")),
    "X25519 offered, by a config not the snap's": ("python3 app", made_here("with X25519 first")),
    "a file where the closed stdout was": ("python3 -E", without({1})),
    "Python's library, and so the launcher, chosen by the caller": (
        "python3 app",
        variable("__PYVENV_LAUNCHER__", "a hostile Python's program"),
    ),
    "an entry point's module could not be loaded: a traceback": (
        "configure hook",
        whole(f"{LIBRARY}/subprocess.pyc", "empty"),
    ),
    "one bit of the launcher's bytecode took a flag of 1 for 0": (
        "python3 app",
        replaced(f"{LIBRARY}/fips_launch/__pycache__/decide.cpython-313.pyc", b"\xda\x010", b"\xda\x011"),
    ),
    "Certbot failed without a stdin": ("renew service", without({0, 1})),
    "the hook waited for a pipe": ("install hook", whole("usr/lib/ossl-modules/fips.so", "a pipe")),
    "the proof waited for a pipe": ("certbot", whole("etc/ssl/openssl.cnf.sha256", "a pipe")),
    "a covered flag taken for none": ("python3.13", covered("/proc/sys")),
    "the same, of its folder": ("python3.13", covered("/proc/sys/crypto")),
    "MD5 by path, whose config was missing": ("openssl by path md5", whole("etc/ssl/openssl.cnf", "missing")),
    "the same, with a config of the caller's": (
        "openssl by path md5",
        variable("OPENSSL_CONF", "a hostile openssl.cnf"),
    ),
    "RSA-512 by a config that was named": ("openssl -config rsa 512",),
    "MD5 by path, in a copy": ("openssl by path md5", located("unpacked elsewhere alone")),
    "the same, in a parallel instance alone": ("openssl by path md5", located("a parallel instance alone")),
    "the same, in another root": ("openssl by path md5", located("in another root with /proc")),
    "MD5 by the program for fipsinstall": ("the provider's openssl by path",),
    "fips=on, which a copy did not see": (
        *("python3 -I", flagged("that of a kernel without FIPS"), set_to(repr(b"on\n"))),
        located("unpacked elsewhere"),
    ),
    "the same, of a mount": (
        *("certbot by path", flagged("that of a kernel without FIPS"), set_to(repr(b"on\n"))),
        located("mounted elsewhere alone"),
    ),
    "ECDSA of a SHA-1 digest": ("python3 app signs",),
    "openssl said in two lines that a flag of many blanks is taken for 1": (
        "openssl md5",
        flagged("a long blank and 0"),
    ),
    "the loader traced nothing that is privileged": (
        *("python3 -I", capable("usr/bin/python3.13"), variable("LD_TRACE_LOADED_OBJECTS", "1")),
    ),
    "the script eaten for a time zone": ("python3 -", variable("TZ", "/dev/stdin")),
    "another module for Certbot's entry point: exit 0, and nothing done": ("certbot", NO_MAIN),
    "the same, where only the log tells what was done": ("renew service", NO_MAIN),
    "the same, by a module with a main function": ("certbot", SOME_MAIN),
    "the same, by Certbot's own": ("renew service", CERTBOTS),
}


@pytest.fixture(scope="module")
def stage(snap_file: Path) -> Iterator[Stage]:
    with Stage(snap_file) as stage:
        yield stage


def test_a_seed_is_a_case(stage: Stage) -> None:
    drawn = [draw(seed, stage.files).text for seed in SAMPLE]
    assert drawn == [draw(seed, stage.files).text for seed in SAMPLE]
    assert len(set(drawn)) > 290


def test_all_of_our_own_code_is_damaged(stage: Stage) -> None:
    for source in (PROJECT / "parts").glob("fips-*/fips_*/*.py"):
        folder = f"{LIBRARY}/{source.parent.name}"
        assert f"{folder}/{source.name}" in stage.files.other
        assert f"{folder}/__pycache__/{source.stem}.cpython-313.pyc" in stage.files.bytecode
    assert f"{LIBRARY}/site-packages/lazy_imports.pyc" in stage.files.lazy


def test_what_is_imported_lazily_is_damaged(stage: Stage) -> None:
    drawn = " ".join(draw(seed, stage.files).text for seed in range(2000))
    for package in ("certbot/_internal", "acme", "requests", "urllib3"):
        assert f"{LIBRARY}/site-packages/{package}/" in drawn, package


def test_what_is_not_there_cannot_be_damaged(stage: Stage, tmp_path: Path) -> None:
    """A case without its damage would pass, and count."""
    with pytest.raises(CampaignError, match=r"the snap has no usr/bin/python3\.13"):
        Files.of(tmp_path)
    with pytest.raises(CampaignError, match="the snap has no usr/bin/no-such"):
        run_case(stage, Case(0, entry_point("certbot"), (whole("usr/bin/no-such", "empty"),), True))


@pytest.mark.usefixtures("stage")  # which tells first whether this machine can
def test_a_sample_of_three_hundred(snap_file: Path) -> None:
    """Two at a time, like the whole campaign."""
    told: list[Line] = []
    lines = campaign(snap_file, SAMPLE, 2, told.append)
    assert len(told) == len(SAMPLE)
    assert [(x.outcome, x.text, x.evidence) for x in lines if x.outcome in FAILED] == []
    assert sum(line.outcome == "fips" for line in lines) > 100


def test_a_capable_openssl_that_finds_no_config(stage: Stage) -> None:
    """AT_SECURE makes it ignore the one that it is given; the compiled-in path is that of another copy."""
    alone = located("unpacked elsewhere alone")
    case = Case(0, entry_point("fips-exec md5"), (capable("usr/libexec/openssl/openssl"), alone), True)
    outcome, evidence = run_case(stage, case)
    assert outcome == "refused"
    assert evidence.startswith("certbot-fips: ")


@pytest.mark.parametrize("what", ONCE_FAILED)
def test_what_has_failed_once(stage: Stage, what: str) -> None:
    name, *faults = ONCE_FAILED[what]
    outcome, evidence = run_case(stage, Case(0, entry_point(name), tuple(faults), True))
    assert outcome not in FAILED, evidence


def control(text: str, apply: Callable[[Plan], None]) -> Fault:
    return Fault("control", text, apply)


def hide(plan: Plan) -> None:
    """Break the snap for good: the launcher runs as on another host, and only the judge knows of the flag."""
    plan.bare = True


def deny(plan: Plan) -> None:
    """The other way round: the host has the flag, and the judge does not know."""
    plan.bare = plan.fips = False


def begins_with(instruction: bytes) -> Callable[[Plan], None]:
    """Have Python's program begin with this machine code in place of its own."""

    def make(source: Path, target: Path) -> None:
        shutil.copy(source, target)
        with target.open("r+b") as file:
            elf = ELFFile(file)
            file.seek(next(elf.address_offsets(elf["e_entry"])))
            file.write(instruction)

    def apply(plan: Plan) -> None:
        plan.damages["usr/bin/python3.13"] = make
        plan.excuses.add(CRASH)

    return apply


def starve(plan: Plan) -> None:
    plan.limits[resource.RLIMIT_CPU] = 0
    plan.excuses.add(KILLED)


MODULE = "usr/lib/ossl-modules/fips.so"
HIDDEN, DENIED = control("the flag is hidden", hide), control("the flag is denied", deny)
OPENS_FILES = EntryPoint(
    "opens two files", "text", ("sh", "-c", "sleep 0.5; true 3< /etc/hosts; true 3< /etc/hosts; exit 1"), "-"
)
#: For each outcome a real case that has it; where the snap cannot be made to, a program that behaves so.
CONTROLS: dict[str, tuple[EntryPoint, bool, tuple[Fault, ...]]] = {
    "fips": (entry_point("certbot"), True, ()),
    "refused": (entry_point("certbot"), True, (whole(MODULE, "missing"),)),
    "default": (entry_point("certbot"), False, ()),
    "strict": (entry_point("python3 app"), True, (flagged("a long blank and 0"),)),
    "told": (entry_point("doctor"), True, (whole(MODULE, "missing"),)),
    "failed": (entry_point("certbot"), True, (whole(f"{LIBRARY}/hashlib.pyc", "empty"),)),
    "killed": (entry_point("certbot"), True, (control("no time", starve),)),
    "crashed": (entry_point("python3.13"), True, (control("ud2: no instruction", begins_with(b"\x0f\x0b")),)),
    "stuck": (entry_point("python3.13"), True, (control("jmp to itself", begins_with(b"\xeb\xfe")),)),
    "host's": (entry_point("shell"), True, (whole("usr/bin/python3", "missing"),)),
    "openssl's": (entry_point("openssl by path sha256"), True, (whole("etc/ssl/openssl.cnf", "missing"),)),
    "barred": (entry_point("the provider's openssl by path"), True, ()),
    "starved": (OPENS_FILES, True, (no_more_files(0.1),)),
    "nothing": (entry_point("renew service"), True, (variable("LD_TRACE_LOADED_OBJECTS", "1"),)),
    "silent": (entry_point("certbot"), True, (HIDDEN,)),
    "unseen": (EntryPoint("another", "text", ("echo", "certbot 5.8.0"), "certbot 5.8.0"), True, ()),
    "late": (EntryPoint("asleep", "text", ("sleep", "6"), "certbot 5.8.0"), True, ()),
    "unclear": (EntryPoint("two lines", "text", ("cat", "/none", "/none"), "certbot 5.8.0"), True, ()),
    "helpless": (EntryPoint("a line", "text", ("cat", "/none"), "certbot 5.8.0"), False, ()),
    "wrong mode": (entry_point("python3 app"), True, (DENIED,)),
    "untrue": (entry_point("doctor"), True, (DENIED,)),
    "damage done": (EntryPoint("no hook", "hook", ("true",), "setting"), True, ()),
}


def test_each_outcome_has_a_control() -> None:
    assert set(CONTROLS) == {*ALLOWED, *FAILED}


@pytest.mark.parametrize("outcome", CONTROLS)
def test_the_verdict_knows_each_outcome(stage: Stage, outcome: str) -> None:
    way, flag, faults = CONTROLS[outcome]
    seen, evidence = run_case(stage, Case(0, way, faults, flag))
    assert seen == outcome, evidence


@pytest.mark.parametrize(
    "way",
    [each for each in ENTRY_POINTS if each.kind != "hook" and not each.barred],
    ids=lambda each: each.name,
)
def test_the_verdict_sees_a_snap_without_fips(stage: Stage, way: EntryPoint) -> None:
    """The flag is hidden from the snap and not from the judge: every entry point is found out.

    A program by its path has FIPS all the same, unless the caller has another config.
    """
    case = Case(0, way, (HIDDEN, variable("OPENSSL_CONF", "a hostile openssl.cnf")), True)
    outcome, _ = run_case(stage, case)
    assert outcome == "silent"
    assert case.plan().root == SNAP


def unjudged(plan: Plan) -> None:
    """Have the launcher use each plugin, whatever it has, and whatever it has by the name of what is ours."""

    def write(source: Path, target: Path) -> None:
        del source
        target.write_text(
            # What Certbot would import later, it would import from the plugin, and end.
            "import sys, acme, requests\nfrom fips_launch.own import OwnFirst\n"
            "sys.meta_path[:] = [each for each in sys.meta_path if not isinstance(each, OwnFirst)]\n"
            "def use(folders): sys.path[:0] = folders; return []\n"
            "def prove_memory(): pass\ndef at_work(): return ''\n"
            "from importlib.metadata import EntryPoint\ndef ours_alone(): return False\n"
            "def folder_of(snap, read): return f'/snap/{snap}/current/lib/python3.13/site-packages'\n"
        )

    module = f"{LIBRARY}/fips_launch"
    plan.damages[f"{module}/__pycache__/plugins.cpython-313.pyc"] = WHOLE["missing"]
    plan.damages[f"{module}/plugins.py"] = write


@pytest.mark.parametrize(
    "plugin",
    [
        "with a libcrypto that it loads",
        "with a libcrypto that it loads late",
        "with an OpenSSL linked in",
        "that loads the host's libcrypto",
        "that loads the host's libcrypto late",
        "that puts its cryptography first",
        "that puts modules named like ours first",
    ],
)
def test_a_plugin_brings_no_libcrypto(stage: Stage, plugin: str) -> None:
    """And where the launcher's rules on plugins are away, each is found out: the control."""
    way, connected = entry_point("certbot plugins"), plugins.connected(plugin)
    outcome, evidence = run_case(stage, Case(0, way, (connected,), True))
    assert outcome in ("fips", "refused"), evidence
    outcome, evidence = run_case(stage, Case(0, way, (connected, control("no rules", unjudged)), True))
    assert outcome == "silent", evidence


def test_a_plugin_as_it_should_be_is_used(stage: Stage) -> None:
    case = Case(0, entry_point("certbot plugins"), (plugins.connected("as it should be"),), True)
    assert run_case(stage, case)[0] == "fips"
    assert b"* dns-case" in stage.last[0].stdout


def test_a_failing_case_is_shrunk() -> None:
    faults = (HIDDEN, covered("/proc"), without({0}), DENIED)
    guilty = faults[2]
    assert shrink(
        Case(0, entry_point("certbot"), faults, True), lambda smaller: guilty in smaller.faults
    ) == (2,)
