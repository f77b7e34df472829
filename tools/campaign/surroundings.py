"""What else can be odd about a start: the place of the copy, users, limits, signals, streams, names."""

from __future__ import annotations

import os
import resource
import signal
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tools.campaign.fault import (
    CRASH,
    CROWDED,
    FAILS,
    HELPLESS,
    KILLED,
    MUTE,
    SCRIPTLESS,
    STARVED,
    STRICT,
    Fault,
)
from tools.campaign.plan import CASE, CHROOT, SNAP, Mount, Plan

_BIND = 0x1000


@dataclass(frozen=True)
class Place:
    """Where a copy lies; alone: the installed one is gone; writable: as a copy is, and a mount is not.

    chroot: the process has another root; proc: with a /proc.
    """

    root: str = SNAP
    alone: bool = False
    writable: bool = False
    chroot: str = ""
    proc: bool = False


PLACES = {
    "a parallel instance": Place("/snap/certbot-fips_two/x1"),
    "a parallel instance alone": Place("/snap/certbot-fips_two/x1", alone=True),
    "unpacked elsewhere": Place("/opt/certbot-fips", writable=True),
    "unpacked elsewhere alone": Place("/opt/certbot-fips", alone=True, writable=True),
    "mounted elsewhere": Place("/opt/certbot-fips"),
    "mounted elsewhere alone": Place("/opt/certbot-fips", alone=True),
    "Red Hat's folder": Place("/var/lib/snapd/snap/certbot-fips/x1", alone=True),
    "another revision": Place("/snap/certbot-fips/x2"),
    "snap try": Place(writable=True),
    "in another root": Place(chroot=CHROOT),
    "in another root with /proc": Place(chroot=CHROOT, proc=True),
    "a place with odd letters": Place("/opt/\u00e4 b%s\n", alone=True, writable=True),
    "a deep place": Place("/opt/" + "d" * 200 + "/" + "e" * 200, writable=True),
}


def place(random: Random) -> Fault:
    """Draw where the copy of the snap lies that is entered."""
    return located(random.choice(list(PLACES)))


def located(name: str) -> Fault:
    """Return the fault that the copy lies elsewhere: one of PLACES."""
    place = PLACES[name]

    def apply(plan: Plan) -> None:
        plan.root, plan.hide_plain, plan.writable = place.root, place.alone, place.writable
        plan.chroot, plan.proc = place.chroot, place.proc
        plan.unknown |= bool(place.chroot) and not place.proc

    return Fault("place", f"the copy is {name}", apply)


def user(random: Random) -> Fault:
    """Draw a user who is not root."""
    uid = random.choice([65534, 1, 12345, 4294967294])

    def apply(plan: Plan) -> None:
        plan.uid = uid

    return Fault("user", f"the user is {uid}", apply)


def capability(random: Random) -> Fault:
    """Draw an administrator's setcap: the loader and libcrypto then ignore much of the environment."""
    return capable(random.choice(["usr/bin/python3.13", "usr/libexec/openssl/openssl"]))


def capable(program: str) -> Fault:
    """Return the fault that a program has a capability, and is run by a user who has none."""
    uid = 65534
    value = bytes.fromhex("0100000200040000000000000000000000000000")  # cap_net_bind_service=ep

    def apply(plan: Plan) -> None:
        plan.uid = uid
        plan.excuses |= {HELPLESS, STRICT}

        def damage(source: Path, target: Path) -> None:
            target.write_bytes(source.read_bytes())
            target.chmod(0o755)
            os.setxattr(target, "security.capability", value)

        plan.damages[program] = damage

    return Fault("capability", f"{program} has a capability, run by {uid}", apply)


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
    if name == "NOFILE" and value > 3:
        return no_more_files(random.uniform(0, 0.1))

    def apply(plan: Plan) -> None:
        plan.limits[number] = value
        plan.excuses |= {HELPLESS, KILLED, CRASH, FAILS}

    return Fault("limit", f"RLIMIT_{name} is {value}", apply)


def no_more_files(seconds: float) -> Fault:
    """Return the fault that a process can open no more files after that time: its config may be the next."""

    def apply(plan: Plan) -> None:
        plan.falls = (resource.RLIMIT_NOFILE, 3, seconds)
        plan.excuses |= {HELPLESS, KILLED, CRASH, FAILS, STARVED}

    return Fault("limit", f"RLIMIT_NOFILE falls to 3 after {seconds * 1000:.0f} ms", apply)


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
    return without(random.choice([{0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}, {0, 1, 2}]))


def without(closed: set[int]) -> Fault:
    """Return the fault that these standard streams are closed."""

    def apply(plan: Plan) -> None:
        plan.closed |= closed
        if 0 in closed:
            plan.excuses.add(SCRIPTLESS)
        plan.excuses.add(HELPLESS)
        if 2 in closed:
            plan.excuses.add(MUTE)

    return Fault("streams", f"closed: {', '.join(map(str, sorted(closed)))}", apply)


def name(random: Random) -> Fault:
    """Draw what the caller says that the program is called."""
    text = random.choice(
        [
            "x",
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
        plan.excuses.add(CROWDED)

    return Fault("crowd", f"{count} start at once", apply)


def no_proc(random: Random) -> Fault:
    """Take /proc away, or a part of it."""
    return covered(random.choice(["/proc", "/proc/sys", "/proc/sys/crypto"]))


def covered(what: str) -> Fault:
    """Return the fault that an empty folder covers this one."""

    def apply(plan: Plan) -> None:
        plan.last_mounts.append(Mount(f"{CASE}/empty", what, flags=_BIND))
        plan.unknown = True
        plan.excuses |= {HELPLESS, STRICT}

    return Fault("proc", f"there is no {what}", apply)
