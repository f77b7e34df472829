"""Run a command and end it, with all that it has started, at its Nth system call: a program for a host.

    python3 -IS power_cut.py N NAME COMMAND [ARGUMENT ...]

It is counted from where the program NAME begins, for what runs before (snap-exec, which is Go's) makes
another number of calls each time. Exits with 137 where it was cut, before that call was made, and with the
command's status where it made fewer calls. With N = 0 it is not cut, and the number of each of its calls is
printed, one a line: as the kernel of this processor counts them (ptrace(2), PTRACE_GET_SYSCALL_INFO).
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import sys
from pathlib import Path

TRACEME, SETOPTIONS, SYSCALL, GET_SYSCALL_INFO = 0, 0x4200, 24, 0x420E
# Calls are told from signals (SYSGOOD); what it starts is traced too; all end with this process (EXITKILL).
OPTIONS = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x100000
ENTRY = 1
EXECUTED = 4  # of a process that has become another program
CUT = 137

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
_libc.ptrace.restype = ctypes.c_long


def ptrace(request: int, process: int, address: int = 0, data: int = 0) -> None:
    """Raise ProcessLookupError where the process has ended, OSError where tracing is refused."""
    if _libc.ptrace(request, process, address, data) < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def entered(process: int) -> int | None:
    """Return the number of the call that a stopped process is about to make, None where it has made it."""
    info = ctypes.create_string_buffer(128)
    ptrace(GET_SYSCALL_INFO, process, len(info), ctypes.addressof(info))
    return int(struct.unpack_from("<Q", info, 24)[0]) if info.raw[0] == ENTRY else None


def run(command: list[str], name: str, last: int) -> int:
    """Run a command until it has ended or has come to call `last` since `name` began; return the status."""
    child = os.fork()
    if child == 0:
        ptrace(TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        os.execvp(command[0], command)
    os.waitpid(child, 0)
    ptrace(SETOPTIONS, child, 0, OPTIONS)
    ptrace(SYSCALL, child)
    calls, result, begun = 0, 0, False
    while True:
        try:
            process, status = os.waitpid(-1, 0x40000000)  # __WALL: threads too
        except ChildProcessError:
            return result
        if not os.WIFSTOPPED(status):
            if process == child:
                result = os.waitstatus_to_exitcode(status)
            continue
        stopped, passed = os.WSTOPSIG(status), 0
        try:
            if stopped == signal.SIGTRAP | 0x80:
                number = entered(process)
                if begun and number is not None:
                    calls += 1
                    if calls == last:
                        return CUT
                    if not last:
                        print(number)
            elif status >> 16 == EXECUTED:
                begun = begun or Path(f"/proc/{process}/comm").read_text().strip() == name
            elif stopped not in (signal.SIGTRAP, signal.SIGSTOP):
                passed = stopped
            ptrace(SYSCALL, process, 0, passed)
        except ProcessLookupError:
            pass


if __name__ == "__main__":
    ended = run(sys.argv[3:], sys.argv[2], int(sys.argv[1]))
    sys.stdout.flush()
    os._exit(ended)  # at once, and with it what is traced
