"""Through a proxy that looks into TLS: the host trusts the proxy's authority, and only the proxy the real."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.conftest import PROJECT
from tests.moves.certbots import PYTHON
from tests.moves.support import LETSENCRYPT, make_due, service, versions
from tools.acme import AcmeServer
from tools.build import packages
from tools.hosts import Result
from tools.hosts.base import LOGIN_ENVIRONMENT
from tools.hosts.nspawn import NspawnHost

FOLDER = "/run/proxy"
PROXY = "http://127.0.0.1:3128"
STORE = "/etc/ssl/certs/ca-certificates.crt"
START = f"""
cd {FOLDER}
cp {STORE} before
cat authority.pem >> {STORE}
openssl genrsa -out signing.pem 2048
mkdir made
PYTHONPATH=packages setsid python3 -m proxy --hostname 127.0.0.1 --port 3128 --num-workers 1 \\
    --num-acceptors 1 --plugins proxy.plugin.CacheResponsesPlugin --ca-cert-file authority.pem \\
    --ca-key-file authority.key --ca-signing-key-file signing.pem --ca-cert-dir made --ca-file "$0" \\
    > log 2>&1 < /dev/null &
echo $! > pid
try='import socket; socket.create_connection(("127.0.0.1", 3128))'
for _ in $(seq 600); do ! python3 -c "$try" || exit 0; done
exit 1
"""


@pytest.fixture
def real(host: NspawnHost) -> Iterator[AcmeServer]:
    """An authority that the host does not trust."""
    with AcmeServer(host, port=34000, http_port=80, trusted=False) as acme:
        yield acme


@pytest.fixture
def proxy(host: NspawnHost, real: AcmeServer) -> Iterator[str]:
    """Where it listens; its authority is in the host's trust store meanwhile."""
    pins = Path(__file__).with_name("proxy.txt")
    kept = packages.install(pins, PYTHON, PROJECT / "build/cache", "proxy")
    authority = trustme.CA()
    with tempfile.TemporaryDirectory() as made:
        authority.cert_pem.write_to_path(Path(made, "authority.pem"))
        authority.private_key_pem.write_to_path(Path(made, "authority.key"))
        host.copy(Path(made), FOLDER)
    host.copy(kept, f"{FOLDER}/packages")
    host.run(["sh", "-euc", START, real.ca_file]).check()
    yield PROXY
    host.run(["sh", "-c", f'kill "$(cat {FOLDER}/pid)"; cp {FOLDER}/before {STORE}; rm -r {FOLDER}']).check()


def test_a_proxy_that_looks_into_tls(host: NspawnHost, real: AcmeServer, proxy: str) -> None:
    """By the environment, and for the service by /etc/environment, which snapd has its services read."""
    name = "inspected.example.org"

    def issue(**more: str) -> Result:
        how = ["--standalone", "--domain", name, "--server", real.directory, "--email", "admin@example.org"]
        command = ["certbot-fips", "certonly", "--non-interactive", "--agree-tos", *how]
        return host.run(command, env={**LOGIN_ENVIRONMENT, **more})

    # The control: without the proxy the authority is not trusted, so what succeeds went through it.
    refused = issue()
    assert refused.returncode == 1 and "CERTIFICATE_VERIFY_FAILED" in refused.stderr
    issue(HTTPS_PROXY=proxy).check()
    assert "CONNECT localhost:34000" in host.path(f"{FOLDER}/log").read_text()

    make_due(host, name)
    # snapd's own setting is for its own way to the store; classic snaps do not hear of it.
    host.run(["snap", "set", "system", f"proxy.https={proxy}"]).check()
    assert service(host).returncode != 0
    assert versions(host, name) == 1
    host.run(["snap", "unset", "system", "proxy.https"]).check()
    host.run(["sh", "-c", f"echo HTTPS_PROXY={proxy} >> /etc/environment"]).check()
    service(host).check()
    host.run(["sed", "-i", "/^HTTPS_PROXY=/d", "/etc/environment"]).check()
    assert versions(host, name) == 2
    assert LETSENCRYPT in host.run(["certbot-fips", "certificates"]).check().stdout
