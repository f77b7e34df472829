import os
from collections.abc import Generator
from pathlib import Path

import pytest
import yaml

from fips_launch import place
from tools.hosts import HostError, HostRefusedError, newest_snap

PROJECT = Path(__file__).resolve().parents[1]
# As the build fills it in.
place.NAME = str(yaml.safe_load((PROJECT / "snapcraft.yaml").read_text())["name"])


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--snap",
        type=Path,
        help="the packed snap to test (default: $CERTBOT_FIPS_SNAP, or else the newest in dist/)",
    )
    parser.addoption(
        "--provider",
        action="append",
        default=[],
        help="run what hangs on the FIPS module with the snap that `make snap PROVIDER=...` made, too",
    )
    parser.addoption(
        "--every-call",
        action="store_true",
        help="end the hooks at every system call of theirs, not at a dozen (more than an hour)",
    )


def providers(config: pytest.Config) -> list[str]:
    """Return the modules that this run is about, "" for the recipe's own; all tests run with the first."""
    return list(dict.fromkeys([os.environ.get("PROVIDER", ""), *config.getoption("--provider")]))


def snap_of(config: pytest.Config) -> Path:
    """Return the packed snap that all tests are about; the run fails where there is none."""
    named = config.getoption("--snap") or os.environ.get("CERTBOT_FIPS_SNAP")
    try:
        path = Path(named).resolve() if named else newest_snap()
    except HostError as error:
        pytest.fail(str(error), pytrace=False)
    if not path.is_file():
        pytest.fail(f"no packed snap at {path}: run `make snap`, or name one with --snap", pytrace=False)
    return path


@pytest.fixture(scope="session")
def provider(request: pytest.FixtureRequest) -> str:
    """The module's release as `make ... PROVIDER=` takes it; "": the recipe's own."""
    return str(getattr(request, "param", providers(request.config)[0]))


@pytest.fixture(scope="session")
def snap_file(provider: str, pytestconfig: pytest.Config) -> Path:
    """The packed snap with that module."""
    if provider == providers(pytestconfig)[0]:
        return snap_of(pytestconfig)
    try:
        return newest_snap(provider)
    except HostError as reason:
        pytest.skip(str(reason))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked with `provider` with each module."""
    marker = metafunc.definition.get_closest_marker("provider")
    if marker is not None:
        first, *others = providers(metafunc.config)
        own = [pytest.param(first, id=first or pytest.HIDDEN_PARAM)]
        if not first and not marker.kwargs.get("own", True):
            own = []
        metafunc.parametrize("provider", [*own, *others], indirect=True, scope="session")


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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have `make test`'s two workers take a file each, unless the tests say what else belongs together.

    All with another module belong together, for the shared hosts are then made once.  The slow ones come
    first, so that no worker waits for the other at the end.

    Groups have no effect as long as pytest-xdist (3.8) writes them to `_nodeid`, which pytest (9.2) has not:
    each test goes to the worker that is free, so two of a file may run at once.
    """
    first = providers(config)[0]

    def other(item: pytest.Item) -> str:
        used = item.callspec.params.get("provider", first) if hasattr(item, "callspec") else first
        return "" if used == first else used

    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(other(item) or str(item.path)))
    items.sort(key=lambda item: not other(item))
    items.sort(key=lambda item: item.path.relative_to(PROJECT / "tests").parts[0] != "spread")
