"""Damage to the files that the snap's programs depend on; a replacement is seen in place of the file."""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tools.architecture import ARCHITECTURE
from tools.campaign.fault import CRASH, FAILS, HELPLESS, NOTHING, STRICT, Fault
from tools.campaign.plan import Damage, Plan
from tools.campaign.process import CampaignError

LIBRARY = "usr/lib/python3.13"
_DYNLOAD = f"{LIBRARY}/lib-dynload"
#: What is damaged, as patterns of paths: each names a file of the snap at least, and all that it names count.
_CODE = (
    *("usr/bin/python3.13", "usr/lib/libcrypto.so.3", "usr/lib/libssl.so.3", "usr/lib/ossl-modules/*"),
    *("usr/libexec/openssl/*", "usr/libexec/fips-provider/*"),
    *(f"{_DYNLOAD}/_hashlib.*.so", f"{_DYNLOAD}/_ssl.*.so"),
)
_BYTECODE = (
    f"{LIBRARY}/fips_*/__pycache__/*.pyc",
    *(f"{LIBRARY}/{name}.pyc" for name in ("encodings/__init__", "encodings/aliases", "encodings/utf_8")),
    *(f"{LIBRARY}/{name}.pyc" for name in ("site", "os", "codecs", "runpy", "hashlib", "subprocess")),
)
#: Packages that are imported lazily, by Certbot's start and later, and what does that.
_SITE = f"{LIBRARY}/site-packages"
_LAZY = (
    *(f"{_SITE}/lazy_imports.pyc", f"{_SITE}/certbot/**/*.pyc", f"{_SITE}/acme/**/*.pyc"),
    *(f"{_SITE}/requests/*.pyc", f"{_SITE}/urllib3/**/*.pyc", f"{_SITE}/josepy/*.pyc"),
)
_OTHER = (
    *("usr/bin/python3", "usr/bin/fips-*", "etc/ssl/*.cnf*", f"{LIBRARY}/fips_*/*.py", "usr/share/fips-*/*"),
)
_FOLDERS = (
    *("etc/ssl", "usr/lib", "usr/lib/ossl-modules", "usr/bin", LIBRARY, f"{LIBRARY}/fips_*"),
    *(f"{LIBRARY}/fips_*/__pycache__", _DYNLOAD, f"{LIBRARY}/encodings"),
    *("usr/libexec/openssl", "usr/libexec/fips-provider"),
)
_MODULES = (f"{LIBRARY}/**/*.pyc",)
#: These decide most; they come up more often.
_FAVOURITES = (*_CODE[:4], "etc/ssl/openssl.cnf", "etc/ssl/default.cnf")
_PATTERNS = (_CODE, _BYTECODE, _OTHER, _FOLDERS, _FAVOURITES, _LAZY, _MODULES)
#: Nobody executes these.
_TEXT = (".py", ".cnf", ".in", ".sha256", ".json")
_HOST_LIBCRYPTO = f"/usr/lib/{ARCHITECTURE.triplet}/libcrypto.so.3"


def _flip(at: float, bit: int) -> Damage:
    def make(source: Path, target: Path) -> None:
        shutil.copy(source, target)
        with target.open("r+b") as file:
            position = int(at * os.fstat(file.fileno()).st_size)
            file.seek(position)
            byte = file.read(1)
            file.seek(position)
            file.write(bytes([(byte or b"\0")[0] ^ (1 << bit)]))

    return make


def replaced(path: str, old: bytes, new: bytes) -> Fault:
    """Return the fault that the first `old` in a file is `new`, of the same length: a flip that was aimed."""

    def make(source: Path, target: Path) -> None:
        content = source.read_bytes()
        if old not in content:
            raise ValueError(f"{path} has no {old!r}")
        shutil.copy(source, target)
        target.write_bytes(content.replace(old, new, 1))

    return _fault(path, f"with {old!r} turned into {new!r}", make)


def _cut(at: float) -> Damage:
    def make(source: Path, target: Path) -> None:
        shutil.copy(source, target)
        os.truncate(target, int(at * source.stat().st_size))

    return make


def _write(content: bytes) -> Damage:
    def make(source: Path, target: Path) -> None:
        target.write_bytes(content if source.is_file() else b"")
        target.chmod(stat.S_IMODE(source.stat().st_mode))

    return make


def _swap(other: str) -> Damage:
    """Another file instead: of the snap, or of this machine where the path is absolute."""

    def make(source: Path, target: Path) -> None:
        root = source
        target.touch()
        target.chmod(stat.S_IMODE(source.stat().st_mode))
        while not (root / "meta").is_dir():
            root = root.parent
        shutil.copyfile(root / other if not other.startswith("/") else other, target)

    return make


def _missing(source: Path, target: Path) -> None:
    del source
    os.mknod(target, stat.S_IFCHR, os.makedev(0, 0))  # what overlayfs calls a whiteout


def _unreadable(source: Path, target: Path) -> None:
    if source.is_dir():
        target.mkdir()
        target.chmod(0)
    else:
        shutil.copy(source, target)
        target.chmod(0)


