"""What a virtual machine starts from: Debian's cloud kernel, and a userland of roots.py as a disk image."""

from __future__ import annotations

import shutil
from pathlib import Path

from tools.build.sources import debian_archive
from tools.hosts import cache
from tools.hosts.base import HostRefusedError

SUITE = "trixie"  # its kernel has NVMe and ext4 built in, so that no initrd is needed
KERNEL = "linux-image-cloud-amd64"
GUEST = Path(__file__).with_name("vm_guest")


def image(userland: Path) -> tuple[Path, Path]:
    """Return the kernel and the raw ext4 image of a userland, made when they are not there yet; only to read.

    Raise HostRefusedError when this machine cannot make them, HostError when that fails.
    """
    made_of = f"{userland.name} {cache.digest(Path(__file__), GUEST)}"
    folder = cache.once(
        f"vm-{userland.name.rpartition('-')[0]}", made_of, lambda target: _make(userland, target)
    )
    return folder / "vmlinuz", folder / "image"


def _make(userland: Path, target: Path) -> None:
    for program in ("mmdebstrap", "mke2fs"):
        if shutil.which(program) is None:
            raise HostRefusedError(f"no program `{program}` on this machine: run `make setup`")
    archive = debian_archive()
    if archive is None:
        raise HostRefusedError("apt on this machine knows no Debian archive to take a kernel from")
    target.mkdir()
    kernel, tree = target / "kernel", target / "tree"
    with cache.progress(f"make the disk image of a virtual machine from {userland.name}"):
        cache.command(
            *("mmdebstrap", "--quiet", "--mode=root", "--variant=extract", f"--include={KERNEL}"),
            *(SUITE, str(kernel), f"deb {archive} {SUITE} main"),
        )
        (vmlinuz,) = kernel.glob("boot/vmlinuz-*")
        version = vmlinuz.name.partition("-")[2]
        cache.command("cp", "-a", str(userland), str(tree))
        modules = tree / "usr/lib/modules" / version
        shutil.copytree(kernel / "usr/lib/modules" / version, modules, symlinks=True)
        shutil.copytree(GUEST, tree, symlinks=True, dirs_exist_ok=True)
        cache.command("chroot", str(tree), "depmod", version)
        # The files' owners are kept; the free space is for what tests install.
        cache.command("mke2fs", "-q", "-t", "ext4", "-d", str(tree), str(target / "image"), "2G")
        shutil.copy(vmlinuz, target / "vmlinuz")
        shutil.rmtree(kernel)
        shutil.rmtree(tree)
