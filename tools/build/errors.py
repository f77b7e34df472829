"""What a build can fail with."""

import errno
import os
from pathlib import Path


class BuildError(Exception):
    """The build cannot go on; the message is one line that says what to do."""


class UnavailableError(BuildError):
    """A source is unavailable on this machine; on another, or later, the same build may do."""


def check_space(said: str, folder: Path) -> None:
    """Tell a full disk from what else a program may have failed for.

    :param said: by the program, on stderr.
    :param folder: where it wrote.
    :raises OSError: it was the disk.
    """
    if os.strerror(errno.ENOSPC) in said:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
