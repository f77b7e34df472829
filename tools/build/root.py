"""The root that the parts are built in: one suite of a distribution, the build packages, and nothing else.

What `snapcraft` calls a build instance. Nothing of the machine is in it, so that a part builds everywhere or
nowhere, and the same on each machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.archive import MMDEBSTRAP, Apt, archive
from tools.build.errors import BuildError, UnavailableError, check_space
from tools.progress import say, step

KINDS: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("roots.yaml").read_text())
#: What the builder itself needs in there; python3-apt is wanted by craft-parts.
BUILDER = ("python3", "python3-apt", "snapd", "squashfs-tools")
#: For nobody to read in there.
UNREAD = ("doc", "info", "locale", "man")
#: Of mmdebstrap(1), which leaves two files of the machine in a root.
OPTIONS = (
    *("--variant=essential", "--dpkgopt=force-unsafe-io"),
    *(f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in UNREAD),
    '--customize-hook=mkdir "$1/build" && rm -f "$1/etc/resolv.conf" "$1/etc/hostname"',
)
ENVIRONMENT = {"HOME": "/tmp", "LANG": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
#: The machine's variables that say how apt gets to the archive: the packages' scripts see no others.
REACHING = re.compile(r"(http|https|no)_proxy|APT_CONFIG", re.I)
#: What the kernel says of FIPS. The build computes digests by what it is building, which is not yet FIPS.
FLAG = Path("/proc/sys/crypto/fips_enabled")
UNFLAGGED = Path(__file__).with_name("unflagged")


@dataclass(frozen=True)
class Root:
    """A root that is there.

    :ivar folder: where it lies on this machine.
    :ivar suite: of its distribution, by name.
    :ivar packages: what is in it, one line a package: name, version, sha256 of its file.
    :ivar path: a folder that is searched for programs before the usual ones.
    """

    folder: Path
    suite: str
    packages: list[str]
    path: str = ""

    @property
    def digest(self) -> str:
        """The sha256 of the list of its packages: two machines with the same one build in the same root."""
        return hashlib.sha256("\n".join(self.packages).encode()).hexdigest()

    def record(self) -> dict[str, Any]:
        """Return what a snap says of the root that it was built in."""
        return {"suite": self.suite, "sha256": self.digest, "packages": self.packages}

    def python(self) -> str:
        """Return the release of its Python, as "3.11"."""
        (found,) = (self.folder / "usr/bin").glob("python3.*[0-9]")
        return found.name.removeprefix("python")

    def command(
        self,
        *words: str,
        read: Mapping[str, Path],
        write: Mapping[str, Path],
        variables: Mapping[str, str],
        below: str = "/build",
        folder: str = "",
        hostname: str = "build",
    ) -> list[str]:
        """Return the command that runs `words` in the root, without network or anything of the machine.

        bwrap(1) enters it.

        :param read: folders of the machine that it can read, each by its name below `below`.
        :param write: those that it can write to.
        :param variables: all of the environment but HOME, LANG and PATH.
        :param folder: the one that it starts in, by its name.
        """
        mounts: list[str] = []
        for option, folders in (("--ro-bind", read), ("--bind", write)):
            for name, place in folders.items():
                mounts += [option, str(place), f"{below}/{name}"]
        if FLAG.exists():
            mounts += ["--ro-bind", str(UNFLAGGED), str(FLAG)]
        path = f"{self.path}:{ENVIRONMENT['PATH']}" if self.path else ENVIRONMENT["PATH"]
        environment = [
            word
            for name, value in {**ENVIRONMENT, "PATH": path, **variables}.items()
            for word in ("--setenv", name, value)
        ]
        return [
            *("bwrap", "--ro-bind", str(self.folder), "/", "--dev", "/dev", "--proc", "/proc"),
            *("--tmpfs", "/tmp", "--tmpfs", "/build", *mounts, "--chdir", f"{below}/{folder}"),
            *("--cap-drop", "CAP_SYS_ADMIN"),  # what is mounted read-only stays so
            *("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--hostname", hostname),
            *("--die-with-parent", "--clearenv", *environment, "--", *words),
        ]


def prepare(packages: list[str], snaps: list[str], cache: Path) -> Root:
    """Return the root for these packages; make it if it is not there.

    It is kept by the versions of its packages, as the archive has them now, and by the way it is made. Where
    the archive does not answer, the last root that was made for the same is taken.

    :param packages: the recipe's build-packages.
    :param snaps: its build-snaps.
    :param cache: where roots are kept.
    :raises UnavailableError: the archive does not answer and no root is there.
    :raises BuildError: apt uses no archive that a root is known for, or a package is not in it.
    """
    found = archive()
    if found is None:
        raise BuildError(
            f"apt on this machine uses no archive of {' or '.join(KINDS)}: build on one that does"
        )
    kind = KINDS[found.distribution]
    wanted = {*packages, *BUILDER}
    for snap in snaps:
        wanted.update(kind["build-snaps"][snap.partition("/")[0]])
    cache.mkdir(parents=True, exist_ok=True)
    line = found.line(kind["suite"])
    last = cache / f"{kind['suite']}-{_short(json.dumps(sorted(wanted)))}.json"
    apt = Apt(cache / f"{kind['suite']}-apt", line)
    answered = apt("apt-get", "-qq", "--error-on=any", "update").returncode == 0
    known = _known(last)
    if answered and (known is None or known["lists"] != apt.lists()):
        known = {"lists": apt.lists(), "packages": _resolve(apt, sorted(wanted), kind["suite"])}
    listed = known["packages"] if known else []
    name = f"{kind['suite']}-{_short(*listed, *OPTIONS)}"
    root = Root(cache / name, kind["suite"], listed, kind.get("path", ""))
    if not answered:
        if not root.folder.is_dir():
            raise UnavailableError(
                f"the archive {found.uri} does not answer: check the network and try again"
            )
        say(f"    the archive does not answer: {kind['suite']} as it was when last asked")
    if not root.folder.is_dir():
        _make(root, line)
        for other in sorted(cache.glob(f"{kind['suite']}-*/")):
            if other.name not in (name, f"{kind['suite']}-apt"):
                _remove(other)
    _keep(last, known)  # only now: until the new root is there, the last one serves without a network
    say(f"    parts are built in {kind['suite']}, {len(listed)} packages: sha256 {root.digest}")
    return root


def _known(file: Path) -> dict[str, Any] | None:
    """Return what was kept; None: nothing, or not the whole of it."""
    try:
        known: dict[str, Any] = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return known


def _keep(file: Path, known: dict[str, Any] | None) -> None:
    incoming = file.with_suffix(".incoming")
    incoming.write_text(json.dumps(known))
    incoming.replace(file)  # whole, and not before


def _remove(folder: Path) -> None:
    """Remove a root; half of one never has a whole one's name."""
    if folder.is_dir():
        shutil.rmtree(folder.rename(folder.with_suffix(".unfinished")))


