"""This machine as a host: where no snapd runs it is refused."""

from pathlib import Path

import pytest

from tools.hosts import HostRefusedError
from tools.hosts.here import HereHost


@pytest.mark.skipif(Path("/run/snapd.socket").exists(), reason="this machine has a snapd")
def test_a_machine_without_snapd() -> None:
    with pytest.raises(HostRefusedError, match="no snapd runs on this machine"), HereHost():
        pytest.fail("there is no snapd")