def _loop(source: Path, target: Path) -> None:
    del source
    target.symlink_to(target.name)


def _folder(source: Path, target: Path) -> None:
    del source
    target.mkdir()


def _pipe(source: Path, target: Path) -> None:
    del source
    os.mkfifo(target)


def _null(source: Path, target: Path) -> None:
    del source
    target.symlink_to("/dev/null")


def _blank(source: Path, target: Path) -> None:
    shutil.copy(source, target)
    size = source.stat().st_size
    with target.open("r+b") as file:
        file.seek(size // 2)
        file.write(bytes(min(4096, size - size // 2)))


WHOLE: dict[str, Damage] = {
    "missing": _missing,
    "empty": _write(b""),
    "a loop of links": _loop,
    "a folder": _folder,
    "a pipe": _pipe,
    "text": _write(b"[nonsense\nprint(1)\n"),
    "random bytes": _write(Random(1).randbytes(5000)),
    "not readable": _unreadable,
    "blank in the middle": _blank,
    "/dev/null": _null,
    "the provider release's libcrypto": _swap("usr/libexec/fips-provider/libcrypto.so.3"),
    "the host's libcrypto": _swap(_HOST_LIBCRYPTO),
    "the host's openssl.cnf": _swap("/etc/ssl/openssl.cnf"),
    "the default config": _swap("etc/ssl/default.cnf"),
    "the FIPS module": _swap("usr/lib/ossl-modules/fips.so"),
}


@dataclass(frozen=True)
class Files:
    """The paths in a snap that are damaged, by what they are."""

    code: tuple[str, ...]
    bytecode: tuple[str, ...]
    other: tuple[str, ...]
    folders: tuple[str, ...]
    favourites: tuple[str, ...]
    lazy: tuple[str, ...]
    """Bytecode that is imported when it is used first, maybe long after the start."""
    modules: tuple[str, ...]
    """Of all packages, in the place of which each may lie."""

    @classmethod
    def of(cls, root: Path) -> Files:
        """Find them below the folder of a snap.

        :raises CampaignError: a pattern names nothing there: what it is meant for would go undamaged.
        """
        return cls(*(_find(root, each) for each in _PATTERNS))

    def draw(self, random: Random) -> Fault:
        """Draw a file or a folder and what happens to it."""
        if random.random() < 0.05:
            path = random.choice(self.folders)
            return whole(path, random.choice(["missing", "empty", "a loop of links", "not readable"]))
        every = (*self.code, *self.bytecode, *self.other)
        # These are many, and Certbot alone has a use for them.
        among = random.choices((self.favourites, every, self.lazy), (30, 55, 15))[0]
        path = random.choice(among)
        if path in self.bytecode and random.random() < 0.2:
            return swapped(path, random.choice(self.modules))
        choice = random.random()
        if choice < 0.35 and (path in self.code or not path.startswith("usr/bin")):
            at, bit = random.random(), random.randrange(8)
            if random.random() < 0.2:
                at /= 100  # headers
            return _fault(path, f"with bit {bit} flipped at {at:.6f} of it", _flip(at, bit))
        if choice < 0.5:
            at = random.choice([0.0, 0.001, 0.3, 0.9, 0.999, random.random()])
            return _fault(path, f"cut to {at:.6f}", _cut(at))
        how = random.choice(sorted(WHOLE))
        if path.startswith("usr/bin") and "openssl.cnf" in how:
            how = "text"  # a shell on the way takes it for a script, and what its lines do is not the snap's
        if how == "a pipe" and not path.startswith(("etc/", "usr/lib/ossl-modules")):
            how = "empty"  # no program can help it when its loader or Python's importer waits
        return whole(path, how)


def _find(root: Path, patterns: tuple[str, ...]) -> tuple[str, ...]:
    found: list[str] = []
    for pattern in patterns:
        paths = sorted(str(path.relative_to(root)) for path in root.glob(pattern))
        if not paths:
            raise CampaignError(f"the snap has no {pattern}, which is to be damaged")
        found += paths
    return tuple(found)


def whole(path: str, how: str) -> Fault:
    """Return the fault that a file is something else altogether: `how` is one of WHOLE."""
    return _fault(path, how, WHOLE[how], beyond=how == "a pipe" or how.endswith("libcrypto"))


def swapped(path: str, other: str) -> Fault:
    """Return the fault that another file of the snap lies in a file's place."""
    return _fault(path, other, _swap(other))


def _fault(path: str, how: str, damage: Damage, beyond: bool = False) -> Fault:
    def apply(plan: Plan) -> None:
        plan.damages[path] = damage
        plan.excuses |= {FAILS, HELPLESS, STRICT}
        if not path.endswith(_TEXT):
            plan.excuses.add(CRASH)
        if path.startswith("usr/bin"):
            plan.excuses.add(NOTHING)  # a shell takes an empty program for an empty script

    return Fault("damage", f"{path} is {how}", apply, beyond)
