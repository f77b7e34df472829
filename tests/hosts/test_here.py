"""This machine as a host: commands as on every host; where no snapd runs it is refused."""

from pathlib import Path

import pytest

from tools.hosts import HostRefusedError, HostTimeoutError
from tools.hosts.here import HereHost


def test_commands(tmp_path: Path) -> None:
    host = HereHost()
    ended = host.run(
        ["sh", "-c", "env; pwd; cat; echo no >&2; exit 3"], env={"A": "b c"}, stdin="in\n", cwd="/usr"
    )
    assert sorted(ended.stdout.splitlines()) == ["/usr", "A=b c", "PWD=/usr", "in"]
    assert (ended.returncode, ended.stderr) == (3, "no\n")
    assert host.run(["sh", "-c", "kill -9 $$"]).returncode == -9
    with pytest.raises(HostTimeoutError, match=r"`sh -c 'sleep 60; :'` took longer than 0.2 s"):
        host.run(["sh", "-c", "sleep 60; :"], timeout=0.2)
    (tmp_path / "file").write_text("copied")
    host.copy(tmp_path / "file", f"{tmp_path}/new/folder/file")
    assert host.run(["cat", f"{tmp_path}/new/folder/file"]).stdout == "copied"


@pytest.mark.skipif(Path("/run/snapd.socket").exists(), reason="this machine has a snapd")
def test_a_machine_without_snapd() -> None:
    with pytest.raises(HostRefusedError, match="no snapd runs on this machine"), HereHost():
        pytest.fail("there is no snapd")
