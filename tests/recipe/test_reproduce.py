"""Each remedy that makes two builds the same is there, and those of packing are shown one by one.

`make reproduce` shows all of them on the whole snap; `python3 -m tools.build.reproduce --without REMEDY` is
the control of each.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.conftest import PROJECT
from tools.build.errors import BuildError
from tools.build.reproduce import REMEDIES

RECIPE: dict[str, Any] = {
    "name": "small",
    "version": "1",
    "summary": "s",
    "description": "of two\nlines\n",
    "base": "core24",
    "confinement": "classic",
    "platforms": {"amd64": {}},
    "apps": {},
}


@pytest.mark.parametrize("remedy", REMEDIES)
def test_every_remedy_is_where_the_control_takes_it_away(remedy: str) -> None:
    file, text, _ = REMEDIES[remedy]
    assert (PROJECT / file).read_text().count(text) == 1


def load(file: str, without: str | None) -> ModuleType:
    """Return a module of the project, without one remedy."""
    text = (PROJECT / file).read_text()
    if without:
        assert REMEDIES[without][0] == file
        text = text.replace(*REMEDIES[without][1:])
    module = ModuleType("changed")
    exec(compile(text, file, "exec"), vars(module))
    return module


def pack(folder: Path, without: str | None, umask: int) -> bytes:
    """Pack a small snap on a machine with that umask."""
    snap = load("tools/build/snap.py", without)
    before = os.umask(umask)
    try:
        (folder / "hooks").mkdir(parents=True)
        (folder / "hooks" / "install").write_text("#!/bin/sh\n")
        (folder / "hooks" / "install").chmod(0o777 & ~umask)
    finally:
        os.umask(before)
    (folder / "prime").mkdir()
    (folder / "prime" / "file").write_text("content")
    os.utime(folder / "prime" / "file", (umask, umask))  # older than the commit: unpacked from a release
    packed: Path = folder / "small.snap"
    snap.pack(RECIPE, folder / "prime", folder / "hooks", {"commit": "c"}, 1700000000, packed)
    return packed.read_bytes()


@pytest.mark.parametrize("without", [None, "times of files", "time of the file system", "modes of hooks"])
def test_the_same_files_become_the_same_snap(tmp_path: Path, without: str | None) -> None:
    one = pack(tmp_path / "one", without, 0o022)
    time.sleep(1.1)  # squashfs has whole seconds
    if without == "modes of hooks":
        with pytest.raises(BuildError, match="bad permissions"):
            pack(tmp_path / "other", without, 0o077)
        return
    assert (one == pack(tmp_path / "other", without, 0o077)) is (without is None)


@pytest.mark.parametrize("without", [None, "settled list of crates"])
def test_the_list_of_crates_is_settled(tmp_path: Path, without: str | None) -> None:
    script = tmp_path / "settle_sbom.py"
    text = (PROJECT / "parts/cryptography-evp/settle_sbom.py").read_text()
    script.write_text(text.replace(*REMEDIES[without][1:]) if without else text)
    settled = []
    for folder, serial in (("/build/one", "a"), ("/root/other", "b")):
        bom = {"serialNumber": serial, "metadata": {"timestamp": serial}, "components": [f"{folder}/src"]}
        file = tmp_path / f"{serial}.json"
        file.write_text(json.dumps(bom))
        subprocess.run([sys.executable, script, folder, file], check=True)
        settled.append(json.loads(file.read_text()))
    assert (settled[0] == settled[1]) is (without is None)
    assert settled[0]["components"] == ["src"]
