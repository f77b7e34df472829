"""Hosts in namespaces: what they show is true, and they leave nothing behind."""

import os
import select
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tools.acme import AcmeError, AcmeServer
from tools.hosts import HostError, NamespaceHost


@pytest.fixture(autouse=True)
def _allowed() -> None:
    with NamespaceHost():  # a machine that refuses it skips all of these tests
        pass


@pytest.fixture
def revision() -> str:
    """A revision of its own, so that its loop devices can be told from another run's."""
    return f"x{uuid.uuid4().int % 10**9}"


def loop_devices(revision: str) -> list[str]:
    """Return the loop devices that hold the snap of a revision, in whatever mount namespace."""
    found = []
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        with suppress(OSError):  # gone since
            if f"certbot-fips_{revision}.snap" in backing.read_text():
                found.append(backing.parts[3])
    return found


def test_the_flag() -> None:
    for flagged, content, expected in ((True, "1\n", "1\n"), (True, "x", "x"), (False, "", None)):
        with NamespaceHost(flagged=flagged, flag_content=content) as host:
            shown = host.run(["cat", "/proc/sys/crypto/fips_enabled"])
            assert (shown.stdout if shown.returncode == 0 else None) == expected
            assert host.run(["cat", "/proc/sys/kernel/ostype"]).stdout == "Linux\n"


def test_the_flag_at_another_place() -> None:
    """For who mounts it later, as the campaign does."""
    with NamespaceHost() as host:
        host.run(["sh", "/run/fips-flag.sh", "absent", "/run/bare"]).check()
        assert host.run(["cat", "/run/bare/kernel/ostype"]).stdout == "Linux\n"
        assert host.run(["ls", "/run/bare/crypto"]).returncode != 0
        assert host.run(["cat", "/proc/sys/crypto/fips_enabled"]).stdout == "1\n"


def test_two_at_the_same_time_are_separate(snap_file: Path, revision: str) -> None:
    with (
        NamespaceHost(snap_file, revision=revision) as one,
        NamespaceHost(snap_file, revision=revision) as two,
    ):
        assert len(loop_devices(revision)) == 2
        with AcmeServer(one), AcmeServer(two):  # the same ports
            one.run(["touch", "/etc/letsencrypt-was-here", "/tmp/was-here"]).check()
            assert two.run(["ls", "/etc/letsencrypt-was-here"]).returncode != 0
            assert not Path("/etc/letsencrypt-was-here").exists()
            assert not Path("/tmp/was-here").exists()
        one.run(["certbot-fips", "--version"]).check()
        two.run(["certbot-fips", "--version"]).check()
    assert not loop_devices(revision)


def test_nothing_is_left_when_the_user_of_a_host_is_killed(snap_file: Path, revision: str) -> None:
    script = (
        "import sys, time; from pathlib import Path; from tools.hosts import NamespaceHost\n"
        "host = NamespaceHost(Path(sys.argv[1]), revision=sys.argv[2]); host.__enter__()\n"
        "host.run(['sh', '-c', 'setsid sleep 1000 > /dev/null 2>&1 &'])\n"
        "print(host.path('').parts[2], flush=True); time.sleep(1000)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(snap_file), revision],
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
    )
    assert process.stdout is not None
    holder = os.pidfd_open(int(process.stdout.readline()))
    assert loop_devices(revision)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert select_readable(holder, 5), "the host outlived its user"
    os.close(holder)
    process.stdout.close()
    deadline = 50
    while loop_devices(revision) and deadline:
        deadline -= 1
        time.sleep(0.1)
    assert not loop_devices(revision)


def select_readable(descriptor: int, seconds: float) -> bool:
    return bool(select.select([descriptor], [], [], seconds)[0])


def test_a_file_that_is_no_snap(tmp_path: Path) -> None:
    broken = tmp_path / "broken.snap"
    broken.write_bytes(b"no squashfs" * 1000)
    with NamespaceHost() as host, pytest.raises(HostError, match=r"squashfs|superblock"):
        host.install(broken)
    with NamespaceHost() as host, pytest.raises(HostError, match="run `make snap`"):
        host.install(tmp_path / "missing.snap")


def test_a_taken_port_is_named() -> None:
    with NamespaceHost() as host, AcmeServer(host):
        with pytest.raises(AcmeError, match=r"port 1400[0-3] is taken: end what listens there"):
            AcmeServer(host).start()
        with AcmeServer(host, port=24000):
            pass


def test_a_machine_that_refuses_namespaces() -> None:
    """As a container without CAP_SYS_ADMIN does."""
    script = "from tools.hosts import NamespaceHost\nwith NamespaceHost(): pass"
    refused = subprocess.run(
        ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        check=False,
    )
    assert "HostRefusedError: this machine refuses mount namespaces (unshare: " in refused.stderr
