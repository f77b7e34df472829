"""The files of the snap that run: those of machine code, by what they belong to, and those that are ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cyclonedx.model.component import Component, ComponentType

from tools.build.elf import elf_files
from tools.build.errors import BuildError
from tools.release.inventory import terms
from tools.release.inventory.built import Built
from tools.release.inventory.packages import installed

#: Our own packages, each with its source in the snap.
OWN = ("fips_launch", "fips_hooks", "fips_doctor")
LIBRARY = "usr/lib/python3.13"


def elf(root: Path) -> list[str]:
    """Return the files of machine code below a folder (elf(5)), by their paths in it."""
    return [str(path.relative_to(root)) for path in elf_files(root)]


def own(root: Path) -> list[str]:
    """Return our own files of source in the snap."""
    return [
        str(path.relative_to(root)) for name in OWN for path in sorted((root / LIBRARY / name).rglob("*.py"))
    ]


def place(built: Built, parts: dict[str, Component], packages: dict[str, Component]) -> None:
    """Put each file of machine code into the component that it is of.

    :param parts: components by the part that installs them.
    :param packages: components by the name of the Python package.
    :raises BuildError: a file is of none.
    """
    of_packages = {file: package.name for package in installed(built.prime) for file in package.files}
    for name in elf(built.prime):
        if name in of_packages:
            component = packages[of_packages[name]]
        else:
            part = built.owner(name)
            key = name if name in parts else part or ""
            if key not in parts:
                raise BuildError(f"inventory: {name} is of no part and of no package")
            component = parts[key]
        component.components.add(terms.file(built.prime / name, name, component.licenses))


def ours(built: Built) -> Iterator[Component]:
    """Yield our own packages, each with its files."""
    licences = [terms.licence(built.recipe["license"])]
    for name in OWN:
        top = f"{LIBRARY}/{name}/"
        yield Component(
            name=name,
            version=built.record["version"],
            type=ComponentType.LIBRARY,
            description="Of this project; with its source in the snap.",
            bom_ref=f"own:{name}",
            licenses=licences,
            components=[
                terms.file(built.prime / file, file, licences)
                for file in own(built.prime)
                if file.startswith(top)
            ],
        )
