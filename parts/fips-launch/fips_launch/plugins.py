"""Plugin snaps of others run in Certbot's own process: none may bring an OpenSSL of its own to a FIPS host.

Three rules.  What is in the snap is never imported from a plugin, whatever the plugin does to `sys.path`.
A plugin with OpenSSL's code in a file that could be loaded is not used in FIPS mode.  And because code may
load a library from anywhere, the memory of the process is proven again once plugins are loaded, and when
Certbot ends.
"""

import atexit
import functools
import importlib
import json
import mmap
import os
import re
import stat
import sys
import types
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from fips_launch import boot, files, own, place, prove, refusal

SNAPS = "/var/lib/snapd/snaps"  # the files that snapd mounts
# Formats of crypto/err/err.c, which every function of libcrypto reaches, in OpenSSL and its descendants
# (LibreSSL, BoringSSL, AWS-LC); and the name that OpenSSL's assembler bears wherever it went (ring).  What is
# linked with a libcrypto has none of them, though it may have the version's text.
ERRORS = (re.compile(rb"lib\(%l?u\)"), re.compile(rb"reason\(%l?u\)"))
ASSEMBLER = b"CRYPTOGAMS by <"


def _files(folder: str) -> Iterator[str]:
    """Yield every file in a folder, also behind links; OSError where one cannot be looked into."""

    def fail(error: OSError) -> None:
        raise error

    seen = set()
    for parent, folders, names in os.walk(folder, onerror=fail, followlinks=True):
        status = os.stat(parent)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders.sort()
        yield from (f"{parent}/{name}" for name in sorted(names))


def has_openssl(path: str) -> bool:
    """Tell whether a file is ELF with OpenSSL's code in it; OSError or ValueError if it cannot be read."""
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        if file.read(4) != b"\x7fELF":
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(ASSEMBLER) >= 0 or all(known.search(content) for known in ERRORS)


def openssl_in(folder: str, path: list[str]) -> str:
    """Return a file of a plugin with OpenSSL's code that could be loaded, empty if there is none.

    What belongs to a package that is in the snap too is never loaded: `cryptography/…`,
    `cryptography.libs/…`, `_cffi_backend.….so`.

    :param path: of :class:`Place`.
    :raises OSError, ValueError: a file cannot be read.
    """
    foreign: dict[str, bool] = {}
    for file in _files(folder):
        name = file[len(folder) :].lstrip("/").partition("/")[0].partition(".")[0]
        if name not in foreign:
            foreign[name] = own.own(name, path) is None
        if foreign[name] and has_openssl(file):
            return file
    return ""


def _revision(folder: str) -> list[object] | None:
    """Return what tells this content of a plugin's folder from any other; None where it may change.

    That is the file that snapd keeps of the revision, mounted read-only; `snap try` has none.
    """
    real = os.path.realpath(folder)
    mounted = next((f"{root}/" for root in place.MOUNTED if real.startswith(f"{root}/")), None)
    if mounted is None or not os.statvfs(real).f_flag & os.ST_RDONLY:
        return None
    name, _, rest = real[len(mounted) :].partition("/")
    file = f"{SNAPS}/{name}_{rest.partition('/')[0]}.snap"
    try:
        status = os.lstat(file)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return [file, status.st_size, status.st_mtime_ns, status.st_ino]


def _remembered(path: str) -> dict[str, object]:
    """Return what was found before, by folder; nothing where that cannot be read."""
    try:
        with open(path, encoding="ascii") as file:
            known = json.load(file)
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _find(here: place.Place, folder: str) -> str:
    """Return what :func:`openssl_in` does, from memory where that is this revision's; its errors too."""
    revision, known = _revision(folder), _remembered(here.plugins)
    match known.get(folder):
        case {"revision": before, "openssl": str(found)} if revision and before == revision:
            return found
    found = openssl_in(folder, here.path)
    if revision and here.plugins and os.geteuid() == 0:
        entry = {"revision": revision, "openssl": found}
        with suppress(OSError):  # then it is looked for again
            files.write(here.plugins, json.dumps({**known, folder: entry}))
    return found


def look(here: place.Place, folder: str) -> str:
    """Return why a plugin's folder cannot be used in FIPS mode, empty if it can.

    What was found is remembered for each revision of the plugin, so that a start does not read its files.
    """
    try:
        found = _find(here, folder)
    except (OSError, ValueError) as error:
        return f"it cannot be told whether it has an OpenSSL of its own: {error}"
    return f"it has an OpenSSL of its own, outside the FIPS module: {found}" if found else ""


