"""The root that the parts are built in has nothing of the machine, and is used again without a network."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tools import archive
from tools.build import recipe, root
from tools.build.errors import BuildError, UnavailableError

PARTS = recipe.load()["parts"]
CACHE = PROJECT / "build" / "cache" / "roots"


def prepare(cache: Path = CACHE, *more: str) -> root.Root:
    """Return the root that the snap is built in."""
    packages = {package for part in PARTS.values() for package in part.get("build-packages", [])}
    snaps = {snap for part in PARTS.values() for snap in part.get("build-snaps", [])}
    return root.prepare(sorted({*packages, *more}), sorted(snaps), cache)


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
        ("ls /build", "project"),
        ("ls /home /root /work 2>/dev/null | grep -v :$ | xargs", ""),
        ("test -e /usr/include/readline && echo there", "there"),  # of a build package
    ],
)
def test_nothing_of_the_machine_is_in_it(made: root.Root, script: str, said: str) -> None:
    assert inside(made, f"{script}; true") == said


def test_it_has_no_newer_c_library_than_the_base(made: root.Root) -> None:
    (version,) = (package.split()[1] for package in made.packages if package.startswith("libc6 "))
    assert tuple(map(int, version.partition("-")[0].split("."))) <= (2, 39)


def test_an_unknown_build_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"cannot be made with the build packages: .*no-such-package"):
        prepare(tmp_path, "no-such-package")


def test_without_the_archive_it_is_used_again(made: root.Root, monkeypatch: pytest.MonkeyPatch) -> None:
    here = archive.archive()
    assert here
    nowhere = archive.Archive(here.distribution, "http://127.0.0.1:9/")
    monkeypatch.setattr(root, "archive", lambda: nowhere)
    assert prepare() == made


def test_without_the_archive_there_is_none_to_begin_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(root, "archive", lambda: archive.Archive("Debian", "http://127.0.0.1:9/"))
    with pytest.raises(UnavailableError, match=r"the archive .* does not answer: check the network"):
        prepare(tmp_path)
