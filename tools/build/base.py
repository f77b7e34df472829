"""What the snap takes from its base: `python3 -m tools.build.base SNAP [BASE]`, compared with what BASE has.

Exit status 0: it is what stands here, and BASE has it; 1: it is not; 2: it could not be told. Needs the
program unsquashfs.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from tools.architecture import ARCHITECTURE
from tools.build.elf import elf_files

#: All libraries that the snap has not itself, by the names that its files ask for.
LIBRARIES = frozenset(
    {
        *(Path(ARCHITECTURE.loader).name, "libc.so.6", "libm.so.6", "libgcc_s.so.1"),
        *("libbz2.so.1.0", "libffi.so.8", "liblzma.so.5", "libz.so.1"),
        # Parts of libc.so.6 since glibc 2.34, which keeps their names for what was linked with an older one.
        *("libdl.so.2", "libpthread.so.0", "librt.so.1"),
    }
)
#: The C library of core24, the oldest that the snap may want.
GLIBC = (2, 39)


def dynamic(path: Path, tag: str) -> list[str]:
    """Return the values of a tag in a file's dynamic section, as "DT_NEEDED" (elf(5))."""
    with path.open("rb") as file:
        section = ELFFile(file).get_section_by_name(".dynamic")
        tags = list(section.iter_tags()) if isinstance(section, DynamicSection) else []
        return [
            str(getattr(each, tag.removeprefix("DT_").lower(), each.entry.d_val))
            for each in tags
            if each.entry.d_tag == tag
        ]


def taken(folder: Path) -> set[str]:
    """Return the libraries that files below a folder ask for and that are not there."""
    asked = {name for path in elf_files(folder) for name in dynamic(path, "DT_NEEDED")}
    return asked - {path.name for path in folder.rglob("*.so*")}


def glibc(path: Path) -> Iterator[tuple[int, ...]]:
    """Yield the versions of the C library that a file asks for."""
    with path.open("rb") as file:
        for section in ELFFile(file).iter_sections():
            if isinstance(section, GNUVerNeedSection):
                for _, versions in section.iter_versions():
                    for version in versions:
                        found = re.fullmatch(r"GLIBC_([\d.]+)", version.name)
                        if found:
                            yield tuple(map(int, found[1].split(".")))


def unpack(snap: Path, folder: Path) -> Path:
    """Unpack a snap into a new folder below one, and return it; OSError where it is none."""
    target = folder / snap.stem
    command = ["unsquashfs", "-no-progress", "-quiet", "-no-xattrs", "-dest", str(target), str(snap)]
    done = subprocess.run(command, capture_output=True, text=True)
    if not target.is_dir():
        raise OSError(" ".join([*done.stderr.strip().splitlines()[-1:]]) or f"{snap} is no squashfs")
    return target


def main(arguments: list[str]) -> int:
    """Say what the snap of the command line takes; see the module's text for the result."""
    if len(arguments) not in (1, 2):
        print("usage: python3 -m tools.build.base SNAP [BASE]", file=sys.stderr)
        return 2
    wrong = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            snap, *base = (unpack(Path(name), Path(folder)) for name in arguments)
            libraries, newest = (
                taken(snap),
                max(version for file in elf_files(snap) for version in glibc(file)),
            )
            print(
                f"takes {', '.join(sorted(libraries))}; a C library of {'.'.join(map(str, newest))} or newer"
            )
            if libraries != LIBRARIES:
                wrong.append(f"not as on the list: {', '.join(sorted(libraries ^ LIBRARIES))}")
            if newest > GLIBC:
                wrong.append(f"wants a C library newer than {'.'.join(map(str, GLIBC))}")
            for there in base:
                missing = libraries - {path.name for path in there.rglob("*.so*")}
                if missing:
                    wrong.append(f"{arguments[1]} lacks {', '.join(sorted(missing))}")
    except OSError as error:
        print(f"base: {error}", file=sys.stderr)
        return 2
    for line in wrong:
        print(f"base: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
