"""A Docker daemon in namespaces of its own, for a machine on which none runs; images made from roots."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import docker
import docker.errors
import requests

from tools.hosts.base import LOGIN_ENVIRONMENT, HostError, HostRefusedError
from tools.hosts.holder import Holder

HERE = Path(__file__).parent
#: The repository of images made from roots; a tag begins with the PID of the process that it is for.
IMPORTED = "certbot-fips-host"


@contextmanager
def daemon() -> Iterator[int]:
    """Run a daemon of our own while the context lasts; yield the PID of its namespaces' first process.

    Raise HostRefusedError when this machine has no dockerd or refuses it.
    """
    if shutil.which("dockerd", path=LOGIN_ENVIRONMENT["PATH"]) is None:
        raise HostRefusedError("no Docker daemon runs and there is no program `dockerd`: run `make setup`")
    refused = "this machine refuses a Docker daemon ({}): be root, with CAP_SYS_ADMIN"
    holder = Holder(["--mount", "--pid"], [str(HERE / "dockerd.sh")], refused)
    try:
        yield holder.pid
    finally:
        holder.close(20)


def import_root(api: docker.APIClient, root: Path, image: str) -> None:
    """Make an image from a root folder; what the kernel gives is left out."""
    repository, tag = image.split(":")
    left_out = [f"--exclude=./{name}/*" for name in ("dev", "proc", "sys")]
    tar = subprocess.Popen(["tar", "-C", str(root), *left_out, "-c", "."], stdout=subprocess.PIPE)
    assert tar.stdout is not None
    try:
        api.import_image_from_stream(tar.stdout, repository=repository, tag=tag)
    finally:
        tar.stdout.close()
        failed = tar.wait()
    if failed:
        raise HostError(f"the root {root} cannot be read (tar ended with {failed}): build it again")


def remove_orphans(api: docker.APIClient) -> None:
    """Remove the images of processes that were killed; the daemon has removed their containers."""
    for image in api.images(IMPORTED):
        for tag in image["RepoTags"] or ():
            if not Path("/proc", tag.partition(":")[2].partition("-")[0]).exists():
                quietly(api.remove_image, tag, force=True)


def quietly(call: Callable[..., object], *arguments: object, **options: object) -> None:
    """Take something away that may be gone already."""
    with suppress(docker.errors.DockerException, requests.RequestException):
        call(*arguments, **options)
