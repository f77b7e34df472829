"""The four steps of the demo. Each line that is printed was measured in the same run."""

from __future__ import annotations

import hashlib
import json
import platform
import shlex
from contextlib import ExitStack
from pathlib import Path

from tools.acme import AcmeServer
from tools.acme.certificate import Certificate
from tools.demo import bundle
from tools.hosts import NamespaceHost, Result
from tools.observe import CallCounter, Wire, groups
from tools.observe.calls import KEY_GENERATION

NAME = "demo.example.org"
ROOT = "/snap/certbot-fips/current"
#: Run by the snap's Python: what it could do, and what is in its memory.
PROBE = f"""
{bundle.SSL_CONTEXT}
import hashlib, json
from cryptography.hazmat.primitives.asymmetric import rsa
def attempt(action):
    try:
        action()
    except Exception as error:
        return str(error).splitlines()[0].partition(" (")[0].partition(": error:")[0]
    return ""
lines = [line.split(maxsplit=5) for line in open("/proc/self/maps")]
files = {{line[5].strip() for line in lines if len(line) == 6}}
print(json.dumps({{
    "openssl": ssl.OPENSSL_VERSION,
    "sha256": hashlib.sha256(b"abc").hexdigest(),
    "md5": attempt(lambda: hashlib.md5(b"")),
    "rsa": attempt(lambda: rsa.generate_private_key(65537, 1024)),
    "libcrypto": sorted(file for file in files if "libcrypto" in file),
    "module": sorted(file for file in files if "fips.so" in file),
}}))
"""


class NotShownError(Exception):
    """Something that the demo is to show did not hold; the text is one line that says what."""


def heading(text: str) -> None:
    """Print the heading of a step."""
    print(f"\n{text}")


def line(label: str, text: str) -> None:
    """Print a finding, aligned."""
    print(f"   {label:<15}{text}", flush=True)


def command(text: str) -> None:
    """Print a command as it would be typed."""
    print(f"   $ {text}", flush=True)


def hold(condition: bool, otherwise: str) -> None:
    """Raise NotShownError with `otherwise` unless the condition holds."""
    if not condition:
        raise NotShownError(otherwise)


