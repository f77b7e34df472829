"""What the campaign does to a process while it watches it."""

import os
import re
import resource
import signal
from pathlib import Path

import pytest

from tools.campaign.process import _fall


@pytest.mark.parametrize("uid", [0, 65534])
def test_a_limit_falls_for_whoever_runs_it(uid: int) -> None:
    if os.geteuid():
        pytest.skip("only root can become another user")
    child = os.fork()
    if not child:
        os.setgid(uid)
        os.setuid(uid)
        signal.pause()
    try:
        proc = Path(f"/proc/{child}")
        while f"Uid:\t{uid}\t" not in (proc / "status").read_text():
            pass
        _fall(child, uid, resource.RLIMIT_NOFILE, 3)
        assert re.search(r"^Max open files +3 +3 ", (proc / "limits").read_text(), re.MULTILINE)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_process_that_has_ended_has_no_limits() -> None:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    _fall(child, 0, resource.RLIMIT_NOFILE, 3)
