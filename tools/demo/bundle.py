"""A bundle as upstream's Certbot snap is one: Python and a distribution's flag-reading OpenSSL, no module.

Nothing is imitated. Red Hat's build of OpenSSL reads the kernel's FIPS flag, as Ubuntu's does, and wants its
module then. The PyPI package `ladybug` (a database) happens to carry such a build among its libraries; the
Python is this machine's own, as much of it as `import ssl` needs. It uses nothing of the host it is on.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path

from tools.hosts import Host, HostError, Result
from tools.hosts.carried import carry

PACKAGE = "ladybug"
FOLDER = "/opt/bundle"
#: OpenSSL's own stock openssl.cnf, less what is for `openssl ca` and `openssl req`.
STOCK_CONFIG = """\
config_diagnostics = 1
openssl_conf = openssl_init
[openssl_init]
providers = provider_sect
[provider_sect]
default = default_sect
[default_sect]
activate = 1
"""
SSL_CONTEXT = "import ssl; ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)"
_MODULES = """
import site, ssl, sys, traceback
print(*(module.__file__ for module in sys.modules.values() if hasattr(module, "__file__")))
"""


def make(folder: Path) -> None:
    """Put the bundle into a folder: `python3` in it is its Python. Raise HostError when it is unavailable."""
    lib = folder / "lib"
    lib.mkdir(parents=True)
    for name, library in _openssl().items():
        shutil.copy(library, lib / name)
    (folder / "openssl.cnf").write_text(STOCK_CONFIG)
    python = Path(sys.executable).resolve()  # the distribution's: .venv has a link to it
    modules = _modules(python)
    stdlib = Path(sysconfig.get_path("stdlib"))
    for module in modules:
        copy = lib / stdlib.name / module.relative_to(stdlib)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(module, copy)
    carry(
        python,
        folder / "python3",
        also=[module for module in modules if module.suffix == ".so"],
        variables={
            "PYTHONHOME": "$here",
            "PYTHONDONTWRITEBYTECODE": "1",
            "OPENSSL_CONF": "$here/openssl.cnf",
            # Where this OpenSSL looks by itself, a host of Red Hat's has a module.
            "OPENSSL_MODULES": "$here/lib/ossl-modules",
        },
    )


def put_on(host: Host) -> str:
    """Copy the bundle to a host and return what it is. Raise HostError when it is unavailable."""
    with tempfile.TemporaryDirectory() as made:
        make(Path(made, "bundle"))
        host.copy(Path(made, "bundle"), FOLDER)
    shown = run(host, "import ssl, sys; print(f'Python {sys.version.split()[0]}, {ssl.OPENSSL_VERSION}')")
    version = Distribution.from_name(PACKAGE).version
    return f"{shown.check().stdout.strip()} (Red Hat's build, from {PACKAGE} {version})"


def run(host: Host, program: str) -> Result:
    """Run a Python program in the bundle."""
    return host.run([f"{FOLDER}/python3", "-c", program])


def _openssl() -> dict[str, Path]:
    """Return Red Hat's libraries by the names under which programs look for them."""
    try:
        package = Distribution.from_name(PACKAGE)
    except PackageNotFoundError:
        raise HostError(f"the Python package {PACKAGE} is missing: run `make setup`") from None
    found = {}
    for file in package.files or []:
        for library in ("libcrypto", "libssl"):
            if file.name.startswith(f"{library}-") and ".so.3" in file.name:
                found[f"{library}.so.3"] = Path(str(file.locate()))
    return found


def _modules(python: Path) -> list[Path]:
    """Return the files of the modules that a Python has loaded when it can make an SSLContext."""
    said = subprocess.run([python, "-I", "-S", "-c", _MODULES], capture_output=True, text=True)
    if said.returncode != 0:
        raise HostError(f"{python} cannot import ssl: {said.stderr.strip().splitlines()[-1]}")
    return [Path(file) for file in said.stdout.split()]