def folder_of(snap: str, read: list[str]) -> str:
    """Return the folder with the packages of a plugin snap.

    Whatever Python it was built for: what of it loads on this one is used.

    :param snap: its name.
    :param read: what its slot says, of the content interface; Certbot's own plugin snaps name one folder, as
        `$SNAP/lib/python3.12/site-packages`.
    """
    inside = read[0].removeprefix("$SNAP") if read else f"lib/python3.{sys.version_info.minor}/site-packages"
    mounted = next((root for root in place.MOUNTED if os.path.isdir(f"{root}/{snap}")), place.MOUNTED[0])
    return f"{mounted}/{snap}/current{os.path.normpath('/' + inside)}"


def answer(said: str) -> tuple[list[str], str]:
    """Return the names of a folder's plugins that load, and why the others do not, empty if all do.

    :param said: what `fips_launch.try_plugin` printed; the plugin's own code may have ended that before.
    """
    with suppress(ValueError):
        match json.loads(said):
            case {"loads": [*loads], "fails": str(fails)}:
                return [str(name) for name in loads], fails
    return [], "its code ends the trial before there is an answer"


class EntryPoint(NamedTuple):
    """A plugin that is in the snap, as `importlib.metadata.EntryPoint` tells it, but known without that."""

    name: str
    value: str  # the module, a colon, the class
    group: str

    @property
    def module(self) -> str:
        """The module that has the plugin's class."""
        return self.value.partition(":")[0]

    @property
    def dist(self) -> None:
        """Its package: nothing, for it is asked for where two have one name, and none in the snap have."""

    def load(self) -> object:
        """Return the plugin's class; whatever its module raises where that cannot be imported."""
        return getattr(importlib.import_module(self.module), self.value.partition(":")[2])


def ours_alone() -> bool:
    """Tell whether all that can be imported lies in the snap, so that nobody else has brought a plugin."""
    return _ours_alone(*sys.path)


@functools.cache  # renewal asks at every lineage
def _ours_alone(*folders: str) -> bool:
    ours = place.find().path
    return all(folder in ours or not os.path.exists(folder) for folder in folders)


used: list[str] = []  # folders of plugins


def at_work() -> str:
    """Return the package of the plugin for DNS whose code the process runs, empty if it runs none's."""
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None:
        package = str(frame.f_globals.get("__name__")).partition(".")[0]
        if package.startswith("certbot_dns_"):
            return package
        frame = frame.f_back
    return ""


def _in_fips() -> bool:
    return boot.decision is None or boot.decision.fips


def use(folders: Iterable[str]) -> list[str]:
    """Let Certbot find the plugins in these folders, in FIPS mode only those without an OpenSSL.

    :return: a line for each that is not used.
    """
    here = place.find()
    refused = []
    for folder in folders:
        if why := look(here, folder) if _in_fips() else "":
            refused.append(f"The plugin in {folder} is not used: {why}")
            continue
        if not used:
            own.prefer(here.path)
            atexit.register(prove_memory)
        sys.path.append(folder)
        used.append(folder)
    return refused


def _executed(maps: str = "/proc/self/maps") -> dict[str, str]:
    """Return the files that this process has code of, each with a path by which it can be read.

    That is where the kernel keeps what is mapped (proc_pid_map_files(5)), for a file may be deleted, where
    this user may look there.
    """
    found = {}
    with open(maps, "rb") as file:
        for line in file:
            area, rights, _, _, _, *path = os.fsdecode(line.rstrip(b"\n")).split(None, 5)
            if "x" in rights and path and path[0].startswith("/"):
                kept = f"/proc/self/map_files/{area}"
                found[path[0]] = kept if os.access(kept, os.R_OK) else path[0]
    return found


_harmless: set[str] = set()  # files that have been read


def _foreign(here: place.Place) -> set[str]:
    """Return the files outside of the snap that have OpenSSL's code, whatever they are called."""
    found: set[str] = set()
    for path, readable in _executed().items():
        if path in _harmless or path.startswith(f"{here.root}/"):
            continue
        try:
            harmful = has_openssl(readable) or not os.path.exists(readable)
        except (OSError, ValueError):
            harmful = True
        (found if harmful else _harmless).add(path)
    return found


def prove_memory() -> None:
    """End the process if it is in FIPS mode and has another libcrypto or module in its memory by now."""
    if not used or not _in_fips():
        return
    here = place.find()
    if strange := prove.mapped() - {here.libcrypto, here.module} | _foreign(here):
        sys.stdout.flush()
        what = f"a plugin has loaded another libcrypto or module: {', '.join(sorted(strange))}"
        refusal.refuse(what, f"disconnect the plugin, `snap connections {here.name}` lists them")
