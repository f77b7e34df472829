"""Stand-in for snapd's socket on a host where no snapd runs: `snapd_socket.py SOCKET FILE`.

Answers each request with what FILE holds by then, 404 where it is missing: what snapd's REST API says at
/v2/connections is all that Certbot and the doctor ask it for.  Lives as long as its host.
"""

from __future__ import annotations

import http.server
import socket
import socketserver
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tools.hosts.base import Host


class Snapd(socketserver.ThreadingUnixStreamServer):
    """Listens; a client of such a socket has no address, which http.server wants to have."""

    def get_request(self) -> tuple[socket.socket, Any]:
        """Return the next connection."""
        return super().get_request()[0], ("snapd", 0)


class Answer(http.server.BaseHTTPRequestHandler):
    """Answers a request."""

    def do_GET(self) -> None:
        """Send what the file holds."""
        file = Path(sys.argv[2])
        content = file.read_bytes() if file.is_file() else b""
        self.send_response(200 if content else 404)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


def start(host: Host, listens: str, file: str) -> None:
    """Run it on a host, to listen there and to answer with a file; HostError if it does not start."""
    script = 'setsid python3 -IS -c "$@" > /dev/null 2>&1 < /dev/null & until [ -S "$2" ]; do sleep 0.1; done'
    host.run(["sh", "-euc", script, "sh", Path(__file__).read_text(), listens, file]).check()


if __name__ == "__main__":
    Snapd(sys.argv[1], Answer).serve_forever()
