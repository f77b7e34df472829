"""A program that is not ours, started by ours, sees the host's environment: byte for byte, PATH too."""

import pytest

from tests.snap.support import MAIL, SNAP, Certbot
from tools.architecture import ARCHITECTURE
from tools.hosts import NamespaceHost
from tools.hosts.base import LOGIN_ENVIRONMENT

# What a host's environment may hold, and what the launcher must not have left or lost.
CALLER = {
    **LOGIN_ENVIRONMENT,
    "OPENSSL_CONF": "/etc/ssl/openssl.cnf",
    "OPENSSL_MODULES": f"/usr/lib/{ARCHITECTURE.triplet}/ossl-modules",
    "PYTHONPATH": "/opt/their/python",
    "PYTHONUNBUFFERED": "",
    "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt",
    "SSLKEYLOGFILE": "/run/keys.log",
    "REQUESTS_CA_BUNDLE": "/etc/ssl/certs/ca-certificates.crt",
    "TMPDIR": "/var/tmp",
    "EMPTY": "",
    "LINES": "one\ntwo",
    "NOT_UTF8": "caf\udce9",
    "EQUALS": "a=b=c",
}
# bash -c would add variables of its own; env(1) adds none.
SHOW = ["/usr/bin/env", "-0"]


def variables(output: str) -> dict[str, str]:
    """Read what `env -0` printed."""
    return dict(entry.split("=", 1) for entry in output.split("\0") if entry)


STARTS = {
    "subprocess": "import subprocess; subprocess.run({show})",
    "exec": "import os; os.execv({show}[0], {show})",
    "sh": "import os; os.system('exec ' + ' '.join({show}))",
    "copy": "import os, subprocess; subprocess.run({show}, env=dict(os.environ))",
    "certbot": "import subprocess; from certbot import util;"
    " subprocess.run({show}, env=util.env_no_snap_for_external_calls())",
}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("caller", [CALLER, LOGIN_ENVIRONMENT, {}], ids=["full", "login", "empty"])
def test_child_of_python(host: NamespaceHost, start: str, caller: dict[str, str]) -> None:
    python = ["/snap/bin/certbot-fips.python3", "-c", STARTS[start].format(show=SHOW)]
    seen = variables(host.run(python, env=caller).check().stdout)
    if start == "sh":
        seen.pop("PWD")  # added by sh itself
    assert seen == caller


@pytest.mark.parametrize("caller", [CALLER, LOGIN_ENVIRONMENT, {}], ids=["full", "login", "empty"])
def test_python_code_sees_the_hosts_environment(host: NamespaceHost, caller: dict[str, str]) -> None:
    """Nothing is kept private in os.environ; what snapd told is beside it, and for snapctl alone."""
    show = "import os, sys; sys.stdout.buffer.write(b''.join(b'%s=%s\\0' % e for e in os.environb.items()))"
    seen = host.run(["/snap/bin/certbot-fips.python3", "-c", show], env=caller).check().stdout
    assert variables(seen) == caller
    told = "from fips_launch.environment import snapd; print(snapd['SNAP'], bool(snapd['SNAP_COOKIE']))"
    seen = host.run(["/snap/bin/certbot-fips.python3", "-c", told], env=caller).check().stdout
    assert seen == "/snap/certbot-fips/x1 True\n"


def test_a_plugins_own_child(host: NamespaceHost) -> None:
    """A plugin that is loaded by Certbot gives its program a copy of os.environ, as libraries do."""
    folder = "/opt/plugin/certbot_show-1.dist-info"
    script = (
        f"mkdir -p {folder}; cd {folder};"
        "printf '[certbot.plugins]\\nshow = certbot_show:Show\\n' > entry_points.txt;"
        "printf 'Metadata-Version: 2.1\\nName: certbot-show\\nVersion: 1\\n' > METADATA;"
        "cat > /opt/plugin/certbot_show.py"
    )
    code = f"import os, subprocess\nsubprocess.run({SHOW}, env=dict(os.environ))\nShow = None\n"
    host.run(["sh", "-euc", script], stdin=code).check()
    start = (
        "import runpy, sys; sys.path.append('/opt/plugin'); sys.argv = ['certbot', 'plugins'];"
        "runpy.run_module('fips_launch.certbot', run_name='__main__')"
    )
    try:
        seen = host.run(["/snap/bin/certbot-fips.python3", "-c", start], env=CALLER).stdout
        assert variables(seen) == CALLER
    finally:
        host.run(["rm", "-r", "/opt/plugin"])


