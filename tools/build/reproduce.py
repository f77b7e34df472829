"""`python3 -m tools.build.reproduce`: build the commit twice, where all differs that may, and compare.

Exit status 0: one sha256 twice; 1: two, and diffoscope says where they differ; 2: it could not be told.
With `--without REMEDY` both builds lack one of the remedies below, the control: it should end with 1.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.build.clone import clone
from tools.build.errors import BuildError
from tools.build.recipe import PROJECT
from tools.digest import sha256
from tools.progress import say, step

#: Fetched once, for both: what is in there has its hash.
FETCHED = ("files", "packages", "crates")
REPORT_LINES = 200


@dataclass(frozen=True)
class Surroundings:
    """What must make no difference to a build.

    :ivar folder: where the clone lies, on the machine.
    :ivar below: where clone and work folder lie, in the root.
    :ivar jobs: processes at a time.
    :ivar umask: of the machine's shell, and of the clone's files.
    :ivar variables: of the machine's shell.
    :ivar hostname: of the machine and of the root.
    """

    folder: str
    below: str
    jobs: int
    umask: str
    hostname: str
    variables: dict[str, str]

    @property
    def place(self) -> Path:
        """Where clone and work folder are, on the machine; what was built there is used again."""
        return PROJECT / "build" / "reproduce" / self.folder


BOTH = (
    Surroundings("one", "/build", 2, "022", "one", {"LC_ALL": "C.UTF-8", "TZ": "UTC"}),
    Surroundings(
        "the other",
        "/build/other",
        3,
        "077",
        "other",
        {"LC_ALL": "C", "TZ": "Asia/Kathmandu", "USER": "nobody"},
    ),
)

#: What makes builds the same: a file of ours, what it says, and what it would say without.
REMEDIES = {
    "release dates": ("parts/toolchain/environment", "    export SOURCE_DATE_EPOCH\n", ""),
    "no debug information": ("parts/python-setup/build", "OPT='-DNDEBUG -O3 -Wall' ", ""),
    "no folders in sysconfig": (
        "parts/python-setup/build",
        'sed -i -e "s|$CRAFT_PART_BUILD|/usr/src/python|g" -e "s|$CRAFT_STAGE||g" ',
        ": ",
    ),
    "one compiler of bytecode": (
        "parts/python-setup/compile-bytecode",
        "-j 1",
        '-j "$CRAFT_PARALLEL_BUILD_COUNT"',
    ),
    "no programs of packages": (
        "parts/certbot-pins/prune.py",
        ' if (folder / line.partition(",")[0]).exists()',
        "",
    ),
    "no folders of crates": ("parts/cryptography-evp/build", "--remap-path-prefix=$PWD=. ", ""),
    "settled list of crates": (
        "parts/cryptography-evp/settle_sbom.py",
        'bom.pop("serialNumber", None)',
        "pass",
    ),
    "times of files": ("tools/build/snap.py", "os.utime(path, (time, time), follow_symlinks=False)", "pass"),
    "time of the file system": ("tools/build/snap.py", ', "SOURCE_DATE_EPOCH": str(time)', ""),
    "modes of hooks": ("tools/build/snap.py", "hook.chmod(0o755)", "pass"),
    "umask": ("tools/build/inside.py", "os.umask(0o022)", "pass"),
}


def prepare(surroundings: Surroundings, without: str | None) -> None:
    """Make the clone.

    :param without: a remedy that this build is to lack.
    """
    project = surroundings.place / "project"
    shutil.rmtree(project, ignore_errors=True)
    clone(PROJECT, project)
    if without is not None:
        file, text, instead = REMEDIES[without]
        (project / file).write_text((project / file).read_text().replace(text, instead))


def build(surroundings: Surroundings) -> Path:
    """Build the snap in the clone, in a root of its own; return the packed file.

    :raises BuildError: it does not build.
    """
    project, work = surroundings.place / "project", surroundings.place / "work"
    for name in FETCHED:
        fetched = PROJECT / "build" / "cache" / name
        if fetched.is_dir() and not (work / "cache" / name).is_dir():
            shutil.copytree(fetched, work / "cache" / name, copy_function=os.link)
    script = 'hostname "$0"; umask "$1"; [ "$1" = 022 ] || chmod -R go= .; find . -exec touch {} +; '
    script += 'shift; exec "$@"'
    command = ["unshare", "--uts", "--", "sh", "-ec", script, surroundings.hostname, surroundings.umask]
    command += [sys.executable, "-m", "tools.build", "--work", str(work), "--jobs", str(surroundings.jobs)]
    command += ["--below", surroundings.below, "--hostname", surroundings.hostname]
    say(f"==> build in {surroundings}")
    done = subprocess.run(command, cwd=project, env={**os.environ, **surroundings.variables})
    if done.returncode:
        raise BuildError(f"the build in {project} failed, see above")
    (packed,) = (project / "dist").glob("*.snap")
    return packed


def explain(one: Path, other: Path) -> None:
    """Say with diffoscope which files of two snaps differ, and how."""
    try:
        with step("diffoscope"):
            said = subprocess.run(
                ["diffoscope", "--no-progress", "--max-text-report-size=100000", str(one), str(other)],
                capture_output=True,
                text=True,
                errors="replace",
            ).stdout
    except FileNotFoundError:
        say("    the program diffoscope is missing: run `make setup`")
        return
    print("\n".join(said.splitlines()[:REPORT_LINES]))


def main() -> int:
    """Build twice and compare; see the module's text for the result."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.build.reproduce", description=__doc__)
    parser.add_argument("--without", choices=list(REMEDIES), metavar="REMEDY", help=", ".join(REMEDIES))
    without = parser.parse_args().without
    try:
        for surroundings in BOTH:
            prepare(surroundings, without)
        one, other = map(build, BOTH)
    except BuildError as error:
        print(f"reproduce: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("reproduce: interrupted; the next run goes on from here", file=sys.stderr)
        return 130
    digests = [sha256(one), sha256(other)]
    for digest, packed in zip(digests, (one, other), strict=True):
        print(f"{digest}  {packed}")
    if digests[0] == digests[1]:
        print("the same, byte for byte")
        return 0
    explain(one, other)
    print("reproduce: the two snaps differ", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
