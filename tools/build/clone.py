"""A copy of the project as it is now, with its history, and nothing that was built."""

import shutil
import subprocess
from pathlib import Path


def clone(project: Path, target: Path) -> None:
    """Copy what git tracks or would track, and the history.

    :param target: a folder that is not there yet.
    """
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
