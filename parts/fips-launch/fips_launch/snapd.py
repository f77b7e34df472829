"""Ask snapd, by its socket."""

import json
import os
import socket
from typing import Any

SOCKET = "/run/snapd.socket"
PATIENCE = 5  # seconds


def here() -> bool:
    """Tell whether there is a snapd to ask."""
    return os.path.exists(SOCKET)


def get(path: str, patience: float = PATIENCE) -> Any:
    """Return the result of a request (see snapd's REST API).

    :param path: as `/v2/connections?snap=NAME`.
    :param patience: seconds to wait for each part of the answer.
    :raises OSError, ValueError: snapd does not say.
    """
    import http.client  # not where there is no snapd to ask

    try:
        with socket.socket(socket.AF_UNIX) as connected:
            connected.settimeout(patience)
            connected.connect(SOCKET)
            snapd = http.client.HTTPConnection("localhost")
            snapd.sock = connected
            snapd.request("GET", path)
            response = snapd.getresponse()
            if response.status != http.client.OK:
                raise OSError(response.status, response.reason)
            return json.load(response)["result"]
    except (http.client.HTTPException, KeyError) as error:
        raise ValueError(repr(error)) from None
