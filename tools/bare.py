"""`python3 -m tools.bare debian-13`: README's first command on a machine that has nothing.

The machine is a root of a distribution with git, make and ca-certificates alone, entered with pivot_root(2)
in namespaces of its own (bwrap(1)); the network is this machine's. What this machine needs to reach it, a
proxy or a certificate authority, is handed in, for that is no part of a machine.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.archive import MMDEBSTRAP, archive
from tools.build.clone import clone
from tools.build.errors import BuildError
from tools.build.recipe import PROJECT
from tools.hosts.catalog import load

#: The systems on which the build was seen, and no others are claimed.
SYSTEMS = ("debian-12", "debian-13")
PACKAGES = ("git", "make", "ca-certificates")
COMMAND = ("make", "demo")
HOME = "root"
#: The line by which the build says that its root is there.
ROOT = re.compile(r"parts are built in (?P<suite>\w+), .*: sha256 (?P<digest>[0-9a-f]{64})")
#: How this machine reaches the network.
VARIABLES = re.compile(
    r"(http|https|no)_proxy|PIP_(CERT|PROXY|INDEX_URL)|SSL_CERT_FILE|REQUESTS_CA_BUNDLE", re.I
)
APT = re.compile(r"Acquire::(Check-|https?::)")


@contextmanager
def machine(system: str) -> Iterator[list[str]]:
    """Make a bare machine with a clone of the project on it; yield the command that another is appended to.

    :param system: one of `SYSTEMS`.
    :raises BuildError: it cannot be made here.
    """
    debian = archive("Debian")
    if debian is None:
        raise BuildError("apt on this machine knows no Debian archive to make a bare machine from")
    suite = load()["roots"][system]["suite"]
    place = PROJECT / "build" / "bare"
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, prefix=f"{system}-") as folder:
        root = Path(folder, "root")
        made = subprocess.run(
            [
                *(*MMDEBSTRAP, "--variant=minbase", "--dpkgopt=force-unsafe-io"),
                *('--aptopt=Acquire::Check-Valid-Until "false"', f"--include={','.join(PACKAGES)}"),
                *(suite, str(root), debian.line(suite)),
            ],
            capture_output=True,
            text=True,
        )
        if made.returncode:
            raise BuildError(f"mmdebstrap cannot make {suite}: {made.stderr.strip().splitlines()[-1:]}")
        options = subprocess.run(["apt-config", "dump"], capture_output=True, text=True).stdout.splitlines()
        (root / "etc/apt/apt.conf.d/90surroundings").write_text("\n".join(filter(APT.match, options)) + "\n")
        clone(PROJECT, root / HOME / "certbot-fips")
        yield _entering(root, f"/{HOME}/certbot-fips")


def _entering(root: Path, folder: str) -> list[str]:
    variables = {name: value for name, value in os.environ.items() if VARIABLES.fullmatch(name)}
    files = {"/etc/resolv.conf", *(value for value in variables.values() if Path(value).is_file())}
    shown = [word for file in sorted(files) for word in ("--ro-bind", os.path.realpath(file), file)]
    home = {"HOME": f"/{HOME}", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    environment = [
        word for name, value in {**home, **variables}.items() for word in ("--setenv", name, value)
    ]
    return [
        *("bwrap", "--bind", str(root), "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc"),
        *("--ro-bind", "/sys", "/sys", "--tmpfs", "/run", *shown),
        *("--unshare-pid", "--unshare-uts", "--hostname", "bare", "--die-with-parent"),
        *("--clearenv", *environment, "--chdir", folder, "--"),
    ]


def run(system: str, until: re.Pattern[str] | None = None) -> tuple[int, re.Match[str] | None]:
    """Run README's first command on a bare machine, its output shown.

    :param until: what its output is waited for; then it is ended. None: it runs to its end.
    :returns: its exit status, and the line that was waited for.
    :raises BuildError: the machine cannot be made here.
    """
    found = None
    with machine(system) as entering:
        print(f"==> {system}, with {', '.join(PACKAGES)} alone: {' '.join(COMMAND)}", flush=True)
        process = subprocess.Popen(
            [*entering, *COMMAND],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        try:
            for line in process.stdout:
                print(line, end="", flush=True)
                found = until.search(line) if until else None
                if found:
                    process.terminate()  # bwrap takes all of its processes along
                    break
            process.stdout.close()
            return process.wait(), found
        except KeyboardInterrupt:
            process.kill()
            process.wait()
            raise


def main() -> int:
    """Return what README's first command returned, or 1 with one line."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.bare", description=__doc__)
    parser.add_argument("system", choices=SYSTEMS)
    try:
        status, _ = run(parser.parse_args().system)
    except BuildError as error:
        print(f"bare: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bare: interrupted", file=sys.stderr)
        return 130
    return status


if __name__ == "__main__":
    sys.exit(main())
