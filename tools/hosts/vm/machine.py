"""A virtual machine under QEMU's emulation: booted from an image, or brought back as it was saved.

Emulated, as no hardware support can be counted on: programs are some 20 times slower than here, and a boot
takes half a minute. Lines are typed on the serial console; what goes in and out is on a second disk, which is
a file of this machine.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tools.architecture import ARCHITECTURE
from tools.hosts import cache
from tools.hosts.base import HostError, HostRefusedError
from tools.hosts.processes import identity, lives
from tools.hosts.vm import state
from tools.hosts.vm.console import Console
from tools.hosts.vm.image import Image

REPORTS = Path(__file__).resolve().parents[3] / "build/reports"
BOOT_SECONDS = 400.0
EXCHANGE_SIZE = 512 << 20  # bytes at most in one copy or one answer; the file is sparse
_COUNT = itertools.count()
_PREFIX = "certbot-fips-vm-"


@dataclass(frozen=True)
class Saved:
    """A machine as it was saved; only to read, for all that are brought back share it."""

    folder: Path

    @property
    def disk(self) -> Path:
        """Its root disk, a qcow2 image."""
        return self.folder / "disk"

    @property
    def state(self) -> Path:
        """Its memory and devices, in QEMU's migration format."""
        return self.folder / "state"


def version() -> str:
    """Return what QEMU is on this machine: another one does not take a saved state.

    Raise HostRefusedError when a program is missing.
    """
    for program in (ARCHITECTURE.qemu, "qemu-img", "setpriv"):
        if shutil.which(program) is None:
            raise HostRefusedError(f"no program `{program}` on this machine: run `make setup`")
    asked = subprocess.run([ARCHITECTURE.qemu, "--version"], capture_output=True, text=True)
    return asked.stdout.partition("\n")[0]


def remove_orphans() -> None:
    """Remove the files of machines whose users were killed; the machines themselves ended with these."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).rpartition("-")[0]
        if not lives(owner.replace("-", " ")):
            shutil.rmtree(folder, ignore_errors=True)


class Machine:
    """A virtual machine that runs, with a shell of root's on its console, until it is closed.

    image: what it is booted from. flagged: is its kernel booted with fips=1? saved: go on from there instead.
    Raise HostError when it does not come up; nothing is left of it then but its console's log.
    """

    def __init__(self, image: Image, flagged: bool, saved: Saved | None = None) -> None:
        remove_orphans()
        owner = identity(os.getpid()).replace(" ", "-")
        self._folder = tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{owner}-")
        folder = Path(self._folder.name)
        self.exchange = folder / "exchange"
        self._disk, self._socket = folder / "disk", folder / "qmp"
        self._console: Console | None = None
        self._cold = self._command(image, flagged)
        try:
            with self.exchange.open("wb") as file:
                file.truncate(EXCHANGE_SIZE)
            # Over the image, which several machines share.
            backed = ("-F", "qcow2", "-b", saved.disk) if saved else ("-F", "raw", "-b", image.disk)
            cache.command("qemu-img", "create", "-q", "-f", "qcow2", *map(str, backed), str(self._disk))
            REPORTS.mkdir(parents=True, exist_ok=True)
            incoming = state.incoming(saved.state) if saved else []
            self._console = self._start(*incoming)
            if saved is None:
                self._console.wait_for_shell(BOOT_SECONDS)
            else:
                self._bring_back(self._console, saved)
        except BaseException:
            self.close()
            raise

    def cut_power(self) -> None:
        """End it at once, and boot it from what its disk has then. Raise HostError when it does not boot."""
        assert self._console is not None
        self._console.close()
        self._console = self._start()
        self._console.wait_for_shell(BOOT_SECONDS)

    def _start(self, *more: str) -> Console:
        return Console([*self._cold, *more], REPORTS / f"vm-{os.getpid()}-{next(_COUNT)}.log")

    def type(self, line: str, seconds: float) -> int:
        """Have the shell run a line and return its exit code; see `Console.type`."""
        assert self._console is not None
        return self._console.type(line, seconds)

    def told(self, problem: str) -> str:
        """Return an error's text with what the console has said; see `Console.told`."""
        assert self._console is not None
        return self._console.told(problem)

    def save(self, folder: Path) -> None:
        """Make `folder` with this machine as it is now, and end it. Raise HostError when that fails."""
        assert self._console is not None
        saved = Saved(folder)
        self._console.type("sync", 120)
        folder.mkdir()
        try:
            state.save(self._socket, saved.state)
        except HostError as error:
            raise HostError(self.told(str(error))) from error
        self._console.close()
        cache.command("qemu-img", "convert", "-q", "-O", "qcow2", str(self._disk), str(saved.disk))
        self.close()

    def close(self) -> None:
        """End it at once."""
        if self._console is not None:
            self._console.close()
        self._folder.cleanup()

    def _bring_back(self, console: Console, saved: Saved) -> None:
        try:
            state.resume(self._socket)
        except HostError as error:
            problem = f"{error} (if that is damaged, remove {saved.folder}: it is made anew)"
            raise HostError(console.told(problem)) from error
        console.type(f"date --set=@{time.time():.0f}", 60)  # its clock was saved, too

    def _command(self, image: Image, flagged: bool) -> list[str]:
        return [
            *("setpriv", "--pdeathsig=KILL", "--", ARCHITECTURE.qemu),
            # One CPU: two make the emulated kernel panic now and then.
            *("-M", "pc", "-accel", "tcg", "-smp", "1", "-m", "1024", "-cpu", "max,la57=off"),
            *("-nodefaults", "-no-user-config", "-nographic", "-no-reboot", "-monitor", "none"),
            *("-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"),
            *("-qmp", f"unix:{self._socket},server=on,wait=off"),
            # Tells a kernel that was brought back to take new seeds: two machines share one saved state.
            *("-device", "vmgenid,guid=auto"),
            # virtio's disks, for QEMU cannot save NVMe's. The first is /dev/vda.
            *("-drive", f"file={self._disk},format=qcow2,if=none,id=root,cache=unsafe"),
            *("-device", "virtio-blk-pci,drive=root"),
            *("-drive", f"file={self.exchange},format=raw,if=none,id=exchange"),
            *("-device", "virtio-blk-pci,drive=exchange"),
            *("-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append"),
            f"console=ttyS0 quiet panic=-1 systemd.show_status=0 fips={int(flagged)}",
        ]
