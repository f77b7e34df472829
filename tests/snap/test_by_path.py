"""Programs of the snap that are started by their path: past the launcher, from a copy, in another root."""

from __future__ import annotations

import pytest

from tests.snap.support import SNAP, MakeHost
from tools.architecture import ARCHITECTURE
from tools.hosts import NamespaceHost, Result

OPENSSL = "usr/libexec/openssl/openssl"
COPY = "/opt/copy"
#: Configs that leave OpenSSL without FIPS, and say nothing.
CONFIGS = {
    "no config": "/dev/null",
    "the host's": "/etc/ssl/openssl.cnf",
    "the snap's for other hosts": f"{SNAP}/etc/ssl/default.cnf",
    "providers alone": "/run/providers.cnf",
    "a mere preference": "/run/preference.cnf",
}
WEAK = {
    "MD5": ["dgst", "-md5", "/dev/null"],
    "RSA-512": ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:512"],
    "secp256k1": ["ecparam", "-genkey", "-name", "secp256k1"],
}
SHA256 = ["dgst", "-sha256", "/dev/null"]
#: Configs of the snap's module without its checks, made of the snap's own by sed.
CHECKS_OFF = r"/^\[fips_sect\]/,$ { /^(activate|install)/! s/= 1$/= 0/ }"
WITHOUT_CHECKS = {
    "its own": [CHECKS_OFF],
    "under another name": [
        CHECKS_OFF,
        rf"s|^\[fips_sect\]|&\nidentity = other\nmodule = {SNAP}/usr/lib/ossl-modules/fips.so|",
    ],
    "all but one left out": [
        r"/^\[fips_sect\]/,$ { /^(activate|module-mac)|^\[/! d; s/^activate.*/&\nsecurity-checks = 0/ }"
    ],
}
#: What these checks are for: signatures, and the key that each of them takes.
WEAK_SIGNATURES = {
    "RSA-1024": (["genrsa", "1024"], ["dgst", "-sha256"]),
    "ECDSA with SHA-1": (["ecparam", "-name", "prime256v1", "-genkey", "-noout"], ["dgst", "-sha1"]),
}


def write_configs(host: NamespaceHost) -> None:
    providers = "openssl_conf=i\n[i]\nproviders=p\n[p]\ndefault=d\n[d]\nactivate=1\n"
    preference = providers.replace("[p]", "alg_section=a\n[a]\ndefault_properties=?fips=yes\n[p]")
    for path, text in (("/run/providers.cnf", providers), ("/run/preference.cnf", preference)):
        host.run(["tee", path], stdin=text).check()


@pytest.fixture
def copied(make_host: MakeHost) -> NamespaceHost:
    """A FIPS host that has a copy of the snap besides."""
    host = make_host()
    host.run(["cp", "-a", f"{SNAP}/.", COPY]).check()
    return host


@pytest.fixture(scope="module")
def other_root(flagged: NamespaceHost) -> str:
    """A root in which there is the snap, its base, and no data of snaps."""
    script = """
        mkdir -p /opt/root/dev && cd /opt/root
        for folder in snap usr proc; do mkdir "$folder" && mount --rbind "/$folder" "$folder"; done
        ln -s usr/lib lib && ln -s usr/lib64 lib64 && touch dev/null
    """
    flagged.run(["sh", "-euc", script]).check()
    return "/opt/root"


def refused(result: Result) -> None:
    assert result.returncode == 1
    assert "PRIVATE KEY" not in result.stdout and "MD5" not in result.stdout
    assert result.stderr


@pytest.mark.provider
@pytest.mark.parametrize("weak", WEAK)
def test_openssl_by_its_path(flagged: NamespaceHost, weak: str) -> None:
    refused(flagged.run([f"{SNAP}/{OPENSSL}", *WEAK[weak]]))
    flagged.run([f"{SNAP}/{OPENSSL}", *SHA256]).check()


@pytest.mark.provider
@pytest.mark.parametrize("config", CONFIGS)
def test_a_config_of_the_callers_leaves_nothing_but_errors(
    flagged: NamespaceHost, unflagged: NamespaceHost, config: str
) -> None:
    """Where FIPS is not needed it is read, as OpenSSL reads it: the control."""
    for host in (flagged, unflagged):
        write_configs(host)
        host.run(["touch", "/etc/ssl/openssl.cnf"]).check()
    command = ["env", f"OPENSSL_CONF={CONFIGS[config]}", f"{SNAP}/{OPENSSL}"]
    for weak in WEAK.values():
        refused(flagged.run([*command, *weak]))
    assert "MD5" in unflagged.run([*command, *WEAK["MD5"]]).check().stdout


@pytest.mark.provider
@pytest.mark.parametrize("config", ["/run/providers.cnf", "/run/preference.cnf"])
def test_a_config_that_is_named_to_the_program(
    flagged: NamespaceHost, unflagged: NamespaceHost, config: str
) -> None:
    make = ["certbot-fips.openssl", "req", "-config", config, "-nodes", "-keyout", "-", "-subj", "/CN=a"]
    for host in (flagged, unflagged):
        write_configs(host)
    for kind in (["rsa:512"], ["ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"]):
        refused(flagged.run([*make, "-newkey", *kind]))
        assert "PRIVATE KEY" in unflagged.run([*make, "-newkey", *kind]).check().stdout


