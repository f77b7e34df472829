"""The DNS plugins that speak HTTPS, each with its own client, against a stand-in for their providers' APIs.

dns_apis.py says what is real in it and what rests on our reading. A certificate is issued only if the plugin
made the right TXT record; how it signed its requests is judged here, by our reading of the providers' words.
"""

import hashlib
import hmac
import json
import platform
import re
from base64 import b64decode, b64encode, urlsafe_b64decode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
import trustme
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.conftest import PROJECT
from tests.snap import dns_apis
from tests.snap.dns_apis import APIS, ZONE
from tests.snap.support import MAIL, Certbot
from tests.snap.test_words import LOG as CERTBOTS_LOG
from tests.snap.test_words import assert_told, said
from tools.acme import AcmeServer
from tools.build import packages
from tools.build.errors import UnavailableError
from tools.hosts import NamespaceHost, Result
from tools.observe import groups

STORE = "/etc/ssl/certs/ca-certificates.crt"
LOG = "/run/dns-apis.log"
#: What a UUID has, as DNS Made Easy hands secrets out; and one byte less than 112 bits.
SECRET, SHORT = "c9b5625f-9834-4ff8-baba-4ed5f32cae55", "0123456789abc"

Request = dict[str, Any]


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


SERVICE = rsa.generate_private_key(65537, 2048)


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
    form = dict(part.split("=") for part in b64decode(request["body"]).decode().split("&"))
    signed, _, signature = form["assertion"].rpartition(".")
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


def of_route53(request: Request) -> None:
    """Amazon's signature, version 4: HMAC-SHA-256, with a key for the day that is derived by it too."""
    headers = request["headers"]
    found = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=a-name/((\d+)/us-east-1/route53/aws4_request),"
        r" SignedHeaders=(\S+), Signature=(\w+)",
        headers["authorization"],
    )
    assert found
    scope, day, names, signature = found.groups()
    path, _, query = request["target"].partition("?")
    own = [f"{name}:{headers[name]}" for name in names.split(";")]
    body = hashlib.sha256(b64decode(request["body"])).hexdigest()
    canonical = "\n".join([request["method"], path, query, *own, "", names, body])
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{SECRET}".encode()
    for part in (day, "us-east-1", "route53", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signed = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, digest])
    assert hmac.digest(key, signed.encode(), "sha256").hex() == signature


class Plugin(NamedTuple):
    """What a plugin's file of credentials has, and how its requests have to be signed."""

    given: str
    signed: Callable[[Request], None]


def named(plugin: str, **given: str) -> str:
    """Return a file of credentials as most plugins have it."""
    return "".join(f"dns_{plugin}_{name} = {value}\n" for name, value in given.items())


PLUGINS = {
    "cloudflare": Plugin(named("cloudflare", api_token="a-token"), bearer),
    "digitalocean": Plugin(named("digitalocean", token="a-token"), bearer),
    "dnsimple": Plugin(named("dnsimple", token="a-token"), bearer),
    "dnsmadeeasy": Plugin(named("dnsmadeeasy", api_key="a-name", secret_key=SECRET), of_dnsmadeeasy),
    "gehirn": Plugin(named("gehirn", api_token="a-name", api_secret="a-token"), basic),
    "google": Plugin(account(SERVICE), of_google),
    "linode": Plugin(named("linode", key="a-token"), bearer),
    "luadns": Plugin(named("luadns", email="a-name", token="a-token"), basic),
    "nsone": Plugin(named("nsone", api_key="a-token"), of_nsone),
    "ovh": Plugin(
        named(
            "ovh",
            endpoint="ovh-eu",
            application_key="the-application",
            application_secret="the-secret",
            consumer_key="the-consumer",
        ),
        of_ovh,
    ),
    "route53": Plugin(
        f"[default]\naws_access_key_id = a-name\naws_secret_access_key = {SECRET}\n", of_route53
    ),
    "sakuracloud": Plugin(named("sakuracloud", api_token="a-name", api_secret="a-token"), basic),
}
#: What starts moto, at dns_apis.MOTO, and makes the zone.
START_MOTO = """
export PYTHONPATH=/opt/moto
setsid python3 -m moto.server --host 127.0.0.1 --port 5000 > /run/moto.log 2>&1 < /dev/null &
python3 -c '
import boto3, time
options = dict(region_name="us-east-1", aws_access_key_id="moto", aws_secret_access_key="moto")
client = boto3.client("route53", endpoint_url="http://127.0.0.1:5000", **options)
for _ in range(600):
    try:
        client.create_hosted_zone(Name="example.org", CallerReference="1")
        break
    except Exception as error:
        why = error
        time.sleep(0.1)
else:
    raise why
'
"""


