"""A bundle as upstream's Certbot snap is one: a flag-reading OpenSSL of a distribution, and no FIPS module.

Nothing is imitated. Red Hat's build of OpenSSL reads the kernel's FIPS flag, as Ubuntu's does, and wants its
module then. The PyPI package `ladybug` (a database) happens to carry such a build among its libraries; the
Python is this machine's own, which finds these libraries before the distribution's.
"""

from __future__ import annotations

import shutil
import sys
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path

from tools.hosts import Host, HostError, Result
from tools.hosts.base import LOGIN_ENVIRONMENT

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


def libraries() -> dict[str, Path]:
    """Return the bundle's libraries by the names under which programs look for them, and by their own.

    Raise HostError when the bundle cannot be had.
    """
    try:
        package = Distribution.from_name(PACKAGE)
    except PackageNotFoundError:
        raise HostError(f"the Python package {PACKAGE} is missing: run `make setup`") from None
    found = {}
    for file in package.files or []:
        for library in ("libcrypto", "libssl"):
            if file.name.startswith(f"{library}-") and ".so.3" in file.name:
                found[file.name] = found[f"{library}.so.3"] = Path(str(file.locate()))
    return found


def unpack(folder: Path) -> None:
    """Put the libraries and the config into a folder. Raise HostError when they cannot be had."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, library in libraries().items():
        shutil.copy(library, folder / name)
    (folder / "openssl.cnf").write_text(STOCK_CONFIG)


def put_on(host: Host) -> str:
    """Copy the bundle to a host and return what it is. Raise HostError when it cannot be had."""
    for name, library in libraries().items():
        host.copy(library, f"{FOLDER}/{name}")
    host.run(["mkdir", "-p", "/etc/pki/tls"]).check()
    host.run(["tee", "/etc/pki/tls/openssl.cnf"], stdin=STOCK_CONFIG).check()
    shown = run(
        host, "import platform, ssl; print(f'Python {platform.python_version()}, {ssl.OPENSSL_VERSION}')"
    )
    version = Distribution.from_name(PACKAGE).version
    return f"{shown.check().stdout.strip()} (Red Hat's build, from {PACKAGE} {version})"


def run(host: Host, program: str) -> Result:
    """Run a Python program in the bundle."""
    return host.run(["python3", "-c", program], env={**LOGIN_ENVIRONMENT, "LD_LIBRARY_PATH": FOLDER})


if __name__ == "__main__":
    unpack(Path(sys.argv[1]))
