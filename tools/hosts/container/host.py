"""A host in a Docker container: the userland of a distribution on this machine's kernel, without snapd.

The image is imported from a root of tools/hosts/roots.py, or is a registry's. A container has no snapd and
need not have Python: the snap is unpacked where snapd mounts it, its apps are entered through snap-exec
(the image's own, else this machine's: it is linked statically) by snap_run.sh, a stand-in for `snap run`. The
network is loopback only. The flag is a tmpfs over the container's /proc/sys; without it the container shows
the flag of this machine's kernel.

A daemon that runs is used; else one is started in namespaces of its own (dockerd.sh), private to the host.
Either way nothing outlives its user: the container's first process ends when its standard input does.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
import uuid
from contextlib import ExitStack, suppress
from pathlib import Path

import docker
import docker.errors
import requests
import yaml

from tools.hosts import roots
from tools.hosts.base import Ended, HostError, HostRefusedError, ReachedHost
from tools.hosts.container.dockerd import IMPORTED, daemon, import_root, quietly, remove_orphans

HERE = Path(__file__).parent
SNAP_EXEC = ("/usr/lib/snapd/snap-exec", "/usr/libexec/snapd/snap-exec")
#: The snap's base, where this machine has the real one; elsewhere its own /usr stands in, as in namespace.sh.
CORE24 = Path("/snap/core24/current/usr")
#: Seconds that the daemon may take for what is not a command of the caller's (a pull is one).
DAEMON_SECONDS = 300
#: Where Debian's family and Red Hat's have their trust stores.
TRUST_STORES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem")

# $0 the folder with `in`, $1 a time limit in seconds; then the command. Files, not pipes: a daemon that the
# command leaves behind must not keep us waiting for the end of its output.
_RUN = r"""limit=$1; shift; exec timeout -s KILL "$limit" "$@" <"$0/in" >"$0/out" 2>"$0/err" """


class DockerHost(ReachedHost):
    """A host in a container (root is needed, and the program dockerd where no daemon runs).

    root: a userland to make the image from, see roots.root; or image: the name of a registry's image.
    flag: is this a FIPS host? False: as this machine's kernel says.
    snap: the packed snap to install on entry, or None.
    """

    def __init__(
        self,
        *,
        root: str | Path | None = None,
        image: str | None = None,
        flag: bool = True,
        snap: Path | None = None,
    ) -> None:
        if (root is None) == (image is None):
            raise ValueError("a container is made from a root or from an image")
        self._root, self._image = root, image
        self._flag = flag
        super().__init__(snap)
        self._api: docker.APIClient | None = None
        self._container = ""
        self._inside = Path()
        self._taken = ExitStack()
        self.name = f"Docker, {image or Path(root or '').name}, {'FIPS flag set' if flag else 'no FIPS flag'}"

    def prepare(self) -> None:
        """See `Host.prepare`; an image is pulled when it is wanted."""
        if self._root is not None:
            roots.root(self._root)

    def up(self) -> None:
        """Start the container. Raise HostRefusedError when this machine has no Docker or no such image."""
        if os.geteuid() != 0:
            raise HostRefusedError("a container that mounts needs root: become root and try again")
        snap_exec = next((path for path in SNAP_EXEC if os.access(path, os.X_OK)), None)
        if snap_exec is None:
            raise HostRefusedError("no snap-exec on this machine: run `make setup`")
        userland = None if self._root is None else roots.root(self._root)
        try:
            self._start(userland, *self._connect())
            self.copy(HERE / "snap_run.sh", "/usr/local/bin/snap")
            self.path("/usr/local/bin/snap").chmod(0o755)
            self.copy(Path(snap_exec), "/usr/local/lib/snapd/snap-exec")
            self._inside_do("prepare")
            if not any(self.path(store).exists() for store in TRUST_STORES):
                # Ubuntu's images trust nobody, unlike its servers.
                self.copy(Path(TRUST_STORES[0]), TRUST_STORES[0])
            if self._flag:
                self.copy(roots.FLAG, "/run/fips-flag.sh")
                self.run(["sh", "/run/fips-flag.sh", "1\n"]).check()
        except (docker.errors.DockerException, requests.RequestException) as error:
            self.down()
            raise HostRefusedError(f"Docker gives no container here: {_one_line(error)}") from error
        except BaseException:
            self.down()
            raise

    def _install(self, snap: Path) -> None:
        """Unpack the snap where snapd mounts it, make its data folders and commands, run its install hook."""
        unpacked = self.path("/run/installing")
        done = subprocess.run(
            ["unsquashfs", "-quiet", "-no-progress", "-dest", str(unpacked), str(snap)],
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise HostError(f"{snap} cannot be unpacked: {_one_line(done.stderr)}")
        meta = yaml.safe_load((unpacked / "meta" / "snap.yaml").read_text())
        name = str(meta["name"])
        self.copy(snap, f"/var/lib/snapd/snaps/{name}_x1.snap")  # snap-exec looks whether it is there
        mounted = f"/snap/{name}/x1"
        apps = [name if app == name else f"{name}.{app}" for app in meta.get("apps", {})]
        self._inside_do("install", mounted, *apps)
        if self.run(["test", "-e", f"{mounted}/meta/hooks/install"]).returncode == 0:
            self.run(["snap", "run", "--hook=install", name]).check()

    def _is_up(self) -> bool:
        return self._api is not None and bool(self._container)

    def _root_path(self) -> Path:
        return self._inside

    def _execute(self, command: list[str], given: bytes, seconds: float) -> Ended:
        """See `Host._execute`. Docker takes arguments and variables in UTF-8 alone."""
        assert self._api is not None
        folder = f"/run/command-{uuid.uuid4().hex}"
        here = self.path(folder)
        here.mkdir(mode=0o700)
        try:
            (here / "in").write_bytes(given)
            began = time.monotonic()
            self._api.timeout = int(seconds) + 30
            limited = ["sh", "-c", _RUN, folder, f"{seconds:f}", *command]
            started = self._api.exec_create(self._container, limited, stdin=False)["Id"]
            self._api.exec_start(started)
            code = int(self._api.exec_inspect(started)["ExitCode"])
            late = time.monotonic() - began >= seconds
            out, err = (file.read_bytes() if file.exists() else b"" for file in (here / "out", here / "err"))
            return Ended.by_timeout(code, late, out, err)
        except (docker.errors.DockerException, requests.RequestException) as error:
            raise HostError(f"Docker did not run `{shlex.join(command)}`: {_one_line(error)}") from error
        finally:
            self._api.timeout = DAEMON_SECONDS
            shutil.rmtree(here, ignore_errors=True)

    def down(self) -> None:
        """Remove the container and what was made for it: the image, the daemon."""
        self._container = ""
        self._taken.close()
        self._api = None

    def _connect(self) -> tuple[docker.APIClient, Path]:
        """Return a daemon's client, and where the /proc is in which that daemon counts."""
        with suppress(docker.errors.DockerException, requests.RequestException):
            running = docker.DockerClient.from_env(timeout=DAEMON_SECONDS).api
            running.ping()
            return running, Path("/proc")
        pid = self._taken.enter_context(daemon())
        seen = Path(f"/proc/{pid}/root")
        own = docker.APIClient(base_url=f"unix://{seen}/mnt/docker.sock", timeout=DAEMON_SECONDS)
        return own, seen / "proc"

    def _start(self, userland: Path | None, api: docker.APIClient, proc: Path) -> None:
        """Get the image and start a container that ends when this process does."""
        self._api = api
        self._taken.callback(api.close)
        image = self._image or f"{IMPORTED}:{os.getpid()}-{uuid.uuid4().hex}"
        if userland is not None:
            remove_orphans(api)
            self._taken.callback(quietly, api.remove_image, image, force=True)
            import_root(api, userland, image)
        elif not api.images(image):
            api.pull(image)
        base = CORE24 if CORE24.is_dir() else Path("/usr")
        made = api.create_container(
            image,
            ["cat"],  # it ends with its input
            stdin_open=True,
            stop_signal="SIGKILL",
            host_config=api.create_host_config(
                auto_remove=True,
                binds={str(base): {"bind": "/run/core24-usr", "mode": "ro"}},
                cap_add=["SYS_ADMIN"],  # to mount the flag; --privileged takes more than some machines have
                network_mode="none",
                security_opt=["apparmor=unconfined", "seccomp=unconfined"],
            ),
        )["Id"]
        self._taken.callback(quietly, api.remove_container, made, force=True)
        # The daemon closes the container's input when this connection ends, however it ends.
        attached = api.attach_socket(made, params={"stdin": 1, "stream": 1})
        self._taken.callback(attached.close)
        api.start(made)
        self._inside = proc / str(api.inspect_container(made)["State"]["Pid"]) / "root"
        if not (self._inside / "run" / "core24-usr").is_dir():
            raise HostRefusedError("the Docker daemon runs on another machine: unset DOCKER_HOST")
        self._container = made

    def _inside_do(self, *arguments: str) -> None:
        self.run(["sh", "-s", "--", *arguments], stdin=(HERE / "inside.sh").read_text()).check()


def _one_line(error: object) -> str:
    return " / ".join(str(error).strip().splitlines()[-3:])
