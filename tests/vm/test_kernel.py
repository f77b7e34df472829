"""The snap on kernels that were booted with fips=1 and with fips=0: the flag is real, nothing is mounted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.acme import AcmeServer
from tools.demo import bundle
from tools.hosts import HostRefusedError
from tools.hosts.catalog import find
from tools.hosts.make import make_host
from tools.hosts.qemu import QemuHost

FLAG = "/proc/sys/crypto/fips_enabled"
PROGRAM = bundle.SSL_CONTEXT + "; print(open('/proc/self/maps').read())"


@pytest.fixture(scope="class")
def host(request: pytest.FixtureRequest, snap_file: Path) -> Iterator[QemuHost]:
    """The virtual machine that the class names. One for each class, as two at once would be slow."""
    try:
        host = make_host(find(request.cls.SYSTEM))
        host.up()
    except HostRefusedError as reason:
        pytest.skip(str(reason))
    assert isinstance(host, QemuHost)
    try:
        host.install(snap_file)
        yield host
    finally:
        host.down()


@pytest.mark.xdist_group("kernel, flagged")
class TestFlagged:
    SYSTEM = "debian-13-kernel-fips"

    def test_the_flag_is_the_kernels_own(self, host: QemuHost) -> None:
        assert host.run(["cat", FLAG]).stdout == "1\n"
        assert " fips=1" in host.run(["cat", "/proc/cmdline"]).stdout
        mounts = [line.split()[4] for line in host.run(["cat", "/proc/self/mountinfo"]).stdout.splitlines()]
        assert "/proc" in mounts
        over = [mount for mount in mounts if f"{FLAG}/".startswith(f"{mount}/") and mount != "/"]
        assert over == ["/proc"]

    def test_upstreams_bundle_fails_there(self, host: QemuHost) -> None:
        bundle.put_on(host)
        failed = bundle.run(host, bundle.SSL_CONTEXT)
        assert failed.returncode == 1
        assert "ssl.SSLError" in failed.stderr

    def test_the_snaps_python_uses_the_module(self, host: QemuHost) -> None:
        done = host.run(["certbot-fips.python3", "-c", PROGRAM]).check()
        assert "/fips.so\n" in done.stdout

    def test_the_doctor_proves_it(self, host: QemuHost) -> None:
        assert host.run(["certbot-fips.doctor"]).check().stdout.startswith("FIPS: active\n")

    def test_a_certificate(self, host: QemuHost) -> None:
        with AcmeServer(host) as acme:
            host.run(
                [
                    *("certbot-fips", "certonly", "--standalone", "--non-interactive", "--agree-tos"),
                    *("--email", "admin@example.org", "--domain", "kernel.example.org"),
                    *("--server", acme.directory),
                ]
            ).check()
        path = "/etc/letsencrypt/live/kernel.example.org/fullchain.pem"
        said = host.run(
            ["openssl", "x509", "-noout", "-issuer", "-ext", "subjectAltName", "-in", path]
        ).check()
        assert "Pebble Intermediate CA" in said.stdout
        assert "DNS:kernel.example.org" in said.stdout


@pytest.mark.xdist_group("kernel, not flagged")
class TestUnflagged:
    SYSTEM = "debian-13-kernel"

    def test_no_flag_and_no_fips(self, host: QemuHost) -> None:
        assert host.run(["cat", FLAG]).stdout == "0\n"
        bundle.put_on(host)
        bundle.run(host, bundle.SSL_CONTEXT).check()
        said = host.run(["certbot-fips.doctor"])
        assert said.stdout.startswith("FIPS: off, host not flagged\n"), said.stderr