def _short(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]


def _resolve(apt: Apt, wanted: list[str], suite: str) -> list[str]:
    """Return the lines of `Root.packages` for all that apt would install into an empty root."""
    simulated = apt("apt-get", "--simulate", "--no-install-recommends", "install", "?essential", *wanted)
    if simulated.returncode:
        reason = [line for line in simulated.stderr.splitlines() if line.startswith("E:")] or [
            "no reason given"
        ]
        raise BuildError(f"{suite} cannot be made with the build packages: {reason[0]}")
    versions = re.findall(r"^Inst (\S+) \((\S+) ", simulated.stdout, re.MULTILINE)
    shown = apt("apt-cache", "show", *(f"{name}={version}" for name, version in versions)).stdout
    files = {}
    for entry in shown.split("\n\n"):
        fields = dict(re.findall(r"^(Package|Version|SHA256): (\S+)$", entry, re.MULTILINE))
        if fields:
            files[fields["Package"], fields["Version"]] = fields["SHA256"]
    return sorted(f"{name} {version} {files[name, version]}" for name, version in versions)


def _make(root: Root, line: str) -> None:
    aside = root.folder.with_suffix(".unfinished")
    shutil.rmtree(aside, ignore_errors=True)
    included = [f"{name}={version}" for name, version, _ in (package.split() for package in root.packages)]
    surroundings = {name: value for name, value in os.environ.items() if REACHING.fullmatch(name)}
    with step(f"make the root {root.suite} with mmdebstrap"):
        done = subprocess.run(
            [*MMDEBSTRAP, *OPTIONS, f"--include={','.join(included)}", root.suite, str(aside), line],
            capture_output=True,
            text=True,
            env={**surroundings, **ENVIRONMENT},
            umask=0o022,
        )
    if done.returncode:
        shutil.rmtree(aside, ignore_errors=True)
        check_space(done.stderr, aside)
        reason = [text for text in done.stderr.splitlines() if text.startswith("E:")] or ["no reason given"]
        raise BuildError(f"mmdebstrap cannot make {root.suite}: {reason[0]}")
    aside.chmod(0o755)
    aside.rename(root.folder)
