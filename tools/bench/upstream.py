"""The other side: Certbot from PyPI, in a virtual environment of the distribution's Python."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from tools.bench.measure import BenchError
from tools.build import packages
from tools.progress import step

PYTHON = "/usr/bin/python3"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
#: Exists as source alone, which wants Augeas' headers; Certbot does without it as long as no Apache is
#: configured with it, and starts a little faster for it.
LEFT_OUT = "python-augeas=="


def install(folder: Path) -> Path:
    """Make the virtual environment where it is not there or not up to date; return its `certbot`.

    Raise UnavailableError when pip cannot get it, BuildError when it gets other bytes than the pinned ones,
    BenchError when it cannot install them.
    """
    lines = [line for line in REQUIREMENTS.read_text().splitlines() if not line.startswith(LEFT_OUT)]
    python = _run(PYTHON, "--version").strip()
    wanted = "\n".join([python, *lines, ""])
    stamp = folder / "complete"
    digest = hashlib.sha256(wanted.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return folder / "bin" / "certbot"
    with step(f"install Certbot from PyPI into {folder}"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        listed = folder / "requirements.txt"
        listed.write_text("\n".join([*lines, ""]))
        kept = folder.with_name("packages")
        release = re.search(r"\d+\.\d+", python)
        assert release
        packages.bring([listed], release[0], kept)
        _run(PYTHON, "-m", "venv", str(folder))
        how = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps", "--no-index"]
        pip = str(folder / "bin" / "pip")
        _run(pip, "install", *how, "--find-links", str(kept), "--only-binary", ":all:", "-r", str(listed))
        stamp.write_text(digest)
    return folder / "bin" / "certbot"


def _run(*command: str) -> str:
    """Return what a program says; raise BenchError with its last line when it fails."""
    # A caller's PYTHONPATH and the like are not for the distribution's Python.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        name = Path(command[0]).name
        raise BenchError(f"Certbot from PyPI cannot be installed, {name} said: {said}")
    return done.stdout