class ProvidersHost:
    """A host on which the providers' names lead to the stand-in, which it trusts or not."""

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

    def certonly(self, plugin: str, given: str = "") -> Result:
        """Ask for a certificate with a plugin; `given`: its file of credentials, if another than its own."""
        own = f"--dns-{plugin}"
        file, options = "/run/credentials", [f"{own}-credentials", "/run/credentials"]
        options += [f"{own}-propagation-seconds", "0"]
        if plugin == "route53":  # Amazon's client has a place for it
            file, options = "/root/.aws/credentials", []
        script = 'umask 077; mkdir -p "${0%/*}"; cat > "$0"'
        self.host.run(["sh", "-euc", script, file], stdin=given or PLUGINS[plugin].given).check()
        self.host.run(["truncate", "--size=0", LOG]).check()
        return self.certbot("certonly", own, *options, "--domain", f"{plugin}.{ZONE}", "--force-renewal")

    def seen(self, kind: str) -> list[Request]:
        """Return what the stand-in saw since the last :meth:`certonly`, of what has this key."""
        lines = map(json.loads, self.host.path(LOG).read_text().splitlines())
        return [line for line in lines if kind in line]


Providers = Callable[[bool], ProvidersHost]


@pytest.fixture(scope="module")
def moto() -> Path | UnavailableError:
    """Return where moto is, with what it needs, or why it is not there."""
    python = ".".join(platform.python_version_tuple()[:2])
    try:
        return packages.install(PROJECT / "tests/snap/moto.txt", python, PROJECT / "build/cache", "moto")
    except UnavailableError as reason:
        return reason


@pytest.fixture(scope="module")
def providers(snap_file: Path, moto: Path | UnavailableError) -> Iterator[Providers]:
    """Return a flagged host, or one that is not, made when it is first wanted."""
    made: dict[bool, ProvidersHost] = {}
    shown = {"/opt/moto": moto} if isinstance(moto, Path) else {}
    with ExitStack() as stack:

        def get(flagged: bool) -> ProvidersHost:
            if flagged not in made:
                host = stack.enter_context(NamespaceHost(snap_file, flagged, shown=shown))
                made[flagged] = ProvidersHost(host, stack.enter_context(AcmeServer(host)))
            return made[flagged]

        yield get


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_gets_a_certificate(
    providers: Providers, moto: Path | UnavailableError, plugin: str
) -> None:
    """Over approved TLS, its requests signed; the control: the host does not trust the stand-in."""
    host = providers(True)
    if plugin == "route53":
        if isinstance(moto, UnavailableError):
            pytest.skip(str(moto))
        host.host.run(["sh", "-euc", START_MOTO]).check()
    assert host.certonly(plugin).returncode == 1
    assert "CERTIFICATE_VERIFY_FAILED" in host.host.run(["cat", CERTBOTS_LOG]).check().stdout
    assert host.seen("error") and host.seen("host") == []

    with host.trusting():
        host.certonly(plugin).check()
    name = f"{plugin}.{ZONE}"
    assert host.certbot.certificate(name).key == "ECDSA P-256"
    assert [(each["dns"], each["host"]) for each in host.seen("dns")] == [
        ("set-txt", f"_acme-challenge.{name}."),
        ("clear-txt", f"_acme-challenge.{name}."),
    ]
    requests = host.seen("method")
    assert len(requests) > 2
    for request in requests:
        assert request["version"] == "TLSv1.3" and "AES" in request["cipher"]
        assert groups.name(request["group"]) in groups.APPROVED
        PLUGINS[plugin].signed(request)


@pytest.mark.parametrize("plugin", ["cloudflare", "dnsimple", "google"])
def test_without_the_flag_a_group_is_negotiated_that_is_not_approved(
    providers: Providers, plugin: str
) -> None:
    """The control, for httpx, requests and httplib2: the stand-in prefers what no flag forbids."""
    host = providers(False)
    with host.trusting():
        host.certonly(plugin).check()
    assert not {groups.name(request["group"]) for request in host.seen("method")} & groups.APPROVED


def test_a_service_account_with_a_weak_key_is_refused_in_words(providers: Providers) -> None:
    weak = account(rsa.generate_private_key(65537, 1024))
    host = providers(True)
    with host.trusting():
        remedy = assert_told(
            host.host, host.certonly("google", weak), "refuses the key of the service account"
        )
    assert "--dns-google-credentials" in remedy
    assert host.seen("method") == []
    control = providers(False)
    with control.trusting():
        done = control.certonly("google", weak).check()
    assert said(done) == []
    assert control.seen("method")


def tsig(secret: str) -> str:
    """Return credentials for RFC 2136: pebble's DNS server, which knows no TSIG, is asked for the zone."""
    text = b64encode(secret.encode()).decode()
    key = {"name": "key", "secret": text, "algorithm": "HMAC-SHA256", "sign_query": "true"}
    return named("rfc2136", server="127.0.0.1", port="14002", **key)


@pytest.mark.provider
def test_a_short_secret_for_hmac(providers: Providers, provider: str) -> None:
    """Modules since 3.5 refuse one, as `openssl fipsinstall -pedantic` has it; the control: a longer one."""
    host = providers(True)
    refuses = provider in ("3.5.4", "in-tree")
    for secret, refused in ((SHORT, refuses), (SECRET, False)):
        with host.trusting():
            done = host.certonly("dnsmadeeasy", named("dnsmadeeasy", api_key="a-name", secret_key=secret))
        if refused:
            assert "14 bytes" in assert_told(host.host, done, "refuses a secret of less than 112 bits")
            assert host.seen("method") == []
        else:
            done.check()
        asked = host.certonly("rfc2136", tsig(secret))
        if refused:
            assert_told(host.host, asked, "refuses a secret of less than 112 bits")
        else:
            assert asked.returncode == 1 and said(asked) == []
