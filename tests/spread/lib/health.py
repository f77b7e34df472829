"""Print status and code of the snap's health as snapd has it on record; `snap info` asks the store too."""

import http.client
import json
import socket


class Snapd(http.client.HTTPConnection):
    """A connection to snapd's socket."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect("/run/snapd.socket")


snapd = Snapd("localhost")
snapd.request("GET", "/v2/snaps/certbot-fips")
health = json.load(snapd.getresponse())["result"].get("health", {})
print(health.get("status", "none"), health.get("code", ""))
