"""The demo, as `make demo` runs it on the packed snap, and where it cannot run."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.documents import example, shows
from tools.hosts import NamespaceHost


def demo(*arguments: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*before, sys.executable, "-m", "tools.demo", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


def assert_one_line(done: subprocess.CompletedProcess[str], text: str) -> None:
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"demo: {text}"), done.stderr


def test_it_shows_all_four_steps_in_a_minute(snap_file: Path, flagged: NamespaceHost, provider: str) -> None:
    """`flagged` is not used: where it cannot be, this is skipped with the same reason."""
    assert flagged.name
    began = time.monotonic()
    done = demo(str(snap_file))
    assert time.monotonic() - began < 60
    assert done.returncode == 0, done.stderr
    for shown in (
        "1. The bug",
        "ssl.SSLError: ",
        "2. The snap on the same host",
        "refused for security",
        "3. A certificate",
        "subject        CN=demo.example.org",
        "issuer         CN=Pebble Intermediate CA",
        "key type       ECDSA P-256",
        "group secp256r1",
        "in libcrypto: none",
        "4. What was shown",
    ):
        assert shown in done.stdout
    if not provider:  # the document shows the recipe's own module
        assert shows(example("docs/auditors.md", "2. The snap on the same host")).search(done.stdout)


def test_without_a_snap(tmp_path: Path) -> None:
    assert_one_line(
        demo(str(tmp_path / "missing.snap")), f"no snap at {tmp_path}/missing.snap: run `make snap`"
    )


@pytest.mark.parametrize("who", ["no capability", "not root"])
def test_where_namespaces_are_refused(snap_file: Path, who: str) -> None:
    before = ("setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin")
    if who == "not root":
        before = ("setpriv", "--reuid=65534", "--clear-groups")
    assert_one_line(demo(str(snap_file), before=before), "this machine refuses mount namespaces (unshare: ")
