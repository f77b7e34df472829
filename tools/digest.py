"""What stands for the content of files: one sha256."""

import hashlib
from pathlib import Path


def sha256(path: Path) -> str:
    """Return the hex sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tree(*tops: Path) -> str:
    """Return a hex sha256 over files and folders: names, modes and contents, whatever folder they lie in."""
    found = hashlib.sha256()
    for top in tops:
        for path in (top, *sorted(top.rglob("*"))):
            if "__pycache__" not in path.parts:
                found.update(f"{path.relative_to(top.parent)} {path.lstat().st_mode:o}\n".encode())
                if path.is_file():
                    found.update(sha256(path).encode())
    return found.hexdigest()
