"""What else can be odd about a host: the flag, the data of the snap, its place, users, limits, signals."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from random import Random

from tools.campaign.fault import CRASH, HELPLESS, KILLED, MUTE, STARVED, STRICT, Fault
from tools.campaign.plan import CASE, MADE_HERE, SETTING, SNAP, Mount, Plan

_RDONLY_BIND = 0x1 | 0x20 | 0x1000
_BIND = 0x1000

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


def flag(random: Random) -> Fault:
    """Draw what the kernel's flag is."""
    odd = [form for form in _ODD if form != "a link to nowhere"]
    form = random.choice(
        [*FLAGS, *odd, "missing", "missing", "not readable", "in a kernel without its folder"]
    )

    def apply(plan: Plan) -> None:
        content = FLAGS.get(form)
        # DESIGN, "Mode": exactly 1 is on, absent or 0 is off, anything else or unreadable is on.
        off = form.startswith(("missing", "in a kernel")) or (content is not None and content.strip() == b"0")
        plan.fips = not off
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
        if form.startswith("in a kernel"):
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
    form = random.choice([*SETTINGS, *_ODD, "not readable"])

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


def data(random: Random) -> Fault:
    """Draw what became of the revision's data, and the file systems it is on."""
    form = random.choice(
        [*MADE, "on a full file system", "on a read-only file system", "missing with the folder"]
    )

    def apply(plan: Plan) -> None:
        plan.excuses.add(STRICT)
        if form in MADE:
            plan.files.append(MADE[form])
        elif form == "on a full file system":
            plan.last_mounts.append(Mount("full", "/var/snap", "tmpfs", 0, "size=4k,nr_inodes=8"))
        elif form == "missing with the folder":
            plan.last_mounts.append(Mount("none", "/var/snap", "tmpfs"))
        else:
            plan.last_mounts.append(Mount("/var/snap", "/var/snap", "", _RDONLY_BIND))

    return Fault("data", f"the config made here is {form}", apply)


PLACES = {
    "a parallel instance": ("/snap/certbot-fips_two/x1", False, False),
    "a parallel instance alone": ("/snap/certbot-fips_two/x1", True, False),
    "unpacked elsewhere": ("/opt/certbot-fips", False, True),
    "unpacked elsewhere alone": ("/opt/certbot-fips", True, True),
    "Red Hat's folder": ("/var/lib/snapd/snap/certbot-fips/x1", True, False),
    "another revision": ("/snap/certbot-fips/x2", False, False),
    "snap try": (SNAP, False, True),
    "a place with odd letters": ("/opt/\u00e4 b%s\n", True, True),
    "a deep place": ("/opt/" + "d" * 200 + "/" + "e" * 200, False, True),
}


def place(random: Random) -> Fault:
    """Draw where the copy of the snap lies that is entered."""
    name = random.choice(list(PLACES))
    root, plan_hidden, writable = PLACES[name]

    def apply(plan: Plan) -> None:
        plan.root, plan.hide_plain, plan.writable = root, plan_hidden, writable

    return Fault("place", f"the copy is {name}", apply)


def user(random: Random) -> Fault:
    """Draw a user who is not root."""
    uid = random.choice([65534, 1, 12345, 4294967294])

    def apply(plan: Plan) -> None:
        plan.uid = uid

    return Fault("user", f"the user is {uid}", apply)


def capability(random: Random) -> Fault:
    """Draw an administrator's setcap: the loader and libcrypto then ignore much of the environment."""
    uid = random.choice([65534, 12345])
    value = bytes.fromhex("0100000200040000000000000000000000000000")  # cap_net_bind_service=ep

    def apply(plan: Plan) -> None:
        plan.uid = uid
        plan.excuses |= {HELPLESS, STRICT}

        def damage(source: Path, target: Path) -> None:
            target.write_bytes(source.read_bytes())
            target.chmod(0o755)
            os.setxattr(target, "security.capability", value)

        plan.damages["usr/bin/python3.13"] = damage

    return Fault("capability", f"python3.13 has a capability, run by {uid}", apply)


