"""The other side: Certbot from PyPI, in a virtual environment of the distribution's Python."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

from tools.bench.measure import here
from tools.build import packages
from tools.progress import step

PYTHON = "/usr/bin/python3"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
#: Exists as source alone, which wants Augeas' headers; Certbot does without it as long as no Apache is
#: configured with it, and starts a little faster for it.
LEFT_OUT = "python-augeas"
#: The plugin for RFC 2136, and what only it needs.
DNS = ("certbot-dns-rfc2136", "dnspython")


def pins() -> dict[str, str]:
    """Return the lines of the requirements by the package that they pin."""
    return {line.partition("==")[0]: line for line in REQUIREMENTS.read_text().splitlines()}


def install(folder: Path, dns: bool = False) -> Path:
    """Make the virtual environment where it is not there or not up to date; return its `certbot`.

    dns: with the plugin for RFC 2136 besides those for nginx and apache.
    Raise UnavailableError when pip cannot get it, BuildError when it gets other bytes than the pinned ones,
    BenchError when it cannot install them.
    """
    left_out = (LEFT_OUT,) if dns else (LEFT_OUT, *DNS)
    lines = [line for name, line in pins().items() if name not in left_out]
    python = here(PYTHON, "--version").strip()
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
        here(PYTHON, "-m", "venv", str(folder))
        how = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps", "--no-index"]
        pip = str(folder / "bin" / "pip")
        here(pip, "install", *how, "--find-links", str(kept), "--only-binary", ":all:", "-r", str(listed))
        stamp.write_text(digest)
    return folder / "bin" / "certbot"
