"""An ssh server for a host of any kind: each command that a client asks for is one `Host.run`.

Nothing is needed on the host for it, and no network: the server is in the process that holds the host. A
command gets its input when all of it is there, and gives its output at its end.
"""

from __future__ import annotations

import os
import pty
import secrets
import select
import socket
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import paramiko
from paramiko import common

from tools.hosts.base import LOGIN_ENVIRONMENT, Host, HostError, ReachedHost
from tools.hosts.entered import EnteredHost

#: How long a command may take; whoever asks for it has a limit of their own, and goes.
SECONDS = 86400.0
_FAILED = 255  # ssh's own code for what is no failure of the command
_LOOK_SECONDS = 0.1
#: How long a refusal waits, so that paramiko answers the client's request first, which it does once it has
#: handed that to us. It has no call that tells when; a client whose channel is closed before reads nothing.
_ANSWER_SECONDS = 0.5

# $0 a file, $1 the command, which leads its processes: all of them end when the client goes before the end.
_RUN = 'echo $$ >"$0" && exec timeout 0 bash -c "$1"'
_KILL = 'kill -KILL -- "-$(cat "$0")"'


def serve(host: Host, password: str, listening: socket.socket) -> None:
    """Serve root's commands for ever."""
    key = paramiko.ECDSAKey.generate()
    commands = _Commands(host)
    while True:
        connection, _ = listening.accept()
        transport = paramiko.Transport(connection)
        transport.add_server_key(key)
        transport.start_server(event=threading.Event(), server=_Root(password, commands))


class _Commands:
    """Runs on a host what clients ask for."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._can_end = isinstance(host, ReachedHost)  # else one command at a time is all that it does
        self._running: list[paramiko.Channel] = []

    def answer(self, channel: paramiko.Channel, command: str) -> None:
        """Run a command and send its output and its exit code."""
        # Of some commands spread shows what they say, of others what they complain.
        with self._reported(channel, channel.sendall, channel.sendall_stderr), self._turn(channel):
            given: bytes = channel.makefile("rb").read()
            file = f"/run/ssh-{secrets.token_hex(8)}"
            with self._ended_with(channel, file):
                done = self._host.run(
                    ["bash", "-c", _RUN, file, command],
                    stdin=given.decode(errors="surrogateescape"),
                    cwd="/root",
                    timeout=SECONDS,
                )
            channel.sendall(done.stdout.encode(errors="surrogateescape"))
            channel.sendall_stderr(done.stderr.encode(errors="surrogateescape"))
            channel.send_exit_status(done.returncode if done.returncode >= 0 else 128 - done.returncode)

    def show(self, channel: paramiko.Channel, command: str, terminal: tuple[str, int, int]) -> None:
        """Run a command on a terminal of this machine, which the client sees."""
        name, width, height = terminal
        with self._reported(channel, channel.sendall):
            if not isinstance(self._host, EnteredHost):
                raise HostError(f"{self._host.name} gives no shell on a terminal")
            variables = {**LOGIN_ENVIRONMENT, "TERM": name}
            ours, its = pty.openpty()
            termios.tcsetwinsize(its, (height, width))
            child = subprocess.Popen(
                [
                    *("setsid", "--ctty", "--wait", *self._host.entering()),
                    *("env", "-i", *(f"{key}={value}" for key, value in variables.items())),
                    *("bash", "-c", command),
                ],
                stdin=its,
                stdout=its,
                stderr=its,
            )
            os.close(its)
            _couple(channel, ours)
            os.close(ours)  # to what still uses it, the terminal hangs up
            channel.send_exit_status(child.wait())

    @contextmanager
    def _reported(self, channel: paramiko.Channel, *ways: Callable[[bytes], None]) -> Iterator[None]:
        """Tell the client in these ways what goes wrong, unless it has gone; close the channel at the end."""
        with channel, suppress(OSError):
            try:
                yield
            except HostError as error:
                time.sleep(_ANSWER_SECONDS)
                for say in ways:
                    say(f"hosts: {error}\r\n".encode())
                channel.send_exit_status(_FAILED)

    @contextmanager
    def _turn(self, channel: paramiko.Channel) -> Iterator[None]:
        """Wait until what clients gave up has ended; where that cannot be helped, refuse a second command."""
        while any(other.closed or not self._can_end for other in self._running):
            if not self._can_end:
                raise HostError(f"{self._host.name} does one command at a time, and still runs another")
            time.sleep(_LOOK_SECONDS)
        self._running.append(channel)
        try:
            yield
        finally:
            self._running.remove(channel)

    @contextmanager
    def _ended_with(self, channel: paramiko.Channel, file: str) -> Iterator[None]:
        """End the command when its client goes."""
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(_LOOK_SECONDS):
                if channel.closed:
                    with suppress(HostError):
                        self._host.run(["bash", "-c", _KILL, file])
                    return

        watcher = threading.Thread(target=watch, daemon=True)
        if self._can_end:
            watcher.start()
        try:
            yield
        finally:
            ended.set()


class _Root(paramiko.ServerInterface):
    """Lets root in, by password, to run commands."""

    def __init__(self, password: str, commands: _Commands) -> None:
        self._password = password
        self._commands = commands
        self._terminals: dict[int, tuple[str, int, int]] = {}

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002
        return "password"

    def check_auth_password(self, username: str, password: str) -> int:
        right = secrets.compare_digest(password.encode(), self._password.encode())
        return common.AUTH_SUCCESSFUL if right and username == "root" else common.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002
        if kind == "session":
            return common.OPEN_SUCCEEDED
        return common.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_pty_request(
        self,
        channel: paramiko.Channel,
        term: bytes,
        width: int,
        height: int,
        *_: object,
    ) -> bool:
        self._terminals[channel.get_id()] = (term.decode(), width, height)
        return True

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        said = command.decode(errors="surrogateescape")
        terminal = self._terminals.pop(channel.get_id(), None)
        if terminal:
            task = threading.Thread(target=self._commands.show, args=(channel, said, terminal), daemon=True)
        else:
            task = threading.Thread(target=self._commands.answer, args=(channel, said), daemon=True)
        task.start()
        return True

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        return self.check_channel_exec_request(channel, b"exec bash -l")


def _couple(channel: paramiko.Channel, terminal: int) -> None:
    """Carry what is typed to a terminal, and what it shows back, until one of them ends."""
    with suppress(OSError):  # as reading a terminal ends that nobody has any more
        while True:
            ready = select.select([channel.fileno(), terminal], [], [])[0]
            if terminal in ready:
                channel.sendall(os.read(terminal, 1 << 16))
            elif typed := channel.recv(1 << 16):
                os.write(terminal, typed)
            else:
                return
