"""Every entry point of the snap ends in FIPS on a FIPS host, and in OpenSSL's default elsewhere."""

import json

import pytest

from tests.snap.support import SNAP, MakeHost
from tools.architecture import ARCHITECTURE
from tools.hosts import NamespaceHost
from tools.hosts.base import LOGIN_ENVIRONMENT

CONTEXT = "import ssl; ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)"
# What the process itself could do and has mapped, not what it says of its mode.
PROBE = f"""
{CONTEXT}
import hashlib, json
try:
    hashlib.md5(b"for security")
    md5 = "given"
except ValueError:
    md5 = "refused"
mapped = {{line.split(maxsplit=5)[5].strip() for line in open("/proc/self/maps") if "/" in line}}
ours = ("libcrypto", "libssl", "fips.so")
print(json.dumps({{
    "md5": md5,
    "md5 for an account id": hashlib.md5(b"", usedforsecurity=False).hexdigest()[:8],
    "sha256": hashlib.sha256(b"").hexdigest()[:8],
    "libraries": sorted(path for path in mapped if any(name in path for name in ours)),
}}))
"""
INSIDE = "/snap/certbot-fips/x1/usr/lib"
EXPECTED = {
    "md5 for an account id": "d41d8cd9",
    "sha256": "e3b0c442",
}
IN_FIPS = EXPECTED | {
    "md5": "refused",
    "libraries": [f"{INSIDE}/libcrypto.so.3", f"{INSIDE}/libssl.so.3", f"{INSIDE}/ossl-modules/fips.so"],
}
IN_DEFAULT = EXPECTED | {
    "md5": "given",
    "libraries": [f"{INSIDE}/libcrypto.so.3", f"{INSIDE}/libssl.so.3"],
}
SHELL = ["snap", "run", "--shell", "certbot-fips"]
PYTHONS = {
    "app": ["certbot-fips.python3", "-c", PROBE],
    "shell": [*SHELL, "-c", 'python3 -c "$0"', PROBE],
    "shell, -I": [*SHELL, "-c", 'python3 -I -c "$0"', PROBE],
    "shell, -E": [*SHELL, "-c", 'python3 -E -c "$0"', PROBE],
    "shell, -S": [*SHELL, "-c", 'python3 -S -c "$0"', PROBE],
    "shell, -I -S -E": [*SHELL, "-c", 'python3 -ISE -c "$0"', PROBE],
    "env -i": ["env", "-i", f"{SNAP}/usr/bin/python3", "-c", PROBE],
    "env -i, -S": ["env", "-i", f"{SNAP}/usr/bin/python3", "-S", "-c", PROBE],
    "path": [f"{SNAP}/usr/bin/python3", "-c", PROBE],
}


@pytest.mark.provider
@pytest.mark.parametrize("entry_point", PYTHONS)
def test_python_is_in_fips_on_a_fips_host(flagged: NamespaceHost, entry_point: str) -> None:
    result = flagged.run(PYTHONS[entry_point]).check()
    assert json.loads(result.stdout) == IN_FIPS
    assert result.stderr == ""


@pytest.mark.provider
@pytest.mark.parametrize("entry_point", PYTHONS)
def test_python_is_in_default_mode_elsewhere(unflagged: NamespaceHost, entry_point: str) -> None:
    result = unflagged.run(PYTHONS[entry_point]).check()
    assert json.loads(result.stdout) == IN_DEFAULT
    assert result.stderr == ""


def test_bytecode_of_the_callers_does_not_replace_the_launcher(make_host: MakeHost) -> None:
    """Python's own option would: its bytecode is believed by its place alone."""
    host = make_host()
    launcher = "/snap/certbot-fips/x1/usr/lib/python3.13/fips_launch"
    plant = (
        "import os, py_compile as p;"
        "folder = '/run/theirs{0}'; os.makedirs(folder);"
        "open('/run/their.py', 'w').write('import os\\ndef run(): os.environ.update(OPENSSL_CONF=str())\\n');"
        "p.compile('/run/their.py', folder + '/boot.cpython-313.pyc', doraise=True,"
        " invalidation_mode=p.PycInvalidationMode.UNCHECKED_HASH)"
    )
    host.run(["certbot-fips.python3", "-c", plant.format(launcher)]).check()
    result = host.run(["certbot-fips.python3", "-X", "pycache_prefix=/run/theirs", "-c", PROBE]).check()
    assert json.loads(result.stdout) == IN_FIPS


def test_the_diagnosis_that_administrators_are_told_to_run(host: NamespaceHost) -> None:
    """They type the first line, and the second at the prompt."""
    result = host.run(
        ["snap", "run", "--shell", "certbot-fips"], stdin=f'python3 -c "{CONTEXT}" && echo fine\n'
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "fine\n", "")


def test_certbot_version(host: NamespaceHost) -> None:
    result = host.run(["certbot-fips", "--version"])
    assert (result.returncode, result.stdout, result.stderr) == (0, "certbot 5.8.0\n", "")


def test_certbot_has_its_plugins(host: NamespaceHost) -> None:
    listed = host.run(["certbot-fips", "plugins"]).check().stdout
    assert {line[2:] for line in listed.splitlines() if line.startswith("* ")} >= {
        "apache",
        "nginx",
        "standalone",
        "webroot",
    }


