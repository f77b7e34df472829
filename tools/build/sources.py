"""Bring a pinned source: from the cache, its upstream URL, or a second origin with the same bytes."""

import shutil
import tempfile
from pathlib import Path

import requests

from tools.archive import Apt, archive
from tools.build.errors import BuildError
from tools.digest import sha256
from tools.progress import say, step

CONNECT_SECONDS, READ_SECONDS = 10, 60


def cached(cache: Path, checksum: str) -> Path:
    """Return where craft-parts looks for a source before it downloads it.

    :param checksum: ``sha256/<hex>``, as in the recipe.
    """
    return cache / "files" / checksum


def bring(url: str, checksum: str, cache: Path, distribution: dict[str, str] | None) -> bool:
    """Put a source into craft-parts' cache, if any of its origins can be reached.

    :param url: the upstream URL.
    :param checksum: ``sha256/<hex>``: nothing else enters the cache.
    :param distribution: ``{package, suite}`` of a Debian source package with the same bytes.
    :returns: False where no origin can be reached.
    :raises BuildError: an origin answered with other bytes.
    """
    target = cached(cache, checksum)
    if target.is_file():
        if sha256(target) == checksum.partition("/")[2]:
            return True
        say(f"    {target} is damaged: it is fetched anew")
        target.unlink()
    target.parent.mkdir(parents=True, exist_ok=True)
    name = url.rpartition("/")[2]
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="incoming-") as folder:
        incoming = Path(folder) / name
        try:
            download(url, incoming)
            origin = "its upstream URL"
        except requests.RequestException as error:
            say(f"    {name}: upstream cannot be reached ({type(error).__name__})")
            if distribution is None or not _from_distribution(distribution, checksum, incoming):
                return False
            origin = f"the Debian source package {distribution['package']}"
        found = sha256(incoming)
        if found != checksum.partition("/")[2]:
            raise BuildError(
                f"{name} from {origin} has sha256 {found}, the recipe pins {checksum}:"
                " do not build with it; find out which of the two is wrong"
            )
        incoming.replace(target)
    say(f"    {name}: from {origin}, sha256 as pinned")
    return True


def download(url: str, target: Path) -> None:
    """Fetch a file.

    :raises requests.RequestException: it is unavailable, or ends too soon.
    """
    with (
        step(f"fetch {url.rpartition('/')[2]}"),
        requests.get(url, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)) as answer,
    ):
        answer.raise_for_status()
        with target.open("wb") as file:
            for block in answer.iter_content(1 << 20):
                file.write(block)


def _from_distribution(origin: dict[str, str], checksum: str, target: Path) -> bool:
    """Fetch the original tarball of a Debian source package with apt; False where there is none.

    The archive and its key are those that this machine's apt uses for Debian; only the suite differs.
    """
    debian = archive("Debian")
    if debian is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        state.chmod(0o755)  # apt drops to its own user for downloads, who must be able to enter
        apt = Apt(state, debian.line(origin["suite"], "deb-src"))
        with step(f"fetch the Debian source package {origin['package']} ({origin['suite']})"):
            if apt("apt-get", "-qq", "update").returncode:
                return False
            listing = apt("apt-cache", "showsrc", origin["package"]).stdout
            version = _version_with(listing, checksum.partition("/")[2])
            if version is None:
                return False
            wanted = f"{origin['package']}={version}"
            apt("apt-get", "-qq", "source", "--download-only", "--tar-only", wanted, cwd=state)
        for tarball in state.glob("*.orig.tar.*"):
            shutil.move(tarball, target)
            return True
    return False


def _version_with(listing: str, digest: str) -> str | None:
    """Return the version of the one source package in `apt-cache showsrc` output with that sha256."""
    for entry in listing.split("\n\n"):
        if digest in entry:
            for line in entry.splitlines():
                if line.startswith("Version: "):
                    return line.removeprefix("Version: ")
    return None
