"""A copy of the project as it is now, with its history, and nothing that was built."""

import shutil
import subprocess
from pathlib import Path

from tools.build.errors import BuildError


def clone(project: Path, target: Path) -> None:
    """Copy what git tracks or would track, and the history.

    :param target: a folder that is not there yet.
    :raises BuildError: the project is no clone with a history of its own.
    """
    if not (project / ".git").is_dir():
        raise BuildError(f"{project} is no git clone (nor is a worktree of one enough): clone the project")
    listed = subprocess.run(
        [
            "git",
            "-c",
            f"safe.directory={project}",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (project / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(project / name, target / name, follow_symlinks=False)
    shutil.copytree(project / ".git", target / ".git")
