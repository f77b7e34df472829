"""Examples of output in the documents are what the packed snap prints."""

import re

import pytest

from fips_launch import refusal
from tests.documents import column, example, shows
from tests.snap.support import MADE_HERE, MakeHost
from tests.snap.test_doctor import DOCTOR, SETTING
from tests.snap.test_faults import CONFIG, DAMAGE, damage
from tools.hosts import NamespaceHost

#: What is the machine's, or hangs on where the module's sources came from.
FREE = {
    *("kernel's FIPS flag", "kernel", "entropy source", "mode", "operating system", "its own OpenSSL"),
    *("trust store", "module", "validation"),
}


@pytest.fixture(autouse=True)
def of_the_recipe(provider: str) -> None:
    """The documents show the recipe's own module."""
    if provider:
        pytest.skip("the examples in the documents are of the recipe's own module")


def assert_shown(host: NamespaceHost, headline: str) -> None:
    screen = host.run(DOCTOR).stdout
    pattern = shows(example("docs/administrators.md", headline), FREE)
    assert pattern.fullmatch(screen), screen


def test_the_doctor_on_a_fips_host(make_host: MakeHost) -> None:
    assert_shown(make_host(), "FIPS: active")


def test_the_doctor_on_a_host_that_is_not_flagged(make_host: MakeHost) -> None:
    assert_shown(make_host(flagged=False), "FIPS: off, host not flagged")


def test_the_doctor_of_a_damaged_module(make_host: MakeHost) -> None:
    host = make_host()
    damage(host, *DAMAGE["module with one byte flipped"])
    assert_shown(host, "FIPS: REQUIRED BUT NOT ACTIVE")


def test_the_doctor_of_an_opted_out_host(make_host: MakeHost) -> None:
    host = make_host()
    host.run(["tee", SETTING], stdin="off\n").check()
    assert_shown(host, "FIPS: OFF BY SETTING ON A FIPS HOST")


def explained(line: str) -> bool:
    """Tell whether a refusal is made of what the document for administrators lists."""
    beginning, reason, what = (
        "|".join(re.escape(text).replace("…", ".*") for text in column("docs/administrators.md", heading))
        for heading in ("beginning", "reason", "what")
    )
    beginning = beginning.replace(r"\(.*\)", rf"\((?:{reason})\)")
    remedy = (
        f"(?:{refusal.REINSTALL}|{refusal.WITHOUT_PRELOAD})(?:; if that does not help, report this line)?"
    )
    return bool(re.fullmatch(f"{refusal.PREFIX}(?:{beginning}): (?:{what}); {remedy}", line))


@pytest.mark.parametrize("what", DAMAGE)
def test_a_refusal_is_explained(make_host: MakeHost, what: str) -> None:
    host = make_host()
    damage(host, *DAMAGE[what])
    if DAMAGE[what][0] == CONFIG:
        host.run(["rm", "-f", MADE_HERE]).check()
    (line,) = host.run(["certbot-fips", "--version"]).stderr.splitlines()
    assert explained(line), line


def test_another_line_is_not_explained() -> None:
    """The control."""
    why = "FIPS is needed (the kernel's FIPS flag is on) but not proven"
    line = f"certbot-fips: {why}: MD5 for security is not refused; reinstall the snap"
    assert explained(line)
    for listed, other in (
        ("MD5", "SHA-1"),
        ("is on", "is new"),
        ("reinstall", "remove"),
        ("needed", "wanted"),
    ):
        assert not explained(line.replace(listed, other))


def test_an_example_with_another_line_is_found_out(flagged: NamespaceHost) -> None:
    """The control: a label, a verdict or a value that the program does not print."""
    block = example("docs/administrators.md", "FIPS: active")
    screen = flagged.run(DOCTOR).stdout
    for wrong in ("FIPS: inactive", "+ another line            yes", "+ openssl                  gives MD5"):
        at = block.index("+ openssl                  refuses MD5")
        changed = [wrong, *block[1:]] if wrong.startswith("FIPS") else [*block[:at], wrong, *block[at + 1 :]]
        assert not shows(changed, FREE).fullmatch(screen)
