"""Bring Python packages into the cache with this machine's pip, each by its hash; none of them is run.

`python3 -m tools.build.packages FILE VERSION` leaves in a requirements file, of the hashes of each package,
that of one file for the Python of that version: pure Python's; where `--no-binary` asks, the sdist's; where
`--only-binary` does, the wheel's for this architecture.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tools.architecture import ARCHITECTURE
from tools.build.errors import BuildError, UnavailableError, check_space
from tools.digest import sha256
from tools.progress import step

#: The wheels that the snap takes, whatever C library this machine has (PEP 600).
PLATFORMS = [
    *(f"manylinux_2_{minor}_{ARCHITECTURE.machine}" for minor in range(39, 4, -1)),
    f"manylinux2014_{ARCHITECTURE.machine}",
]
#: What pip asks of an sdist before it keeps it (PEP 517), answered from the file that every sdist has
#: (PEP 643): so no build backend is needed, and no code of a package runs on this machine.
BACKEND = """\
import pathlib, re, shutil
def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    text = pathlib.Path("PKG-INFO").read_text()
    name, version = (re.search(f"^{field}: (.*)", text, re.M)[1] for field in ("Name", "Version"))
    folder = pathlib.Path(metadata_directory, f"{re.sub('[-_.]+', '_', name)}-{version}.dist-info")
    folder.mkdir()
    shutil.copy("PKG-INFO", folder / "METADATA")
    return folder.name
class __legacy__:
    prepare_metadata_for_build_wheel = staticmethod(prepare_metadata_for_build_wheel)
"""
BACKENDS = (
    *("maturin.py", "setuptools/__init__.py", "setuptools/build_meta.py"),
    *("hatchling/build.py", "poetry/core/masonry/api.py"),
)


def bring(pins: Iterable[Path], python: str, cache: Path) -> None:
    """Put the files that requirements files pin into the cache, for a Python that need not be this one.

    :param pins: requirements files with hashes.
    :param python: the Python that installs them, as "3.13".
    :raises UnavailableError: pip cannot get one.
    """
    cache.mkdir(parents=True, exist_ok=True)
    there = {sha256(file) for file in cache.iterdir()}
    for file in pins:
        lines = [line for line in file.read_text().splitlines() if "--hash" in line]
        missing = [line for line in lines if not there & set(re.findall("sha256:([0-9a-f]{64})", line))]
        if missing:
            _download(missing, python, cache, file.name)


def install(pins: Path, python: str, cache: Path, what: str) -> Path:
    """Return a folder with the packages of a requirements file installed, wheels alone.

    :param pins: a requirements file with hashes.
    :param python: the Python that will import them, as "3.11".
    :param cache: where the folder is kept.
    :param what: who wants them, in one word that the folder is named by.
    :raises UnavailableError: pip cannot get one.
    """
    target = cache / f"{what}-{python}-{sha256(pins)[:12]}"
    if not target.is_dir():
        aside = target.with_suffix(".unfinished")
        shutil.rmtree(aside, ignore_errors=True)
        # What a package asks of the Python, pip holds against its own.
        command = ["install", "--only-binary=:all:", "--no-compile", "--ignore-requires-python"]
        with step(f"install the {what}'s packages for Python {python}"):
            _pip([*command, f"--target={aside}", f"--requirement={pins}", *_for(python)], pins.name)
        aside.rename(target)
    return target


def _download(lines: list[str], python: str, cache: Path, what: str, pure: bool = False) -> None:
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder, "wanted.txt")
        wanted.write_text("\n".join(lines))
        for name in BACKENDS:
            backend = Path(folder, "backends", name)
            backend.parent.mkdir(parents=True, exist_ok=True)
            backend.write_text(BACKEND)
        command = [
            "download",
            "--use-pep517",
            "--no-build-isolation",
            f"--requirement={wanted}",
            f"--dest={cache}",
        ]
        with step(f"fetch the Python packages of {what}"):
            _pip([*command, *_for(python, pure)], what, PYTHONPATH=str(Path(folder, "backends")))


def _for(python: str, pure: bool = False) -> list[str]:
    abis = [f"--abi={abi}" for abi in (f"cp{python.replace('.', '')}", "abi3", "none")]
    platforms = [f"--platform={platform}" for platform in ("any", *(() if pure else PLATFORMS))]
    return [f"--python-version={python}", "--implementation=cp", *abis, *platforms]


def _pip(words: list[str], what: str, **variables: str) -> None:
    command, *rest = words
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", command, "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--require-hashes", *rest),
        ],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        check_space(done.stderr, Path(tempfile.gettempdir()))
        if "DO NOT MATCH THE HASHES" in done.stderr:
            named = re.search(r"^ +(.+?) from .*:$", done.stderr, re.MULTILINE)
            raise BuildError(
                f"{what}: {named[1] if named else 'a package'} has another sha256 than the pinned one:"
                " do not build with it; find out which of the two is wrong"
            )
        said = done.stderr.strip().splitlines() or ["no reason given"]
        reason = [line for line in said if line.startswith("ERROR")] or said
        raise UnavailableError(f"pip cannot fetch the packages of {what} ({reason[-1]}): check the network")


def settle(pins: Path, python: str) -> None:
    """Leave one hash for each package of a requirements file: that of the file which the module's text names.

    :param pins: a requirements file with hashes, changed in place.
    :param python: the Python that takes it, as "3.13".
    :raises UnavailableError: pip cannot get one.
    """
    with tempfile.TemporaryDirectory() as folder:
        lines = pins.read_text().splitlines()
        compiled = tuple(f"{line.split()[1]}==" for line in lines if line.startswith("--only-binary"))
        for pure in (True, False):
            if wanted := [line for line in lines if line.startswith(compiled) is not pure]:
                _download(wanted, python, Path(folder), pins.name, pure)
        taken = {sha256(file) for file in Path(folder).iterdir()}
    text = re.sub(
        r" --hash=sha256:([0-9a-f]{64})",
        lambda found: found[0] if found[1] in taken else "",
        pins.read_text(),
    )
    pins.write_text(re.sub(r"\n\n+", "\n", text))


if __name__ == "__main__":
    settle(Path(sys.argv[1]), sys.argv[2])
