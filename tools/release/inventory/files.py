"""The files of the snap that run: those of machine code, by what they belong to, and those that are ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cyclonedx.model.component import Component, ComponentType

from tools.build.elf import elf_files
from tools.build.errors import BuildError
from tools.release.inventory import terms
from tools.release.inventory.built import SITE, Built
from tools.release.inventory.packages import installed

LIBRARY = "usr/lib/python3.13"
#: What is ours, each with its files: packages with their source in the snap, and a module as bytecode.
OWN = {
    "fips_launch": f"{LIBRARY}/fips_launch/**/*.py",
    "fips_hooks": f"{LIBRARY}/fips_hooks/**/*.py",
    "fips_doctor": f"{LIBRARY}/fips_doctor/**/*.py",
    "lazy_imports": f"{SITE}/lazy_imports.pyc",
}


def elf(root: Path) -> list[str]:
    """Return the files of machine code below a folder (elf(5)), by their paths in it."""
    return [str(path.relative_to(root)) for path in elf_files(root)]


def own(root: Path) -> list[str]:
    """Return our own files of Python in the snap."""
    return [str(path.relative_to(root)) for files in OWN.values() for path in sorted(root.glob(files))]


def strays(root: Path) -> list[str]:
    """Return the modules and folders among the packages that are on no package's record, nor ours."""
    every = (*own(root), *(file for package in installed(root) for file in package.files))
    known = {Path(file).relative_to(SITE).parts[0] for file in every if file.startswith(f"{SITE}/")}
    return [
        str(path.relative_to(root))
        for path in sorted((root / SITE).iterdir())
        # A record has sources; the snap has their bytecode.
        if not {path.name, path.name.removesuffix("c")} & known and path.suffix != ".txt"
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
    """Yield what is ours, each with its files."""
    licences = [terms.licence(built.recipe["license"])]
    for name, files in OWN.items():
        yield Component(
            name=name,
            version=built.record["version"],
            type=ComponentType.LIBRARY,
            description="Of this project.",
            bom_ref=f"own:{name}",
            licenses=licences,
            components=[
                terms.file(path, str(path.relative_to(built.prime)), licences)
                for path in sorted(built.prime.glob(files))
            ],
        )
