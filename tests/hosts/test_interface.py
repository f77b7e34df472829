"""What every kind of host does, the same way: `tools.hosts.base.Host`."""

import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tools.hosts import Host, HostError, HostTimeoutError, cache
from tools.hosts.catalog import find, systems
from tools.hosts.elsewhere import SshHost
from tools.hosts.make import make_host


@pytest.fixture(
    scope="module",
    params=["elsewhere", "namespace-fips", "debian-13", "docker-debian-12", "debian-13-kernel"],
)
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    with reached() if request.param == "elsewhere" else make_host(find(request.param)) as made:
        yield made
    made.down()  # twice is safe
    with pytest.raises(HostError, match="the host is not up"):
        made.run(["true"])


@contextmanager
def reached() -> Iterator[Host]:
    """A host that ssh reaches: one of spread's, on loopback, whose password ssh asks a program for."""
    password = secrets.token_hex(8)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPREAD_PASSWORD", password)
        asked = Path(folder, "ask")
        asked.write_text(f"#!/bin/sh\necho {password}\n")
        asked.chmod(0o700)
        patch.setenv("SSH_ASKPASS", str(asked))
        patch.setenv("SSH_ASKPASS_REQUIRE", "force")
        command = [sys.executable, "-m", "tools.hosts"]
        asked_for = [*command, "allocate", "namespace-plain"]
        address = subprocess.run(asked_for, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        try:
            guest, _, port = address.partition(":")
            with SshHost(guest, port=int(port)) as made:
                yield made
            made.down()
        finally:
            subprocess.run([*command, "discard", address], check=True)


def test_what_goes_in_comes_out(host: Host) -> None:
    script = r'env -u PWD; pwd; cat; printf "no\376" >&2; exit 3'
    ended = host.run(["sh", "-c", script], env={"A": "b\nc"}, stdin="in\udcff", cwd="/usr")
    assert (ended.returncode, ended.stderr) == (3, "no\udcfe")
    assert ended.stdout == "A=b\nc\n/usr\nin\udcff"
    with pytest.raises(HostError, match=r"^`sh -c 'echo why; false'` ended with 1: why$"):
        host.run(["sh", "-c", "echo why; false"]).check()


def test_a_signal_is_told(host: Host) -> None:
    assert host.run(["sh", "-c", "kill -9 $$"]).returncode == -9


def test_a_command_that_hangs_is_killed(host: Host) -> None:
    seconds = f"60.{secrets.randbelow(10**9):09}"  # no other process on this machine has this argument
    with pytest.raises(HostTimeoutError, match=r"took longer than 2 s and said: waiting"):
        host.run(["sh", "-c", f"echo waiting; sleep {seconds}"], timeout=2)
    deadline = time.monotonic() + 20  # a killed process is gone when the kernel has had time for it
    while seconds in host.run(["sh", "-c", "cat /proc/[0-9]*/cmdline"]).stdout:
        assert time.monotonic() < deadline


def test_a_daemon_that_a_command_leaves_is_not_waited_for(host: Host) -> None:
    host.run(["sh", "-c", "setsid sleep 30 &"], timeout=15).check()


def test_files_and_folders_are_copied(host: Host, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("copied")
    host.copy(tmp_path / "folder", f"{tmp_path}/new/folder")
    host.copy(tmp_path / "folder/file", f"{tmp_path}/new/file")
    said = host.run(["cat", f"{tmp_path}/new/folder/file", f"{tmp_path}/new/file"])
    assert said.stdout == "copiedcopied"
    with pytest.raises(HostError, match=r"/missing cannot be copied to /srv: No such file or directory$"):
        host.copy(tmp_path / "missing", "/srv")


def test_making_a_host_builds_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cache, "CACHE", tmp_path / "roots")
    for system in systems().values():
        if system.backend == "adhoc":
            assert make_host(system).name
        else:
            with pytest.raises(HostError, match=f"is a machine elsewhere, .*{system.backend}:{system.name}$"):
                make_host(system)
    assert not list(tmp_path.iterdir())
