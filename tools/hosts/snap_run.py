#!/usr/bin/python3 -IS
"""Stand-in for `snap run` on a host where no snapd runs: same arguments and environment, then snap-exec.

`snap run` asks snapd's files what an app is, sets the variables listed in snapd's documentation
("Environment variables"; snapd's own source: snap/snapenv), and lets snap-confine call snap-exec. For
a classic snap snap-confine changes neither root nor mounts: snap-exec called directly is the same to the app.

Understood: `snap run [--shell] [--hook=HOOK] SNAP[.APP] [ARG ...]`, and being called by the name of an app
(`/snap/bin/SNAP.APP`), as the symbolic links that snapd makes.
"""
# os.path, since an environment holds bytes and importing pathlib would cost more than all the rest.
# ruff: noqa: PTH103, PTH114, PTH115, PTH119, PTH123

from __future__ import annotations

import os
import pwd
import re
import sys
from typing import NoReturn

MOUNTED = b"/snap"
DATA = b"/var/snap"
#: Variables that ld.so strips for setuid programs (snap-confine is one). snapd hides them from it with a
#: prefix that snap-exec takes off again for apps (not for hooks); its source: osutil/env.go.
HIDDEN = b"SNAP_SAVED_"
UNSAFE = frozenset(
    b"GCONV_PATH GETCONF_DIR GLIBC_TUNABLES HOSTALIASES LD_AUDIT LD_DEBUG LD_DEBUG_OUTPUT LD_DYNAMIC_WEAK"
    b" LD_HWCAP_MASK LD_LIBRARY_PATH LD_ORIGIN_PATH LD_PRELOAD LD_PROFILE LD_SHOW_AUXV LD_USE_LOAD_BIAS"
    b" LOCALDOMAIN LOCPATH MALLOC_TRACE NIS_PATH NLSPATH RESOLV_HOST_CONF RES_OPTIONS TMPDIR TZDIR".split()
)
SNAP_EXEC = ("/usr/lib/snapd/snap-exec", "/usr/libexec/snapd/snap-exec")


def fail(text: str) -> NoReturn:
    """Say why nothing was run, as `snap` does, and exit 1."""
    sys.stderr.write(f"error: {text}\n")
    sys.exit(1)


def environment(
    instance: bytes, revision: bytes, app: bytes | None, caller: dict[bytes, bytes]
) -> dict[bytes, bytes]:
    """Return the caller's variables as `snap run` hands them on, for an app or (None) a hook."""
    name, _, key = instance.partition(b"_")
    with open(b"/".join((MOUNTED, instance, revision, b"meta/snap.yaml")), "rb") as yaml:
        meta = yaml.read()
    version = re.search(rb"^version: *['\"]?([^'\"\n]*)", meta, re.MULTILINE)
    architecture = re.search(rb"^architectures:\n *- *(\S+)", meta, re.MULTILINE)
    home = os.fsencode(pwd.getpwuid(os.getuid()).pw_dir)
    added = {
        b"SNAP": b"/".join((MOUNTED, name, revision)),
        b"SNAP_ARCH": architecture.group(1) if architecture else b"",
        b"SNAP_COMMON": b"/".join((DATA, name, b"common")),
        b"SNAP_CONTEXT": b"stand-in",
        b"SNAP_COOKIE": b"stand-in",
        b"SNAP_DATA": b"/".join((DATA, name, revision)),
        b"SNAP_EUID": str(os.geteuid()).encode(),
        b"SNAP_INSTANCE_KEY": key,
        b"SNAP_INSTANCE_NAME": instance,
        b"SNAP_LIBRARY_PATH": b"/var/lib/snapd/lib/gl:/var/lib/snapd/lib/gl32:/var/lib/snapd/void",
        b"SNAP_NAME": name,
        b"SNAP_REAL_HOME": home,
        b"SNAP_REEXEC": caller.get(b"SNAP_REEXEC", b""),
        b"SNAP_REVISION": revision,
        b"SNAP_UID": str(os.getuid()).encode(),
        b"SNAP_USER_COMMON": b"/".join((home, b"snap", instance, b"common")),
        b"SNAP_USER_DATA": b"/".join((home, b"snap", instance, revision)),
        b"SNAP_VERSION": version.group(1).strip() if version else b"",
    }
    if app is not None:
        added[b"SNAP_APP_NAME"] = app
    merged = {key: value for key, value in caller.items() if not key.startswith(HIDDEN)} | added
    return {(HIDDEN + key if key in UNSAFE else key): value for key, value in sorted(merged.items())}


def callers_environment() -> dict[bytes, bytes]:
    """Return the environment as it was passed, before Python's locale coercion added to it."""
    with open("/proc/self/environ", "rb") as block:
        pairs = (entry.partition(b"=") for entry in block.read().split(b"\0") if entry)
        return {key: value for key, _, value in pairs}


def main(argv: list[str]) -> NoReturn:
    """Become snap-exec, as told by `argv`; exit 1 with one line when that cannot be."""
    called = os.path.basename(argv[0])
    args = argv[1:]
    if called == "snap":
        if args[:1] != ["run"]:
            fail("no snapd runs on this host; only `snap run` is understood")
        args = args[1:]
    else:
        args = [called, *args]
    options = []
    while args and args[0].startswith("-"):
        option = args.pop(0)
        if option == "--shell":
            options.append("--command=shell")
        elif option.startswith("--hook="):
            options.append(option)
        else:
            fail(f"unknown flag `{option}`")
    if not args:
        fail("need the application to run as argument")
    target, args = args[0], args[1:]
    instance, _, app = target.partition(".")
    link = f"/snap/{instance}/current"
    if not os.path.islink(link):
        fail(f'snap "{instance}" is not installed')
    revision = os.path.basename(os.readlink(link))
    hook = any(option.startswith("--hook=") for option in options)
    app_name = None if hook else (app or instance.partition("_")[0]).encode()
    env = environment(instance.encode(), revision.encode(), app_name, callers_environment())
    for folder in (env[b"SNAP_USER_DATA"], env[b"SNAP_USER_COMMON"]) if not hook else ():
        os.makedirs(folder, mode=0o700, exist_ok=True)
    program = next((path for path in SNAP_EXEC if os.access(path, os.X_OK)), None)
    if program is None:
        fail(f"snap-exec is not at {' or '.join(SNAP_EXEC)}: install snapd")
    os.execve(program, [program, *options, "--", target, *args], env)


if __name__ == "__main__":
    main(sys.argv)
