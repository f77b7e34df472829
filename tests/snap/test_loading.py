"""When a plugin is loaded, and what one that cannot be loaded stops.

Told by a plugin snap whose code leaves a line when it is loaded, and by what Certbot's process has mapped.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.snap.support import LIVE, MAIL, SNAP, Certbot
from tests.snap.test_plugins import PluginHost
from tools.acme import AcmeServer
from tools.hosts import NamespaceHost, Result

LOADED = "/run/loaded"
CLI_INI = "/etc/letsencrypt/cli.ini"
#: Makes records in pebble's DNS; 14003 is where that is told, see AcmeServer.
PLUGIN = f"""
with open({LOADED!r}, "a") as file:
    print("loaded", file=file)
import json, urllib.request
from certbot.plugins import dns_common

class Authenticator(dns_common.DNSAuthenticator):
    description = "Try"

    @classmethod
    def add_parser_arguments(cls, add):
        super().add_parser_arguments(add, default_propagation_seconds=0)
        add("place", default="127.0.0.1:14003")

    def more_info(self):
        return ""

    def _setup_credentials(self):
        pass

    def _perform(self, domain, name, value):
        content = json.dumps({{"host": name + ".", "value": value}}).encode()
        urllib.request.urlopen(f"http://{{self.conf('place')}}/set-txt", content)

    def _cleanup(self, domain, name, value):
        pass
"""
BROKEN = PLUGIN.replace("import json", "import built_for_another_python")
WHY = (
    "The dns-try plugin, 'dns_try', errored while loading: ModuleNotFoundError: No module named"
    " 'built_for_another_python'."
)


class LoadingHost:
    """A host with that plugin snap, an authority, and a lineage by the plugin and one without it."""

    def __init__(self, host: NamespaceHost, acme: AcmeServer) -> None:
        self.host = host
        self.plugin = PluginHost(host)
        self.certbot = Certbot(host, acme)
        self.has(PLUGIN)
        self.certbot("register", "--agree-tos", "--email", MAIL).check()
        self.certbot("certonly", "--standalone", "--domain", "without.example.org").check()
        self.certbot("certonly", "--authenticator", "dns-try", "--domain", "by.example.org").check()

    def has(self, code: str) -> None:
        """Give the plugin its code."""
        self.plugin.write(f"{self.plugin.folder}/dns_try.py", code)

    def loads(self, *words: str) -> bool:
        """Tell whether a command, which must not fail, loads the plugin; once is enough."""
        self.host.run(["rm", "-f", LOADED]).check()
        self.host.run(["certbot-fips", *words]).check()
        file = self.host.path(LOADED)
        assert not file.exists() or file.read_text() == "loaded\n"
        return file.exists()

    def renew(self, *words: str) -> Result:
        """Renew what is due, with these options."""
        return self.certbot("renew", "--no-random-sleep-on-renew", *words)

    def serials(self) -> list[str]:
        """Return what tells the certificates of both lineages from others: by the plugin, and without it."""
        return [
            self.host.run(["cat", f"{LIVE}/{name}.example.org/cert.pem"]).check().stdout
            for name in ("by", "without")
        ]


@pytest.fixture(scope="module")
def loading(snap_file: Path) -> Iterator[LoadingHost]:
    with NamespaceHost(snap_file) as host, AcmeServer(host) as acme:
        yield LoadingHost(host, acme)


@pytest.fixture(autouse=True)
def nothing_named(loading: LoadingHost) -> Iterator[None]:
    """No configuration file and a plugin that works, before each test."""
    loading.has(PLUGIN)
    loading.host.run(["rm", "-f", CLI_INI]).check()
    yield


@pytest.mark.parametrize(
    "words",
    [
        ("--version",),
        ("certificates",),
        ("--help",),
        ("--help", "dns-cloudflare"),
        ("certificates", "--dns-cloudflare-propagation-seconds", "5"),
        ("renew",),  # nothing is due
    ],
    ids=" ".join,
)
def test_a_plugin_that_is_not_named_is_not_loaded(loading: LoadingHost, words: tuple[str, ...]) -> None:
    assert not loading.loads(*words)


@pytest.mark.parametrize(
    "words",
    [
        ("certificates", "--dns-try-place", "here"),
        ("certificates", "--dns-try-place=here"),
        ("certificates", "--dns-try-pl", "here"),
        ("certificates", "--authenticator", "dns-try"),
        ("certificates", "-a", "dns-try"),
        ("--help", "dns-try"),
        ("--help", "all"),
        ("plugins",),
    ],
    ids=" ".join,
)
def test_a_plugin_that_is_named_is_loaded(loading: LoadingHost, words: tuple[str, ...]) -> None:
    assert loading.loads(*words)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("dns-try-place = here", True),
        ("dns-try-place here", True),
        ("authenticator = dns-try", True),
        ("# authenticator = dns-try", False),
        ("email = admin@example.org", False),
    ],
)
def test_a_configuration_file_names_a_plugin(loading: LoadingHost, line: str, named: bool) -> None:
    loading.plugin.write(CLI_INI, f"{line}\n")
    assert loading.loads("certificates") is named


def test_a_lineage_that_is_due_names_its_plugin(loading: LoadingHost) -> None:
    """Which then has the values of its options, as if they had been asked for from the beginning."""
    before = loading.serials()
    assert loading.loads("renew", "--force-renewal", "--no-random-sleep-on-renew")
    assert all(new != old for new, old in zip(loading.serials(), before, strict=True))
    conf = loading.host.path("/etc/letsencrypt/renewal/by.example.org.conf")
    kept = conf.read_text()
    named = "authenticator = dns-try\n"
    assert named in kept
    conf.write_text(kept.replace(named, f"{named}dns_try_place = 127.0.0.1:9\n"))  # where nothing listens
    try:
        failed = loading.renew("--force-renewal", "--cert-name", "by.example.org")
        assert failed.returncode == 1 and "Connection refused" in failed.stderr
    finally:
        conf.write_text(kept)


def test_a_bundled_plugin_is_loaded_when_it_is_named(loading: LoadingHost) -> None:
    """Told by what Certbot has mapped when it starts a hook: Cloudflare's plugin brings compiled code."""
    # $PPID is Certbot, which has started the shell.
    hook = ("--pre-hook", "grep -c pydantic_core /proc/$PPID/maps > /run/mapped || true")
    for named in (False, True):
        loading.plugin.write(CLI_INI, "dns-cloudflare-propagation-seconds = 5\n" if named else "")
        again = ("--domain", "without.example.org", "--force-renewal", "--standalone")
        loading.certbot("certonly", *again, *hook).check()
        assert (loading.host.path("/run/mapped").read_text() != "0\n") is named


