"""Userlands of distributions for the hosts, and the snaps that a host with snapd needs besides ours."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tools.archive import MMDEBSTRAP, archive
from tools.digest import tree
from tools.hosts.base import HostRefusedError
from tools.hosts.cache import command, once, progress
from tools.hosts.catalog import load

HERE = Path(__file__)
GUEST = HERE.with_name("guest")
FLAG = HERE.with_name("fips_flag.sh")
PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "snapd", "squashfs-tools", "python3", "openssl", "ca-certificates"),
    *("iproute2", "procps"),
    *("nginx-light", "apache2"),
)
#: The userland that stands in for the base snap: of the roots the one with the newest C library.
BASE = "debian-13"
#: For nobody to read, or for no host to run: these units are slow, or want what a container has not.
MASKED = (
    *(
        "systemd-udev-trigger.service",
        "systemd-logind.service",
        "systemd-timesyncd.service",
        "console-getty.service",
    ),
    *("getty.target", "apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_reap.service"),
    *("systemd-networkd.service", "systemd-resolved.service", "apparmor.service", "fstrim.timer"),
    *("snapd.seeded.service", "snapd.apparmor.service", "snapd.autoimport.service", "dpkg-db-backup.timer"),
)
#: Servers that a task starts when it wants them: all of them want the same ports.
IDLE = ("nginx.service", "apache2.service", "named.service")


def root(name: str | Path) -> Path:
    """Return the folder of a root of hosts.yaml, built when it is not there yet; nobody may write to it.

    A path is one already, and returned as it is.
    Raise HostRefusedError when this machine cannot build it, HostError when the build fails.
    """
    if isinstance(name, Path):
        return name
    recipe = load()["roots"][name]
    made_of = json.dumps([recipe, tree(HERE, GUEST, FLAG)], sort_keys=True)
    return once(name, made_of, lambda target: _bootstrap(name, recipe, target))


def base_snaps() -> list[Path]:
    """Return the packed stand-ins for the snaps `snapd` and `core24`, in the order to install them.

    snapd wants both before it installs a snap of that base, and no store can be asked.
    """
    userland = root(BASE)
    folder = once("snaps", userland.name, lambda target: _pack(userland, target))
    return [folder / "snapd.snap", folder / "core24.snap"]


def _bootstrap(name: str, recipe: dict[str, object], target: Path) -> None:
    if shutil.which("mmdebstrap") is None:
        raise HostRefusedError("no program `mmdebstrap` on this machine: run `make setup`")
    debian = archive("Debian")
    if debian is None:
        raise HostRefusedError("apt on this machine knows no Debian archive to build a userland from")
    more = recipe.get("packages", [])
    assert isinstance(more, list)
    unread = [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "man", "locale", "info")]
    with progress(f"build the userland {name} with mmdebstrap"):
        command(
            *(*MMDEBSTRAP, "--variant=minbase", *unread),
            f"--include={','.join((*PACKAGES, *more))}",
            '--aptopt=Acquire::Check-Valid-Until "false"',  # of releases that are no longer renewed
            *(str(recipe["suite"]), str(target), debian.line(str(recipe["suite"]))),
        )
    shutil.copytree(GUEST, target, symlinks=True, dirs_exist_ok=True)
    shutil.copy(FLAG, target / "usr/local/lib/fips-flag")
    units = target / "etc/systemd/system"
    for unit in MASKED:
        (units / unit).unlink(missing_ok=True)
        (units / unit).symlink_to("/dev/null")
    for unit in IDLE:
        (units / "multi-user.target.wants" / unit).unlink(missing_ok=True)
    (units / "default.target").unlink(missing_ok=True)
    (units / "default.target").symlink_to("/lib/systemd/system/multi-user.target")
    (target / "etc/hostname").write_text(f"{name}\n")
    (target / "etc/hosts").write_text(f"127.0.0.1 localhost {name}\n::1 localhost\n")
    (target / "etc/resolv.conf").unlink(missing_ok=True)
    (target / "etc/resolv.conf").write_text("")  # there is no network: a look-up must fail at once
    names = target / "var/cache/snapd/names"
    names.parent.mkdir(parents=True, exist_ok=True)
    names.touch()  # else snapd asks the store for them, and waits


def _pack(userland: Path, target: Path) -> None:
    target.mkdir()
    with progress("pack the stand-ins for the snaps snapd and core24"):
        snapd = target / "snapd"
        (snapd / "meta").mkdir(parents=True)
        (snapd / "usr/lib/snapd").mkdir(parents=True)
        (snapd / "meta/snap.yaml").write_text(
            "name: snapd\nversion: '0'\ntype: snapd\nsummary: stand-in for snapd\n"
            "description: Has nothing in it; the host's own snapd runs.\n"
        )
        (snapd / "usr/lib/snapd/info").write_text("VERSION=0\nSNAPD_APPARMOR_REEXEC=0\n")
        profiles = snapd / "etc/apparmor.d"
        profiles.mkdir(parents=True)
        for profile in userland.glob("etc/apparmor.d/usr.lib.snapd.snap-confine*"):
            shutil.copy(profile, profiles)
        base = target / "meta"
        base.mkdir()
        (base / "snap.yaml").write_text(
            "name: core24\nversion: '0'\ntype: base\nsummary: stand-in for core24\n"
            f"description: The userland {BASE} of the tests' hosts.\n"
        )
        programs = snapd / "usr/bin"
        programs.mkdir()
        (programs / "mksquashfs").write_text('#!/bin/sh\nexec /usr/bin/mksquashfs "$@"\n')  # for `snap pack`
        for folder in (snapd, target / "meta"):
            for each in (folder, *folder.rglob("*")):
                each.chmod(0o755 if each.is_dir() or each.parent == programs else 0o644)
        common = [*("-quiet", "-no-progress", "-all-root", "-root-mode", "0755")]
        common += ["-comp", "zstd", "-Xcompression-level", "1"]  # packed in a second, not ten
        command("mksquashfs", str(snapd), str(target / "snapd.snap"), *common)
        source = [str(userland / part) for part in ("usr", "etc", "bin", "lib", "lib64", "sbin")]
        command("mksquashfs", *source, str(base), str(target / "core24.snap"), *common)
        shutil.rmtree(snapd)
        shutil.rmtree(base)
