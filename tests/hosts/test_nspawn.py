"""Hosts with real snapd: several live side by side, nothing stays of a killed one."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tools.hosts import HostError, nspawn
from tools.hosts.catalog import find
from tools.hosts.make import make_host
from tools.hosts.nspawn import NspawnHost

COMMAND = [sys.executable, "-m", "tools.hosts"]


@pytest.fixture(scope="module")
def host() -> Iterator[NspawnHost]:
    with make_host(find("debian-13-fips")) as host:
        assert isinstance(host, NspawnHost)
        yield host


def left(pid: int) -> list[Path]:
    """Traces of the hosts of a process: records and cgroups."""
    folders = [nspawn.RECORDS, *map(Path, nspawn._UNIFIED)]
    return [path for folder in folders for path in folder.glob(f"certbot-fips-{pid}-*")]


def test_systemd_and_snapd_run_without_a_network(host: NspawnHost) -> None:
    assert host.run(["systemctl", "is-system-running"]).stdout == "running\n"
    assert set(re.findall(r"^\w+", host.run(["snap", "list"]).check().stdout, re.M)) == {
        "Name",
        "core24",
        "snapd",
    }
    assert re.findall(r"^\d+: (\w+)", host.run(["ip", "link"]).stdout, re.M) == ["lo"]


def test_the_flag_is_there_for_services_too(host: NspawnHost) -> None:
    flag = "/proc/sys/crypto/fips_enabled"
    assert host.run(["cat", flag]).stdout == "1\n"
    assert host.run(["systemd-run", "--wait", "--pipe", "--quiet", "cat", flag]).stdout == "1\n"
    assert host.run(["cat", "/proc/sys/kernel/ostype"]).stdout == "Linux\n"


def test_a_second_host_is_another(host: NspawnHost) -> None:
    with make_host(find("debian-13")) as other:
        host.run(["touch", "/was-here"]).check()
        assert other.run(["ls", "/was-here"]).returncode != 0
        assert other.run(["cat", "/proc/sys/crypto/fips_enabled"]).stdout in ("", "0\n")


def test_nothing_is_left_when_the_user_of_a_host_is_killed(host: NspawnHost) -> None:
    script = (
        "from tools.hosts.catalog import find; from tools.hosts.make import make_host\n"
        "with make_host(find('debian-13')): print(flush=True); input()"
    )
    user = subprocess.Popen(
        [sys.executable, "-c", script], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert user.stdin is not None and user.stdout is not None
    with user.stdin, user.stdout:
        user.stdout.readline()
        assert len(left(user.pid)) == 2
        user.kill()
        user.wait()
    nspawn.remove_orphans()
    assert not left(user.pid)
    assert host.run(["true"]).returncode == 0


@pytest.mark.usefixtures("host")  # skips where there are no such hosts
def test_a_root_that_does_not_boot(tmp_path: Path) -> None:
    before = left(os.getpid())
    for folder in ("usr/lib/systemd", "etc"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "usr/lib/os-release").write_text("ID=none\n")
    broken = NspawnHost(tmp_path, True)
    with pytest.raises(HostError, match=r"its console is kept in \S+\.log and ends: ") as raised:
        broken.up()
    kept = re.search(r"kept in (\S+)", str(raised.value))
    assert kept and Path(kept[1]).read_text()
    assert left(os.getpid()) == before


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize(
    ("mounted", "said"),
    [
        (
            "/dev && mknod -m 666 /dev/null c 1 3",
            "hosts: no /dev/loop-control: snapd mounts snaps by loop .*",
        ),
        (
            "build/roots -o size=8m",
            r"==> .*\n +build .* stopped after \d+ s\n"
            r"hosts: mmdebstrap failed .*; only \d MiB are free in \S+/build/roots: free some space",
        ),
    ],
    ids=["no loop devices", "a full disk"],
)
def test_what_a_machine_lacks_is_one_line(mounted: str, said: str) -> None:
    script = f'mount -t tmpfs none {mounted}; exec "$@"'
    command = [*COMMAND, "run", "debian-13", "--no-snap", "--", "true"]
    with subprocess.Popen(
        ["unshare", "--mount", "sh", "-euc", script, "sh", *command],
        cwd=PROJECT,
        stderr=subprocess.PIPE,
        text=True,
    ) as refused:
        told = refused.communicate(timeout=120)[1]
    assert refused.returncode == 1
    assert re.fullmatch(said + "\n", told.replace("==> bring up debian-13\n", "")), told
    assert not left(refused.pid)


def test_an_unknown_system_is_told_the_nearest_names() -> None:
    done = subprocess.run(
        [*COMMAND, "run", "debian12-fips", "--", "true"], cwd=PROJECT, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert re.fullmatch(r"hosts: unknown system 'debian12-fips': is it debian-12-fips or .*\n", done.stderr)
