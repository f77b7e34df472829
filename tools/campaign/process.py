"""A process of a case: made in the host's namespaces, watched from outside until it ends.

Its standard output and error are pipes that are full.  So a process that has something to say stops in
write(2), and while it stands there its memory map is read; then it may go on.  The pipes are filled again
until one was seen that has libraries of interest: before it the loader may have spoken, and a shell.  Between
that, maps are read every few milliseconds, for what says nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.architecture import ARCHITECTURE
from tools.campaign.enter import Start, enter
from tools.campaign.plan import FOREIGN, Plan

FULL = 4096
TICK = 0.003
SOON = 0.1  # when who was let go will have written, on a busy machine
MOMENT = 0.0002
_WRITES = (str(ARCHITECTURE.write), str(ARCHITECTURE.writev))


class CampaignError(Exception):
    """The campaign itself failed, not the snap; the text says where."""


class _Held:
    """A stream that holds whoever writes to it, until it is let go."""

    def __init__(self) -> None:
        self.read_end, self.write_end = os.pipe()
        self.name = f"pipe:[{os.fstat(self.read_end).st_ino}]"  # as /proc calls it; children may have others
        self.said = b""
        # Opened anew, for who writes shares the flags of its own.
        self._own_end = os.open(f"/proc/self/fd/{self.write_end}", os.O_WRONLY | os.O_NONBLOCK)
        self._filler = 0
        self._open = False
        fcntl.fcntl(self.write_end, fcntl.F_SETPIPE_SZ, FULL)
        os.set_blocking(self.read_end, False)
        self._fill()

    def _fill(self) -> None:
        # All of it or, where somebody was faster, nothing: see pipe(7) on PIPE_BUF, which is FULL.
        with contextlib.suppress(BlockingIOError):
            self._filler += os.write(self._own_end, b"." * FULL)

    def _take(self) -> None:
        found = _read(self.read_end)
        filler = min(self._filler, len(found))
        self._filler -= filler
        self.said += found[filler:]

    def let_go(self, for_good: bool) -> None:
        """Let who waits write; others too, if so, else hold the next one as soon as this one has written."""
        self._open = for_good
        before, until = len(self.said), time.monotonic() + SOON
        self._take()
        while not for_good and len(self.said) == before and time.monotonic() < until:
            time.sleep(MOMENT)
            self._take()
        self.step()

    def step(self) -> None:
        """Take what was written since, where nobody is held; see that the next one is."""
        if not self._filler:
            self._take()
            if not self._open:
                self._fill()

    def close(self) -> None:
        """Take the rest, which is little: who is held is dead."""
        self._take()
        for end in (self.read_end, self.write_end, self._own_end):
            os.close(end)


class Watched:
    """One process and its children. Call `step` until `done`; then the results are there."""

    def __init__(self, start: Start, plan: Plan) -> None:
        self.stdout = b""
        self.stderr = b""
        self.status: int | None = None
        """As waitpid(2) gives it; None when it did not end in time."""
        self.seconds = 0.0
        self.seen: dict[tuple[int, str], frozenset[str]] = {}
        """By process and program: libraries of interest mapped when last looked at."""
        self._send = plan.signal
        self._falls = plan.falls
        self._uid = plan.uid
        self._start = time.monotonic()
        self._pid = 0
        self._status = b""
        self.done = False
        news, news_w = os.pipe()
        os.set_blocking(news, False)
        self._news = news
        self._out, self._err = streams = _Held(), _Held()
        self._helper = enter(start, self._out.write_end, self._err.write_end, news_w)
        os.close(news_w)
        self._held = {stream.name: stream for stream in streams}

    def step(self, limit: float) -> None:
        """Look once; kill everything after `limit` seconds."""
        self._status += _read(self._news)
        self.seconds = time.monotonic() - self._start
        words = self._status.split()
        if not self._pid and words:
            if words[0] != b"pid":
                self.end()
                raise CampaignError(self._status.decode(errors="replace"))
            self._pid = int(words[1])
        if len(words) > 2:
            self.status = int(words[2])
            self.end()
            return
        if self.seconds > limit:
            self.end()
            return
        if self._pid:
            self._look()
            if self._send and self.seconds >= self._send[1]:
                _kill(self._pid, self._send[0])
                self._send = None
            if self._falls and self.seconds >= self._falls[2]:
                _fall(self._pid, self._uid, self._falls[0], self._falls[1])
                self._falls = None

    def _look(self) -> None:
        for pid in _family(self._pid):
            waits = ""
            try:
                exe = str(Path(f"/proc/{pid}/exe").readlink())
                # First whether it stands still, then its memory: the other way round it could have gone on.
                call, *arguments = Path(f"/proc/{pid}/syscall").read_text().split()
                if call in _WRITES:
                    waits = str(Path(f"/proc/{pid}/fd/{int(arguments[0], 16)}").readlink())
                maps = Path(f"/proc/{pid}/maps").read_text(errors="surrogateescape")
            except (OSError, ValueError):
                continue
            libraries: frozenset[str] = frozenset()
            if "[stack]" in maps:  # else it ended while we read, and what we have is a part
                paths = {line.split(None, 5)[5] for line in maps.splitlines() if "/" in line}
                libraries = frozenset(path for path in paths if _of_interest(path))
                self.seen[pid, exe] = libraries
            if waits in self._held:
                self._held[waits].let_go(for_good=bool(libraries))
        self._out.step()
        self._err.step()

    def end(self) -> None:
        """Kill what is left and collect what it wrote."""
        if self.done:
            return
        self.done = True
        if self._pid:
            for pid in (*_family(self._pid), -self._pid):
                _kill(pid, signal.SIGKILL)
        if self.status is None:
            _kill(self._helper, signal.SIGKILL)
        os.waitpid(self._helper, 0)
        for stream in (self._out, self._err):
            stream.close()
        os.close(self._news)
        self.stdout, self.stderr = self._out.said, self._err.said


def watch(starts: Sequence[Start], plan: Plan, limit: float) -> list[Watched]:
    """Run processes at the same time and return them ended.

    :raises CampaignError: one could not be started at all.
    """
    watched: list[Watched] = []
    with _first():
        try:
            watched += (Watched(start, plan) for start in starts)
            while not all(each.done for each in watched):
                for each in watched:
                    if not each.done:
                        each.step(limit)
                time.sleep(TICK)
        finally:
            for each in watched:
                each.end()
    return watched


@contextlib.contextmanager
def _first() -> Iterator[None]:
    """Have this process, but none that it makes, go before all others, where it may: see sched(7).

    Whoever was let go would else have done its work, on a busy machine, before somebody looks again.
    """
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    try:
        yield
    finally:
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, *before)


def _of_interest(path: str) -> bool:
    return path.startswith(f"{FOREIGN}/") or Path(path).name.startswith(("libcrypto", "fips", "libssl"))


def _family(pid: int) -> list[int]:
    family = [pid]
    for parent in family:
        with contextlib.suppress(OSError):
            for thread in Path(f"/proc/{parent}/task").iterdir():
                family += map(int, (thread / "children").read_text().split())
    return family


def _fall(pid: int, uid: int, kind: int, value: int) -> None:
    """Lower a limit of a process; as its user where root may not, see prlimit(2)."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        with contextlib.suppress(PermissionError, ProcessLookupError):
            resource.prlimit(pid, kind, (value, value))
            os._exit(0)
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
        resource.prlimit(pid, kind, (value, value))
    finally:
        os._exit(0)


def _kill(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _read(descriptor: int) -> bytes:
    found = b""
    with contextlib.suppress(BlockingIOError):
        while part := os.read(descriptor, 65536):
            found += part
    return found
