"""What a virtual machine starts from: Debian's cloud kernel, and a userland of roots.py as a disk image."""

from __future__ import annotations

import lzma
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools import digest
from tools.architecture import ARCHITECTURE
from tools.archive import MMDEBSTRAP, archive
from tools.hosts import cache
from tools.hosts.base import HostError, HostRefusedError

SUITE = "trixie"
KERNEL = f"linux-image-cloud-{ARCHITECTURE.name}"
BUSYBOX = "busybox-static"
GUEST = Path(__file__).with_name("guest")
INITRD = Path(__file__).with_name("initrd")


@dataclass(frozen=True)
class Image:
    """The files that a virtual machine is booted from; only to read, for all machines share them."""

    kernel: Path
    initrd: Path
    disk: Path
    """An ext4 file system, raw."""


def image(userland: Path) -> Image:
    """Return what a machine with this userland is booted from, made when it is not there yet.

    Raise HostRefusedError when this machine cannot make it, HostError when that fails.
    """
    made_of = f"{userland.name} {digest.tree(Path(__file__), GUEST, INITRD)}"
    folder = cache.once(
        f"vm-{userland.name.rpartition('-')[0]}", made_of, lambda target: _make(userland, target)
    )
    return Image(folder / "vmlinuz", folder / "initrd", folder / "disk")


def _make(userland: Path, target: Path) -> None:
    for program in ("mmdebstrap", "mke2fs", "cpio"):
        if shutil.which(program) is None:
            raise HostRefusedError(f"no program `{program}` on this machine: run `make setup`")
    debian = archive("Debian")
    if debian is None:
        raise HostRefusedError("apt on this machine knows no Debian archive to take a kernel from")
    target.mkdir()
    kernel, tree = target / "kernel", target / "tree"
    with cache.progress(f"make the disk image of a virtual machine from {userland.name}"):
        cache.command(
            *(*MMDEBSTRAP, "--variant=extract", f"--include={KERNEL},{BUSYBOX}"),
            *(SUITE, str(kernel), debian.line(SUITE)),
        )
        (vmlinuz,) = kernel.glob("boot/vmlinuz-*")
        version = vmlinuz.name.partition("-")[2]
        cache.command("cp", "-a", str(userland), str(tree))
        modules = tree / "usr/lib/modules" / version
        shutil.copytree(kernel / "usr/lib/modules" / version, modules, symlinks=True)
        shutil.copytree(GUEST, tree, symlinks=True, dirs_exist_ok=True)
        # Masked in the userland, which may be a container's; a boot needs it where snaps are there already.
        (tree / "etc/systemd/system/snapd.apparmor.service").unlink()
        cache.command("chroot", str(tree), "depmod", version)
        # The files' owners are kept; the free space is for what tests install.
        cache.command("mke2fs", "-q", "-t", "ext4", "-d", str(tree), str(target / "disk"), "2G")
        _make_initrd(kernel, version, target / "initrd")
        shutil.copy(vmlinuz, target / "vmlinuz")
        shutil.rmtree(kernel)
        shutil.rmtree(tree)


def _make_initrd(kernel: Path, version: str, target: Path) -> None:
    """Pack initrd/ with a shell for its script and the driver of the root disk."""
    made = kernel / "initrd"
    shutil.copytree(INITRD, made)
    for mount_point in ("dev", "root"):
        (made / mount_point).mkdir()
    shutil.copy(kernel / "usr/bin/busybox", made)
    driver = kernel / "usr/lib/modules" / version / "kernel/drivers/block/virtio_blk.ko.xz"
    (made / "virtio_blk.ko").write_bytes(lzma.decompress(driver.read_bytes()))
    names = "\n".join(str(path.relative_to(made)) for path in sorted(made.rglob("*")))
    with target.open("wb") as archive:
        packed = subprocess.run(
            ["cpio", "--create", "--format=newc", "--owner=+0:+0", "--quiet"],
            cwd=made,
            input=names.encode(),
            stdout=archive,
            stderr=subprocess.PIPE,
        )
    if packed.returncode != 0:
        raise HostError(f"cpio failed and said: {packed.stderr.decode(errors='replace').strip()}")
