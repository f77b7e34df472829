import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fips_launch.environment import SNAPD, host, parse

LAUNCHER = Path(__file__).resolve().parents[2] / "parts" / "fips-launch"
ENV = "/usr/bin/env"

# What the caller has before snapd comes: the environments of a shell, a service, a bare `env -i`, and
# of one who wants to be difficult.
CALLERS = {
    "shell": {b"PATH": b"/usr/bin:/bin", b"HOME": b"/root", b"LANG": b"en_US.UTF-8"},
    "bare": {},
    "C locale": {b"LC_ALL": b"C", b"PATH": b"/bin"},
    "OpenSSL and Python": {
        b"PATH": b"/bin",
        b"OPENSSL_CONF": b"/etc/ssl/openssl.cnf",
        b"OPENSSL_FORCE_FIPS_MODE": b"0",
        b"PYTHONWARNINGS": b"",
        b"SSLKEYLOGFILE": b"/tmp/keys",
        b"SSL_CERT_FILE": b"/etc/own.pem",
    },
    "own trust store": {b"PATH": b"/bin", b"REQUESTS_CA_BUNDLE": b"/etc/own.pem"},
    "odd bytes": {b"A": b"\xff\n=x", b"\xc3\xa4": b"", b"PATH": b"::/bin:", b"B" * 99: b"x" * 99999},
    "names like snapd's": {b"SNAPPY": b"1", b"SNAP_MINE": b"2", b"MYSNAP": b"3", b"SNAP_REEXEC": b"0"},
}

BYTES = st.binary().map(lambda text: text.replace(b"\0", b""))
NAMES = BYTES.map(lambda text: text.replace(b"=", b"")).filter(bool) | st.sampled_from(
    [b"PATH", b"SNAP_REEXEC", b"SNAPPY", b"OPENSSL_CONF", b"SSLKEYLOGFILE", b"REQUESTS_CA_BUNDLE", b"HOME"]
)
#: Any environment, but for what no one can tell from snapd's: its own variables, and an empty PATH.
ANY_CALLER = st.dictionaries(NAMES, BYTES).map(
    lambda variables: {
        name: value
        for name, value in variables.items()
        if name not in SNAPD - {b"SNAP_REEXEC"} and (value or name not in (b"PATH", b"SNAP_REEXEC"))
    }
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The snap's folder."""
    return tmp_path_factory.mktemp("snap")


def by_snapd(caller: dict[bytes, bytes], snap: bytes) -> dict[bytes, bytes]:
    """Return the environment that snapd and the recipe's PATH line make of the caller's."""
    added = dict.fromkeys(SNAPD, b"x") | {b"SNAP": snap, b"SNAP_REEXEC": caller.get(b"SNAP_REEXEC", b"")}
    return caller | added | {b"PATH": snap + b"/usr/bin:" + caller.get(b"PATH", b"")}


def seen_by_a_child(
    variables: dict[bytes, bytes], root: Path, prelude: str, environment: str
) -> dict[bytes, bytes]:
    """Return what `env` sees as the child of a scrubbed process."""
    code = (
        f"import subprocess, sys; sys.path.insert(0, {str(LAUNCHER)!r}); from fips_launch import environment;"
        f"environment.scrub({str(root)!r}); {prelude}"
        f"sys.stdout.buffer.write(subprocess.check_output([{ENV!r}, '-0'], env={environment}))"
    )
    return parse(subprocess.check_output([sys.executable, "-I", "-c", code], env=variables))


def test_of_a_name_that_is_there_twice_the_first_counts_as_for_getenv() -> None:
    assert parse(b"A=1\0B\0A=2\0C=\0=x\0") == {b"A": b"1", b"C": b"", b"": b"x"}


@given(st.lists(BYTES | st.text("A=\n").map(str.encode)))
def test_a_block_is_read_as_getenv_reads_it(entries: list[bytes]) -> None:
    """For each name the first entry that begins with NAME=; what has no = is no variable."""
    variables = parse(b"".join(entry + b"\0" for entry in entries))
    named = [entry for entry in entries if b"=" in entry]
    assert set(variables) == {entry[: entry.index(b"=")] for entry in named}
    for name, value in variables.items():
        assert name + b"=" + value == next(each for each in named if each.startswith(name + b"="))


@given(caller=ANY_CALLER)
def test_whatever_the_caller_has_comes_back(caller: dict[bytes, bytes], root: Path) -> None:
    assert host(by_snapd(caller, os.fsencode(root)), str(root)) == caller


@settings(max_examples=30)
@given(caller=ANY_CALLER)
def test_a_child_sees_whatever_the_caller_has(caller: dict[bytes, bytes], root: Path) -> None:
    """Really, by execve and two processes."""
    assert seen_by_a_child(by_snapd(caller, os.fsencode(root)), root, "", "None") == caller


@pytest.mark.parametrize("caller", CALLERS.values(), ids=CALLERS)
def test_what_snapd_added_is_taken_away(caller: dict[bytes, bytes], tmp_path: Path) -> None:
    assert host(by_snapd(caller, os.fsencode(tmp_path)), str(tmp_path)) == caller


def test_the_snap_may_be_reached_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "snap").symlink_to("root")
    caller = CALLERS["shell"]
    assert host(by_snapd(caller, os.fsencode(tmp_path / "snap")), str(tmp_path / "root")) == caller


def test_only_one_of_our_folders_is_taken_from_the_path(tmp_path: Path) -> None:
    ours = os.fsencode(tmp_path) + b"/usr/bin"
    caller = {b"PATH": ours + b":/bin"}
    assert host(by_snapd(caller, os.fsencode(tmp_path)), str(tmp_path)) == caller


@pytest.mark.parametrize("caller", CALLERS.values(), ids=CALLERS)
def test_the_variables_of_another_snap_are_left_alone(caller: dict[bytes, bytes], tmp_path: Path) -> None:
    other = by_snapd(caller, b"/snap/other/1")
    assert host(other, str(tmp_path)) == other
    assert host(caller, str(tmp_path)) == caller


@pytest.mark.parametrize("environment", ["None", "dict(os.environ)"])
@pytest.mark.parametrize("caller", CALLERS.values(), ids=CALLERS)
def test_a_child_sees_the_callers_environment(
    caller: dict[bytes, bytes], environment: str, tmp_path: Path
) -> None:
    variables = by_snapd(caller, os.fsencode(tmp_path))
    assert seen_by_a_child(variables, tmp_path, "import os;", environment) == caller


def test_a_child_sees_what_certbot_adds(tmp_path: Path) -> None:
    prelude = "import os; os.environ['RENEWED_DOMAINS'] = 'a b';"
    variables = by_snapd(CALLERS["shell"], os.fsencode(tmp_path))
    for environment in ("None", "dict(os.environ)"):
        seen = seen_by_a_child(variables, tmp_path, prelude, environment)
        assert seen == CALLERS["shell"] | {b"RENEWED_DOMAINS": b"a b"}


@pytest.mark.parametrize("caller", CALLERS.values(), ids=CALLERS)
def test_what_snapd_told_is_kept_aside(caller: dict[bytes, bytes], tmp_path: Path) -> None:
    variables = by_snapd(caller, os.fsencode(tmp_path))
    told = seen_by_a_child(variables, tmp_path, "", "environment.snapd")
    assert told == {n: v for n, v in variables.items() if n in SNAPD and n not in caller}
    assert seen_by_a_child(caller, tmp_path, "", "environment.snapd") == {}