def test_a_plugin_that_does_not_load_stops_what_needs_it(loading: LoadingHost) -> None:
    """The other lineage is renewed, and the status is Certbot's for a renewal that failed."""
    loading.has(BROKEN)
    by, without = loading.serials()
    failed = loading.renew("--force-renewal")
    assert failed.returncode == 1
    assert WHY in failed.stderr and "1 renew failure(s)" in failed.stderr
    assert loading.serials()[0] == by
    assert loading.serials()[1] != without
    needed = loading.certbot(
        "certonly", "--authenticator", "dns-try", "--domain", "by.example.org", "--force-renewal"
    )
    assert needed.returncode == 1 and WHY in needed.stderr
    loading.has(PLUGIN)  # the control
    loading.renew("--force-renewal").check()
    assert loading.serials()[0] != by


def test_a_damaged_file_that_a_plugin_first_uses_later_stops_what_needs_it(loading: LoadingHost) -> None:
    """That for RFC 2136 reads its secret when it makes a record; the control is whole, and finds it bad."""
    credentials = "/run/rfc2136.ini"
    loading.plugin.write(
        credentials,
        "dns_rfc2136_server = 127.0.0.1\ndns_rfc2136_port = 9\ndns_rfc2136_name = key\n"
        "dns_rfc2136_secret = a\n",
    )
    loading.host.run(["chmod", "600", credentials]).check()
    conf = loading.host.path("/etc/letsencrypt/renewal/by.example.org.conf")
    kept, named = conf.read_text(), "authenticator = dns-try\n"
    assert named in kept
    by, without = loading.serials()
    file = f"{SNAP.replace('current', 'x1')}/usr/lib/python3.13/site-packages/dns/tsigkeyring.pyc"
    conf.write_text(
        kept.replace(named, f"authenticator = dns-rfc2136\ndns_rfc2136_credentials = {credentials}\n")
    )
    try:
        loading.host.run(
            ["sh", "-euc", 'head -c 200 "$0" > /run/cut; mount --bind /run/cut "$0"', file]
        ).check()
        damaged = loading.renew("--force-renewal")
        loading.host.run(["umount", file]).check()
        whole = loading.renew("--force-renewal", "--cert-name", "by.example.org")
    finally:
        conf.write_text(kept)
    why = (
        "a part of the plugin certbot_dns_rfc2136 cannot be loaded: EOFError: marshal data too short; "
        "reinstall the snap"
    )
    assert damaged.returncode == 1
    assert why in damaged.stderr and "1 renew failure(s)" in damaged.stderr
    assert loading.serials()[0] == by
    assert loading.serials()[1] != without
    assert whole.returncode == 1 and "Invalid base64" in whole.stderr and why not in whole.stderr


def test_a_plugin_that_does_not_load_stops_nothing_else(loading: LoadingHost) -> None:
    """Nor is anything said of it, unless it is named, be it in a configuration file: then why, once."""
    loading.has(BROKEN)
    for words in (("certificates",), ("renew",), ("--version",)):
        assert "dns-try" not in loading.host.run(["certbot-fips", *words]).check().stderr
    loading.plugin.write(CLI_INI, "dns-try-place = here\n")
    for words in (("certificates",), ("plugins",)):
        done = loading.host.run(["certbot-fips", *words]).check()
        assert done.stderr.count(WHY) == 1
        assert "* dns-try" not in done.stdout
    loading.has(PLUGIN)  # the control
    done = loading.host.run(["certbot-fips", "plugins"]).check()
    assert "* dns-try" in done.stdout and WHY not in done.stderr


def test_of_two_plugins_of_one_name_the_bundled_one_is_used(loading: LoadingHost) -> None:
    info = f"{loading.plugin.folder}/certbot_dns_try-1.dist-info/entry_points.txt"
    mine, both = (
        "[certbot.plugins]\ndns-try = dns_try:Authenticator\n",
        "dns-cloudflare = dns_try:Authenticator\n",
    )
    said = "dns-cloudflare: that of certbot-dns-cloudflare is used, not that of certbot-dns-try."
    for text in (mine + both, mine):
        loading.plugin.write(info, text)
        listed = loading.host.run(["certbot-fips", "plugins"]).check()
        found = "EntryPoint(name='dns-cloudflare', value='certbot_dns_cloudflare"
        assert found in " ".join(listed.stdout.split())
        assert (said in listed.stderr) is (text != mine)
        assert not loading.loads("--help", "dns-cloudflare")
