"""What is left of the workarounds that people used while Certbot's own snap did not run on FIPS hosts."""

import glob
import os
import re

from fips_doctor.evidence import Evidence, Item, State, host_run, read
from fips_doctor.lineages import CRONTABS
from fips_launch import place

FORCED = "OPENSSL_FORCE_FIPS_MODE"
# Where it is put: for logins, for services (units and their drop-ins), for jobs.
FILES = (
    "/etc/environment",
    "/etc/environment.d/*.conf",
    "/etc/profile",
    "/etc/profile.d/*.sh",
    "/etc/bash.bashrc",
    "/etc/bashrc",
    "/etc/security/pam_env.conf",
    "/etc/security/pam_env.d/*.conf",
    *(
        f"/root/{name}"
        for name in (".profile", ".bash_profile", ".bash_login", ".bashrc", ".pam_environment")
    ),
    "/etc/anacrontab",
    *CRONTABS,
    "/etc/default/*",
    "/etc/sysconfig/*",
    "/etc/systemd/*.conf",
    "/etc/systemd/*.conf.d/*.conf",
    *(
        f"{folder}/systemd/system/{units}"
        for folder in ("/etc", "/run", "/usr/local/lib", "/usr/lib")
        for units in ("*.service", "*.d/*.conf")
    ),
)
MODULES = ("/usr/lib/*/ossl-modules", "/usr/lib64/ossl-modules", "/usr/lib/ossl-modules")
UPSTREAM = ("/snap/certbot", "/var/lib/snapd/snap/certbot")
REVISION = re.compile(r"(x?)(\d+)")  # in the store's or, of a file that was installed, snapd's own count
ENVIRONMENT_FILE = re.compile(r"""^EnvironmentFile=["']?-?["']?(/[^\s"']+)""", re.MULTILINE)


def forced_mode(root: str = "") -> Item:
    """Look for the variable that switches FIPS off (or on, by its mere presence, in OpenSSL 1.1.1)."""
    paths = [path for pattern in FILES for path in sorted(glob.glob(root + pattern))]
    found, hidden = [], []
    for path in dict.fromkeys(paths):
        text = read(path)
        if text is None and os.path.isfile(path):
            hidden.append(path)
        named = [root + other for other in ENVIRONMENT_FILE.findall(text or "")]
        found += [each for each in (path, *named) if _sets(each)]
    if FORCED in os.environ:
        found.insert(0, "this environment")
    if found:
        remedy = "take it out: the host's own programs read it; this snap does not"
        return Item(FORCED, "in " + ", ".join(dict.fromkeys(found)), State.WARN, remedy)
    if hidden:
        value = f"in no place where this user may look; hidden: {len(hidden)} files, first {hidden[0]}"
        return Item(FORCED, value, State.UNKNOWN, "run the doctor as root")
    return Item(FORCED, "in none of the usual places", State.OK)


def _sets(path: str) -> bool:
    """Tell whether a line that is no comment names the variable."""
    return any(FORCED in line and line.lstrip()[0] not in "#;" for line in (read(path) or "").splitlines())


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
    newer = [name for name in os.listdir(folder) if _newer(name, revision)]
    held = "held" in host_run("snap", "list", "certbot", seconds=5).out
    notes = [text for text, found in (("held", held), ("reverted", bool(newer))) if found]
    if not notes:
        return Item(label, f"installed, revision {revision}")
    remedy = f"snap remove certbot, once {place.NAME} renews: certificates in /etc/letsencrypt stay"
    return Item(label, f"installed, revision {revision}, {' and '.join(notes)}", State.WARN, remedy)


def _newer(one: str, than: str) -> bool:
    """Tell whether a revision came after another: N from the store, xN, of a file, is newer yet."""
    matches = [REVISION.fullmatch(each) for each in (one, than)]
    numbers = [(match[1], int(match[2])) for match in matches if match]
    return len(numbers) == 2 and numbers[0] > numbers[1]


def all_of_them() -> Evidence:
    """Return what is left, each with what to do."""
    return {
        "forced_mode": forced_mode(),
        "linked_module": linked_module(),
        "upstream_snap": upstream(),
    }
