"""Hosts that are allocated to spread: reached by ssh, whatever their kind is, until they are discarded."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko
import pytest

from tests.conftest import PROJECT
from tools.hosts import HostRefusedError
from tools.hosts.ssh.allocation import ALLOCATED, REFUSED

COMMAND = [sys.executable, "-m", "tools.hosts"]
PASSWORD = "let-me-in"


@contextmanager
def allocated(system: str) -> Iterator[int]:
    """Allocate a host as spread does; give its port."""
    told = subprocess.run(
        [*COMMAND, "allocate", system],
        cwd=PROJECT,
        env={**os.environ, "SPREAD_PASSWORD": PASSWORD},
        stdout=subprocess.PIPE,
        text=True,
        timeout=300,
    )
    found = re.fullmatch(r"localhost:(\d+)\n", told.stdout)
    if told.returncode == REFUSED:
        raise HostRefusedError(told.stdout)
    assert found, told.stdout
    try:
        yield int(found[1])
    finally:
        discard = [*COMMAND, "discard", f"localhost:{found[1]}"]
        assert subprocess.run(discard, cwd=PROJECT, timeout=60).returncode == 0
        assert not (ALLOCATED / found[1]).exists()


@contextmanager
def connected(port: int, password: str = PASSWORD) -> Iterator[paramiko.Transport]:
    """Log in as spread does."""
    with socket.create_connection(("127.0.0.1", port)) as connection, paramiko.Transport(connection) as made:
        made.connect(username="root", password=password)
        yield made


def run(host: paramiko.Transport, command: str, given: bytes = b"") -> tuple[bytes, bytes, int]:
    """Run a command and return what it says, to both, and its exit code."""
    with host.open_session() as channel:
        channel.exec_command(command)
        channel.sendall(given)
        channel.shutdown_write()
        said = channel.makefile("rb").read(), channel.makefile_stderr("rb").read()
        return *said, channel.recv_exit_status()


@pytest.fixture(scope="module")
def port(snap_file: Path) -> Iterator[int]:  # noqa: ARG001 - allocate takes it from dist/
    with allocated("namespace-fips") as port:
        yield port


@pytest.fixture
def namespace(port: int) -> Iterator[paramiko.Transport]:
    with connected(port) as host:
        yield host


@pytest.mark.usefixtures("snap_file")
@pytest.mark.parametrize(
    ("system", "snaps"),
    [
        ("debian-12-fips", ""),
        ("docker-debian-12-fips", "certbot-fips\n"),
        ("namespace-fips", "certbot-fips\n"),
    ],
)
def test_every_kind_of_host_is_reached_and_has_the_snap_where_no_snapd_is(system: str, snaps: str) -> None:
    script = b"cat /proc/sys/crypto/fips_enabled; cd /snap/bin; ls certbot-fips 2>/dev/null || true"
    with allocated(system) as port, connected(port) as host:
        assert run(host, "/bin/bash - 2>&1", script) == (f"1\n{snaps}".encode(), b"", 0)
    with pytest.raises(ConnectionRefusedError), connected(port):
        pass


def test_bytes_and_exit_codes(namespace: paramiko.Transport) -> None:
    given = bytes(range(256)) * 4000
    assert run(namespace, "cat; echo no >&2; exit 7", given) == (given, b"no\n", 7)
    assert run(namespace, "kill -9 $$") == (b"", b"", 137)


def test_a_wrong_password(port: int) -> None:
    with pytest.raises(paramiko.AuthenticationException), connected(port, "let-me-out"):
        pass


def test_what_a_client_gives_up_is_ended_and_nothing_else(namespace: paramiko.Transport) -> None:
    count = "grep -c -a -x -z 777[78] /proc/[0-9]*/cmdline | grep -c :1"
    given_up = namespace.open_session()
    given_up.exec_command("sleep 7777 & sleep 7778")
    given_up.shutdown_write()
    for wanted in (b"2\n", b"0\n"):
        deadline = time.monotonic() + 20
        while run(namespace, count)[0] != wanted:
            assert time.monotonic() < deadline
        given_up.close()


def test_a_shell_on_a_terminal(namespace: paramiko.Transport) -> None:
    with namespace.open_session() as shell:
        shell.get_pty("xterm", 91, 31)
        shell.exec_command("bash")
        shell.sendall(b"stty size; echo $((6 * 7))\nexit 3\n")
        said = shell.makefile("rb").read()
        assert b"31 91\r\n42\r\n" in re.sub(rb"\x1b\[\?2004l\r", b"", said)
        assert shell.recv_exit_status() == 3


@pytest.mark.usefixtures("snap_file")
def test_a_host_without_a_terminal_says_so() -> None:
    with allocated("docker-debian-12-fips") as port, connected(port) as host, host.open_session() as shell:
        shell.get_pty()
        shell.invoke_shell()
        assert shell.makefile("rb").read().endswith(b" gives no shell on a terminal\r\n")
        assert shell.recv_exit_status() == 255


def test_a_host_that_cannot_be_is_told_to_spread() -> None:
    told = subprocess.run([*COMMAND, "allocate", "debian12"], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert told.returncode == 1
    assert re.fullmatch(r"hosts: unknown system 'debian12': is it debian-12 .*\n", told.stdout)
