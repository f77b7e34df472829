"""README's first command on machines with nothing: as far as the root that the parts are built in.

The whole of it: `make bare WHERE=debian-13`.
"""

import json
import re
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tools import bare
from tools.archive import archive
from tools.build.compare import read
from tools.build.snap import RECORD


@pytest.mark.parametrize("system", bare.SYSTEMS)
def test_the_build_stands_on_a_bare_machine(system: str, snap_file: Path) -> None:
    """And in the same root, package by package, as the snap that is tested."""
    if archive("Debian") is None:
        pytest.skip("apt on this machine knows no Debian archive to make a bare machine from")
    built_in = json.loads(read(snap_file, RECORD))["root"]
    _, found = bare.run(system, until=bare.ROOT)
    assert found, "the command ended before the root was there, see its output above"
    assert found["suite"] == built_in["suite"]
    assert found["digest"] == built_in["sha256"]


def test_readme_claims_what_was_seen() -> None:
    readme = " ".join((PROJECT / "README.md").read_text().split())
    claimed = re.search(r"On a machine with (Debian [^,]*), on amd64", readme)
    assert claimed
    assert [f"debian-{number}" for number in re.findall(r"\d+", claimed[1])] == list(bare.SYSTEMS)
