"""Progress lines: what is being done, and that it still goes on."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


def say(message: str, to: TextIO | None = None) -> None:
    """Print one line at once, to standard output where nothing else is said."""
    print(message, file=to or sys.stdout, flush=True)


@contextmanager
def step(what: str, every: float = 20.0, to: TextIO | None = None) -> Iterator[None]:
    """Announce a slow step, say every so often that it still runs, and how long it took.

    :param what: the step, in a few words.
    :param every: seconds between two signs of life.
    :param to: where that is printed; None: standard output.
    """
    began = time.monotonic()
    done = threading.Event()

    def sign_of_life() -> None:
        while not done.wait(every):
            say(f"    … {what}: {time.monotonic() - began:.0f} s", to)

    say(f"==> {what}", to)
    thread = threading.Thread(target=sign_of_life, daemon=True)
    thread.start()
    verb = "stopped after"
    try:
        yield
        verb = "took"
    finally:
        done.set()
        thread.join()
        say(f"    {what} {verb} {time.monotonic() - began:.0f} s", to)
