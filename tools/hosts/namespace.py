"""A host made of namespaces on this machine: instant, no snapd, nothing of the real machine is written to.

The programs are this machine's own (`/usr`, read-only), everything else is private and gone at the end:
`/etc` (a copy), `/var`, `/run`, `/tmp`, `/root`, `/snap`, the network (loopback only, so that port 80 is
always free) and the processes. `/proc/sys/crypto/fips_enabled` says what the test wants it to say. A snap is
mounted as snapd mounts it and its apps are entered through the real snap-exec; what snapd's daemon would add
(services, `snap set`, refresh) is not there. See namespace.sh for how the root is made.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from tools.hosts.base import LOGIN_ENVIRONMENT, HostRefusedError
from tools.hosts.entered import EnteredHost
from tools.hosts.holder import Holder

HERE = Path(__file__).parent


class NamespaceHost(EnteredHost):
    """A host in private namespaces of this machine (root is needed, or CAP_SYS_ADMIN in a container).

    snap: the packed snap to install on entry, or None.
    flagged: is this a FIPS host? `flag_content` is then what `/proc/sys/crypto/fips_enabled` holds; an
        unflagged host has no such file, as kernels without FIPS support.
    instance: the name to install under, None for the snap's own; revision: as snapd counts local installs.
    shown: folders of this machine to be seen on the host too, read-only: {path on the host: folder here}.
    """

    def __init__(
        self,
        snap: Path | None = None,
        flagged: bool = True,
        flag_content: str = "1\n",
        *,
        instance: str | None = None,
        revision: str = "x1",
        shown: Mapping[str, Path] | None = None,
    ) -> None:
        super().__init__(snap)
        self._flag = flag_content if flagged else "absent"
        self._instance = instance
        self._revision = revision
        self._shown = dict(shown or {})
        self._holder: Holder | None = None
        self.name = f"mount namespace, {'FIPS flag set' if flagged else 'no FIPS flag'}"

    def up(self) -> None:
        """Make the namespaces and the root in them. Raise HostRefusedError when that cannot be."""
        for program in ("unshare", "nsenter", "setpriv", "ip", "snap"):
            if shutil.which(program, path=LOGIN_ENVIRONMENT["PATH"]) is None:
                raise HostRefusedError(f"no program `{program}` on this machine: run `make setup`")
        with TemporaryDirectory(prefix="certbot-fips-host-") as stage:
            self._holder = Holder(
                ["--mount", "--net", "--pid"],
                [
                    *(str(HERE / "namespace.sh"), stage, self._flag),
                    *(str(HERE / "fips_flag.sh"), str(HERE / "snap_run.py")),
                    *(f"{source}={target}" for target, source in self._shown.items()),
                ],
                "this machine refuses mount namespaces ({}): be root, and in a container"
                " have CAP_SYS_ADMIN and no seccomp or AppArmor profile that forbids mount(2)",
            )
            self._pid = self._holder.pid

    def _install(self, snap: Path) -> None:
        """Mount the snap where snapd does, make its data folders and commands, run its install hook."""
        revision = self._revision
        kept = "/var/lib/snapd/snaps/installing.snap"
        self.copy(snap, kept)
        # The name is inside, and the inside is readable only once mounted: mount, read, then move.
        self._sh('mkdir -p /run/installing && mount -t squashfs -o ro,nodev,loop "$0" /run/installing', kept)
        meta = yaml.safe_load(self.run(["cat", "/run/installing/meta/snap.yaml"]).check().stdout)
        name = str(meta["name"])
        instance = self._instance or name
        mounted = f"/snap/{instance}/{revision}"
        link_current = 'ln -sfn "${0##*/}" "${0%/*}/current"'
        self._sh(f'mkdir -p "$0" && mount --move /run/installing "$0" && {link_current}', mounted)
        self.run(["mv", kept, f"/var/lib/snapd/snaps/{instance}_{revision}.snap"]).check()
        data = f"/var/snap/{instance}/{revision}"
        self._sh(f'mkdir -p "$0" "${{0%/*}}/common" && {link_current}', data)
        for app in meta.get("apps", {}):
            command = instance if app == name else f"{instance}.{app}"
            self._sh('ln -sfn /usr/bin/snap "$0"', f"/snap/bin/{command}")
        if self.run(["test", "-e", f"{mounted}/meta/hooks/install"]).returncode == 0:
            self.run(["snap", "run", "--hook=install", instance]).check()

    def down(self) -> None:
        """End every process of the host; its mounts and loop devices go with the last one."""
        holder, self._holder, self._pid = self._holder, None, 0
        if holder is not None:
            holder.close()

    def _sh(self, script: str, argument: str) -> None:
        """Run a shell script with the argument as `$0`; raise HostError when it fails."""
        self.run(["sh", "-euc", script, argument]).check()

    def entering(self) -> list[str]:
        """See `EnteredHost.entering`."""
        return ["nsenter", f"--target={self._pid}", "--mount", "--net", "--pid", "--"]
