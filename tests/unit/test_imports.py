"""What is imported lies below: the launcher stands alone, the doctor on it, the hooks on both."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PARTS = Path(__file__).resolve().parents[2] / "parts"
#: From below: each package, and where its modules lie.
LAYERS = {
    "fips_launch": PARTS / "fips-launch" / "fips_launch",
    "fips_doctor": PARTS / "fips-doctor" / "fips_doctor",
    "fips_hooks": PARTS / "fips-hooks" / "fips_hooks",
}


def imported(file: Path) -> Iterator[str]:
    """Yield the modules of ours that a file imports, also in its functions."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("package", LAYERS)
def test_no_import_points_back_up(package: str) -> None:
    above = list(LAYERS)[list(LAYERS).index(package) + 1 :]
    found = {name.split(".")[0] for file in LAYERS[package].glob("*.py") for name in imported(file)}
    assert not found & set(above)


@pytest.mark.parametrize("package", LAYERS)
def test_no_modules_import_each_other(package: str) -> None:
    modules = {file.stem: file for file in LAYERS[package].glob("*.py") if file.stem != "__init__"}
    below: dict[str, set[str]] = {}
    for name, file in modules.items():
        parts = [each.split(".") for each in imported(file)]
        below[name] = {each[1] for each in parts if each[0] == package and each[1] in modules}
    while below:
        free = [name for name, others in below.items() if not others & set(below)]
        assert free, f"these import each other: {below}"
        for name in free:
            del below[name]


def test_the_search_sees_what_is_imported() -> None:
    """The control: the hooks do stand on the doctor and on the launcher."""
    found = {name.split(".")[0] for file in LAYERS["fips_hooks"].glob("*.py") for name in imported(file)}
    assert found >= {"fips_doctor", "fips_launch"}