def test_deploy_hook(certbot: Certbot) -> None:
    """Compared with what the same shell shows without the snap; Certbot adds what it documents for hooks."""
    name = "environment.example.org"
    certbot.issue(name)
    hook = f"env -0 > /run/{name}"
    renew = ("renew", "--cert-name", name, "--force-renewal", "--no-random-sleep-on-renew")
    # Without REQUESTS_CA_BUNDLE: in this case the host's trust store has to be found, and no variable left.
    caller = {key: value for key, value in CALLER.items() if key != "REQUESTS_CA_BUNDLE"}
    certbot(*renew, "--deploy-hook", hook, env=caller).check()
    seen = variables(certbot.host.run(["cat", f"/run/{name}"]).check().stdout)
    certbot.host.run(["sh", "-c", hook], env=caller).check()
    without = variables(certbot.host.run(["cat", f"/run/{name}"]).check().stdout)
    assert seen.pop("RENEWED_DOMAINS") == name
    assert seen.pop("RENEWED_LINEAGE") == f"/etc/letsencrypt/live/{name}"
    seen.pop("FAILED_DOMAINS", None)
    assert seen == without


def test_challenge_hooks(certbot: Certbot) -> None:
    """Certbot's manual plugin tells its hooks more, and nothing of ours."""
    name = "manual.example.org"
    show = f"env -0 > /run/{name}; mkdir -p /run/web; printf %s $CERTBOT_VALIDATION > /run/web/answer"
    serve = (
        "import http.server as h, sys;"
        "H = type('H', (h.BaseHTTPRequestHandler,), {'do_GET': lambda s: (s.send_response(200),"
        "s.end_headers(), s.wfile.write(open('/run/web/answer', 'rb').read()))});"
        "h.HTTPServer(('', 80), H).serve_forever()"
    )
    background = 'setsid python3 -c "$0" > /dev/null 2>&1 < /dev/null & echo $!'
    pid = certbot.host.run(["sh", "-c", background, serve]).check().stdout.strip()
    try:
        certbot(
            *("certonly", "--manual", "--domain", name, "--cert-name", name, "--agree-tos"),
            *("--email", MAIL, "--manual-auth-hook", show),
            env=CALLER,
        ).check()
    finally:
        certbot.host.run(["kill", pid])
    seen = variables(certbot.host.run(["cat", f"/run/{name}"]).check().stdout)
    assert seen["CERTBOT_DOMAIN"] == name
    leaked = {
        key: value
        for key, value in seen.items()
        if CALLER.get(key) != value and not key.startswith("CERTBOT_") and key != "PWD"
    }
    assert leaked == {}
    assert "CERTBOT_SNAPPED" not in seen
    assert "CERTBOT_PLUGIN_PATH" not in seen


def test_the_hosts_own_openssl_is_untouched(flagged: NamespaceHost) -> None:
    """A child that uses OpenSSL works as without the snap (nginx did not, certbot/certbot#10190)."""
    digest = "import subprocess; subprocess.run(['openssl', 'dgst', '-md5', '/dev/null'], check=True)"
    alone = flagged.run(["openssl", "dgst", "-md5", "/dev/null"])
    child = flagged.run(["certbot-fips.python3", "-c", digest])
    assert (child.stdout, child.stderr) == (alone.stdout, alone.stderr)
    show_maps = "import ssl; print(open('/proc/self/maps').read())"
    start = "import subprocess, sys; subprocess.run(['python3', '-c', sys.argv[1]], check=True)"
    seen = flagged.run(["certbot-fips.python3", "-c", start, show_maps]).check().stdout
    assert "/snap/" not in seen
    assert "fips.so" not in seen


@pytest.mark.parametrize("python", ["certbot-fips.python3", f"{SNAP}/usr/bin/python3"])
@pytest.mark.parametrize(
    "context",
    [
        "from ssl import create_default_context as make",
        "from ssl import _create_unverified_context as make",
        "from urllib3.util import create_urllib3_context as make",
    ],
)
def test_no_tls_secret_is_written(flagged: NamespaceHost, context: str, python: str) -> None:
    """Not with -I (of the command) nor without it, although the variable is there for children."""
    show = f"{context}; import os; print(make().keylog_filename, os.environ['SSLKEYLOGFILE'])"
    result = flagged.run([python, "-c", show], env=CALLER).check()
    assert result.stdout == f"None {CALLER['SSLKEYLOGFILE']}\n"
    assert flagged.run(["test", "-e", CALLER["SSLKEYLOGFILE"]]).returncode == 1


@pytest.mark.parametrize("ignored", ["", "PIPE", "XFSZ", "PIPE XFSZ INT"])
def test_a_program_that_fips_exec_runs_ignores_the_signals_that_the_caller_does(
    host: NamespaceHost, ignored: str
) -> None:
    """A Python that is replaced hands down that it ignores SIGPIPE and SIGXFSZ: the control."""
    show = "grep SigIgn /proc/self/status"
    python = f"{SNAP}/usr/bin/python3 -c 'import os, sys; os.execvp(sys.argv[1], sys.argv[1:])'"
    trap = f"trap '' {ignored};" if ignored else ""
    script = f"{trap} {show}; {SNAP}/usr/bin/fips-exec /usr/bin/{show}; {python} {show}"
    shells, ours, pythons = host.run(["sh", "-euc", script]).check().stdout.splitlines()
    assert ours == shells
    assert (pythons == shells) == ("PIPE XFSZ" in ignored)
