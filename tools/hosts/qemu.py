"""A host with a kernel of its own, which is booted with `fips=1`: a virtual machine under QEMU's emulation.

It boots once and gets the base snaps, which takes minutes; every use goes on from there within seconds.
"""

from __future__ import annotations

import io
import shlex
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tools.hosts import cache, console, roots, snapd, vm_image, vm_machine, vm_state
from tools.hosts.base import LOGIN_ENVIRONMENT, HostError, HostTimeoutError, Result, SnapOnEntry
from tools.hosts.vm_machine import EXCHANGE_SIZE, Machine, Saved

_MIB = 1 << 20


class QemuHost(SnapOnEntry):
    """A `SnapHost` with its own kernel (root is needed, once, to make its disk).

    root: the folder of its userland, see roots.root. flagged: is its kernel booted with fips=1? snap: the
    packed snap to install on entry, or None.
    """

    def __init__(self, root: Path, flagged: bool, snap: Path | None = None) -> None:
        self._root = root
        self._flagged = flagged
        super().__init__(snap)
        self._machine: Machine | None = None
        self._used = 0  # bytes on the exchange disk
        self.name = f"{root.name.rpartition('-')[0]} in a virtual machine, fips={int(flagged)}"

    def up(self) -> None:
        """Bring it back as it was saved after its first boot.

        Raise HostRefusedError when this machine cannot, HostError when it does not come up.
        """
        saved = self.prepare()
        self._machine = Machine(vm_image.image(self._root), self._flagged, saved)

    def prepare(self) -> Saved:
        """Return it as it is saved; boot it and save it when it is not. Raise as `up` does."""
        qemu = vm_machine.version()
        image = vm_image.image(self._root)
        snaps = roots.base_snaps()
        code = cache.digest(*(Path(str(module.__file__)) for module in (vm_machine, vm_state, console)))
        made_of = " ".join([qemu, image.disk.parent.name, *(snap.parent.name for snap in snaps), code])
        folder = cache.once(
            f"vm-saved-{self._root.name.rpartition('-')[0]}-fips{int(self._flagged)}",
            made_of,
            lambda target: self._save(image, snaps, target),
        )
        return Saved(folder)

    def _save(self, image: vm_image.Image, snaps: list[Path], target: Path) -> None:
        """Save a machine that has booted and has the base snaps."""
        with cache.progress(f"boot {self.name} and install the base snaps, once (minutes)"):
            self._machine = Machine(image, self._flagged)
            try:
                for snap in snaps:
                    snapd.install(self, snap)
                self._machine.save(target)
            finally:
                self.down()

    def down(self) -> None:
        """See `Host.down`."""
        machine, self._machine = self._machine, None
        if machine is not None:
            machine.close()

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
        machine = self._up()
        code = machine.type(f"{program} {-(-self._used // _MIB)}", seconds)
        if code != 0:
            raise HostError(machine.told(f"ended `{program}` with {code}"))

    def _get(self) -> dict[str, str]:
        with tarfile.open(self._up().exchange, "r:") as archive:
            found = {name: archive.extractfile(name) for name in ("code", "stdout", "stderr")}
            return {
                name: file.read().decode(errors="surrogateescape") for name, file in found.items() if file
            }


def _owned_by_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member
