"""The launcher's line is read as it was written, whoever wrote it."""

import re
from pathlib import Path

import pytest

from fips_launch import refusal

MAIN = Path(__file__).resolve().parents[2] / "parts" / "python-setup" / "main.c"


@pytest.mark.parametrize("report", [False, True])
@pytest.mark.parametrize("remedy", [refusal.REINSTALL, refusal.WITHOUT_PRELOAD, "see `snap info`"])
@pytest.mark.parametrize("what", ["MD5 is not refused", "one; two: three", "reinstall the snap; or not"])
def test_what_is_composed_is_parsed(what: str, remedy: str, report: bool) -> None:
    line = refusal.compose(what, remedy, report)
    assert refusal.parse(line) == (what, remedy)


def test_it_is_one_line() -> None:
    assert refusal.compose("a\n b", "c") == "certbot-fips: a b; c"


def test_the_line_of_another_is_what_is_wrong() -> None:
    assert refusal.parse("Segmentation fault") == ("Segmentation fault", "")


def test_the_line_of_main_c() -> None:
    written = re.findall(r'fprintf\(stderr, SNAP_NAME ": (.*)\\n"', MAIN.read_text())
    assert [refusal.parse(refusal.PREFIX + line) for line in written] == [
        ("cannot start: %s", refusal.REINSTALL)
    ]
    assert f"exit({refusal.STATUS});" in MAIN.read_text()
