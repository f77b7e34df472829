"""Docker hosts: what they show is true, on a daemon of their own and on one that runs; nothing is left."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest

from tests.conftest import PROJECT
from tools.hosts import HostError, HostRefusedError, roots
from tools.hosts.container.dockerd import HERE, daemon
from tools.hosts.container.host import DockerHost
from tools.spread import supplies
from tools.spread.model import load
from tools.spread.plan import jobs
from tools.spread.run import Session

FIPS_SO = "usr/lib/ossl-modules/fips.so"
CONTEXT = """
import re, ssl, pathlib
ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
print(sorted(set(re.findall(r"/\\S*fips\\.so", pathlib.Path("/proc/self/maps").read_text()))))
"""
#: Makes of Debian what a Red Hat image is to the host: no snapd, no Python, the name of the system.
LIKE_RHEL = """
umount /snap/core24/base/usr
rm -rf /snap /usr/lib/snapd /usr/bin/python3* /etc/os-release
printf 'ID="rhel"\\nID_LIKE="fedora"\\n' >/etc/os-release
"""
#: And what Ubuntu's have not, though its servers do.
LIKE_UBUNTU = """
umount /snap/core24/base/usr
rm -rf /snap /usr/lib/snapd /usr/bin/python3* /usr/bin/openssl /etc/ssl
"""


def holder(path: str) -> int:
    """The PID of a daemon's first process: its end is the end of all processes and mounts with it."""
    found = re.match(r"/proc/(\d+)/root/proc/\d+/root", path)
    assert found, path
    return int(found[1])


def left(pid: int, seconds: float = 0) -> list[Path]:
    """What is left of a daemon, at the latest after some seconds: processes, the folders of its cgroups."""
    deadline = time.monotonic() + seconds
    while True:
        found = [Path(f"/proc/{pid}")] if Path(f"/proc/{pid}").exists() else []
        for pattern in (f"certbot-fips-docker-{pid}", f"*/certbot-fips-docker-{pid}"):
            found += Path("/sys/fs/cgroup").glob(pattern)
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


@pytest.fixture(scope="module")
def root() -> Path:
    with daemon():
        pass
    return roots.root("debian-12")


@pytest.fixture(scope="module")
def flagged(root: Path, snap_file: Path) -> Iterator[DockerHost]:
    with DockerHost(root=root, flag=True, snap=snap_file) as host:
        yield host


def test_the_snap_is_in_fips_mode_where_the_flag_is_set(flagged: DockerHost) -> None:
    assert flagged.run(["cat", "/proc/sys/crypto/fips_enabled"]).stdout == "1\n"
    assert flagged.run(["cat", "/proc/sys/kernel/ostype"]).stdout == "Linux\n"
    assert flagged.run(["certbot-fips.doctor"]).stdout.startswith("FIPS: active\n")
    made = flagged.run(["snap", "run", "certbot-fips.python3", "-c", CONTEXT]).check()
    assert made.stdout == f"['/snap/certbot-fips/x1/{FIPS_SO}']\n"
    shell = flagged.run(["snap", "run", "--shell", "certbot-fips"], stdin=f"python3 -c '{CONTEXT}'").check()
    assert shell.stdout == made.stdout


@pytest.mark.skipif(
    Path("/proc/sys/crypto/fips_enabled").exists(), reason="this kernel has a flag of its own"
)
def test_it_is_not_where_the_flag_is_not(root: Path, snap_file: Path) -> None:
    with DockerHost(root=root, flag=False, snap=snap_file) as host:
        assert host.run(["certbot-fips.doctor"]).stdout.startswith("FIPS: off, host not flagged\n")
        assert host.run(["certbot-fips.python3", "-c", CONTEXT]).check().stdout == "[]\n"
        host.run(["sh", "-c", "setsid sleep 1000 &"]).check()
        pid = holder(str(host.path("")))
        assert left(pid)
    assert not left(pid)
    with pytest.raises(HostError, match="the host is not up"):
        host.run(["true"])


def test_what_the_host_is(flagged: DockerHost) -> None:
    assert "VERSION_CODENAME=bookworm" in flagged.run(["cat", "/etc/os-release"]).stdout
    assert flagged.run(["ls", "/sys/class/net"]).stdout == "lo\n"
    assert flagged.run(["touch", "/snap/certbot-fips/x1/written"]).returncode != 0
    assert "fips_enabled" not in flagged.run(["cat", "/proc/1/mountinfo"]).stdout
    refused = flagged.run(["snap", "list"])
    assert (refused.returncode, refused.stderr) == (
        1,
        "error: no snapd runs on this host; only `snap run` is understood\n",
    )
    assert flagged.run(["snap", "run", "nothing.here"]).stderr == 'error: snap "nothing" is not installed\n'


def test_a_file_that_is_no_snap(flagged: DockerHost, tmp_path: Path) -> None:
    (tmp_path / "broken.snap").write_bytes(b"no squashfs" * 1000)
    with pytest.raises(HostError, match=r"broken.snap cannot be unpacked: .*superblock"):
        flagged.install(tmp_path / "broken.snap")


def test_nothing_is_left_when_the_user_of_a_host_is_killed(root: Path) -> None:
    assert not left(holder(start_and_kill_a_user(root)), seconds=20)


