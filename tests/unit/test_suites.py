"""What differs from the failures that are expected of other people's suites."""

import yaml

from tools.suites.expected import MODULES, Entry, Run, Tests, differences, entries, everything
from tools.suites.material import Suite, suites
from tools.suites.run import Report, judge

TESTS: Tests = {
    "a.py::test_md5": ("failed", "E: unsupported"),
    "a.py::test_sha256": ("passed", ""),
    "a.py::Keys::test_rsa[512]": ("failed", "E: 512 bits\nE: too short at 0x7f"),
    "a.py::Keys::test_rsa[1024]": ("failed", "E: 1024 bits\nE: too short at 0x80"),
    "b.py::test_gone": ("skipped", "no network"),
}


def amiss(*names: str) -> tuple[list[str], list[str]]:
    return differences([Entry("a reason", names)], TESTS)


def test_what_is_named_and_fails_is_as_it_should_be() -> None:
    assert amiss("a.py::test_md5", "a.py::Keys::test_rsa[*") == ([], [])


def test_what_fails_and_is_not_named_is_told() -> None:
    assert amiss("a.py::test_md5", "a.py::Keys::test_rsa[512]") == ([], ["a.py::Keys::test_rsa[1024]"])


def test_a_name_that_no_longer_fits_is_told() -> None:
    said, unnamed = amiss("a.py::test_sha256", "b.py::test_gone", "c.py::test_new", "a.py::*")
    assert unnamed == []
    assert said == [
        "a.py::test_sha256 is expected to fail, and is passed",
        "b.py::test_gone is expected to fail, and is skipped",
        "no test has the name c.py::test_new, which is expected to fail",
        "a.py::test_sha256 is expected to fail by a.py::*, and is passed",
    ]


def test_what_is_not_named_is_printed_for_the_file() -> None:
    _, unnamed = amiss()
    assert yaml.safe_load(entries(unnamed, TESTS)) == [
        {"reason": "? E: too short at …", "tests": ["a.py::Keys::*"]},
        {"reason": "? E: unsupported", "tests": ["a.py::test_md5"]},
    ]


def test_a_suite_that_is_none_is_told() -> None:
    suite = Suite("own", source="", root=".", take=["."], passes=2)
    report = Report(status=4, fips=False, strays=["ssl (/tmp/ssl.py)"], tests={"a.py::test": ("skipped", "")})
    assert judge("own", suite, True, report, []).wrong == [
        "ssl (/tmp/ssl.py) is not the snap's",
        "FIPS is off in the snap's Python",
        "pytest ended with 4",
        "0 tests passed, of at least 2",
    ]


def test_every_expected_failure_has_a_reason_and_a_run() -> None:
    runs = [
        Run(name, flagged, module) for name in suites() for flagged in (True, False) for module in MODULES
    ]
    for name, listed in everything().items():
        assert name in suites()
        for entry in listed:
            assert entry.reason
            assert not entry.reason.startswith("?")
            assert entry.tests
            assert any(entry.is_for(run) for run in runs if run.suite == name)
