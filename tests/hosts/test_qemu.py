"""Virtual machines: brought back as they were saved, each for itself; what goes wrong is one line."""

import gc
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tools.hosts import HostError, HostTimeoutError
from tools.hosts.catalog import find
from tools.hosts.make import make_host
from tools.hosts.roots import root
from tools.hosts.vm import image as images
from tools.hosts.vm import state
from tools.hosts.vm.console import Console
from tools.hosts.vm.host import QemuHost
from tools.hosts.vm.image import Image
from tools.hosts.vm.machine import Machine, Saved, remove_orphans

BOOT = "/proc/sys/kernel/random/boot_id"


def machine() -> QemuHost:
    host = make_host(find("debian-13-kernel-fips"))
    assert isinstance(host, QemuHost)
    return host


def left(pid: int) -> tuple[list[Path], list[Path]]:
    """Return the folders and the processes of the virtual machines of a process."""
    name = f"certbot-fips-vm-{pid}-"
    processes = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if name in (process / "cmdline").read_text(errors="replace"):
                processes.append(process)
    return list(Path(tempfile.gettempdir()).glob(f"{name}*")), processes


@pytest.fixture(scope="module")
def host() -> Iterator[QemuHost]:
    with machine() as host:
        yield host


@pytest.fixture(scope="module")
def image() -> Image:
    return images.image(root("debian-13"))


def console_of(error: pytest.ExceptionInfo[HostError]) -> str:
    """Return what the console said, which an error's text names; it is one line."""
    kept = re.fullmatch(
        r"the virtual machine .*; its console is kept in (\S+) and ends: .*", str(error.value)
    )
    assert kept, str(error.value)
    file = Path(kept[1])
    said = file.read_text(errors="replace")
    file.unlink()
    return said


def test_a_second_machine_is_another_one_from_the_same_boot(host: QemuHost) -> None:
    host.run(["touch", "/was-here"]).check()
    with machine() as other:
        assert other.run(["ls", "/was-here"]).returncode != 0
        assert other.run(["cat", BOOT]).stdout == host.run(["cat", BOOT]).stdout
        # Though its clock stood still, and its kernel's random numbers would be the other's.
        assert abs(int(other.run(["date", "+%s"]).stdout) - time.time()) < 60
        assert "crng reseeded due to virtual machine fork" in other.run(["dmesg"]).stdout


@pytest.mark.usefixtures("host")
def test_nothing_is_left_when_the_user_of_a_machine_is_killed() -> None:
    script = (
        "from tools.hosts.catalog import find; from tools.hosts.make import make_host\n"
        "with make_host(find('debian-13-kernel-fips')): print(flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as user:
        assert user.stdout is not None
        user.stdout.readline()
        assert list(map(len, left(user.pid))) == [1, 1]
        user.kill()
    deadline = time.monotonic() + 20
    while left(user.pid)[1] and time.monotonic() < deadline:
        time.sleep(0.1)
    remove_orphans()
    assert left(user.pid) == ([], [])


def test_a_full_disk_on_the_machine(host: QemuHost, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(64 << 20))
    host.run(["sh", "-c", "fallocate -l $(($(stat -f -c '%f * %S' /) - (48 << 20))) /full"]).check()
    with pytest.raises(HostError) as raised:
        host.copy(tmp_path / "large", "/large")
    assert re.search(r"tar: large: (Wrote only|Cannot write: No space left)", console_of(raised))
    host.run(["rm", "/full"]).check()


def test_a_machine_that_does_not_boot(image: Image, tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(bytes(1 << 20))
    with pytest.raises(HostError, match="the virtual machine ended") as raised:
        Machine(Image(image.kernel, image.initrd, tmp_path / "empty"), flagged=True)
    assert "Kernel panic" in console_of(raised)


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("size", [1000, 5 << 20])
def test_a_saved_state_that_is_cut_off(
    image: Image, size: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole, damaged = machine().saved(), Saved(tmp_path)
    damaged.disk.symlink_to(whole.disk)
    with whole.state.open("rb") as file:
        damaged.state.write_bytes(file.read(size))
    with pytest.raises(HostError, match=f"was not brought back: .*remove {tmp_path}:") as raised:
        Machine(image, flagged=True, saved=damaged)
    assert "load of migration failed" in console_of(raised)
    gc.collect()
    assert not caplog.records  # a second complaint, or a traceback


@pytest.mark.usefixtures("image")  # skips where there is no QEMU
def test_a_disk_too_full_for_a_saved_state(tmp_path: Path) -> None:
    socket = tmp_path / "qmp"
    paused = subprocess.Popen(
        [
            *("qemu-system-x86_64", "-S", "-m", "16", "-nodefaults", "-nographic"),
            *("-qmp", f"unix:{socket},server=on,wait=off"),
        ]
    )
    try:
        with pytest.raises(HostError, match=r"was not saved to /dev/full: QEMU could not write it \(\d+ MiB"):
            state.save(socket, Path("/dev/full"))
    finally:
        paused.kill()
        paused.wait()


def test_a_console_that_stops_answering(tmp_path: Path) -> None:
    console = Console(["sh", "-c", "printf 'root@host:~# '; exec bash --norc"], tmp_path / "log")
    try:
        console.wait_for_shell(30)
        assert console.type("(exit 3)", 30) == 3
        with pytest.raises(HostTimeoutError, match="did not answer to `sleep 60` in 1 s") as raised:
            console.type("sleep 60", 1)
    finally:
        console.close()
    console_of(raised)