_LIMITS = {
    "AS": (
        resource.RLIMIT_AS,
        [2**20 * n for n in (1, 4, 8, 12, 16, 20, 24, 28, 32, 40, 50, 64, 96, 128, 256)],
    ),
    "DATA": (resource.RLIMIT_DATA, [2**20 * n for n in (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32)]),
    "STACK": (resource.RLIMIT_STACK, [2**10 * n for n in (0, 4, 16, 64, 132, 200, 256, 512, 1024)]),
    "NOFILE": (resource.RLIMIT_NOFILE, list(range(13))),
    "NPROC": (resource.RLIMIT_NPROC, [0, 1]),
    "FSIZE": (resource.RLIMIT_FSIZE, [0, 1, 1000]),
    "CPU": (resource.RLIMIT_CPU, [0, 1]),
    "CORE": (resource.RLIMIT_CORE, [0]),
    "MEMLOCK": (resource.RLIMIT_MEMLOCK, [0]),
}


def limit(random: Random) -> Fault:
    """Draw a resource and how little there is of it."""
    name = random.choice([*_LIMITS, "AS", "AS", "DATA", "NOFILE"])
    number, values = _LIMITS[name]
    value = random.choice(values)

    def apply(plan: Plan) -> None:
        plan.limits[number] = value
        plan.excuses |= {HELPLESS, KILLED, CRASH, STARVED}

    return Fault("limit", f"RLIMIT_{name} is {value}", apply)


SIGNALS = (
    *(
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGHUP,
        signal.SIGQUIT,
        signal.SIGALRM,
        signal.SIGUSR1,
        signal.SIGPIPE,
    ),
    *(signal.SIGCHLD, signal.SIGWINCH, signal.SIGCONT, signal.SIGTSTP, signal.SIGSEGV, signal.SIGXCPU),
)


def signals(random: Random) -> Fault:
    """Draw a signal that arrives while the process starts, or is ignored or blocked from the beginning."""
    number = random.choice(SIGNALS)
    how = random.choice(["after", "after", "after", "ignored", "blocked"])
    delay = random.uniform(0, 0.2)

    def apply(plan: Plan) -> None:
        if how == "after":
            plan.signal = (number, delay)
            plan.excuses |= {KILLED, HELPLESS}
        else:
            (plan.ignored if how == "ignored" else plan.blocked).add(number)

    text = f"{number.name} comes after {delay * 1000:.0f} ms" if how == "after" else f"{number.name} is {how}"
    return Fault("signal", text, apply)


def streams(random: Random) -> Fault:
    """Draw standard streams that are closed."""
    closed = random.choice([{0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}, {0, 1, 2}])

    def apply(plan: Plan) -> None:
        plan.closed |= closed
        plan.excuses.add(HELPLESS)
        if 2 in closed:
            plan.excuses.add(MUTE)

    return Fault("streams", f"closed: {', '.join(map(str, sorted(closed)))}", apply)


def name(random: Random) -> Fault:
    """Draw what the caller says that the program is called."""
    text = random.choice(
        [
            "x",
            "fips-exec",
            "/usr/bin/python3",
            "/nonexistent/bin/python3",
            "./python3",
            "/python3",
            "a/" * 3000,
            "\n",
        ]
    )

    def apply(plan: Plan) -> None:
        plan.argv0 = text.encode()

    return Fault("name", f"argv[0] is {text[:30]!r}", apply)


def crowd(random: Random) -> Fault:
    """Draw how many start at once."""
    count = random.choice([2, 3, 4])

    def apply(plan: Plan) -> None:
        plan.copies = count

    return Fault("crowd", f"{count} start at once", apply)


def no_proc(random: Random) -> Fault:
    """Take /proc away, or a part of it."""
    what = random.choice(["/proc", "/proc/sys"])

    def apply(plan: Plan) -> None:
        plan.last_mounts.append(Mount(f"{CASE}/empty", what, flags=_BIND))
        plan.fips = what == "/proc"  # who knows; but an empty /proc/sys is a kernel without the flag
        plan.excuses |= {HELPLESS, STRICT}

    return Fault("proc", f"there is no {what}", apply)
