"""The ways into the snap. One line adds an entry point."""

from __future__ import annotations

from dataclasses import dataclass

from tools.campaign.payload import PAYLOAD

GENPKEY = ("genpkey", "-algorithm")
RUN = ("snap", "run")


@dataclass(frozen=True)
class EntryPoint:
    """A command that enters the snap; `{root}` is the copy's folder.

    kind: how to tell what it did, see `observation`: python, text, openssl, hook or report.
    told: for text the output of a run that worked (empty: none); for openssl and hook what it makes.
    anywhere: can be entered without snapd, so also in a copy elsewhere and by any user.
    """

    name: str
    kind: str
    argv: tuple[str, ...]
    told: str = ""
    anywhere: bool = False
    stdin: str = ""
    weight: int = 2

    @property
    def shell(self) -> bool:
        """A shell of the host's is between the snap's programs and us."""
        return "--shell" in self.argv

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
CHAIN = ("{root}/usr/bin/fips-exec", "{root}/usr/libexec/openssl/openssl")
SHELL = (*RUN, "--shell", "certbot-fips", "-c")

ENTRY_POINTS = (
    EntryPoint("certbot", "text", ("certbot-fips", "--version"), "certbot 5.8.0", weight=8),
    EntryPoint("certbot certificates", "text", ("certbot-fips", "certificates"), "No certificates", weight=3),
    EntryPoint("certbot by path", "text", (*CERTBOT, "--version"), "certbot 5.8.0", anywhere=True, weight=8),
    EntryPoint("renew service", "text", (*RUN, "certbot-fips.renew"), weight=3),
    EntryPoint("python3 app", "python", ("certbot-fips.python3", "-c", PAYLOAD), weight=16),
    *map(_python, PYTHON_FLAGS),
    EntryPoint("python3 -", "python", ("{root}/usr/bin/python3", "-"), stdin=PAYLOAD, anywhere=True),
    EntryPoint("python3.13", "python", ("{root}/usr/bin/python3.13", "-c", PAYLOAD), anywhere=True),
    EntryPoint("shell", "python", (*SHELL, 'python3 -c "$0"', PAYLOAD), weight=6),
    EntryPoint("shell -S", "python", (*SHELL, 'python3 -S -c "$0"', PAYLOAD), weight=3),
    EntryPoint(
        "openssl sha256",
        "openssl",
        ("certbot-fips.openssl", "dgst", "-sha256", "/dev/null"),
        "sha256",
        weight=4,
    ),
    EntryPoint("openssl rsa 2048", "openssl", ("certbot-fips.openssl", *GENPKEY, "RSA"), "key", weight=2),
    EntryPoint("openssl md5", "openssl", ("certbot-fips.openssl", "dgst", "-md5", "/dev/null"), weight=6),
    EntryPoint(
        "openssl rsa 1024",
        "openssl",
        ("certbot-fips.openssl", *GENPKEY, "RSA", "-pkeyopt", "rsa_keygen_bits:1024"),
        weight=4,
    ),
    EntryPoint(
        "fips-exec sha256",
        "openssl",
        (*CHAIN, "dgst", "-sha256", "/dev/null"),
        "sha256",
        anywhere=True,
        weight=4,
    ),
    EntryPoint("fips-exec md5", "openssl", (*CHAIN, "dgst", "-md5", "/dev/null"), anywhere=True, weight=6),
    EntryPoint(
        "fips-exec secp256k1",
        "openssl",
        (*CHAIN, *GENPKEY, "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"),
        anywhere=True,
        weight=4,
    ),
    EntryPoint("install hook", "hook", (*RUN, "--hook=install", "certbot-fips"), "config", weight=4),
    EntryPoint(
        "post-refresh hook", "hook", (*RUN, "--hook=post-refresh", "certbot-fips"), "config", weight=4
    ),
    EntryPoint("doctor", "report", ("{root}/usr/bin/fips-doctor",), anywhere=True, weight=5),
    EntryPoint("health service", "report", (*RUN, "certbot-fips.health"), weight=3),
    EntryPoint("configure hook", "hook", (*RUN, "--hook=configure", "certbot-fips"), "setting", weight=3),
)
