"""Run one command and say what it took, as JSON: `python3 -IS clock.py PROGRAM [ARGUMENT ...]`.

Runs inside a host, so that what enters the host is not measured: the clock goes from just before the
program is started to its end, as the kernel's own accounts (wait4(2)) do. Needs no other file of the project.

JSON: `status` (exit status; negative: the signal that killed it), `seconds` (wall clock), `cpu` (seconds of
CPU, user and system, with those of ended children), `peak` (most memory that it, or one such child, had
resident, in bytes; not below this program's own 10 MB), `said` (stdout and stderr together).
"""

import json
import os
import sys
import tempfile
import time


def measure(command: list[str]) -> dict[str, float | str]:
    """Run the command once; return what is to be said about it."""
    with tempfile.TemporaryFile() as output:
        redirections = [(os.POSIX_SPAWN_DUP2, output.fileno(), descriptor) for descriptor in (1, 2)]
        began = time.perf_counter()
        child = os.posix_spawnp(command[0], command, os.environ, file_actions=redirections)
        _, status, usage = os.wait4(child, 0)
        seconds = time.perf_counter() - began
        output.seek(0)
        return {
            "status": os.waitstatus_to_exitcode(status),
            "seconds": seconds,
            "cpu": usage.ru_utime + usage.ru_stime,
            "peak": usage.ru_maxrss * 1024,
            "said": output.read().decode(errors="replace"),
        }


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1:])))
