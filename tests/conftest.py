import os
from collections.abc import Generator
from pathlib import Path

import pytest

from tools.hosts import HostError, HostRefusedError, newest_snap

PROJECT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--snap",
        type=Path,
        help="the packed snap to test (default: $CERTBOT_FIPS_SNAP, or else the newest in dist/)",
    )


def snap_of(config: pytest.Config) -> Path:
    """Return the packed snap that this run is about; the run fails where there is none."""
    named = config.getoption("--snap") or os.environ.get("CERTBOT_FIPS_SNAP")
    try:
        path = Path(named).resolve() if named else newest_snap()
    except HostError as error:
        pytest.fail(str(error), pytrace=False)
    if not path.is_file():
        pytest.fail(f"no packed snap at {path}: run `make snap`, or name one with --snap", pytrace=False)
    return path


@pytest.fixture(scope="session")
def snap_file(pytestconfig: pytest.Config) -> Path:
    """The packed snap that all tests of tests/snap are about."""
    return snap_of(pytestconfig)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,  # noqa: ARG001 - pytest goes by the names
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What this machine refuses is skipped, with the reason, wherever in a test or a fixture that is met."""
    if call.excinfo is not None and isinstance(call.excinfo.value, HostRefusedError):
        skipped = pytest.skip.Exception(str(call.excinfo.value))
        call.excinfo = pytest.ExceptionInfo.from_exception(skipped.with_traceback(call.excinfo.tb))
    return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have `make test`'s two workers take a file each, unless the tests say what else belongs together.

    The slow ones come first, so that no worker waits for the other at the end.
    """
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(str(item.path)))
    items.sort(key=lambda item: item.path.relative_to(PROJECT / "tests").parts[0] != "spread")
