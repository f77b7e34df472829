"""A Docker daemon in namespaces of its own, for a machine on which none runs."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from tools.hosts.base import LOGIN_ENVIRONMENT, HostRefusedError

HERE = Path(__file__).parent


@contextmanager
def daemon() -> Iterator[int]:
    """Run a daemon of our own while the context lasts; yield the PID of its namespaces' first process.

    Raise HostRefusedError when this machine has no dockerd or refuses it.
    """
    if shutil.which("dockerd", path=LOGIN_ENVIRONMENT["PATH"]) is None:
        raise HostRefusedError("no Docker daemon runs and there is no program `dockerd`: run `make setup`")
    with TemporaryFile() as complaints:
        holder = subprocess.Popen(
            [
                *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--"),
                "sh",
                str(HERE / "dockerd.sh"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=dict(LOGIN_ENVIRONMENT),
            start_new_session=True,  # a Ctrl-C is for the test run, which then calls down()
        )
        assert holder.stdin is not None and holder.stdout is not None
        try:
            word, _, pid = holder.stdout.readline().decode().partition(" ")
            if word != "ready":
                holder.wait()
                complaints.seek(0)
                said = " / ".join(complaints.read().decode(errors="replace").strip().splitlines()[-3:])
                raise HostRefusedError(
                    f"this machine refuses a Docker daemon ({said}): be root, with CAP_SYS_ADMIN"
                )
            yield int(pid)
        finally:
            holder.stdin.close()  # dockerd.sh ends with its input, and takes all others along
            try:
                holder.wait(20)
            except subprocess.TimeoutExpired:
                holder.kill()
                holder.wait()
            holder.stdout.close()
