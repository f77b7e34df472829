"""The ways into the snap. One line adds an entry point."""

from __future__ import annotations

from dataclasses import dataclass

from tools.campaign.keys import KEYS
from tools.campaign.payload import PAYLOAD, SIGNING
from tools.campaign.plan import HOSTILE

GENPKEY = ("genpkey", "-algorithm")
RUN = ("snap", "run")


@dataclass(frozen=True)
class EntryPoint:
    """A command that enters the snap; `{root}` is the copy's folder.

    kind: how to tell what it did, see `observation`: python, text, openssl, hook or report.
    told: for text the output of a run that worked; for openssl and hook what it makes (empty:
        for openssl what FIPS refuses).
    logged: what Certbot's log says instead, where its output says nothing.
    anywhere: can be entered without snapd, so also in a copy elsewhere and by any user.
    """

    name: str
    kind: str
    argv: tuple[str, ...]
    told: str = ""
    anywhere: bool = False
    stdin: str = ""
    logged: str = ""
    weight: int = 2

    @property
    def plugins(self) -> bool:
        """It loads the plugins that snapd has connected, or tells of them."""
        return self.kind == "report" or (self.kind == "text" and not self.anywhere)

    @property
    def by_path(self) -> bool:
        """A program that is not ours is started by its path, past the launcher."""
        return self.argv[0].startswith("{root}/usr/libexec/")

    @property
    def barred(self) -> bool:
        """That program is no executable file."""
        return self.argv[0] == PROVIDERS

    @property
    def shell(self) -> bool:
        """A shell of the host's is between the snap's programs and us."""
        return "--shell" in self.argv

    @property
    def scripted(self) -> bool:
        """A shell has a word too where the snap's program fails: that one, a hook's, the health service's."""
        return self.shell or self.kind == "hook" or (self.kind == "report" and not self.anywhere)

    @property
    def interactive(self) -> bool:
        """Python goes on with a prompt after the program, also when that has failed."""
        return "-i" in self.argv

    @property
    def verbose(self) -> bool:
        """Python says on its standard error what it does."""
        return not {"-v", "-Ximporttime"}.isdisjoint(self.argv)


def _python(flags: str) -> EntryPoint:
    name = f"python3 {flags}".strip()
    argv = ("{root}/usr/bin/python3", *flags.split(), "-c", PAYLOAD)
    return EntryPoint(name, "python", argv, anywhere=True)


PYTHON_FLAGS = (
    *("", "-I", "-S", "-E", "-s", "-IES", "-IS", "-O", "-OO", "-B", "-P", "-bb", "-i", "-Werror", "-u"),
    *("-Xdev", "-Xutf8=0", "-Xfrozen_modules=off", "-Xtracemalloc=3", "-Xno_debug_ranges", "-Xfaulthandler"),
    *("-Xpycache_prefix=/tmp/p", "--check-hash-based-pycs always", "-Ximporttime", "-Xperf", "-v"),
)
CERTBOT = ("{root}/usr/bin/fips-certbot",)
OPENSSL = "{root}/usr/libexec/openssl/openssl"
#: The program of the module's own release, for fipsinstall.
PROVIDERS = "{root}/usr/libexec/fips-provider/openssl"
CHAIN = ("{root}/usr/bin/fips-exec", OPENSSL)
SHELL = (*RUN, "--shell", "certbot-fips", "-c")

#: What `openssl` is asked to do with keys that were made elsewhere, and what it then says.
SIGNED, VERIFIED = "signature", "Verified OK"
SIGNS = {
    "signs": ("dgst", "-sha256", "-hex", "-sign", f"{KEYS}/p-256", "/dev/null"),
    "signs with rsa 1024": ("dgst", "-sha256", "-hex", "-sign", f"{KEYS}/rsa-1024", "/dev/null"),
    "signs with sha1": ("dgst", "-sha1", "-hex", "-sign", f"{KEYS}/rsa-2048", "/dev/null"),
    "signs with md5": ("dgst", "-md5", "-hex", "-sign", f"{KEYS}/rsa-2048", "/dev/null"),
    "signs by ecdsa with sha1": ("dgst", "-sha1", "-hex", "-sign", f"{KEYS}/p-256", "/dev/null"),
    "signs with secp256k1": ("dgst", "-sha256", "-hex", "-sign", f"{KEYS}/secp256k1", "/dev/null"),
    "pkeyutl signs with rsa 1024": (
        *("pkeyutl", "-sign", "-hexdump", "-inkey", f"{KEYS}/rsa-1024"),
        *("-rawin", "-digest", "sha256", "-in", f"{KEYS}/weak.sig"),
    ),
}
VERIFIES = {
    name: ("dgst", digest, "-verify", f"{KEYS}/{key}.pub", "-signature", f"{KEYS}/{signature}", "/dev/null")
    for name, digest, key, signature in (
        ("verifies sha1", "-sha1", "rsa-2048", "legacy.sig"),
        ("verifies rsa 1024", "-sha256", "rsa-1024", "weak.sig"),
    )
}
#: A key by a config of the caller's.
REQUEST = ("req", "-config", f"{HOSTILE}/openssl.cnf", "-nodes", "-keyout", "-", "-subj", "/CN=a", "-newkey")


