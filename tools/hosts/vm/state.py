"""A virtual machine's state as a file, so that the next machine need not boot: by QMP, QEMU's own protocol.

The commands are those of QEMU's QMP reference: stop, migrate (to a file), quit; and cont, in a machine that
was started with `-incoming`. What is raised goes on from the words "the virtual machine".
"""

from __future__ import annotations

import asyncio
import logging
import shlex
import shutil
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from qemu.qmp import ConnectError, ExecInterruptedError, QMPClient, QMPError, Runstate, StateError

from tools.hosts.base import HostError

SECONDS = 60.0
_POLL_SECONDS = 0.02
logging.getLogger("qemu.qmp").setLevel(logging.CRITICAL)  # what goes wrong is raised


def incoming(state: Path) -> list[str]:
    """Return the options of a machine that is started with a saved state, for `resume`."""
    return ["-incoming", f"exec:cat {shlex.quote(str(state))}"]


def save(socket: Path, state: Path) -> None:
    """Write the state of the machine that listens on a QMP socket, and end the machine.

    Raise HostError when that fails: the disk is full, say.
    """
    _wait(_save(socket, state), f"was not saved to {state}")


def resume(socket: Path) -> None:
    """Let a machine run that was started with a saved state. Raise HostError when it does not."""
    _wait(_resume(socket), "was not brought back")


def _wait(done: Coroutine[None, None, None], problem: str) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(done, SECONDS)

    try:
        asyncio.run(bounded())
    except TimeoutError:
        raise HostError(f"{problem} in {SECONDS:g} s") from None
    except (StateError, ExecInterruptedError, EOFError):
        raise HostError(f"{problem}: it ended") from None
    except (QMPError, OSError) as error:
        raise HostError(f"{problem}: {error}") from error


async def _save(socket: Path, state: Path) -> None:
    async with _connected(socket) as machine:
        await machine.execute("stop")
        # The default bandwidth is for networks.
        await machine.execute("migrate-set-parameters", {"max-bandwidth": 1 << 40})
        await machine.execute("migrate", {"uri": f"exec:cat > {shlex.quote(str(state))}"})
        while (status := await _status(machine, "query-migrate")) != "completed":
            if status == "failed":
                free = shutil.disk_usage(state.parent).free >> 20
                raise OSError(f"QEMU could not write it ({free} MiB are free there)")
            await asyncio.sleep(_POLL_SECONDS)
        await machine.execute("quit")


async def _resume(socket: Path) -> None:
    async with _connected(socket) as machine:
        # What is typed before all of the state has come would be lost.
        while await _status(machine, "query-status") == "inmigrate":
            await asyncio.sleep(_POLL_SECONDS)
        await machine.execute("cont")


@asynccontextmanager
async def _connected(socket: Path) -> AsyncIterator[QMPClient]:
    machine = QMPClient()
    while machine.runstate != Runstate.RUNNING:
        try:
            await machine.connect(str(socket))
        except ConnectError:  # QEMU has only just been started
            await asyncio.sleep(_POLL_SECONDS)
    try:
        yield machine
    finally:
        with suppress(QMPError, EOFError):  # QEMU may be gone before us
            await machine.disconnect()


async def _status(machine: QMPClient, question: str) -> str:
    answer = await machine.execute(question)
    return str(answer.get("status")) if isinstance(answer, dict) else ""
