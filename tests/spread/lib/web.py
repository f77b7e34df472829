"""What a client of a web server sees, and what a server's processes have of the snap.

    web.py get URL [ADDRESS]            STATUS, Location and Strict-Transport-Security, in a line
    web.py certificate NAME [ADDRESS]   the certificate that is served, PEM
    web.py load NAME STOP               request https://NAME/ until the file STOP is there; 1 if one failed
    web.py untouched PID...             1 if one has a variable or a file of the snap's
    web.py idle PID...                  1 if one burns CPU

TLS is verified, by the root of the test authority. Connections go to 127.0.0.1, or to ADDRESS.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

HERE = "127.0.0.1"
ROOT = "https://localhost:14001/roots/0"  # pebble's management interface
OURS = re.compile(r"^(SNAP|OPENSSL_|PYTHON|SSL_CERT_|CERTBOT_)|/snap/|certbot-fips")
TICKS = 10  # of CPU time within a second, which has 100 of them


def trusting() -> ssl.SSLContext:
    """Return what takes the test authority's certificates, and no others."""
    with urllib.request.urlopen(ROOT) as answer:
        return ssl.create_default_context(cadata=answer.read().decode())


def connect(name: str, address: str, tls: ssl.SSLContext | None) -> socket.socket:
    """Return a connection to a server's port for TLS, or for plain HTTP."""
    plain = socket.create_connection((address, 443 if tls else 80), 10)
    return tls.wrap_socket(plain, server_hostname=name) if tls else plain


def request(name: str, path: str, address: str, tls: ssl.SSLContext | None) -> http.client.HTTPResponse:
    """Return the answer, which has been read."""
    connection = http.client.HTTPConnection(name)
    connection.sock = connect(name, address, tls)
    connection.request("GET", f"/{path}", headers={"Connection": "close"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def get(url: str, address: str = HERE) -> None:
    """Print what is answered."""
    scheme, _, rest = url.partition("://")
    name, _, path = rest.partition("/")
    answer = request(name, path, address, trusting() if scheme == "https" else None)
    print(answer.status, answer.getheader("Location", ""), answer.getheader("Strict-Transport-Security", ""))


def certificate(name: str, address: str = HERE) -> None:
    """Print the certificate."""
    with connect(name, address, trusting()) as served:
        assert isinstance(served, ssl.SSLSocket)
        print(ssl.DER_cert_to_PEM_cert(served.getpeercert(binary_form=True) or b""), end="")


def load(name: str, stop: str) -> None:
    """Ask without a pause, each time over a new connection; a request that fails ends it."""
    tls, done = trusting(), 0
    while not Path(stop).exists():
        status = request(name, "", HERE, tls).status
        if status != http.client.OK:
            sys.exit(f"after {done} requests: {status}")
        done += 1
        if done == 1:
            print("begun", flush=True)
    print(f"{done} requests, none failed")


def untouched(*pids: str) -> None:
    """Look at the environment that each process was given, and at the files in its memory.

    Some may have ended: after a reload a server's old workers do, when they have nothing more to answer.
    """
    found, seen = [], False
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            variables = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
            # The tests' own login shell has the folder for the commands of snaps in its PATH.
            found += [entry for entry in variables if OURS.search(entry.replace(":/snap/bin", ""))]
            maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
            found += sorted({line.split()[-1] for line in maps if "/snap/" in line})
            seen = seen or bool(maps)
    sys.exit("\n".join(found) or (0 if seen else "none of them runs"))


def idle(*pids: str) -> None:
    """Look at the CPU time that each process has used, twice; see above."""

    def used(pid: str) -> int:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return 0
        return int(fields[11]) + int(fields[12])

    before = {pid: used(pid) for pid in pids}
    time.sleep(1)
    sys.exit(", ".join(f"{pid} burns CPU" for pid in pids if used(pid) - before[pid] > TICKS) or 0)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
