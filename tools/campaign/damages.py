"""Damage to each file that the launcher depends on; a replacement is made, and seen in place of the file."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from random import Random

from tools.campaign.fault import CRASH, FAILS, HELPLESS, NOTHING, STRICT, Fault
from tools.campaign.plan import Damage, Plan

LIBRARY = "usr/lib/python3.13"
LAUNCHER = f"{LIBRARY}/fips_launch"
_DYNLOAD = f"{LIBRARY}/lib-dynload"
_OURS = (
    *("fips_launch/__init__", "fips_launch/boot", "fips_launch/certbot", "fips_launch/chain"),
    *("fips_launch/decide", "fips_launch/environment", "fips_launch/place", "fips_launch/prove"),
    *("fips_hooks/__init__", "fips_hooks/__main__", "fips_launch/config", "fips_hooks/module"),
    *("fips_hooks/settings", "fips_hooks/health", "fips_doctor/__main__", "fips_doctor/report"),
    *("fips_doctor/probe", "fips_doctor/evidence", "fips_doctor/verdict"),
)
_CACHED = [name.replace("/", "/__pycache__/") for name in _OURS]
CODE = (
    "usr/bin/python3.13",
    "usr/lib/libcrypto.so.3",
    "usr/lib/libssl.so.3",
    "usr/lib/ossl-modules/fips.so",
    f"{_DYNLOAD}/_hashlib.cpython-313-x86_64-linux-gnu.so",
    f"{_DYNLOAD}/_ssl.cpython-313-x86_64-linux-gnu.so",
    "usr/libexec/openssl/openssl",
    "usr/libexec/fips-provider/openssl",
    "usr/libexec/fips-provider/libcrypto.so.3",
)
BYTECODE = (
    *(f"{LIBRARY}/{name}.cpython-313.pyc" for name in _CACHED),
    *(f"{LIBRARY}/{name}.pyc" for name in ("encodings/__init__", "encodings/aliases", "encodings/utf_8")),
    *(f"{LIBRARY}/{name}.pyc" for name in ("site", "os", "codecs", "runpy", "hashlib", "subprocess")),
)
OTHER = (
    "usr/bin/python3",
    "usr/bin/fips-exec",
    "usr/bin/fips-hook",
    "usr/bin/fips-doctor",
    "etc/ssl/openssl.cnf",
    "etc/ssl/openssl.cnf.sha256",
    "etc/ssl/default.cnf",
    "etc/ssl/fips.cnf.in",
    *(f"{LIBRARY}/{name}.py" for name in _OURS),
    "usr/share/fips-provider/record.json",
)
FOLDERS = (
    *("etc/ssl", "usr/lib", "usr/lib/ossl-modules", "usr/bin", LIBRARY, LAUNCHER, f"{LAUNCHER}/__pycache__"),
    *(_DYNLOAD, "usr/libexec/openssl", "usr/libexec/fips-provider", f"{LIBRARY}/encodings"),
)
FAVOURITES = (*CODE[:4], "etc/ssl/openssl.cnf", "etc/ssl/default.cnf")
_HOST_LIBCRYPTO = "/usr/lib/x86_64-linux-gnu/libcrypto.so.3"


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
    "the launcher's decide": _swap(f"{LAUNCHER}/__pycache__/decide.cpython-313.pyc"),
}


def draw(random: Random) -> Fault:
    """Draw a file or a folder and what happens to it."""
    if random.random() < 0.05:
        path = random.choice(FOLDERS)
        return whole(path, random.choice(["missing", "empty", "a loop of links", "not readable"]))
    path = random.choice(FAVOURITES if random.random() < 0.35 else (*CODE, *BYTECODE, *OTHER))
    choice = random.random()
    if choice < 0.35 and (path in CODE or not path.startswith("usr/bin")):
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


def whole(path: str, how: str) -> Fault:
    """Return the fault that a file is something else altogether: `how` is one of WHOLE."""
    return _fault(path, how, WHOLE[how])


def _fault(path: str, how: str, damage: Damage) -> Fault:
    def apply(plan: Plan) -> None:
        plan.damages[path] = damage
        plan.excuses |= {FAILS, HELPLESS, STRICT}
        if path in CODE or path in BYTECODE or path in FOLDERS or path.startswith("usr/bin"):
            plan.excuses.add(CRASH)
        if path.startswith("usr/bin"):
            plan.excuses.add(NOTHING)  # a shell takes an empty program for an empty script

    return Fault("damage", f"{path} is {how}", apply)
