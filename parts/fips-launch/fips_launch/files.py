"""How a file of the snap's data is written."""

import os


def write(path: str, text: str) -> None:
    """Write a file that all may read, in one step; OSError if that fails, and nothing is changed then.

    The new file is made beside the old one: the folder may be on a file system of its own.
    """
    os.makedirs(os.path.dirname(path), exist_ok=True)
    candidate = path + ".new"
    with open(candidate, "w", encoding="ascii") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.rename(candidate, path)
