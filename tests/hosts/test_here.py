"""This machine as a host: where no snapd runs it is refused."""

from pathlib import Path

import pytest

from tools.hosts import HostRefusedError
from tools.hosts.here import HereHost


def test_another_machine_than_is_asked_for() -> None:
    with pytest.raises(HostRefusedError, match=r"is [a-z]+-\d+, not rhel-7"), HereHost(system="rhel-7"):
        pytest.fail("this is another machine")


@pytest.mark.skipif(Path("/run/snapd.socket").exists(), reason="this machine has a snapd")
def test_a_machine_without_snapd() -> None:
    with pytest.raises(HostRefusedError, match="no snapd runs on this machine"), HereHost():
        pytest.fail("there is no snapd")
