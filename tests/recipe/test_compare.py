"""The modules of two packed snaps are compared bit for bit, by the command that the CI calls."""

import json
import subprocess
import sys
from pathlib import Path

from tests.conftest import PROJECT
from tools.build.compare import MODULE, RECORD


def pack(folder: Path, name: str, module: bytes, origin: str) -> Path:
    """Pack a small snap that holds a module and its record."""
    files = folder / name
    for path, content in (
        (MODULE, module),
        (RECORD, json.dumps({"version": "3.1.2", "origin": origin}).encode()),
    ):
        (files / path).parent.mkdir(parents=True, exist_ok=True)
        (files / path).write_bytes(content)
    (files / "meta").mkdir()
    (files / "meta" / "snap.yaml").write_text(
        f"name: {name}\nversion: '1'\nsummary: s\ndescription: d\nconfinement: classic\nbase: core24\n"
    )
    subprocess.run(["snap", "pack", f"--filename={name}.snap", str(files), str(folder)], check=True)
    return folder / f"{name}.snap"


def compare(*snaps: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.build.compare", *map(str, snaps)],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        check=False,
    )


def test_modules(tmp_path: Path) -> None:
    tarball = pack(tmp_path, "one", b"module" * 1000, "tarball")
    crate = pack(tmp_path, "two", b"module" * 1000, "crate")
    flipped = pack(tmp_path, "three", b"Module" + b"module" * 999, "crate")
    same = compare(tarball, crate)
    assert (same.returncode, same.stderr) == (0, "")
    assert f"3.1.2 from its tarball  {tarball}\n" in same.stdout
    assert f"3.1.2 from its crate  {crate}\n" in same.stdout
    assert same.stdout.endswith("the same, bit for bit: 6000 bytes\n")
    other = compare(tarball, flipped)
    assert (other.returncode, other.stderr) == (1, "compare: the modules differ in 1 of 6000 bytes\n")


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    no_snap = tmp_path / "no.snap"
    no_snap.write_bytes(b"x" * 5000)
    for snap in (no_snap, tmp_path / "missing.snap"):
        told = compare(snap, snap)
        assert told.returncode == 2
        assert told.stderr.startswith(f"compare: {snap}: {MODULE} cannot be read: ")
        assert len(told.stderr.splitlines()) == 1
    assert compare().returncode == 2
