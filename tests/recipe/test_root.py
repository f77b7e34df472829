"""The root that the parts are built in has nothing of the machine, and is used again without a network."""

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tools import archive
from tools.build import recipe, root
from tools.build.errors import BuildError, UnavailableError

PARTS = recipe.load()["parts"]
CACHE = PROJECT / "build" / "cache" / "roots"
#: What apt has there only while it works.
LOCKED = shutil.ignore_patterns("lock", "partial")


def prepare(cache: Path = CACHE, *more: str) -> root.Root:
    """Return the root that the snap is built in."""
    packages, snaps = recipe.build_needs(PARTS)
    return root.prepare(sorted({*packages, *more}), snaps, cache)


@pytest.fixture(scope="module")
def made() -> root.Root:
    if os.geteuid() != 0:
        pytest.skip("a root is made by root")
    return prepare()


def inside(made: root.Root, script: str) -> str:
    command = made.command(
        *("sh", "-c", script),
        read={"project": PROJECT},
        write={},
        variables={"ONE": "1"},
        folder="project",
    )
    environment = {**os.environ, "FOREIGN": "x", "LC_ALL": "C"}
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, check=True, umask=0o022
    ).stdout.strip()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("env | sed 's/=.*//' | sort | xargs", "HOME LANG ONE PATH PWD"),
        ("pwd", "/build/project"),
        ("cat /proc/sys/kernel/hostname", "build"),
        ("sed 's/:.*//' /proc/net/dev | tail -n +3 | xargs", "lo"),
        ("touch snapcraft.yaml 2>/dev/null || echo read-only", "read-only"),
        ("touch /usr/file 2>/dev/null || echo read-only", "read-only"),
        ("mount -o remount,rw,bind . 2>/dev/null || echo read-only", "read-only"),
        ("cat /etc/resolv.conf /etc/hostname 2>/dev/null", ""),
        ("ls /build", "project"),
        ("ls /home /root /work 2>/dev/null | grep -v :$ | xargs", ""),
        ("test -e /usr/include/readline && echo there", "there"),  # of a build package
    ],
)
def test_nothing_of_the_machine_is_in_it(made: root.Root, script: str, said: str) -> None:
    assert inside(made, f"{script}; true") == said


def test_what_is_in_it_is_on_its_list(made: root.Root) -> None:
    there = inside(made, "dpkg-query -W -f '${Package} ${Version}\\n'").splitlines()
    assert sorted(there) == [package.rpartition(" ")[0] for package in made.packages]


def test_it_has_no_newer_c_library_than_the_base(made: root.Root) -> None:
    (version,) = (package.split()[1] for package in made.packages if package.startswith("libc6 "))
    assert tuple(map(int, version.partition("-")[0].split("."))) <= (2, 39)


def test_an_unknown_build_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"cannot be made with the build packages: .*no-such-package"):
        prepare(tmp_path, "no-such-package")


def copied(made: root.Root, folder: Path) -> Path:
    """Make a cache of a test's own with the same root, and return its note: others use apt's meanwhile."""
    (folder / made.folder.name).symlink_to(made.folder)
    shutil.copytree(CACHE / f"{made.suite}-apt", folder / f"{made.suite}-apt", ignore=LOCKED)
    (note,) = CACHE.glob("*.json")
    return Path(shutil.copy(note, folder))


def test_without_the_archive_it_is_used_again(
    made: root.Root, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied(made, tmp_path)
    here = archive.archive()
    assert here
    nowhere = archive.Archive(here.distribution, "http://127.0.0.1:9/")
    monkeypatch.setattr(root, "archive", lambda: nowhere)
    assert prepare(tmp_path) == replace(made, folder=tmp_path / made.folder.name)


def test_a_note_that_was_cut_is_written_anew(made: root.Root, tmp_path: Path) -> None:
    note = copied(made, tmp_path)
    note.write_text(note.read_text()[:100])
    assert prepare(tmp_path).packages == made.packages
    assert json.loads(note.read_text())["packages"] == made.packages


def test_without_root_and_archive_it_is_unavailable(
    made: root.Root, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert made.folder.is_dir()
    (note,) = CACHE.glob("*.json")
    shutil.copy(note, tmp_path)
    monkeypatch.setattr(root, "archive", lambda: archive.Archive("Debian", "http://127.0.0.1:9/"))
    with pytest.raises(UnavailableError, match="does not answer"):
        prepare(tmp_path)


@pytest.mark.parametrize("control", [False, True])
def test_what_a_killed_mmdebstrap_mounted_is_gone(tmp_path: Path, control: bool) -> None:
    """For a run that removes what it left would go on into this machine's /sys and /dev."""
    if os.geteuid() != 0:
        pytest.skip("root mounts")
    entering = archive.MMDEBSTRAP[: archive.MMDEBSTRAP.index("mmdebstrap")]
    script = 'mount -t tmpfs none "$0" && kill -KILL $$'
    subprocess.run([*(() if control else entering), "sh", "-c", script, tmp_path])
    assert tmp_path.is_mount() is control
    if control:
        subprocess.run(["umount", tmp_path], check=True)


def test_without_the_archive_there_is_none_to_begin_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(root, "archive", lambda: archive.Archive("Debian", "http://127.0.0.1:9/"))
    with pytest.raises(UnavailableError, match=r"the archive .* does not answer: check the network"):
        prepare(tmp_path)
