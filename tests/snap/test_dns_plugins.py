"""The DNS plugins that speak HTTPS, each with its own client, against a stand-in for their providers' APIs.

dns_apis.py says what is real in it and what rests on our reading. A certificate is issued only if the plugin made the
right TXT record; how it signed its requests is judged here, by what the provider's documents say.
"""

import hashlib
import hmac
import json
import shlex
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
import trustme
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.snap import dns_apis
from tests.snap.dns_apis import APIS, ZONE
from tests.snap.support import MAIL, Certbot
from tests.snap.test_words import assert_told, said
from tools.acme import AcmeServer
from tools.hosts import NamespaceHost, Result

STORE = "/etc/ssl/certs/ca-certificates.crt"
LOG = "/run/dns-apis.log"
#: TLS's numbers of the groups that the module has as approved: P-256, P-384, P-521 (RFC 8446, 4.2.7).
APPROVED = {23, 24, 25}
#: What a UUID has, as DNS Made Easy hands secrets out; and one byte less than 112 bits.
SECRET, SHORT = "c9b5625f-9834-4ff8-baba-4ed5f32cae55", "0123456789abc"

Request = dict[str, Any]
SERVICE = rsa.generate_private_key(65537, 2048)


def account(key: rsa.RSAPrivateKey) -> str:
    """Return a key of a service account, as Google hands it out."""
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "project-1",
            "private_key_id": "key-1",
            "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            "client_email": "certbot@project-1.iam.gserviceaccount.com",
            "token_uri": "https://oauth2.googleapis.com/token",
        }
    )


def bearer(request: Request) -> None:
    """RFC 6750."""
    assert request["headers"]["authorization"] == "Bearer a-token"


def basic(request: Request) -> None:
    """RFC 7617."""
    kind, given = request["headers"]["authorization"].split()
    assert (kind, b64decode(given)) == ("Basic", b"a-name:a-token")


def of_nsone(request: Request) -> None:
    assert request["headers"]["x-nsone-key"] == "a-token"


def of_google(request: Request) -> None:
    """RS256 (RFC 7518, 3.3), once, for a token."""
    if request["host"] == "dns.googleapis.com":
        return
    asserted = dict(part.split("=") for part in b64decode(request["body"]).decode().split("&"))["assertion"]
    signed, _, signature = asserted.rpartition(".")
    header = json.loads(urlsafe_b64decode(signed.partition(".")[0] + "=="))
    assert header["alg"] == "RS256"
    SERVICE.public_key().verify(
        urlsafe_b64decode(signature + "=="), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
    )


def of_dnsmadeeasy(request: Request) -> None:
    """HMAC-SHA-1 over the time of the request."""
    headers = request["headers"]
    assert headers["x-dnsme-apikey"] == "a-name"
    expected = hmac.digest(SECRET.encode(), headers["x-dnsme-requestdate"].encode(), "sha1").hex()
    assert headers["x-dnsme-hmac"] == expected


def of_ovh(request: Request) -> None:
    """SHA-1 over the secret and the request; the first request asks for the time, and needs none."""
    if request["target"] == "/1.0/auth/time":
        return
    headers = request["headers"]
    url = f"https://{request['host']}{request['target']}"
    body = b64decode(request["body"]).decode()
    parts = ["the-secret", "the-consumer", request["method"], url, body, headers["x-ovh-timestamp"]]
    assert headers["x-ovh-application"] == "the-application"
    assert headers["x-ovh-signature"] == "$1$" + hashlib.sha1("+".join(parts).encode()).hexdigest()


class Plugin(NamedTuple):
    """What a plugin is given, and how its requests have to be signed."""

    given: dict[str, str]
    signed: Callable[[Request], None]


PLUGINS = {
    "cloudflare": Plugin({"api_token": "a-token"}, bearer),
    "digitalocean": Plugin({"token": "a-token"}, bearer),
    "dnsimple": Plugin({"token": "a-token"}, bearer),
    "dnsmadeeasy": Plugin({"api_key": "a-name", "secret_key": SECRET}, of_dnsmadeeasy),
    "gehirn": Plugin({"api_token": "a-name", "api_secret": "a-token"}, basic),
    "google": Plugin({}, of_google),
    "linode": Plugin({"key": "a-token"}, bearer),
    "luadns": Plugin({"email": "a-name", "token": "a-token"}, basic),
    "nsone": Plugin({"api_key": "a-token"}, of_nsone),
    "ovh": Plugin(
        {
            "endpoint": "ovh-eu",
            "application_key": "the-application",
            "application_secret": "the-secret",
            "consumer_key": "the-consumer",
        },
        of_ovh,
    ),
    "sakuracloud": Plugin({"api_token": "a-name", "api_secret": "a-token"}, basic),
}


