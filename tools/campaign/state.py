"""What the host says and keeps: the kernel's flag, the administrator's setting, the revision's data."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

from tools.campaign.fault import STRICT, Fault
from tools.campaign.plan import CASE, MADE_HERE, SETTING, Mount, Plan

_BIND = 0x1000
_RDONLY_BIND = 0x1 | 0x20 | _BIND

FLAGS: dict[str, bytes] = {
    **{
        repr(text): text for text in (b"1\n", b"1", b"0\n", b"0", b"", b"\n", b"2\n", b"yes\n", b"01", b"1 0")
    },
    **{
        repr(text): text
        for text in (b" 1", b"0\0", b"\x001", b"-1", b"0x0", b"00", b"1\r\n", b"\t0\n", b"\xff")
    },
    **{repr(text): text for text in (b"0 ", b"off", b"false", b"0\n1\n", b"O", b"\xd9\xa0")},
    "huge": b"0" * 100_000,
    "a long blank and 1": b" " * 80 + b"1",
    "a long blank and 0": b" " * 80 + b"0",
}
_ODD: dict[str, Callable[[Path], None]] = {
    "a folder": Path.mkdir,
    "a loop of links": lambda path: path.symlink_to(path.name),
    "a link to nowhere": lambda path: path.symlink_to("/nonexistent/flag"),
    "a pipe": lambda path: os.mkfifo(path),
}


_NONE = "that of a kernel without FIPS"


def flag(random: Random) -> Fault:
    """Draw what the kernel's flag is."""
    odd = [form for form in _ODD if form != "a link to nowhere"]
    others = ["missing", "not readable", "in an empty folder", *[_NONE] * 2]
    return flagged(random.choice([*FLAGS, *odd, *others]))


def flagged(form: str) -> Fault:
    """Return the fault that the kernel's flag is like that."""

    def apply(plan: Plan) -> None:
        content = FLAGS.get(form)
        # Exactly 1 is on; 0, or a kernel without FIPS, is off; anything else, unreadable or covered is on.
        plan.bare = form == _NONE
        plan.fips = not plan.bare and (content is None or content.strip() != b"0")
        if content and len(content) > 64:
            plan.excuses.add(STRICT)

        def make(case: Path) -> None:
            file = case / "crypto/fips_enabled"
            file.unlink(missing_ok=True)
            if content is not None:
                file.write_bytes(content)
            elif form in _ODD:
                _ODD[form](file)
            elif form == "not readable":
                file.write_bytes(b"1\n")
                file.chmod(0)

        plan.files.append(make)
        if form == "in an empty folder":
            plan.last_mounts.append(Mount(f"{CASE}/empty", "/proc/sys/crypto", flags=_BIND))

    return Fault("flag", f"the kernel's flag is {form[:40]}", apply)


SETTINGS: dict[str, tuple[bytes, str]] = {
    **{repr(text): (text, text.strip().decode()) for text in (b"auto\n", b"on\n", b"off\n", b"off", b" on ")},
    **{
        repr(text): (text, "on")
        for text in (b"", b"\n", b"perhaps", b"OFF", b"off off", b"0", b"\xff", b"off\0")
    },
    "huge": (b"off" * 40_000, "on"),
}


def setting(random: Random) -> Fault:
    """Draw what the administrator's setting is."""
    return set_to(random.choice([*SETTINGS, *_ODD, "not readable"]))


def set_to(form: str) -> Fault:
    """Return the fault that the administrator's setting is like that."""

    def apply(plan: Plan) -> None:
        plan.setting = SETTINGS[form][1] if form in SETTINGS else "auto" if "nowhere" in form else "on"

        def make(case: Path) -> None:
            file = case / SETTING
            if form in SETTINGS:
                file.write_bytes(SETTINGS[form][0])
            elif form in _ODD:
                _ODD[form](file)
            else:
                file.write_bytes(b"on\n")
                file.chmod(0)

        plan.files.append(make)

    return Fault("setting", f"the setting is {form[:40]}", apply)


def _replace(content: bytes | None) -> Callable[[Path], None]:
    def make(case: Path) -> None:
        file = case / MADE_HERE
        if file.is_file():
            file.unlink()
        if content is not None:
            file.write_bytes(content)

    return make


def _edit(old: bytes, new: bytes) -> Callable[[Path], None]:
    def make(case: Path) -> None:
        file = case / MADE_HERE
        if file.is_file():
            file.write_bytes(file.read_bytes().replace(old, new))

    return make


def _odd(form: str) -> Callable[[Path], None]:
    def make(case: Path) -> None:
        (case / MADE_HERE).unlink(missing_ok=True)
        _ODD[form](case / MADE_HERE)

    return make


def _chmod(path: str) -> Callable[[Path], None]:
    return lambda case: (case / path).chmod(0)


MADE: dict[str, Callable[[Path], None]] = {
    "missing: hooks never ran": _replace(None),
    "empty": _replace(b""),
    "nonsense": _replace(b"[nonsense\n"),
    "one of an enemy": _replace(
        b"openssl_conf = i\n[i]\nproviders = p\n[p]\ndefault = d\n[d]\nactivate = 1\n"
    ),
    "half written": lambda case: os.truncate(case / MADE_HERE, (case / MADE_HERE).stat().st_size // 2),
    "without its first line": _edit(b"openssl_conf", b"# openssl_conf"),
    "with fips=yes as a wish": _edit(b"fips=yes", b"?fips=yes"),
    "with fips=no": _edit(b"fips=yes", b"fips=no"),
    "without a query": _edit(b"default_properties", b"# default_properties"),
    "with another module-mac": _edit(b"module-mac = ", b"module-mac = 00:"),
    "without activate": _edit(b"activate = 1", b"activate = 0"),
    "with X25519 first": _edit(b"Groups = ", b"Groups = X25519:"),
    "with other groups' name": _edit(b"Groups = ", b"Gruppen = "),
    **{form: _odd(form) for form in _ODD},
    "not readable": _chmod(MADE_HERE),
    "in a folder not readable": _chmod("var/certbot-fips/x1/fips"),
    "in data not readable": _chmod("var/certbot-fips/x1"),
}


_KEPT = (*MADE, "on a full file system", "on a read-only file system", "missing with the folder")


def data(random: Random) -> Fault:
    """Draw what became of the revision's data, and the file systems it is on."""
    return made_here(random.choice(_KEPT))


def made_here(form: str) -> Fault:
    """Return the fault that the config which the install hook has made is like that."""

    def apply(plan: Plan) -> None:
        plan.excuses.add(STRICT)
        if form in MADE:
            plan.files.append(MADE[form])
        elif form == "on a full file system":
            plan.last_mounts.append(Mount("full", "/var/snap", "tmpfs", 0, "size=4k,nr_inodes=1"))
        elif form == "missing with the folder":
            plan.files.append(lambda case: shutil.rmtree(case / "var/certbot-fips/x1"))
        else:
            plan.last_mounts.append(Mount("/var/snap", "/var/snap", "", _RDONLY_BIND))

    return Fault("data", f"the config made here is {form}", apply)
