"""What the tasks of tests/spread need besides the packed snap: `make supplies` puts it into dist/supplies.

It is made on the machine that `make setup` has set up, travels with the project, and serves every host: the
test authority and the bundle without a FIPS module bring their own C library. The programs are others', with
their own licences; none is part of this project.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tools.acme import files as acme
from tools.demo import bundle
from tools.hosts import HostError
from tools.hosts.packed import DIST


def make(folder: Path) -> None:
    """Make the folder anew: `acme` and `bundle`. Raise HostError when this machine cannot."""
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as aside:
        acme.make(Path(aside, "new/acme"))
        bundle.make(Path(aside, "new/bundle"))
        if folder.exists():
            folder.rename(Path(aside, "old"))
        Path(aside, "new").rename(folder)


if __name__ == "__main__":
    try:
        make(DIST / "supplies")
    except (HostError, OSError) as error:
        sys.exit(f"supplies: {error}")