def start_and_kill_a_user(root: Path) -> str:
    """Kill a process that has a host; return where the host's root was."""
    script = (
        "import sys, time; from pathlib import Path; from tools.hosts.container.host import DockerHost\n"
        "host = DockerHost(root=Path(sys.argv[1])); host.up()\n"
        "host.run(['sh', '-c', 'setsid sleep 1000 &'])\n"
        "print(host.path(''), flush=True); time.sleep(1000)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(root)], stdout=subprocess.PIPE, text=True, cwd=PROJECT
    )
    assert process.stdout is not None
    path = process.stdout.readline().strip()
    process.kill()
    process.wait()
    process.stdout.close()
    return path


@contextmanager
def running_daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A daemon as machines have it elsewhere: it runs already, and counts PIDs as the machine does."""
    holder = subprocess.Popen(
        ["unshare", "--mount", "sh", str(HERE / "dockerd.sh")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdin is not None and holder.stdout is not None
    try:
        pid = int(holder.stdout.readline().split()[1])
        monkeypatch.setenv("DOCKER_HOST", f"unix:///proc/{pid}/root/mnt/docker.sock")
        yield
    finally:
        holder.stdin.close()
        holder.wait(30)
        holder.stdout.close()


def snap_with_a_bad_hook(folder: Path) -> Path:
    hooks = folder / "snap" / "meta" / "hooks"
    hooks.mkdir(parents=True)
    (hooks.parent / "snap.yaml").write_text("name: bad\nversion: 1\nconfinement: classic\n")
    (hooks / "install").write_text("#!/bin/sh\necho it will not do >&2\nexit 1\n")
    (hooks / "install").chmod(0o755)
    snap = folder / "bad.snap"
    subprocess.run(["mksquashfs", str(folder / "snap"), str(snap), "-quiet", "-no-progress"], check=True)
    return snap


def test_a_daemon_that_runs_is_used_and_left_as_it_was(
    root: Path, snap_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_daemon(monkeypatch):
        client = docker.DockerClient.from_env()
        try:
            start_and_kill_a_user(root)
            deadline = time.monotonic() + 20
            while client.containers.list(all=True, ignore_removed=True) and time.monotonic() < deadline:
                time.sleep(0.1)
            assert not client.containers.list(all=True), "the container outlived its user"
            with DockerHost(root=root) as host:
                assert host.run(["cat", "/proc/sys/crypto/fips_enabled"]).stdout == "1\n"
                assert len(client.images.list()) == 1  # the killed user's is gone
                host.run(["sh", "-euc", LIKE_RHEL]).check()
                client.containers.list()[0].commit("like-rhel", "9")
            bad = snap_with_a_bad_hook(tmp_path)
            with pytest.raises(HostError, match="it will not do"), DockerHost(image="like-rhel:9", snap=bad):
                pytest.fail("the hook did not matter")
            with DockerHost(image="like-rhel:9", snap=snap_file) as named:
                assert named.run(["certbot-fips.doctor"]).stdout.startswith("FIPS: active\n")
                made = named.run(["snap", "run", "certbot-fips.python3", "-c", CONTEXT]).check()
                assert made.stdout == f"['/var/lib/snapd/snap/certbot-fips/x1/{FIPS_SO}']\n"
            assert not client.containers.list(all=True)
            assert [image.tags for image in client.images.list()] == [["like-rhel:9"]]
            with (
                pytest.raises(HostRefusedError, match="no-such-userland"),
                DockerHost(image="no-such-userland:1"),
            ):
                pytest.fail("there is such an image")
        finally:
            client.close()


@pytest.mark.parametrize(("system", "shape"), [("ubi-9", LIKE_RHEL), ("ubuntu-24.04", LIKE_UBUNTU)])
def test_spreads_tasks_need_no_more_than_an_image_has(
    root: Path, snap_file: Path, system: str, shape: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    supplies.make(tmp_path / "supplies")
    project = load(PROJECT)
    with running_daemon(monkeypatch):
        with DockerHost(root=root) as host:
            host.run(["sh", "-euc", f"{shape}rm /usr/bin/diff"]).check()
            client = docker.DockerClient.from_env()
            client.containers.list()[0].commit("like", system)
            client.close()
        with (
            DockerHost(image=f"like:{system}", snap=snap_file) as host,
            Session(host, project, snap_file, tmp_path / "supplies") as session,
        ):
            done = [
                session.run(job) for job in jobs(project, "adhoc", manual=True) if job.system.name == system
            ]
    assert len(done) >= 6


def test_a_machine_that_refuses(tmp_path: Path) -> None:
    script = "from pathlib import Path; from tools.hosts.container.host import DockerHost\n"
    script += f"DockerHost(root=Path({str(tmp_path)!r})).up()"
    for drop, reason in (
        ("--bounding-set=-sys_admin", "this machine refuses a Docker daemon (unshare: "),
        ("--reuid=65534", "a container that mounts needs root"),
    ):
        refused = subprocess.run(
            ["setpriv", drop, "--inh-caps=-all", "--keep-groups", sys.executable, "-c", script],
            capture_output=True,
            text=True,
            cwd=PROJECT,
            check=False,
        )
        assert f"HostRefusedError: {reason}" in refused.stderr