@pytest.mark.provider
@pytest.mark.parametrize("config", WITHOUT_CHECKS)
@pytest.mark.parametrize("weak", WEAK_SIGNATURES)
def test_no_config_takes_the_checks_of_the_module_away(
    flagged: NamespaceHost, unflagged: NamespaceHost, config: str, weak: str
) -> None:
    """Where FIPS is not needed it does, for that is how OpenSSL reads it: the control."""
    make, sign = WEAK_SIGNATURES[weak]
    key = unflagged.run(["certbot-fips.openssl", *make]).check().stdout
    edit = [argument for each in WITHOUT_CHECKS[config] for argument in ("-e", each)]
    results = []
    for host in (flagged, unflagged):
        text = host.run(["sed", "-E", *edit, f"{SNAP}/etc/ssl/openssl.cnf"]).check().stdout
        host.run(["tee", "/run/unchecked.cnf"], stdin=text).check()
        host.run(["tee", "/run/weak.pem"], stdin=key).check()
        command = ["env", "OPENSSL_CONF=/run/unchecked.cnf", f"{SNAP}/{OPENSSL}"]
        host.run([*command, *SHA256]).check()
        results.append(host.run([*command, *sign, "-sign", "/run/weak.pem", "-hex", "/dev/null"]))
    refused(results[0])
    assert results[1].check().stdout


def test_a_copy_has_its_own_config(copied: NamespaceHost) -> None:
    refused(copied.run([f"{COPY}/{OPENSSL}", *WEAK["MD5"]]))
    copied.run([f"{COPY}/{OPENSSL}", *SHA256]).check()
    copied.run(["umount", "/snap/certbot-fips/x1"]).check()
    refused(copied.run([f"{COPY}/{OPENSSL}", *WEAK["MD5"]]))
    copied.run([f"{COPY}/{OPENSSL}", *SHA256]).check()


@pytest.mark.parametrize(
    "damage",
    ['rm "$0"', ': > "$0"', 'chmod 0 "$0"', 'rm "$0" && mkdir "$0"', 'sed -i s/fips=yes/?fips=yes/ "$0"'],
)
def test_a_config_that_cannot_be_read_leaves_nothing_but_errors(copied: NamespaceHost, damage: str) -> None:
    copied.run(["sh", "-euc", damage, f"{COPY}/etc/ssl/openssl.cnf"]).check()
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", f"{COPY}/{OPENSSL}"]
    for weak in WEAK.values():
        refused(copied.run([*nobody, *weak]))


def test_another_root(flagged: NamespaceHost, other_root: str) -> None:
    """With /proc; without, where a program lies cannot be told (ld.so(8), $ORIGIN), and it does not start."""
    command = ["chroot", other_root, f"{SNAP}/{OPENSSL}"]
    refused(flagged.run([*command, *WEAK["MD5"]]))
    flagged.run([*command, *SHA256]).check()
    flagged.run(["umount", "-l", f"{other_root}/proc"]).check()
    for what in (WEAK["MD5"], SHA256):
        assert flagged.run([*command, *what]).returncode != 0


def test_a_parallel_instance_alone(make_host: MakeHost) -> None:
    host = make_host()
    script = """
        mkdir -p /snap/certbot-fips_two/x1
        mount --move /snap/certbot-fips/x1 /snap/certbot-fips_two/x1
        rm -r /snap/certbot-fips
    """
    host.run(["sh", "-euc", script]).check()
    refused(host.run([f"/snap/certbot-fips_two/x1/{OPENSSL}", *WEAK["MD5"]]))
    host.run([f"/snap/certbot-fips_two/x1/{OPENSSL}", *SHA256]).check()


@pytest.mark.parametrize("place", [SNAP, COPY])
def test_the_administrators_setting_counts_by_path_too(make_host: MakeHost, place: str) -> None:
    for flagged, setting in ((True, "off"), (False, "on"), (False, "or so")):
        host = make_host(flagged)
        host.run(["cp", "-a", f"{SNAP}/.", COPY]).check()
        host.run(["tee", "/var/snap/certbot-fips/common/fips"], stdin=f"{setting}\n").check()
        result = host.run(["env", "OPENSSL_CONF=/dev/null", f"{place}/{OPENSSL}", *WEAK["MD5"]])
        if setting == "off":
            assert "MD5" in result.check().stdout
        else:
            refused(result)


def test_the_program_for_fipsinstall_is_not_for_anything_else(
    flagged: NamespaceHost, unflagged: NamespaceHost
) -> None:
    """Not for root either. What it is for still works: the hook has run, and the doctor says so."""
    program = f"{SNAP}/usr/libexec/fips-provider/openssl"
    for host in (flagged, unflagged):
        denied = host.run([program, *WEAK["MD5"]])
        assert (denied.returncode, denied.stdout) == (126, "")
        assert "pass, its MAC is right" in host.run(["certbot-fips.doctor"]).stdout
    # The control: these bytes are a program, and one that knows no FIPS.
    loader = f"/snap/core24/current/{ARCHITECTURE.loader}"
    assert "MD5" in unflagged.run([loader, program, *WEAK["MD5"]]).check().stdout
