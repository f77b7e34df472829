"""Count how often functions of shared libraries are entered, by the kernel's uprobes.

A uprobe is a breakpoint that the kernel sets at a place in a file and counts; the program is neither changed
nor slowed down in a way that it could notice, and the count does not rest on anything that the program says.
Used through perf_event_open(2) (PMU "uprobe"), so nothing is left in the kernel when the counter is closed.
"""

from __future__ import annotations

import ctypes
import os
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from tools.architecture import ARCHITECTURE

#: What makes RSA and EC keys in OpenSSL, whatever function was called for it. The module is built from the
#: same sources as libcrypto, so both files have these functions.
KEY_GENERATION = ("RSA_generate_multi_prime_key", "EC_KEY_generate_key")

_PMU_TYPE = Path("/sys/bus/event_source/devices/uprobe/type")
_CPUS = Path("/sys/devices/system/cpu/online")
_CLOSE_ON_EXEC = 8


class ObserveError(Exception):
    """Nothing can be observed on this machine, or there is nothing to observe; the text says why."""


class NoFunctionError(ObserveError):
    """A library does not have a function, or no longer its symbol table: no matter of this machine."""


class CallCounter:
    """Counts calls of `functions` of the ELF file `library`, by whatever process, between entry and exit.

    The file is what counts, not its name: that of a snap mounted for one host is used by that host alone, and
    may be named by a path into its mount namespace (`Host.path`).
    """

    def __init__(self, library: Path, functions: Iterable[str]) -> None:
        self._library = library
        self._functions = tuple(functions)
        self._events: dict[str, list[int]] = {}
        self._keeper = -1

    def counts(self) -> dict[str, int]:
        """Return the number of calls of each function until now."""
        return {
            name: sum(int.from_bytes(os.read(event, 8), "little") for event in events)
            for name, events in self._events.items()
        }

    def __enter__(self) -> Self:
        """Raise ObserveError when the kernel refuses, or a function is not in the library."""
        try:
            for name, offsets in _offsets(self._library, self._functions).items():
                self._events[name] = [
                    _open_event(self._library, offset, cpu) for offset in offsets for cpu in _cpus()
                ]
            self._keep()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        for events in self._events.values():
            while events:
                os.close(events.pop())
        if self._keeper >= 0:
            os.close(self._keeper)
            self._keeper = -1

    def _keep(self) -> None:
        """Have another process hold the events too: the last to close one waits 80 ms for the kernel."""
        events = [event for opened in self._events.values() for event in opened]
        reads, self._keeper = os.pipe()
        try:
            # It ends with its input, which is when __exit__ closes it, and closes them where nobody waits.
            command = ["setsid", "--fork", "cat"]
            subprocess.run(command, stdin=reads, stdout=subprocess.DEVNULL, pass_fds=events, check=True)
        finally:
            os.close(reads)


def present(library: Path, functions: Iterable[str]) -> tuple[str, ...]:
    """Return those of the functions that the file has; raise ObserveError when it cannot be read."""
    return tuple(name for name, offsets in _found(library, functions).items() if offsets)


def _offsets(library: Path, functions: tuple[str, ...]) -> dict[str, set[int]]:
    """Return where the functions begin in the file; raise NoFunctionError when it has not all of them."""
    found = _found(library, functions)
    missing = [name for name, offsets in found.items() if not offsets]
    if missing:
        raise NoFunctionError(
            f"{library.name} has no function {', '.join(missing)}: stripped, or another version?"
        )
    return found


def _found(library: Path, functions: Iterable[str]) -> dict[str, set[int]]:
    """Return where functions begin in the file. A local name may stand for several functions."""
    found: dict[str, set[int]] = {name: set() for name in functions}
    try:
        with library.open("rb") as file:
            elf = ELFFile(file)
            for table in (elf.get_section_by_name(".dynsym"), elf.get_section_by_name(".symtab")):
                for symbol in table.iter_symbols() if isinstance(table, SymbolTableSection) else ():
                    if (
                        symbol.name in found
                        and symbol["st_info"]["type"] == "STT_FUNC"
                        and symbol["st_value"]
                    ):
                        found[symbol.name].update(elf.address_offsets(symbol["st_value"]))
    except OSError as error:
        raise ObserveError(f"{library} cannot be read: {error.strerror}") from None
    return found


def _cpus() -> list[int]:
    """Return the numbers of the processors that are on."""
    ranges = (part.split("-") for part in _CPUS.read_text().strip().split(","))
    return [cpu for ends in ranges for cpu in range(int(ends[0]), int(ends[-1]) + 1)]


def _open_event(library: Path, offset: int, cpu: int) -> int:
    """Return a file descriptor of a counter of passes through `offset` of the file on a processor."""
    try:
        pmu = int(_PMU_TYPE.read_text())
    except OSError:
        raise ObserveError("this kernel has no uprobes (CONFIG_UPROBE_EVENTS)") from None
    path = ctypes.create_string_buffer(os.fsencode(library))
    # struct perf_event_attr, version 1 (72 bytes); see perf_event_open(2).
    attributes = struct.pack("=IIQQQQQIIQQ", pmu, 72, 0, 0, 0, 0, 0, 0, 0, ctypes.addressof(path), offset)
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = int(libc.syscall(ARCHITECTURE.perf_event_open, attributes, -1, cpu, -1, _CLOSE_ON_EXEC))
    if descriptor < 0:
        raise ObserveError(f"the kernel refuses a uprobe ({os.strerror(ctypes.get_errno())}): root is needed")
    return descriptor
