"""The package archive that this machine's apt uses: for userlands, and for sources that Debian has too."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.digest import tree

KEYRINGS = {
    "Debian": ("/usr/share/keyrings/debian-archive-keyring.gpg", "main"),
    "Ubuntu": ("/usr/share/keyrings/ubuntu-archive-keyring.gpg", "main universe"),
}

#: Seconds for one command of apt's.
LIMIT = 600
#: mmdebstrap(1) mounts this machine's /proc, /sys and /dev in the root that it makes. In a mount namespace
#: they end with it: who removes what a killed run left removes nothing of the machine.
MMDEBSTRAP = ("unshare", "--mount", "--", "mmdebstrap", "--quiet", "--mode=root")


@dataclass(frozen=True)
class Archive:
    """A distribution's archive.

    :ivar distribution: "Debian" or "Ubuntu".
    :ivar uri: where this machine's apt gets it.
    """

    distribution: str
    uri: str

    def line(self, suite: str, kind: str = "deb") -> str:
        """Return a line of sources.list(5) for one suite: "deb" for packages, "deb-src" for sources."""
        keyring, components = KEYRINGS[self.distribution]
        return f"{kind} [signed-by={keyring}] {self.uri} {suite} {components}"


def archive(distribution: str | None = None) -> Archive | None:
    """Return the archive that this machine's apt uses, or None.

    :param distribution: the one that is wanted; None: whichever it is.
    """
    if _used(list(KEYRINGS)) is None:  # apt may have no lists yet, and it has the names from there
        subprocess.run(["apt-get", "-qq", "update"], capture_output=True)
    return _used([distribution] if distribution else list(KEYRINGS))


def _used(distributions: list[str]) -> Archive | None:
    listing = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)", "Identifier: Packages"],
        capture_output=True,
        text=True,
    ).stdout
    for line in listing.splitlines():
        origin, label, uri = line.split("|")
        if origin == label and origin in distributions:
            return Archive(origin, uri)
    return None


class Apt:
    """apt with its state in a folder of our own: this machine's sources and packages play no part.

    How the archive is reached (a proxy, a certificate) is still as this machine's apt.conf(5) says.

    :param folder: kept between uses, so that what has not changed is not fetched again.
    :param line: of sources.list(5).
    """

    def __init__(self, folder: Path, line: str) -> None:
        for part in ("lists/partial", "archives/partial"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / "sources.list").write_text(f"{line}\n")
        (folder / "status").touch()
        self._lists = folder / "lists"
        places = {
            "Dir::Etc::sourcelist": folder / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "Dir::State": folder,
            "Dir::State::lists": folder / "lists",
            "Dir::State::status": folder / "status",
            "Dir::Cache": folder,
            "APT::Sandbox::User": "root",
        }
        self._options = [f"-o{key}={value}" for key, value in places.items()]

    def lists(self) -> str:
        """Return what stands for the lists of packages as the archive last gave them."""
        return tree(self._lists)

    def __call__(
        self, program: str, *words: str, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run apt-get or apt-cache; what its exit status means is for the caller to say."""
        command = [program, *self._options, *words]
        try:
            return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=LIMIT)
        except subprocess.TimeoutExpired:  # a full disk has been seen to hold it up for ever
            return subprocess.CompletedProcess(command, 124, "", f"E: {program} did not end in {LIMIT} s")
