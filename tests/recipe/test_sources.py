"""A source enters the build with the pinned bytes, or not at all."""

import hashlib
import http.server
import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tools.build import commit, crates, packages, provider, recipe, sources
from tools.build.__main__ import _moved
from tools.build.errors import BuildError, UnavailableError

CONTENT = b"the release's bytes"
CHECKSUM = f"sha256/{hashlib.sha256(CONTENT).hexdigest()}"
CLOSED_PORT = "http://127.0.0.1:9/release.tar.gz"


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A web server on loopback that has the release."""
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "release.tar.gz").write_bytes(CONTENT)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(tmp_path / "web"))  # type: ignore[arg-type]

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/release.tar.gz"
        server.shutdown()


def test_the_pinned_bytes_are_where_craft_parts_looks(url: str, tmp_path: Path) -> None:
    assert sources.bring(url, CHECKSUM, tmp_path / "cache", None)
    assert (tmp_path / "cache" / "files" / CHECKSUM).read_bytes() == CONTENT


def test_other_bytes_are_refused_and_not_kept(url: str, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"release\.tar\.gz from its upstream URL has sha256"):
        sources.bring(url, "sha256/" + 64 * "0", tmp_path / "cache", None)
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_a_damaged_cache_is_fetched_anew(url: str, tmp_path: Path) -> None:
    damaged = sources.cached(tmp_path / "cache", CHECKSUM)
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(CONTENT[:-1])
    assert sources.bring(url, CHECKSUM, tmp_path / "cache", None)
    assert damaged.read_bytes() == CONTENT


def test_without_any_origin_there_is_no_source(tmp_path: Path) -> None:
    assert not sources.bring(CLOSED_PORT, CHECKSUM, tmp_path / "cache", None)
    assert not sources.cached(tmp_path / "cache", CHECKSUM).exists()


def test_an_unknown_provider_is_refused_with_the_known_ones() -> None:
    origins = yaml.safe_load((recipe.PROJECT / "tools" / "build" / "origins.yaml").read_text())
    with pytest.raises(BuildError, match=r"PROVIDER=3\.1\.3.*3\.1\.2, 3\.0\.8, 3\.5\.4, in-tree"):
        provider.pin(recipe.load()["parts"], origins, "3.1.3")


def test_a_provider_without_a_second_origin_cannot_be_had(tmp_path: Path) -> None:
    """Which is no fault of the build: what would be tested with it is skipped."""
    origins = yaml.safe_load((recipe.PROJECT / "tools" / "build" / "origins.yaml").read_text())
    parts = recipe.load()["parts"]
    provider.pin(parts, origins, "in-tree")
    with pytest.raises(UnavailableError, match="provider in-tree are unavailable here"):
        provider.from_crate(parts["fips-provider"], origins, "in-tree", tmp_path)


@pytest.mark.parametrize("name", ["3.0.8", "3.5.4", "in-tree"])
def test_only_the_recipes_own_pin_carries_a_certificate(name: str) -> None:
    origins = yaml.safe_load((recipe.PROJECT / "tools" / "build" / "origins.yaml").read_text())
    parts = recipe.load()["parts"]
    provider.pin(parts, origins, name)
    variables = {
        key: value for entry in parts["fips-provider"]["build-environment"] for key, value in entry.items()
    }
    assert variables["FIPS_CERTIFICATE"] == ""
    assert variables["FIPS_SOURCE"] == parts["fips-provider"]["source-checksum"]


def test_a_source_in_the_cache_is_named_as_the_root_has_it() -> None:
    """Whatever the name of the folder that the clone is in."""
    parts = {"one": {"source": '/home/j\u00fcrgen/"x y"/cache/crates/a'}, "other": {"plugin": "nil"}}
    moved = _moved(parts, Path('/home/j\u00fcrgen/"x y"/cache'), "/build/cache")
    assert moved == {"one": {"source": "/build/cache/crates/a"}, "other": {"plugin": "nil"}}


@pytest.mark.parametrize("damage", ["", "changed", "missing", "one more", "no list"])
def test_a_damaged_crate_is_not_taken(tmp_path: Path, damage: str) -> None:
    crate = tmp_path / "crates" / "one-1.0"
    crate.mkdir(parents=True)
    (crate / "lib.rs").write_text("// one\n")
    listing = crate / ".cargo-checksum.json"
    listing.write_text(json.dumps({"files": {"lib.rs": hashlib.sha256(b"// one\n").hexdigest()}}))
    if damage == "changed":
        (crate / "lib.rs").write_text("// two\n")
    elif damage == "missing":
        (crate / "lib.rs").unlink()
    elif damage == "one more":
        (crate / "stdio.h").touch()
    elif damage:
        listing.unlink()
    assert crates._whole(crate.parent) is (not damage)


def test_a_package_with_another_hash_is_no_matter_of_the_network(tmp_path: Path) -> None:
    wheel = tmp_path / "one-1.0-py3-none-any.whl"
    wheel.touch()
    wanted = tmp_path / "wanted.txt"
    wanted.write_text(f"one @ {wheel.as_uri()} --hash=sha256:{64 * '0'}\n")
    with pytest.raises(
        BuildError, match=r"wanted\.txt: one.* has another sha256 than the pinned one"
    ) as raised:
        packages.bring([wanted], "3.13", tmp_path / "cache")
    assert not isinstance(raised.value, UnavailableError)


def test_the_commit_is_read_without_a_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e"]
    for words in (["init", "--quiet"], ["commit", "--quiet", "--allow-empty", "--message=m"]):
        subprocess.run([*git, *words], check=True)
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "file").touch()
    subprocess.run([*git, "add", "."], check=True)
    index = tmp_path / ".git" / "index"
    before = index.stat()
    (tmp_path / "parts" / "file").touch()  # git would note the new time
    assert commit.here(tmp_path).changed
    assert index.stat().st_ino == before.st_ino
    (tmp_path / ".git").rename(tmp_path / "no-git")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "99999999999999999999")
    with pytest.raises(BuildError, match="set SOURCE_DATE_EPOCH to the time"):
        commit.here(tmp_path)
