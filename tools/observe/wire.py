"""The TLS handshakes that really took place on a host, read from its loopback interface."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tools.hosts import Host
from tools.observe import groups
from tools.observe.calls import ObserveError

READY_SECONDS = 10.0
#: Names of the TLS registry (IANA) for numbers met here.
_CIPHERS = """
    1301:TLS_AES_128_GCM_SHA256 1302:TLS_AES_256_GCM_SHA384 1303:TLS_CHACHA20_POLY1305_SHA256
    c02b:ECDHE-ECDSA-AES128-GCM-SHA256 c02c:ECDHE-ECDSA-AES256-GCM-SHA384
    c02f:ECDHE-RSA-AES128-GCM-SHA256 c030:ECDHE-RSA-AES256-GCM-SHA384 cca9:ECDHE-ECDSA-CHACHA20-POLY1305"""
_VERSIONS = "301:TLSv1 302:TLSv1.1 303:TLSv1.2 304:TLSv1.3"


@dataclass(frozen=True)
class Handshake:
    """What was agreed on a connection. Numbers without a name here are given as `0x…`."""

    offered: tuple[str, ...]
    """The groups that the client offered, in its order."""
    version: str
    cipher: str
    group: str


def _name(number: int, table: str) -> str:
    """Return the name of a number in a table above, or the number itself."""
    names = dict(entry.split(":") for entry in table.split())
    return names.get(f"{number:x}", f"{number:#06x}")


class Wire:
    """Watches the TLS connections to `port` of the host's loopback, between entry and exit."""

    def __init__(self, host: Host, port: int = 14000) -> None:
        self._host = host
        self._port = port
        self._seen = f"/run/tls-hellos-{port}-{id(self)}"
        self._pid = ""

    def handshakes(self) -> list[Handshake]:
        """Return the handshakes that got an answer so far, in the order of their beginning."""
        found: dict[int, dict[str, Any]] = {}
        order: list[dict[str, Any]] = []
        for line in self._host.run(["cat", self._seen]).stdout.splitlines():
            hello = json.loads(line)
            if "client" not in hello:
                continue
            if "offered" in hello and not found.get(hello["client"], {}).get("retry"):
                found[hello["client"]] = {}
                order.append(found[hello["client"]])
            found.setdefault(hello["client"], {}).update(hello)
        return [
            Handshake(
                tuple(groups.name(group) for group in seen["offered"]),
                _name(seen["version"], _VERSIONS),
                _name(seen["cipher"], _CIPHERS),
                groups.name(seen["group"]),
            )
            for seen in order
            if "group" in seen
        ]

    def __enter__(self) -> Self:
        """Raise ObserveError when the host does not let us watch."""
        script = f"{self._seen}.py"
        self._host.copy(Path(__file__).with_name("sniff_hellos.py"), script)
        command = f"setsid python3 -I {script} {self._port} > {self._seen} 2>&1 < /dev/null & echo $!"
        self._pid = self._host.run(["sh", "-c", command]).check().stdout.strip()
        deadline = time.monotonic() + READY_SECONDS
        while "ready" not in (said := self._host.run(["cat", self._seen]).stdout):
            if "Error" in said or time.monotonic() > deadline:
                last = (said.strip().splitlines() or ["no answer"])[-1]
                raise ObserveError(f"{self._host.name}: its network cannot be watched: {last}")
            time.sleep(0.01)
        return self

    def __exit__(self, *exc: object) -> None:
        self._host.run(["kill", self._pid])