def test_the_apache_plugins_parser_works(host: NamespaceHost) -> None:
    """It is a library of its own, with its lenses, both in the snap."""
    host.run(["sh", "-c", "mkdir -p /run/www && echo 'ServerName example.org' > /run/www/site.conf"]).check()
    parse = (
        "import sys; from augeas import Augeas;"
        "lenses = Augeas(loadpath=sys.prefix + '/share/augeas/lenses/dist', flags=Augeas.NO_MODL_AUTOLOAD);"
        "lenses.add_transform('Httpd.lns', ['/run/www/*.conf']); lenses.load();"
        "print(lenses.match('/augeas//error'), lenses.get('/files/run/www/site.conf/directive/arg'))"
    )
    assert host.run(["certbot-fips.python3", "-c", parse]).check().stdout == "[] example.org\n"


def test_the_renewal_service_has_nothing_to_do_on_a_new_host(host: NamespaceHost) -> None:
    """As snapd's timer runs it: no output, or a mail is sent twice a day."""
    result = host.run(["snap", "run", "certbot-fips.renew"])
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.provider
def test_openssl_app(flagged: NamespaceHost, unflagged: NamespaceHost) -> None:
    listing = ["certbot-fips.openssl", "list", "-providers"]
    assert "OpenSSL FIPS Provider" in flagged.run(listing).check().stdout
    assert "OpenSSL FIPS Provider" not in unflagged.run(listing).check().stdout


def test_unknown_options_and_exit_codes_are_certbots_own(host: NamespaceHost) -> None:
    result = host.run(["certbot-fips", "--no-such-option"])
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == "certbot: error: unrecognized arguments: --no-such-option"


HOSTILE = {
    "OPENSSL_CONF": ["", "/nonexistent", "/etc", "/dev/null", "/etc/ssl/openssl.cnf"],
    "OPENSSL_MODULES": ["/nonexistent"],
    "OPENSSL_FORCE_FIPS_MODE": ["0"],
    "PYTHONHOME": ["/nonexistent"],
    "PYTHONPATH": ["/run/hostile"],
    "LD_LIBRARY_PATH": [f"/usr/lib/{ARCHITECTURE.triplet}"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in HOSTILE for value in HOSTILE[name]])
def test_nothing_is_taken_from_the_caller(flagged: NamespaceHost, name: str, value: str) -> None:
    flagged.run(["sh", "-c", "mkdir -p /run/hostile && echo 'print(1/0)' > /run/hostile/ssl.py"]).check()
    result = flagged.run(
        ["certbot-fips.python3", "-c", PROBE], env={**LOGIN_ENVIRONMENT, name: value}
    ).check()
    assert json.loads(result.stdout) == IN_FIPS
    openssl = flagged.run(
        ["certbot-fips.openssl", "md5", "/dev/null"], env={**LOGIN_ENVIRONMENT, name: value}
    )
    assert openssl.returncode != 0


def test_a_preloaded_second_libcrypto_is_found(flagged: NamespaceHost) -> None:
    foreign = f"/usr/lib/{ARCHITECTURE.triplet}/libcrypto.so.3"
    result = flagged.run(["certbot-fips", "--version"], env={**LOGIN_ENVIRONMENT, "LD_PRELOAD": foreign})
    assert result.returncode == 78
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert foreign in result.stderr


INTERRUPT = f"""
import json, signal, subprocess, time
ends = []
for milliseconds in range(0, 120, 3):
    process = subprocess.Popen(
        ["{SNAP}/usr/bin/fips-certbot", "plugins"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )
    time.sleep(milliseconds / 1000)
    process.send_signal(signal.SIGINT)
    said = process.communicate()[1]
    ends.append((process.returncode, said))
print(json.dumps(ends))
"""


def test_an_interrupt_is_none_of_the_launchers_faults(flagged: NamespaceHost) -> None:
    """Whenever it comes: the signal itself ends the process, or Certbot does, in its own words."""
    ends = json.loads(flagged.run(["python3", "-c", INTERRUPT]).check().stdout)
    assert len(ends) == 40
    for status, said in ends:
        assert status in (-2, 1, 130), said
        assert "certbot-fips:" not in said


INTERRUPT_IN_CALLBACK = """
import signal, sys, weakref
from fips_launch import certbot
{}
class Lock: pass
lock = Lock()
watched = weakref.ref(lock, lambda _: signal.raise_signal(signal.SIGINT))
try:
    del lock
    for _ in range(2): pass
    print("lost")
except KeyboardInterrupt:
    print("raised")
"""


@pytest.mark.parametrize(
    ("hook", "ends"), [("sys.unraisablehook = certbot.interrupt_again", "raised"), ("", "lost")]
)
def test_an_interrupt_is_not_lost_where_python_cannot_raise_it(
    flagged: NamespaceHost, hook: str, ends: str
) -> None:
    """There is such a place in importing itself; the control is Python as it is."""
    said = flagged.run(["certbot-fips.python3", "-c", INTERRUPT_IN_CALLBACK.format(hook)]).check()
    assert said.stdout == f"{ends}\n"
    assert ("KeyboardInterrupt" in said.stderr) == (ends == "lost")
