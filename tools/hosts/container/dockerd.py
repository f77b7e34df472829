"""A Docker daemon in namespaces of its own, for a machine on which none runs; images made from roots."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile

import docker
import docker.errors
import requests

from tools.hosts.base import LOGIN_ENVIRONMENT, HostError, HostRefusedError

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
    with TemporaryFile() as complaints:
        holder = subprocess.Popen(
            [
                *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--"),
                "sh",
                str(HERE / "dockerd.sh"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=dict(LOGIN_ENVIRONMENT),
            start_new_session=True,  # a Ctrl-C is for the test run, which then calls down()
        )
        assert holder.stdin is not None and holder.stdout is not None
        try:
            word, _, pid = holder.stdout.readline().decode().partition(" ")
            if word != "ready":
                holder.wait()
                complaints.seek(0)
                said = " / ".join(complaints.read().decode(errors="replace").strip().splitlines()[-3:])
                raise HostRefusedError(
                    f"this machine refuses a Docker daemon ({said}): be root, with CAP_SYS_ADMIN"
                )
            yield int(pid)
        finally:
            holder.stdin.close()  # dockerd.sh ends with its input, and takes all others along
            try:
                holder.wait(20)
            except subprocess.TimeoutExpired:
                holder.kill()
                holder.wait()
            holder.stdout.close()


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
