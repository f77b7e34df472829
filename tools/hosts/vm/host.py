"""A host with a kernel of its own, which is booted with `fips=1`: a virtual machine under QEMU's emulation.

It boots once and gets the base snaps, which takes minutes; every use goes on from there within seconds.
"""

from __future__ import annotations

import io
import shlex
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tools import digest
from tools.hosts import cache, roots, snapd
from tools.hosts.base import Ended, Host, HostError
from tools.hosts.vm import console, image, machine, state
from tools.hosts.vm.machine import EXCHANGE_SIZE, Machine, Saved

_MIB = 1 << 20
#: The end of what Linux says when it panics (x86's dump_kernel_offset).
_PANIC = "Kernel Offset: "
_Result = TypeVar("_Result")


class QemuHost(Host):
    """A host with its own kernel (root is needed, once, to make its disk).

    root: its userland, see roots.root. flagged: is its kernel booted with fips=1? snap: the
    packed snap to install on entry, or None.
    """

    def __init__(self, root: str | Path, flagged: bool, snap: Path | None = None) -> None:
        super().__init__(snap)
        self._root = root
        self._label = Path(root).name
        self._flagged = flagged
        self._machine: Machine | None = None
        self._used = 0  # bytes on the exchange disk
        self.name = f"{self._label} in a virtual machine, fips={int(flagged)}"

    def up(self) -> None:
        """Bring it back as it was saved after its first boot; see `Host.up`."""
        saved = self.saved()
        self._machine = Machine(image.image(roots.root(self._root)), self._flagged, saved)

    def prepare(self) -> None:
        """See `Host.prepare`."""
        self.saved()

    def saved(self) -> Saved:
        """Return it as it is saved; boot it and save it when it is not. Raise as `up` does."""
        qemu = machine.version()
        booted = image.image(roots.root(self._root))
        snaps = roots.base_snaps()
        code = digest.tree(*(Path(str(module.__file__)) for module in (machine, state, console)))
        made_of = " ".join([qemu, booted.disk.parent.name, *(snap.parent.name for snap in snaps), code])
        folder = cache.once(
            f"vm-saved-{self._label}-fips{int(self._flagged)}",
            made_of,
            lambda target: self._save(booted, snaps, target),
        )
        return Saved(folder)

    def _save(self, booted: image.Image, snaps: list[Path], target: Path) -> None:
        """Save a machine that has booted and has the base snaps."""
        with cache.progress(f"boot {self.name} and install the base snaps, once (minutes)"):
            self._machine = _booted(lambda: Machine(booted, self._flagged))
            try:
                for snap in snaps:
                    snapd.install(self, snap)
                self._machine.save(target)
            finally:
                self.down()

    def down(self) -> None:
        """See `Host.down`."""
        ended, self._machine = self._machine, None
        if ended is not None:
            ended.close()

    def cut_power(self) -> None:
        """End it at once, as a power cut does, and boot it anew: its disk has what was written through."""
        _booted(self._up().cut_power)

    def _is_up(self) -> bool:
        return self._machine is not None

    def _execute(self, command: list[str], given: bytes, seconds: float) -> Ended:
        limited = shlex.join(["timeout", "--signal=KILL", f"{seconds:g}", *command])
        began = time.monotonic()
        with self._archive() as archive:
            script = f"exec {limited}\n".encode(errors="surrogateescape")
            for name, content in (("script", script), ("stdin", given)):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        self._type("vm-run", seconds + 60)
        late = time.monotonic() - began >= seconds
        answer = self._get()
        return Ended.by_timeout(int(answer["code"]), late, answer["stdout"], answer["stderr"])

    def _copy(self, source: Path, target: str) -> None:
        with self._archive() as archive:
            archive.add(source.resolve(), target.lstrip("/"), filter=_owned_by_root)
        self._type("vm-copy", 120)

    def _install(self, snap: Path) -> None:
        snapd.install(self, snap, "--classic")

    def _up(self) -> Machine:
        if self._machine is None:
            raise HostError("the host is not up")
        return self._machine

    @contextmanager
    def _archive(self) -> Iterator[tarfile.TarFile]:
        """Give an archive to fill, which then is on the exchange disk."""
        with self._up().exchange.open("r+b") as disk:
            with tarfile.open(fileobj=disk, mode="w", format=tarfile.GNU_FORMAT) as archive:
                yield archive
            self._used = disk.tell()
        if self._used > EXCHANGE_SIZE:
            raise HostError(f"{self._used} bytes are more than {self.name} takes at once ({EXCHANGE_SIZE})")

    def _type(self, program: str, seconds: float) -> None:
        up = self._up()
        code = up.type(f"{program} {-(-self._used // _MIB)}", seconds)
        if code != 0:
            raise HostError(up.told(f"ended `{program}` with {code}"))

    def _get(self) -> dict[str, bytes]:
        with tarfile.open(self._up().exchange, "r:") as archive:
            found = {name: archive.extractfile(name) for name in ("code", "stdout", "stderr")}
            return {name: file.read() for name, file in found.items() if file}


def _booted(boot: Callable[[], _Result]) -> _Result:
    """Boot, once more where the kernel has panicked.

    With fips=1 it does when one of its self-tests fails (crypto/testmgr.c), and that of its random
    numbers now and then does on an emulated processor that has to wait.
    """
    try:
        return boot()
    except HostError as error:
        if _PANIC not in str(error):
            raise
        return boot()


def _owned_by_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member