class ProvidersHost:
    """A host on which the providers' names lead to the stand-in; its own trust store knows who certified that."""

    def __init__(self, host: NamespaceHost, acme: AcmeServer) -> None:
        self.host = host
        self.certbot = Certbot(host, acme)
        authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
        server = authority.issue_cert(*APIS, key_type=trustme.KeyType.ECDSA)
        with TemporaryDirectory() as made:
            server.cert_chain_pems[0].write_to_path(f"{made}/server.pem")
            server.private_key_pem.write_to_path(f"{made}/server.key")
            host.copy(Path(made), "/run/dns-apis")
        self._authority = authority.cert_pem.bytes().decode()
        names = "".join(f"127.0.0.1 {name}\n" for name in APIS)
        host.run(["tee", "-a", "/etc/hosts"], stdin=names).check()
        dns = "127.0.0.1:14003"  # where pebble-challtestsrv is told, see AcmeServer
        dns_apis.start(host, "/run/dns-apis/server.pem", "/run/dns-apis/server.key", dns, LOG)
        self.certbot("register", "--agree-tos", "--email", MAIL).check()

    @contextmanager
    def trusting(self) -> Iterator[None]:
        """Have the host trust the stand-in, in the file that its `update-ca-certificates` makes."""
        store = self.host.path(STORE)
        before = store.read_text()
        store.write_text(before + self._authority)
        try:
            yield
        finally:
            store.write_text(before)

    def certonly(self, plugin: str, given: dict[str, str] | str) -> Result:
        """Ask for a certificate with a plugin.

        :param given: what its file of credentials has: options without the plugin's prefix, or all of it.
        """
        lines = (
            "".join(f"dns_{plugin}_{name} = {value}\n" for name, value in given.items())
            if not isinstance(given, str)
            else given
        )
        self.host.run(["sh", "-euc", "umask 077; cat > /run/credentials"], stdin=lines).check()
        self.host.run(["truncate", "--size=0", LOG]).check()
        options = (f"--dns-{plugin}", f"--dns-{plugin}-credentials", "/run/credentials")
        wait = (f"--dns-{plugin}-propagation-seconds", "0")
        return self.certbot("certonly", *options, *wait, "--domain", f"{plugin}.{ZONE}", "--force-renewal")

    def seen(self) -> list[Request]:
        """Return what the stand-in saw since the last :meth:`certonly`."""
        return [json.loads(line) for line in self.host.path(LOG).read_text().splitlines()]


@pytest.fixture(scope="module")
def providers(snap_file: Path) -> Iterator[Callable[[bool], ProvidersHost]]:
    """Return a flagged host or one that is not, made when it is first wanted."""
    made: dict[bool, ProvidersHost] = {}
    with ExitStack() as stack:

        def get(flagged: bool) -> ProvidersHost:
            if flagged not in made:
                host = stack.enter_context(NamespaceHost(snap_file, flagged))
                made[flagged] = ProvidersHost(host, stack.enter_context(AcmeServer(host)))
            return made[flagged]

        yield get


def given(plugin: str) -> dict[str, str] | str:
    return PLUGINS[plugin].given or account(SERVICE)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_gets_a_certificate(providers: Callable[[bool], ProvidersHost], plugin: str) -> None:
    """Over approved TLS, its requests signed; the control: who certified the provider is not in the host's store."""
    host = providers(True)
    refused = host.certonly(plugin, given(plugin))
    assert refused.returncode == 1
    assert (
        "CERTIFICATE_VERIFY_FAILED" in host.host.run(["cat", "/var/log/letsencrypt/letsencrypt.log"]).stdout
    )
    assert all(set(seen) == {"error"} and "unknown ca" in seen["error"] for seen in host.seen()), host.seen()
    assert host.seen()

    with host.trusting():
        host.certonly(plugin, given(plugin)).check()
    assert host.certbot.certificate(f"{plugin}.{ZONE}").names == [f"{plugin}.{ZONE}"]
    requests = host.seen()
    for request in requests:
        assert request["version"] == "TLSv1.3" and "AES" in request["cipher"]
        assert request["group"] in APPROVED
        PLUGINS[plugin].signed(request)
    assert {request["method"] for request in requests} & {"POST", "PUT"}
    # What it made it took away.
    assert not host.certbot.host.run(["sh", "-c", f"grep -l {plugin} /run/dns-apis.errors"]).stdout
