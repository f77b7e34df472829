"""A bundle as upstream's Certbot snap is one: a flag-reading OpenSSL of a distribution, and no FIPS module.

Nothing is imitated. Red Hat's build of OpenSSL reads the kernel's FIPS flag, as Ubuntu's does, and wants its
module then. The PyPI package `ladybug` (a database) happens to carry such a build among its libraries; the
Python is this machine's own, which finds these libraries before the distribution's.
"""

from __future__ import annotations

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


def put_on(host: Host) -> str:
    """Copy the bundle to a host and return what it is. Raise HostError when it cannot be had."""
    try:
        package = Distribution.from_name(PACKAGE)
    except PackageNotFoundError:
        raise HostError(f"the Python package {PACKAGE} is missing: run `make setup`") from None
    for file in package.files or []:
        for library in ("libcrypto", "libssl"):
            if file.name.startswith(f"{library}-") and ".so.3" in file.name:
                host.copy(Path(str(file.locate())), f"{FOLDER}/{file.name}")
                host.run(["ln", "-s", file.name, f"{FOLDER}/{library}.so.3"]).check()
    host.run(["mkdir", "-p", "/etc/pki/tls"]).check()
    host.run(["tee", "/etc/pki/tls/openssl.cnf"], stdin=STOCK_CONFIG).check()
    shown = run(
        host, "import platform, ssl; print(f'Python {platform.python_version()}, {ssl.OPENSSL_VERSION}')"
    )
    return f"{shown.check().stdout.strip()} (Red Hat's build, from {PACKAGE} {package.version})"


def run(host: Host, program: str) -> Result:
    """Run a Python program in the bundle."""
    return host.run(["python3", "-c", program], env={**LOGIN_ENVIRONMENT, "LD_LIBRARY_PATH": FOLDER})
