"""Bring Rust crates into the cache with this machine's cargo, each by the checksum in a Cargo.lock."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from tools.archive import archive
from tools.build.errors import UnavailableError, check_space
from tools.build.root import KINDS
from tools.digest import sha256
from tools.progress import say, step

#: The first cargo that reads version 4 of Cargo.lock.
OLDEST = (1, 78)


def vendor(project: Path, target: Path, what: str) -> None:
    """Unpack all crates of a project's Cargo.lock into a folder, if they are not there.

    :param project: the folder of Cargo.toml and Cargo.lock.
    :param what: whose crates they are, in a few words.
    :raises UnavailableError: there is no cargo and none can be installed, or it cannot fetch them.
    """
    if _whole(target):
        return
    cargo = _cargo()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        crates = Path(folder, "crates")
        with step(f"fetch the Rust crates of {what}"):
            done = subprocess.run(
                [cargo, "vendor", "--locked", "--versioned-dirs", str(crates)],
                cwd=project,
                capture_output=True,
                text=True,
            )
        if done.returncode:
            check_space(done.stderr, target.parent)
            reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise UnavailableError(
                f"cargo cannot fetch the crates of {what} ({reason[0].strip()}): check the network"
            )
        if target.is_dir():
            target.rename(Path(folder, "damaged"))
        crates.replace(target)


def has_some(sdist: Path) -> bool:
    """Return whether a packed sdist has a Cargo.lock."""
    with tarfile.open(sdist) as packed:
        return any(Path(name).match("*/Cargo.lock") and name.count("/") == 1 for name in packed.getnames())


def of_sdist(sdist: Path, cache: Path) -> Path:
    """Return the folder with the crates of an sdist's Cargo.lock.

    :param sdist: the packed sdist.
    :raises UnavailableError: they cannot be fetched.
    """
    target = cache / sdist.name.removesuffix(".tar.gz")
    if not _whole(target):
        with tempfile.TemporaryDirectory() as folder:
            shutil.unpack_archive(sdist, folder)
            (project,) = Path(folder).iterdir()
            vendor(project, target, project.name)
    return target


def _whole(target: Path) -> bool:
    """Return whether crates are there, each with the files that cargo unpacked and no others."""
    if not target.is_dir():
        return False
    for crate in target.iterdir():
        try:
            listed = json.loads((crate / ".cargo-checksum.json").read_text())["files"]
            there = {str(file.relative_to(crate)) for file in crate.rglob("*") if not file.is_dir()}
            whole = there == {*listed, ".cargo-checksum.json"}
            whole = whole and all(sha256(crate / name) == digest for name, digest in listed.items())
        except (OSError, ValueError, KeyError):
            whole = False
        if not whole:
            say(f"    {crate} is damaged: it is fetched anew")
            return False
    return True


def _cargo() -> str:
    """Return a cargo that is new enough, from this machine or, where it has none, from its archive."""
    found = archive()
    packages = KINDS[found.distribution]["build-snaps"]["rustup"] if found else []
    beside = f"{KINDS[found.distribution].get('path', '/usr/bin')}/cargo" if found else ""
    for cargo in filter(None, (shutil.which("cargo"), beside)):
        if _version(cargo) >= OLDEST:
            return cargo
    with step(f"install {' '.join(packages)}"):
        done = subprocess.run(
            ["apt-get", "-qq", "-y", "--no-install-recommends", "install", *packages],
            capture_output=True,
            text=True,
        )
    if done.returncode or _version(beside) < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise UnavailableError(f"cargo is missing and cannot be installed: install cargo {wanted} or newer")
    return beside


def _version(cargo: str) -> tuple[int, ...]:
    try:
        said = subprocess.run([cargo, "--version"], capture_output=True, text=True, cwd="/").stdout
    except OSError:
        return (0,)
    found = re.match(r"cargo (\d+)\.(\d+)", said)
    return tuple(map(int, found.groups())) if found else (0,)
