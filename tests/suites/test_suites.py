"""Other people's suites on the FIPS host, in the snap's own Python; `make suites` runs them everywhere."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tools.build.errors import UnavailableError
from tools.suites.expected import MODULES, Entry, Run
from tools.suites.material import Material, Suite, prepare, suites
from tools.suites.run import execute, judge, module, run

#: A suite that fails, skips itself, and takes a package from elsewhere than the snap.
OWN = """
import sys
import pytest

sys.path.insert(0, "elsewhere")
import josepy


def test_passes():
    pass


@pytest.mark.parametrize("bits", [512, 1024])
def test_fails(bits):
    raise ValueError(bits)


def test_skips():
    pytest.skip("not here")
"""


@pytest.fixture(scope="session")
def release(snap_file: Path) -> str:
    """The release of the snap's FIPS module."""
    found = module(snap_file)
    if found not in MODULES:
        pytest.skip(f"what fails with the FIPS module {found} is not listed, but with {', '.join(MODULES)}")
    return found


def material(suite: Suite) -> Material:
    try:
        return prepare(suite)
    except UnavailableError as reason:
        pytest.skip(str(reason))


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize(
    "suite",
    [
        pytest.param(suite, id=name, marks=pytest.mark.xdist_group(f"suite {name}"))
        for name, suite in suites().items()
        if suite.fast
    ],
)
def test_what_fails_is_what_has_a_reason_to(
    suite: Suite, snap_file: Path, record_property: Callable[[str, str], None]
) -> None:
    material(suite)
    outcome = run(suite, snap_file, flagged=True)
    record_property("counts", outcome.text)
    assert outcome.wrong == [], f"{outcome.text}\n{outcome.paste}"


def test_what_a_suite_does_is_seen(snap_file: Path, tmp_path: Path) -> None:
    """The control, with a suite of our own."""
    needs = material(suites()["josepy"]).needs
    (tmp_path / "test_own.py").write_text(OWN)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "josepy.py").touch()
    own = Suite("own", source="", root=".", take=["."], passes=1)
    given = Material(tmp_path, needs)
    report, elsewhere = (execute(Run("own", flagged, ""), own, given, snap_file) for flagged in (True, False))
    assert {name: how for name, (how, _) in report.tests.items()} == {
        "test_own.py::test_passes": "passed",
        "test_own.py::test_fails[512]": "failed",
        "test_own.py::test_fails[1024]": "failed",
        "test_own.py::test_skips": "skipped",
    }
    expected = [Entry("512 bits are too few", ("test_own.py::test_fails[*",))]
    # In FIPS mode what is in the snap comes from the snap, whatever lies beside the tests.
    assert judge("", own, True, report, expected).wrong == []
    assert judge("", own, False, report, expected).wrong == ["FIPS is on in the snap's Python"]
    assert judge("", own, False, elsewhere, expected).wrong == [
        "josepy (/srv/suite/elsewhere/josepy.py) is not the snap's"
    ]