def _openssl(name: str, argv: tuple[str, ...], told: str = "", weight: int = 2) -> EntryPoint:
    return EntryPoint(name, "openssl", argv, told, anywhere=argv[0].startswith("{root}"), weight=weight)


def _signs(begin: str, program: tuple[str, ...]) -> list[EntryPoint]:
    told = {**dict.fromkeys(SIGNS, ""), "signs": SIGNED, **dict.fromkeys(VERIFIES, VERIFIED)}
    argv = SIGNS | VERIFIES
    return [_openssl(f"{begin} {name}", (*program, *argv[name]), told[name], weight=1) for name in told]


APP = "certbot-fips.openssl"
SHA256, MD5 = (("dgst", digest, "/dev/null") for digest in ("-sha256", "-md5"))
RSA, EC = ((*GENPKEY, kind, "-pkeyopt") for kind in ("RSA", "EC"))

ENTRY_POINTS = (
    EntryPoint("certbot", "text", ("certbot-fips", "--version"), "certbot 5.8.0", weight=8),
    EntryPoint("certbot certificates", "text", ("certbot-fips", "certificates"), "No certificates", weight=3),
    EntryPoint("certbot plugins", "text", ("certbot-fips", "plugins"), "* standalone", weight=3),
    EntryPoint("certbot by path", "text", (*CERTBOT, "--version"), "certbot 5.8.0", anywhere=True, weight=8),
    EntryPoint(
        "renew service", "text", (*RUN, "certbot-fips.renew"), logged="No renewals were attempted", weight=3
    ),
    EntryPoint("python3 app", "python", ("certbot-fips.python3", "-c", PAYLOAD), weight=16),
    *map(_python, PYTHON_FLAGS),
    EntryPoint("python3 -", "python", ("{root}/usr/bin/python3", "-"), stdin=PAYLOAD, anywhere=True),
    EntryPoint("python3.13", "python", ("{root}/usr/bin/python3.13", "-c", PAYLOAD), anywhere=True),
    EntryPoint("python3 app signs", "python", ("certbot-fips.python3", "-c", SIGNING), weight=4),
    EntryPoint("python3 signs", "python", ("{root}/usr/bin/python3", "-c", SIGNING), anywhere=True, weight=4),
    EntryPoint("shell", "python", (*SHELL, 'python3 -c "$0"', PAYLOAD), weight=6),
    EntryPoint("shell -S", "python", (*SHELL, 'python3 -S -c "$0"', PAYLOAD), weight=3),
    _openssl("openssl sha256", (APP, *SHA256), "sha256", weight=4),
    _openssl("openssl md5", (APP, *MD5), weight=6),
    _openssl("openssl rsa 2048", (APP, *GENPKEY, "RSA"), "key"),
    _openssl("openssl rsa 1024", (APP, *RSA, "rsa_keygen_bits:1024"), weight=4),
    _openssl("openssl -config rsa 512", (APP, *REQUEST, "rsa:512")),
    _openssl("fips-exec sha256", (*CHAIN, *SHA256), "sha256", weight=4),
    _openssl("fips-exec md5", (*CHAIN, *MD5), weight=6),
    _openssl("fips-exec secp256k1", (*CHAIN, *EC, "ec_paramgen_curve:secp256k1"), weight=4),
    *_signs("fips-exec", CHAIN),
    _openssl("openssl by path sha256", (OPENSSL, *SHA256), "sha256", weight=4),
    _openssl("openssl by path md5", (OPENSSL, *MD5), weight=4),
    _openssl("openssl by path -config rsa 512", (OPENSSL, *REQUEST, "rsa:512")),
    *_signs("openssl by path", (OPENSSL,)),
    _openssl("the provider's openssl by path", (PROVIDERS, *MD5)),
    EntryPoint("install hook", "hook", (*RUN, "--hook=install", "certbot-fips"), "config", weight=4),
    EntryPoint(
        "post-refresh hook", "hook", (*RUN, "--hook=post-refresh", "certbot-fips"), "config", weight=4
    ),
    EntryPoint("doctor", "report", ("{root}/usr/bin/fips-doctor",), anywhere=True, weight=5),
    EntryPoint("health service", "report", (*RUN, "certbot-fips.health"), weight=3),
    EntryPoint("configure hook", "hook", (*RUN, "--hook=configure", "certbot-fips"), "setting", weight=3),
)
