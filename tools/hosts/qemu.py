"""A host with a kernel of its own, which is booted with `fips=1`: a virtual machine under QEMU's emulation.

Emulated, as no hardware support can be counted on: programs are some 20 times slower than here. Commands are
typed on the serial console; what goes in and out is on a second disk, which is a file of this machine.
"""

from __future__ import annotations

import io
import itertools
import os
import shlex
import shutil
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tools.hosts import cache, roots, snapd, vm_image
from tools.hosts.base import (
    LOGIN_ENVIRONMENT,
    HostError,
    HostRefusedError,
    HostTimeoutError,
    Result,
    SnapOnEntry,
)
from tools.hosts.console import Console

REPORTS = Path(__file__).resolve().parents[2] / "build/reports"
BOOT_SECONDS = 180.0
DISK = 512 << 20  # bytes at most in one copy or one answer; the file is sparse
_MIB = 1 << 20
_COUNT = itertools.count()


class QemuHost(SnapOnEntry):
    """A `SnapHost` with its own kernel (root is needed, once, to make its disk).

    root: the folder of its userland, see roots.root. flagged: is its kernel booted with fips=1? snap: the
    packed snap to install on entry, or None.
    """

    def __init__(self, root: Path, flagged: bool, snap: Path | None = None) -> None:
        self._root = root
        self._flagged = flagged
        super().__init__(snap)
        self._used = 0  # bytes on the second disk
        self._console: Console | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.name = f"{root.name.rpartition('-')[0]} in a virtual machine, fips={int(flagged)}"

    def up(self) -> None:
        """Boot it. Raise HostRefusedError when this machine cannot, HostError when it does not come up."""
        for program in ("qemu-system-x86_64", "qemu-img", "setpriv"):
            if shutil.which(program) is None:
                raise HostRefusedError(f"no program `{program}` on this machine: run `make setup`")
        kernel, image = vm_image.image(self._root)
        snaps = roots.base_snaps()
        made_of = f"{image.parent.name} {' '.join(snap.parent.name for snap in snaps)}"
        ready = cache.once(
            f"vm-ready-{self._root.name.rpartition('-')[0]}",
            made_of,
            lambda target: self._prepare(kernel, image, snaps, target),
        )
        self._start(kernel, ready / "image", "qcow2")

    def _prepare(self, kernel: Path, image: Path, snaps: list[Path], target: Path) -> None:
        """Make an image that has booted once and has the base snaps, which takes minutes."""
        with cache.progress(f"install the base snaps in {self.name}, once"):
            self._start(kernel, image, "raw")
            assert self._console is not None and self._folder is not None
            try:
                for snap in snaps:
                    snapd.install(self, snap)
                self._console.end("systemctl poweroff", 120)
                target.mkdir()
                disk = Path(self._folder.name, "root.qcow2")
                cache.command("qemu-img", "convert", "-q", "-O", "qcow2", str(disk), str(target / "image"))
            finally:
                self.down()

    def _start(self, kernel: Path, image: Path, image_format: str) -> None:
        try:
            self._boot(kernel, image, image_format)
        except BaseException:
            self.down()
            raise

    def _boot(self, kernel: Path, image: Path, image_format: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="certbot-fips-vm-")
        disk = Path(self._folder.name, "root.qcow2")
        # Over the image, which several hosts share.
        backed = ("-F", image_format, "-b", str(image.resolve()))
        cache.command("qemu-img", "create", "-q", "-f", "qcow2", *backed, str(disk))
        with self._exchange.open("wb") as file:
            file.truncate(DISK)
        flag = f"fips={int(self._flagged)}"
        REPORTS.mkdir(parents=True, exist_ok=True)
        self._console = Console(
            [
                *("setpriv", "--pdeathsig=KILL", "--", "qemu-system-x86_64"),
                # One CPU: two make the emulated kernel panic now and then.
                *("-M", "pc", "-accel", "tcg", "-smp", "1", "-m", "1024", "-cpu", "max,la57=off"),
                *("-nodefaults", "-no-user-config", "-nographic", "-no-reboot", "-monitor", "none"),
                *("-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"),
                *("-drive", f"file={disk},format=qcow2,if=none,id=root,cache=unsafe"),
                *("-device", "nvme,drive=root,serial=root"),
                # Not a second NVMe disk: the two may swap their names.
                *("-drive", f"file={self._exchange},format=raw,if=none,id=exchange"),
                *("-device", "virtio-blk-pci,drive=exchange,serial=exchange"),
                *("-kernel", str(kernel), "-append"),
                f"console=ttyS0 root=/dev/nvme0n1 rw quiet panic=-1 systemd.show_status=0 {flag}",
            ],
            REPORTS / f"vm-{os.getpid()}-{next(_COUNT)}.log",
        )
        self._console.wait_for_shell(BOOT_SECONDS)

    def down(self) -> None:
        """See `Host.down`."""
        console, self._console = self._console, None
        folder, self._folder = self._folder, None
        if console is not None:
            console.close()
        if folder is not None:
            folder.cleanup()

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        cwd: str = "/",
        timeout: float = 120.0,
    ) -> Result:
        """See `Host.run`. A command's exit code of 129 to 192 reads as that of one killed by a signal."""
        variables = LOGIN_ENVIRONMENT if env is None else env
        words = [
            *("timeout", "--signal=KILL", f"{timeout:g}"),
            *("env", "-i", "-C", cwd, "--", *(f"{key}={value}" for key, value in variables.items()), *argv),
        ]
        began = time.monotonic()
        with self._archive() as archive:
            for name, text in (("script", f"exec {shlex.join(words)}\n"), ("stdin", stdin)):
                content = text.encode(errors="surrogateescape")
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        self._type("vm-run", timeout + 60)
        seconds = time.monotonic() - began
        answer = self._get()
        code = int(answer["code"])
        if code == 137 and seconds >= timeout:
            said = " / ".join((answer["stderr"].strip() or answer["stdout"].strip()).splitlines()[-3:])
            raise HostTimeoutError(
                f"`{shlex.join(argv)}` took longer than {timeout:g} s and said: {said or 'nothing'}"
            )
        code = 128 - code if 128 < code <= 192 else code
        return Result(tuple(argv), code, answer["stdout"], answer["stderr"], seconds)

    def copy(self, source: Path, target: str) -> None:
        """See `Host.copy`."""
        try:
            with self._archive() as archive:
                archive.add(source.resolve(), target.lstrip("/"), filter=_owned_by_root)
        except OSError as error:
            raise HostError(
                f"{self.name}: {source} cannot be copied to {target}: {error.strerror}"
            ) from error
        self._type("vm-copy", 120)

    def install(self, snap: Path) -> None:
        """See `SnapHost.install`."""
        snapd.install(self, snap, "--classic")

    @property
    def _exchange(self) -> Path:
        if self._folder is None:
            raise HostError("the host is not up")
        return Path(self._folder.name, "exchange")

    @contextmanager
    def _archive(self) -> Iterator[tarfile.TarFile]:
        """Give an archive to fill, which then is on the second disk."""
        with self._exchange.open("r+b") as disk:
            with tarfile.open(fileobj=disk, mode="w", format=tarfile.GNU_FORMAT) as archive:
                yield archive
            self._used = disk.tell()
        if self._used > DISK:
            raise HostError(f"{self._used} bytes are more than {self.name} takes at once ({DISK})")

    def _type(self, program: str, seconds: float) -> None:
        if self._console is None:
            raise HostError("the host is not up")
        code = self._console.type(f"{program} {-(-self._used // _MIB)}", seconds)
        if code != 0:
            raise HostError(f"{self.name}: `{program}` ended with {code}; its console is in {REPORTS}")

    def _get(self) -> dict[str, str]:
        with tarfile.open(self._exchange, "r:") as archive:
            found = {name: archive.extractfile(name) for name in ("code", "stdout", "stderr")}
            return {
                name: file.read().decode(errors="surrogateescape") for name, file in found.items() if file
            }


def _owned_by_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member
