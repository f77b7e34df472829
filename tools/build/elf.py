"""Files of machine code, told from others."""

from pathlib import Path


def elf_files(folder: Path) -> list[Path]:
    """Return the ELF files below a folder, sorted."""
    return sorted(
        path for path in folder.rglob("*") if path.is_file() and not path.is_symlink() and is_elf(path)
    )


def is_elf(path: Path) -> bool:
    """Return whether a file begins as elf(5) says."""
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"
