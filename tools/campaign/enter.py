"""Makes the process of a case: into the host's namespaces, mounts of its own, limits, user, and exec.

With system calls and no helper programs: a case may take a few hundred milliseconds, and helpers would meet
the hostile environment and the limits that are meant for the snap.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
from dataclasses import dataclass
from typing import NoReturn

from tools.campaign.plan import Mount

_CLONE_NEWNS = 0x20000
_MS_REC_PRIVATE = 0x4000 | 0x40000
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Start:
    """A process to be made: `host` is a process of the host, the rest is the process's own."""

    host: int
    mounts: tuple[Mount, ...]
    argv: tuple[bytes, ...]
    argv0: bytes | None
    chroot: str
    env: dict[bytes, bytes]
    stdin: bytes
    uid: int
    limits: dict[int, int]
    blocked: frozenset[int]
    ignored: frozenset[int]
    closed: frozenset[int]


def enter(start: Start, out: int, err: int, news: int) -> int:
    """Fork a helper that makes the process and return its PID.

    It writes "pid N" to `news`, N as this machine counts, then the process's wait status; or one line of
    complaint.
    """
    helper = os.fork()
    if helper:
        return helper
    try:
        _prctl_die()
        spaces = [os.open(f"/proc/{start.host}/ns/{name}", os.O_RDONLY) for name in ("net", "pid", "mnt")]
        for space in spaces:
            _check(_libc.setns(space, 0), "setns")
        _check(_libc.unshare(_CLONE_NEWNS), "unshare")
        _mount(Mount("none", "/", flags=_MS_REC_PRIVATE))
        for mount in start.mounts:
            _mount(mount)
        given, given_w = os.pipe()
        process = os.fork()
        if process == 0:
            _become(start, given, out, err)
        os.close(given)
        os.write(news, b"pid %d\n" % process)
        if start.stdin:
            signal.signal(signal.SIGPIPE, signal.SIG_IGN)
            with contextlib.suppress(BrokenPipeError):
                os.write(given_w, start.stdin)
        os.close(given_w)
        os.write(news, b"%d\n" % os.waitpid(process, 0)[1])
    except BaseException as error:
        os.write(news, f"campaign: {error!r}\n".encode(errors="replace"))
    os._exit(0)


def _become(start: Start, given: int, out: int, err: int) -> NoReturn:
    try:
        _prctl_die()
        os.setsid()
        for source, target in ((given, 0), (out, 1), (err, 2)):
            os.dup2(source, target)
        os.closerange(3, 1024)
        for default in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
            signal.signal(default, signal.SIG_DFL)
        for ignored in start.ignored:
            signal.signal(ignored, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, start.blocked)
        if start.chroot:
            os.chroot(start.chroot)
        os.chdir("/")
        if start.uid:
            os.setgroups([])
            os.setgid(start.uid)
            os.setuid(start.uid)
        program = next(filter(os.path.lexists, _candidates(start)), start.argv[0])
        argv = [start.argv[0] if start.argv0 is None else start.argv0, *start.argv[1:]]
        for kind, value in start.limits.items():
            resource.setrlimit(kind, (value, value))
        for descriptor in start.closed:
            os.close(descriptor)
        os.execve(program, argv, start.env)
    except BaseException as error:  # what a shell would say
        text = f"{' '.join(os.fsdecode(start.argv[0]).split())}: {' '.join(str(error).split())}\n"
        with contextlib.suppress(OSError):
            os.write(2, text.encode(errors="replace"))
    os._exit(126)


def _candidates(start: Start) -> list[bytes]:
    name = start.argv[0]
    return [name] if b"/" in name else [folder + b"/" + name for folder in (b"/snap/bin", b"/usr/bin")]


def _prctl_die() -> None:
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL), "prctl")


def _mount(mount: Mount) -> None:
    arguments = (mount.source, mount.target, mount.kind or None)
    encoded = [None if text is None else os.fsencode(text) for text in arguments]
    options = os.fsencode(mount.options) if mount.options else None
    done = _libc.mount(*encoded, ctypes.c_ulong(mount.flags), options)
    _check(done, f"mount {mount.source} at {mount.target}")


def _check(done: int, what: str) -> None:
    if done != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
