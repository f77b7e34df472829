"""Hosts for spread's adhoc backend: they outlive the command that made them, reached by ssh on loopback.

spread's contract (its README, "AdHoc"): `allocate` says the address, spread logs in there as root
with SPREAD_PASSWORD, `discard` gets the address back. A host has no network of the machine's: the process
that holds it is the ssh server (server.py), on loopback.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from tools.hosts.base import HostError, HostRefusedError
from tools.hosts.catalog import System, find
from tools.hosts.make import task_host
from tools.hosts.packed import newest_snap
from tools.hosts.processes import identity, lives
from tools.hosts.ssh import server as ssh

PROJECT = Path(__file__).resolve().parents[3]
DISCARD_SECONDS = 30.0
REFUSED = 69  # sysexits.h: EX_UNAVAILABLE
ALLOCATED = Path("/run/certbot-fips-allocated")


def allocate(system: System) -> str:
    """Bring up a host and return its address. Raise as `Host.up`.

    Root's password is in the environment variable SPREAD_PASSWORD.
    """
    holder = subprocess.Popen(
        [sys.executable, "-m", "tools.hosts.ssh.allocation", system.name],
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # it outlives this process
    )
    assert holder.stdout is not None
    with holder.stdout:
        said = holder.stdout.readline().strip()
    if not said.startswith("localhost:"):
        kind = HostRefusedError if holder.wait() == REFUSED else HostError
        raise kind(said or f"{system.name} was not brought up: the lines above say why")
    return said


def discard(address: str) -> None:
    """Take down the host with this address. Raise HostError when there is none."""
    record = ALLOCATED / address.rpartition(":")[2]
    if not record.is_file():
        others = ", ".join(f"localhost:{path.name}" for path in ALLOCATED.glob("*")) or "none"
        raise HostError(f"no host was allocated at {address}; known: {others}")
    known = record.read_text()
    pid = known.split()[0]
    deadline = time.monotonic() + DISCARD_SECONDS
    if lives(known):
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGTERM)
    while lives(known):
        if time.monotonic() > deadline:
            raise HostError(f"process {pid}, which holds the host at {address}, does not end")
        time.sleep(0.05)
    record.unlink(missing_ok=True)


def hold(name: str) -> None:
    """Bring up a host, print its address, or why there is none, and serve ssh until SIGTERM comes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with task_host(find(name), newest_snap()) as host, socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ALLOCATED.mkdir(exist_ok=True)
        record = ALLOCATED / str(port)
        record.write_text(identity(os.getpid()))
        try:
            print(f"localhost:{port}", flush=True)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for stream in (1, 2):  # who asked waits for the end of our output
                os.dup2(nowhere, stream)
            ssh.serve(host, os.environ.get("SPREAD_PASSWORD") or secrets.token_urlsafe(), server)
        finally:
            record.unlink(missing_ok=True)


if __name__ == "__main__":
    try:
        hold(sys.argv[1])
    except HostError as error:
        print(error)
        sys.exit(REFUSED if isinstance(error, HostRefusedError) else 1)
