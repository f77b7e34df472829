"""A real browser without a window: Chromium, spoken to by its DevTools protocol over a pipe."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

PROGRAMS = ("chromium-headless-shell", "chromium", "google-chrome")


class Browser:
    """One page in Chromium. A context manager; skips the test where there is no Chromium.

    :ivar complaints: what the console, the page's own errors and the network said.
    """

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self._number = 0
        self._unread = b""
        self._session = ""

    def __enter__(self) -> Self:
        program = next(filter(None, map(shutil.which, PROGRAMS)), None)
        if program is None:
            pytest.skip("there is no Chromium on this machine: run `make setup`")
        self._folder = tempfile.TemporaryDirectory()
        (inward, self._to), (self._from, outward) = os.pipe(), os.pipe()
        # It reads from its descriptor 3 and writes to 4: these two must be others first.
        read, write = (fcntl.fcntl(each, fcntl.F_DUPFD, 10) for each in (inward, outward))
        script = f'exec 3<&{read} 4>&{write} {read}<&- {write}>&-; exec "$@"'
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]
        self._process = subprocess.Popen(
            ["bash", "-c", script, "bash", program, *options, f"--user-data-dir={self._folder.name}"],
            pass_fds=(read, write),
            stderr=subprocess.DEVNULL,
        )
        for each in (inward, outward, read, write):
            os.close(each)
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session = ""
        self._call("Browser.close")
        self._process.wait()
        os.close(self._to)
        os.close(self._from)
        self._folder.cleanup()

    def open(self, file: Path, width: int, dark: bool = False, media: str = "screen") -> None:
        """Show a file, in a window that is so many pixels wide."""
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self._call("Page.navigate", url=file.resolve().as_uri())
        self._wait("Page.loadEventFired")

    def ask(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript."""
        said = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    def picture(self, file: Path) -> None:
        """Write the whole page as a PNG."""
        said = self._call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(said["data"]))

    def pdf(self) -> bytes:
        """Return what it prints."""
        return base64.b64decode(self._call("Page.printToPDF", printBackground=True)["data"])

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            said = self._next()
            if said.get("id") == self._number:
                assert "error" not in said, said
                found: dict[str, Any] = said["result"]
                return found

    def _wait(self, event: str) -> None:
        while self._next().get("method") != event:
            pass

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            block = os.read(self._from, 1 << 16)
            assert block, "Chromium has ended"
            self._unread += block
        text, _, self._unread = self._unread.partition(b"\0")
        said: dict[str, Any] = json.loads(text)
        about = said.get("params", {})
        match said.get("method"):
            case "Runtime.consoleAPICalled" if about["type"] in ("error", "warning", "assert"):
                self.complaints.append(f"console: {about['args']}")
            case "Runtime.exceptionThrown":
                self.complaints.append(f"exception: {about['exceptionDetails']['text']}")
            case "Log.entryAdded":
                self.complaints.append(f"log: {about['entry']['text']}")
            case "Network.requestWillBeSent" if not about["request"]["url"].startswith(("file:", "data:")):
                self.complaints.append(f"network: {about['request']['url']}")
        return said