class Demo:
    """The demo with one packed snap."""

    def __init__(self, snap: Path) -> None:
        self._snap = snap

    def run(self) -> None:
        """Show everything. Raise NotShownError, or an error of the tools, when something cannot be shown."""
        with NamespaceHost(self._snap, flagged=True) as host:
            self._introduce(host)
            self._show_bug(host)
            self._show_context(host)
            self._show_certificate(host)
            self._conclude(self._record(host))

    def _record(self, host: NamespaceHost) -> dict[str, str]:
        """Return what the snap has on record about its module; the only source of claims."""
        text = host.run(["cat", f"{ROOT}/usr/share/fips-provider/record.json"]).check().stdout
        record: dict[str, str] = json.loads(text)
        return record

    def _conclude(self, record: dict[str, str]) -> None:
        heading("4. What was shown")
        print(
            "   On a host with the FIPS flag set, where a bundle without a module fails, Certbot got a"
            f" certificate whose keys were made in the module {record['name']} {record['version']};"
            f" what may be claimed of it: {record['validation']}."
        )

    def _introduce(self, host: NamespaceHost) -> None:
        flag = host.run(["cat", "/proc/sys/crypto/fips_enabled"]).check().stdout.strip()
        hold(flag == "1", f"the flag of the host made here is {flag!r}, not 1")
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
        snapd = host.run(["sh", "-c", ". /usr/lib/snapd/info && echo $VERSION"]).stdout.strip()
        print("certbot-fips: a certificate on a FIPS-flagged host\n")
        line("host", f"{system}, Linux {platform.release()}, in a mount and network namespace of its own")
        line(
            "flag",
            f"/proc/sys/crypto/fips_enabled: {flag} (mounted there; the kernel itself is this machine's)",
        )
        root = host.run(["readlink", "-f", ROOT]).check().stdout.strip()
        line("snap", f"{self._snap.name}, {self._snap.stat().st_size / 1e6:.1f} MB, mounted at {root}")
        line("", f"apps are entered through the snap-exec of snapd {snapd}, as `snap run` does")
        line("base", self._base(host))

    def _base(self, host: NamespaceHost) -> str:
        base = host.run(["readlink", "/snap/core24/current"]).stdout.strip()
        return (
            "core24" if base == "real" else "this machine's /usr stands in for core24 (loader and C library)"
        )

    def _show_bug(self, host: NamespaceHost) -> None:
        heading("1. The bug: a bundle without a FIPS module on this host")
        line("bundle", bundle.put_on(host))
        line("", "it reads the kernel's flag, as Ubuntu's OpenSSL in core24 does, and has no fips.so")
        command(f"python3 -c '{bundle.SSL_CONTEXT}'")
        failed = bundle.run(host, bundle.SSL_CONTEXT)
        said = (failed.stderr.strip().splitlines() or ["nothing"])[-1]
        line("", said)
        hold(
            "ssl.SSLError" in said,
            f"the bundle without a module was to fail with ssl.SSLError and said: {said}",
        )
        with NamespaceHost(flagged=False) as unflagged:
            bundle.put_on(unflagged)
            bundle.run(unflagged, bundle.SSL_CONTEXT).check()
        line("control", "the same bundle on a host without the flag: SSLContext created")

    def _show_context(self, host: NamespaceHost) -> None:
        heading("2. The snap on the same host")
        command("snap run --shell certbot-fips")
        command(f"python3 -c '{bundle.SSL_CONTEXT}'")
        shell = ["snap", "run", "--shell", "certbot-fips", "-c"]
        host.run([*shell, f"python3 -c {shlex.quote(bundle.SSL_CONTEXT)}"]).check()
        found = json.loads(host.run([*shell, 'python3 -c "$0"', PROBE]).check().stdout)
        root = host.run(["readlink", "-f", ROOT]).check().stdout.strip()
        hold(found["libcrypto"] == [f"{root}/usr/lib/libcrypto.so.3"], f"libcrypto: {found['libcrypto']}")
        hold(found["module"] == [f"{root}/usr/lib/ossl-modules/fips.so"], f"FIPS module: {found['module']}")
        hold(found["md5"] != "", "MD5 for security was given")
        hold(found["rsa"] != "", "an RSA key of 1024 bits was made")
        hold(found["sha256"] == hashlib.sha256(b"abc").hexdigest(), "SHA-256 is wrong")
        line("", "SSLContext created. The process that made it:")
        line("libcrypto", f"{found['openssl']}, {found['libcrypto'][0]}, the only one in memory")
        self._show_module(host, found["module"][0])
        line("SHA-256", "works")
        line("MD5", f"refused for security: {found['md5']}")
        line("RSA-1024", f"key refused: {found['rsa']}")

    def _show_module(self, host: NamespaceHost, path: str) -> None:
        listed = host.run(["certbot-fips.openssl", "list", "-providers"]).check().stdout
        record = self._record(host)
        active = f"{record['name']}\n    version: {record['version']}\n    status: active"
        hold(active in listed, f"{record['name']} {record['version']} is not active")
        digest = hashlib.sha256(host.path(path).read_bytes()).hexdigest()
        hold(digest == record["module_sha256"], f"{path} is not the module on record")
        line("module", f"{record['name']} {record['version']}, active, {path}")
        line("", f"sha256 {digest}, as on record")

    def _show_certificate(self, host: NamespaceHost) -> None:
        heading("3. A certificate over HTTP-01, from pebble (a test authority) on the same host")
        with ExitStack() as stack:
            acme = stack.enter_context(AcmeServer(host))
            typed = f"certbot-fips certonly --standalone --domain {NAME} --server {acme.directory}"
            command(typed)
            wire = stack.enter_context(Wire(host))
            folder = host.path(f"{ROOT}/usr/lib")
            module = stack.enter_context(CallCounter(folder / "ossl-modules/fips.so", KEY_GENERATION))
            libcrypto = stack.enter_context(CallCounter(folder / "libcrypto.so.3", KEY_GENERATION))
            # Every start tries to make a weak key; some modules refuse that in the generator itself.
            host.run(["certbot-fips.python3", "-c", "pass"]).check()
            refused = module.counts()
            account = ["--non-interactive", "--agree-tos", "--email", "admin@example.org"]
            done = host.run([*typed.split(), *account])
            self._show_issued(host, done)
            handshakes, called, outside = wire.handshakes(), module.counts(), libcrypto.counts()
            made = {name: count - 2 * refused[name] for name, count in called.items()}
        hold(bool(handshakes), "no TLS connection to the authority was seen")
        for seen in handshakes:
            hold(seen.group in groups.APPROVED, f"TLS to the authority agreed on {seen.group}")
            offered = ", ".join(seen.offered)
            hold(groups.APPROVED.issuperset(seen.offered), f"to the authority was offered: {offered}")
        agreed = sorted({f"{seen.version}, {seen.cipher}, group {seen.group}" for seen in handshakes})
        line("TLS to the CA", f"{'; '.join(agreed)}")
        line("", f"read from the wire; groups offered: {', '.join(handshakes[0].offered)}")
        hold(all(made.values()), f"keys made in the module: {made}")
        hold(not any(outside.values()), f"keys made outside the module: {outside}")
        rsa, ec = (made[name] for name in KEY_GENERATION)
        line("keys made", f"in fips.so: {rsa} RSA (account), {ec} EC (certificate, TLS); in libcrypto: none")
        line("", "calls of the generators in both files, counted by the kernel (uprobes)")

    def _show_issued(self, host: NamespaceHost, done: Result) -> None:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[0]
        hold(done.returncode == 0, f"certbot-fips certonly ended with {done.returncode} and said: {said}")
        live = f"/etc/letsencrypt/live/{NAME}"
        issued = Certificate(host.path(live))
        hold(issued.names == [NAME], f"the certificate is for {issued.names}")
        line("certificate", f"{live}/fullchain.pem")
        line("subject", f"{issued.subject} (DNS: {', '.join(issued.names)})")
        line("issuer", issued.issuer)
        line("key type", issued.key)
        line("valid until", issued.valid_until)
