"""The launcher's proof: what it asks of the module, and at what cost."""

import json

import pytest

from tests.snap.support import MADE_HERE, SNAP, MakeHost
from tests.snap.test_faults import ENTRY_POINTS, assert_refused, damage
from tools.architecture import ARCHITECTURE
from tools.hosts import NamespaceHost

RECORD = "usr/share/fips-provider/record.json"
LIBCRYPTO = "/snap/certbot-fips/x1/usr/lib/libcrypto.so.3"


def ask(host: NamespaceHost, bits: int) -> str:
    code = f"import _fips; print(_fips.rsa({LIBCRYPTO!r}, {bits}))"
    return host.run(["certbot-fips.python3", "-c", code]).check().stdout.strip()


@pytest.mark.provider
def test_who_makes_keys_is_asked(flagged: NamespaceHost, unflagged: NamespaceHost) -> None:
    """On a host without FIPS the same question has the other answer: the control."""
    module = json.loads(flagged.path(f"{SNAP}/{RECORD}").read_text())["version"]
    assert ask(flagged, 1024) == f"('fips', '{module}', True, False)"
    assert ask(flagged, 2048) == f"('fips', '{module}', True, True)"
    libcrypto = unflagged.run(["certbot-fips.openssl", "version"]).check().stdout.split()[1]
    assert ask(unflagged, 1024) == f"('default', '{libcrypto}', True, True)"


def test_a_weak_key_is_what_the_proof_stumbles_over(unflagged: NamespaceHost) -> None:
    code = "from fips_launch import place, prove; prove.prove_keys(place.find())"
    result = unflagged.run(["certbot-fips.python3", "-c", code])
    assert result.stderr.splitlines()[-1].endswith("NotProvenError: an RSA key of 1024 bits is not refused")


def test_no_other_libcrypto_is_asked(flagged: NamespaceHost) -> None:
    code = f"import _fips; _fips.rsa('/usr/lib/{ARCHITECTURE.triplet}/libcrypto.so.3', 1024)"
    result = flagged.run(["certbot-fips.python3", "-c", code])
    assert result.stderr.splitlines()[-1].endswith("is not the libcrypto of this process")


@pytest.mark.parametrize(
    "script",
    ['rm "$0"', ': > "$0"', 'sed -i "s/\\"version\\": \\"/&9/" "$0"', 'rm "$0"; mkdir "$0"'],
    ids=["missing", "empty", "of another version", "a folder"],
)
def test_a_module_that_is_not_on_record(make_host: MakeHost, script: str) -> None:
    host = make_host()
    damage(host, RECORD, script)
    for command in ENTRY_POINTS.values():
        assert_refused(host.run(command, timeout=5))


def test_the_proof_in_a_process_of_its_own(host: NamespaceHost) -> None:
    """On any host the FIPS config is proven, and another is not."""
    command = [f"{SNAP}/usr/bin/fips-prove"]
    proven = host.run([*command, MADE_HERE])
    assert (proven.returncode, proven.stdout, proven.stderr) == (0, "", "")
    for arguments in ([f"{SNAP}/etc/ssl/default.cnf"], ["/nonexistent"], [], [MADE_HERE, MADE_HERE]):
        assert_refused(host.run([*command, *arguments]))


def test_a_config_that_is_not_proven_is_not_installed(make_host: MakeHost) -> None:
    """Though the module passes its self-tests."""
    host = make_host(flagged=False)
    damage(host, RECORD, 'sed -i "s/\\"version\\": \\"/&9/" "$0"')
    host.run(["rm", MADE_HERE]).check()
    result = host.run(["snap", "run", "--hook=install", "certbot-fips"])
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("certbot-fips: install hook: FIPS is not proven: the module says that")
    assert host.run(["ls", MADE_HERE]).returncode != 0


def test_the_proof_costs_less_than_three_milliseconds(flagged: NamespaceHost) -> None:
    """Again, in a process that has been proven: what is left is the cost beyond the self-test."""
    code = (
        "import os, time; from fips_launch import place, prove; here = place.find();"
        "os.environ.update(here.select(True)); costs = [];"
        "exec('for _ in range(20):\\n began = time.perf_counter(); prove.prove(here, True);"
        " costs.append(time.perf_counter() - began)'); print(sorted(costs)[10] * 1000)"
    )
    result = flagged.run([f"{SNAP}/usr/bin/python3", "-I", "-c", code]).check()
    assert float(result.stdout) < 3
