"""What is left of the workarounds that people used while Certbot's own snap did not run on FIPS hosts."""

import glob
import os

from fips_doctor.evidence import Evidence, Item, State, host_run, read

FORCED = "OPENSSL_FORCE_FIPS_MODE"
# Where it was put: for logins, for services, for Certbot's own snap.
FILES = (
    "/etc/environment",
    "/etc/profile.d/*.sh",
    "/etc/systemd/system.conf",
    "/etc/systemd/system.conf.d/*.conf",
    "/etc/systemd/system/snap.certbot*.service.d/*.conf",
)
MODULES = ("/usr/lib/*/ossl-modules", "/usr/lib64/ossl-modules", "/usr/lib/ossl-modules")
UPSTREAM = ("/snap/certbot", "/var/lib/snapd/snap/certbot")
LIVE = "/etc/letsencrypt/renewal/*.conf"
TIMERS = {
    "/etc/systemd/system/snap.certbot.renew.timer": "snap stop --disable certbot.renew",
    "/etc/systemd/system/timers.target.wants/certbot.timer": "systemctl disable --now certbot.timer",
    "/etc/cron.d/certbot": "take the line out of /etc/cron.d/certbot",
}


def forced_mode(root: str = "") -> Item:
    """Look for the variable that switches FIPS off (or on, by its mere presence, in OpenSSL 1.1.1)."""
    paths = [path for pattern in FILES for path in sorted(glob.glob(root + pattern))]
    found = [path for path in paths if FORCED in (read(path) or "")]
    if FORCED in os.environ:
        found.insert(0, "this environment")
    if not found:
        return Item(FORCED, "nowhere", State.OK)
    remedy = "take it out: the host's own programs read it; this snap does not"
    return Item(FORCED, "in " + ", ".join(found), State.WARN, remedy)


def linked_module(root: str = "") -> Item:
    """Look for a module of the host that is a link to another place."""
    found = [p for m in MODULES for p in glob.glob(f"{root}{m}/fips.so") if os.path.islink(p)]
    if not found:
        return Item("linked fips.so", "none", State.OK)
    remedy = "put the operating system's own back, and run its fipsinstall; this snap brings its own"
    pairs = ", ".join(f"{path} -> {os.readlink(path)}" for path in found)
    return Item("linked fips.so", pairs, State.WARN, remedy)


def upstream(root: str = "") -> Item:
    """Look for Certbot's own snap, held or set back to an older revision."""
    label = "snap `certbot`"
    folder = next((root + path for path in UPSTREAM if os.path.lexists(f"{root}{path}/current")), "")
    if not folder:
        return Item(label, "not installed", State.OK)
    revision = os.path.basename(os.path.realpath(f"{folder}/current"))
    newer = [n for n in os.listdir(folder) if n.isdigit() and revision.isdigit() and int(n) > int(revision)]
    held = "held" in host_run("snap", "list", "certbot", seconds=5).out
    notes = [text for text, found in (("held", held), ("reverted", bool(newer))) if found]
    if not notes:
        return Item(label, f"installed, revision {revision}")
    remedy = "snap remove certbot, once certbot-fips renews: certificates in /etc/letsencrypt stay"
    return Item(label, f"installed, revision {revision}, {' and '.join(notes)}", State.WARN, remedy)


def two_managers(root: str = "") -> Item:
    """Look for another Certbot whose timer renews the same certificates."""
    others = {path: cure for path, cure in TIMERS.items() if os.path.lexists(root + path)}
    count = len(glob.glob(root + LIVE))
    label = "/etc/letsencrypt"
    if not others or not count:
        return Item(label, f"{count} certificates, no other timer known", State.OK)
    cures = "; ".join(others.values())
    return Item(label, f"{count} certificates; also renewed by {', '.join(others)}", State.WARN, cures)


def all_of_them() -> Evidence:
    """Return what is left, each with what to do."""
    return {
        "forced_mode": forced_mode(),
        "linked_module": linked_module(),
        "upstream_snap": upstream(),
        "two_managers": two_managers(),
    }
