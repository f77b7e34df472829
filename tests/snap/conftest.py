from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.snap.support import Certbot, MakeHost
from tools.acme import AcmeServer
from tools.hosts import NamespaceHost


@pytest.fixture(scope="session")
def session() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="session")
def flagged(session: ExitStack, snap_file: Path) -> NamespaceHost:
    """A FIPS host with the snap, shared by all tests: leave it as it was."""
    return session.enter_context(NamespaceHost(snap_file, flagged=True))


@pytest.fixture(scope="session")
def unflagged(session: ExitStack, snap_file: Path) -> NamespaceHost:
    """A host without the FIPS flag, with the snap, shared by all tests: leave it as it was."""
    return session.enter_context(NamespaceHost(snap_file, flagged=False))


@pytest.fixture(params=["flagged", "unflagged"])
def host(request: pytest.FixtureRequest, snap_file: Path) -> NamespaceHost:  # noqa: ARG001 - of that snap
    """Each of the two shared hosts in turn."""
    shared: NamespaceHost = request.getfixturevalue(request.param)
    return shared


@pytest.fixture
def make_host(snap_file: Path) -> Iterator[MakeHost]:
    """Make hosts for one test, which may do what it likes to them: make_host(flagged=False)."""
    with ExitStack() as stack:

        def make(flagged: bool = True, flag_content: str = "1\n") -> NamespaceHost:
            return stack.enter_context(NamespaceHost(snap_file, flagged, flag_content))

        yield make


@pytest.fixture(scope="session")
def authorities(session: ExitStack) -> Callable[[NamespaceHost], AcmeServer]:
    """Return the ACME server of a shared host, started when it is first wanted."""
    servers: dict[NamespaceHost, AcmeServer] = {}

    def authority(host: NamespaceHost) -> AcmeServer:
        if host not in servers:
            servers[host] = session.enter_context(AcmeServer(host))
        return servers[host]

    return authority


@pytest.fixture
def certbot(host: NamespaceHost, authorities: Callable[[NamespaceHost], AcmeServer]) -> Certbot:
    """Certbot on each of the two shared hosts in turn."""
    return Certbot(host, authorities(host))


@pytest.fixture
def fips_certbot(flagged: NamespaceHost, authorities: Callable[[NamespaceHost], AcmeServer]) -> Certbot:
    """Certbot on the shared FIPS host."""
    return Certbot(flagged, authorities(flagged))
