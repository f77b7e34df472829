"""Carries out a plan on a long-lived host: files of the case, then its processes in mounts of their own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Self

from tools.architecture import ARCHITECTURE
from tools.campaign import environments, keys, plugins
from tools.campaign.damages import Files
from tools.campaign.enter import Start
from tools.campaign.plan import BIND, CASE, CHROOT, FOREIGN, MADE_HERE, SETTING, SNAP, Mount, Plan
from tools.campaign.process import CampaignError, Watched, watch
from tools.campaign.surroundings import PLACES
from tools.hosts import NamespaceHost, snapd_socket

LIMIT = 8.0
"""Seconds until a case is killed; what takes more than 5 is late."""
_REC = 0x4000
_BARE = "/run/bare"
_SNAPD = "/run/snapd.socket"
_ANSWER = "auto"
_SEEN = ("/snap", "/usr", "/dev", "/run")
"""What of the host another root has; Debian's /lib and so on are links into /usr."""
_PRIVATE = ("/etc/letsencrypt", "/var/lib/letsencrypt", "/tmp", "/root")


class Stage:
    """A FIPS host with the snap, on which one case after the other is run."""

    def __init__(self, snap: Path) -> None:
        self._host = NamespaceHost(snap, shown={FOREIGN: plugins.foreign()})
        self.last: list[Watched] = []
        self.before: dict[str, bytes | None] = {}

    def __enter__(self) -> Self:
        """Raise HostRefusedError where this machine has no such hosts."""
        self._host.__enter__()
        self.pid = int(self._host.path("").parts[2])
        places = [place.root for place in PLACES.values() if place.root != SNAP]
        for folder in (*_PRIVATE, *places):
            self._host.path(folder).mkdir(parents=True, exist_ok=True)
        for root in places:
            current = self._host.path(root).with_name("current")
            if root.endswith("/x1") and not current.is_symlink():
                current.symlink_to("x1")
        self._host.run(["sh", "/run/fips-flag.sh", "absent", _BARE]).check()
        self._make_root()
        keys.make(self._host.path(keys.KEYS))
        self._connect_plugins()
        environments.make_python(self._host.path(environments.PYTHON))
        # The configure hook asks snapd by this program; no snapd is here.
        snapctl = self._host.path("/run/snapctl")
        snapctl.write_text(f'#!/bin/sh\necho "$*" >> {CASE}/told\ncat {CASE}/answer\n')
        snapctl.chmod(0o755)
        target = self._host.run(["readlink", "-f", "/usr/bin/snapctl"]).check().stdout.strip()
        self._host.run(["mount", "--bind", "/run/snapctl", target]).check()
        self.made = self._host.path(f"/var/snap/{MADE_HERE.removeprefix('var/')}").read_bytes()
        self.files = Files.of(self._host.path(SNAP))
        return self

    def __exit__(self, *exc: object) -> None:
        self._host.__exit__(*exc)

    def _make_root(self) -> None:
        """Make the folders of another root, for mounts of a case."""
        root = self._host.path(CHROOT)
        for folder in (*_SEEN, "/proc"):
            (root / folder.lstrip("/")).mkdir(parents=True)
        for name in ("bin", "lib", "lib64"):
            (root / name).symlink_to(f"usr/{name}")

    def _connect_plugins(self) -> None:
        """Start what stands in for snapd, and have the plugin's folder and its socket be those of a case."""
        for link, target in ((f"/snap/{plugins.NAME}/current", plugins.CURRENT), (_SNAPD, plugins.SOCKET)):
            self._host.path(link).parent.mkdir(parents=True, exist_ok=True)
            self._host.path(link).symlink_to(target)
        snapd_socket.start(self._host, plugins.LISTENS, plugins.ANSWER)

    def run(self, plan: Plan) -> list[Watched]:
        """Run the plan's processes to their end and leave the case's files for the verdict.

        :raises CampaignError: a mount or the start failed, or the snap lacks a file that is to be damaged.
        """
        case = self.case
        shutil.rmtree(case, ignore_errors=True)
        for folder in ("var/certbot-fips/common", "log", "crypto", "empty", "over", "work"):
            (case / folder).mkdir(parents=True)
        (case / MADE_HERE).parent.mkdir(parents=True)
        (case / "var/certbot-fips_two").symlink_to("certbot-fips")  # the parallel instance's
        (case / MADE_HERE).write_bytes(self.made)
        (case / "answer").write_text(f"{_ANSWER}\n")
        (case / "crypto/fips_enabled").write_text("1\n")
        for make in plan.files:
            make(case)
        environments.make_hostile(case, Path(f"/usr/lib/{ARCHITECTURE.triplet}/libcrypto.so.3"))
        for path, damage in plan.damages.items():
            target = case / "over" / path
            if any(path.startswith(f"{other}/") for other in plan.damages):
                continue  # its folder is damaged
            source = self._host.path(f"{SNAP}/{path}")
            if not os.path.lexists(source):
                raise CampaignError(f"the snap has no {path}, which is to be damaged")
            target.parent.mkdir(parents=True, exist_ok=True)
            damage(source, target)
        start = Start(
            self.pid,
            tuple(self._mounts(plan)),
            tuple(plan.argv),
            plan.argv0,
            plan.chroot,
            plan.env,
            plan.stdin,
            plan.uid,
            plan.limits,
            frozenset(plan.blocked),
            frozenset(plan.ignored),
            frozenset(plan.closed),
        )
        self.before = {"setting": self.setting(), "config": self.config()}
        self.last = watch([start] * plan.copies, plan, LIMIT)
        return self.last

    @property
    def case(self) -> Path:
        """The folder of the case, seen from here."""
        return self._host.path(CASE)

    def setting(self) -> bytes | None:
        """Return what the setting is now."""
        file = self.case / SETTING
        return file.read_bytes() if file.is_file() and not file.is_symlink() else None

    def health(self) -> str:
        """Return the status that snapd was told last; empty: none."""
        told = self.case / "told"
        lines = told.read_text().splitlines() if told.is_file() else []
        return next((line.split()[1] for line in reversed(lines) if line.startswith("set-health ")), "")

    def log(self) -> bytes:
        """Return what Certbot has logged."""
        return b"".join(file.read_bytes() for file in self.case.glob("log/letsencrypt/letsencrypt.log*"))

    def config(self) -> bytes | None:
        """Return the config that the hook has made, or that was there."""
        file = self.case / MADE_HERE
        return file.read_bytes() if file.is_file() and not file.is_symlink() else None

    @staticmethod
    def _mounts(plan: Plan) -> list[Mount]:
        mounts = [Mount("private", folder, "tmpfs") for folder in _PRIVATE]
        options = f"lowerdir={CASE}/over:{SNAP}"
        if plan.writable:
            options = f"lowerdir={SNAP},upperdir={CASE}/over,workdir={CASE}/work"
        if plan.damages or plan.writable:
            mounts.append(Mount("damaged", plan.root, "overlay", 0, options))
        elif plan.root != SNAP:
            mounts.append(Mount(SNAP, plan.root, "", BIND))
        if plan.hide_plain:
            mounts.append(Mount("hidden", "/snap/certbot-fips", "tmpfs"))
        mounts += [
            Mount(f"{CASE}/var", "/var/snap", "", BIND),
            Mount(f"{CASE}/log", "/var/log", "", BIND),
            Mount(_BARE, "/proc/sys", "", BIND | _REC)
            if plan.bare and not plan.unknown  # what covers the folder needs it to be there
            else Mount(f"{CASE}/crypto", "/proc/sys/crypto", "", BIND),
        ]
        mounts += plan.last_mounts
        if plan.chroot:
            seen = (*_SEEN, "/proc") if plan.proc else _SEEN
            mounts += [Mount(folder, plan.chroot + folder, "", BIND | _REC) for folder in seen]
        return mounts
