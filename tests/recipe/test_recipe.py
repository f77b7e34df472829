"""The recipe is one that snapcraft takes, and every byte it brings in is pinned."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.build import recipe
from tools.build.errors import BuildError

HOOKS = sorted((recipe.PROJECT / "snap" / "hooks").iterdir())
PARTS: dict[str, dict[str, Any]] = recipe.load()["parts"]
ORIGINS: dict[str, Any] = yaml.safe_load((recipe.PROJECT / "tools" / "build" / "origins.yaml").read_text())


def test_snapcrafts_schema_takes_the_recipe() -> None:
    assert recipe.load()["name"] == "certbot-fips"


def test_an_unknown_key_is_refused_by_name(tmp_path: Path) -> None:
    broken = tmp_path / "snapcraft.yaml"
    broken.write_text(recipe.RECIPE.read_text() + "\nconfinment: strict\n")
    with pytest.raises(BuildError, match=r"^snapcraft\.yaml: .*confinment"):
        recipe.load(broken)


def test_an_unknown_key_of_an_app_is_refused_by_name(tmp_path: Path) -> None:
    broken = tmp_path / "snapcraft.yaml"
    broken.write_text(recipe.RECIPE.read_text().replace("daemon: oneshot", "deamon: oneshot"))
    with pytest.raises(BuildError, match="deamon"):
        recipe.load(broken)


def test_a_syntax_error_is_named_with_its_line(tmp_path: Path) -> None:
    broken = tmp_path / "snapcraft.yaml"
    broken.write_text("name: certbot-fips\nparts: [\n")
    with pytest.raises(BuildError, match=r"^snapcraft\.yaml line 3: not YAML"):
        recipe.load(broken)


def test_there_is_one_recipe() -> None:
    # snapcraft takes the first that it finds; a second one would be silently ignored.
    others = ["snap/snapcraft.yaml", "build-aux/snap/snapcraft.yaml", ".snapcraft.yaml"]
    assert not [name for name in others if (recipe.PROJECT / name).exists()]


@pytest.mark.parametrize("name", PARTS)
def test_no_part_is_named_after_a_folder(name: str) -> None:
    # A destructive-mode build uses ./parts/<name> and `snapcraft clean` deletes it.
    assert not (recipe.PROJECT / name).exists()
    assert not (recipe.PROJECT / "parts" / name).exists()


@pytest.mark.parametrize("name", [name for name, part in PARTS.items() if "source" in part])
def test_every_source_is_pinned_by_sha256(name: str) -> None:
    part = PARTS[name]
    assert part["source"].startswith("https://")
    assert re.fullmatch(r"sha256/[0-9a-f]{64}", part["source-checksum"])


def test_no_source_is_a_folder_of_the_project() -> None:
    assert not [name for name, part in PARTS.items() if part.get("source", "https:").startswith(".")]


def test_a_change_below_parts_rebuilds_a_part() -> None:
    # craft-parts does not see these inputs; the builder tracks those that a script names in full.
    scripts = "".join(part.get("override-build", "") for part in PARTS.values())
    folders = {folder.name for folder in (recipe.PROJECT / "parts").iterdir() if any(folder.iterdir())}
    assert folders == set(recipe.inputs(scripts))


def test_the_record_is_given_the_pin_that_is_built() -> None:
    part = PARTS["fips-provider"]
    variables = {key: value for entry in part["build-environment"] for key, value in entry.items()}
    assert variables["FIPS_SOURCE"] == part["source-checksum"]
    assert f"openssl-{variables['FIPS_VERSION']}.tar.gz" in part["source"]


def test_every_second_origin_belongs_to_a_source() -> None:
    assert set(ORIGINS["distribution"]) <= {part.get("source-checksum") for part in PARTS.values()}


@pytest.mark.parametrize("name", [name for name, pin in ORIGINS["providers"].items() if "crate" in pin])
def test_every_crate_is_pinned_by_its_lock_file(name: str) -> None:
    crate, version = ORIGINS["providers"][name]["crate"].split()
    lock = (recipe.PROJECT / "tools" / "build" / "crates" / name / "Cargo.lock").read_text()
    assert re.search(
        rf'name = "{crate}"\nversion = "{re.escape(version)}"\nsource = .*\nchecksum = "[0-9a-f]{{64}}"', lock
    )


@pytest.mark.parametrize(
    "file",
    [
        *(recipe.PROJECT / "parts").glob("*/*.txt"),
        *(recipe.PROJECT / "tools").glob("*.txt"),
    ],
    ids=lambda file: f"{file.parent.name}/{file.name}",
)
def test_every_python_package_is_pinned_by_hash(file: Path) -> None:
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith(("#", "--"))]
    assert lines
    for line in lines:
        assert re.fullmatch(r"[a-z0-9._-]+==\S+( ; .*?)?( --hash=sha256:[0-9a-f]{64})+", line), line


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
def test_every_hook_is_executable(hook: Path) -> None:
    assert os.access(hook, os.X_OK)


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
def test_every_hook_only_calls_its_entry_point(hook: Path) -> None:
    """That of check-health is a script that the service `health` runs too, with a word where it fails.

    That of pre-refresh, where a broken snap's must not keep it from being replaced, ends with 0.
    """
    script = recipe.PROJECT / "parts" / "fips-hooks" / hook.name
    called = f'"$SNAP/usr/bin/fips-hook" {hook.name}'
    if script.exists():
        assert f"\n{called} " in script.read_text()
        assert recipe.load()["apps"]["health"]["command"] == f"usr/libexec/fips-hooks/{hook.name}"
        called = f'"$SNAP/usr/libexec/fips-hooks/{hook.name}"'
    code = [line for line in hook.read_text().splitlines() if line and not line.startswith("#")]
    assert code == [f"{called} || true" if hook.name == "pre-refresh" else f"exec {called}"]


@pytest.mark.parametrize(("named", "others"), [("", ["3.5.4"]), ("3.0.8", []), ("in-tree", [])])
def test_make_builds_the_modules_that_it_tests(named: str, others: list[str]) -> None:
    """The one that is named, alone; where none is, the recipe's own and another."""
    command = ["make", "--dry-run", "test", f"PROVIDER={named}"]
    shown = subprocess.run(command, cwd=recipe.PROJECT, capture_output=True, text=True, check=True).stdout
    built, tested = shown.split("-m pytest")
    assert re.findall(r'tools\.build --provider "?([^" ]*)', built) == [named, *others]
    assert re.findall(r"--provider (\S+)", tested) == others
    assert set(others) <= set(ORIGINS["providers"])


def test_make_builds_every_module_that_can_be_tested() -> None:
    command = ["make", "--dry-run", "providers"]
    shown = subprocess.run(command, cwd=recipe.PROJECT, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"tools\.build --provider (\S+)", shown) == ["3.0.8", "3.5.4"]
