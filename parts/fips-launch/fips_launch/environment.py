"""Step 5, scrub: a child that is not ours gets the environment which the caller gave to the snap.

It becomes this process's own, ``os.environ`` too, byte for byte: so nothing has to be taken away again for a
child, whoever starts it and however.  What snapd told this process is kept aside, in :data:`snapd`.
"""

import os

# What snapd documents as "Environment variables", and what `snap run` adds to that for classic snaps.
SNAPD = frozenset(
    b"SNAP SNAP_ARCH SNAP_COMMON SNAP_CONTEXT SNAP_COOKIE SNAP_DATA SNAP_EUID SNAP_INSTANCE_KEY"
    b" SNAP_APP_NAME SNAP_INSTANCE_NAME SNAP_LIBRARY_PATH SNAP_NAME SNAP_REAL_HOME SNAP_REEXEC SNAP_REVISION"
    b" SNAP_SAVE_DATA SNAP_UID SNAP_USER_COMMON SNAP_USER_DATA SNAP_VERSION".split()
)
# The host's trusted certificates: Debian's family, Red Hat's, SUSE's.
TRUST_STORES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
)
snapd: dict[str, str] = {}
"""What snapd told this process: variables that no child gets.  Empty if it was not started by snapd."""


def parse(block: bytes) -> dict[bytes, bytes]:
    """Return the variables of an environment block as execve(2) passes it; the first of a name wins."""
    pairs = [entry.partition(b"=") for entry in block.split(b"\0") if b"=" in entry]
    return {name: value for name, _, value in reversed(pairs)}


def host(caller: dict[bytes, bytes], root: str) -> dict[bytes, bytes]:
    """Take away what snapd and the recipe added: snapd's variables and our folder in PATH.

    :param caller: the variables that this process was started with.
    :param root: the snap's own folder; the variables of another snap are the host's business.
    """
    snap = caller.get(b"SNAP")
    if snap is None or os.path.realpath(snap) != os.fsencode(root):
        return dict(caller)
    # snapd passes the caller's SNAP_REEXEC on, and adds an empty one.
    variables = {n: v for n, v in caller.items() if n not in SNAPD or (n == b"SNAP_REEXEC" and v)}
    folders = variables.get(b"PATH", b"").split(b":")
    if snap + b"/usr/bin" in folders:
        folders.remove(snap + b"/usr/bin")
        variables[b"PATH"] = b":".join(folders)
        if not variables[b"PATH"]:  # "$SNAP/usr/bin:$PATH" where PATH was not set
            del variables[b"PATH"]
    return variables


def scrub(root: str) -> None:
    """Give the environment its host's values back.

    To be called once, after libcrypto has read what is meant for it; OSError if /proc cannot be read.
    """
    with open("/proc/self/environ", "rb") as file:
        caller = parse(file.read())
    wanted = host(caller, root)
    for name in set(os.environb) - set(wanted):
        del os.environb[name]
    for name, value in wanted.items():
        if os.environb.get(name) != value:
            os.environb[name] = value
    kept = SNAPD & (set(caller) - set(wanted))
    snapd.update({os.fsdecode(name): os.fsdecode(caller[name]) for name in kept})
