"""The certificates that Certbot keeps: whether it can renew each, and what else renews them.

A lineage is what Certbot calls a certificate with all that follow it: `renewal/NAME.conf` in its folder,
which names four links into `archive/NAME`.
"""

import glob
import os
import stat

from fips_doctor import plugins, renewal
from fips_doctor.evidence import Evidence, Item, State, listed, read
from fips_launch.place import NAME, Place

LINKS = ("cert", "privkey", "chain", "fullchain")
CERTIFICATES = "certificates"
# systemd's own order of folders with units; a link to /dev/null in an earlier one masks a unit.
UNITS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
)
CRONTABS = ("/etc/crontab", "/etc/cron.*/*", "/var/spool/cron/*", "/var/spool/cron/crontabs/*")


class UnparsableError(Exception):
    """It is not of the syntax of Certbot's renewal files."""


def parse(text: str) -> dict[str, dict[str, str]]:
    """Return the values of a renewal file by section, "" for what stands before the first.

    :raises UnparsableError: a line is neither `NAME = VALUE`, a section nor a comment (ConfigObj's syntax).
    """
    sections: dict[str, dict[str, str]] = {"": {}}
    section = ""
    for line in map(str.strip, text.splitlines()):
        name, separator, value = line.partition("=")
        if not line or line.startswith("#"):
            continue
        if line.startswith("[") and line.endswith("]"):
            section = line.strip("[] ")
            sections[section] = {}
        elif separator and name.strip():
            sections[section][name.strip()] = value.strip().strip("\"'")
        else:
            raise UnparsableError
    return sections


def fault(path: str, known: set[str] | None, root: str = "") -> str:
    """Return why Certbot will not renew a lineage, empty if there is no reason.

    By the rules of `RenewableCert` of Certbot's storage.py, which calls such a lineage invalid, and of its
    renewal.py, which skips one.

    :param path: its renewal file.
    :param known: the plugins that Certbot has; None: that cannot be told.
    :param root: what stands before the links' paths.
    :raises OSError: this user may not look.
    """
    text = read(path)
    if text is None:
        raise PermissionError
    try:
        sections = parse(text)
    except UnparsableError:
        return "its renewal file cannot be parsed"
    for kind in LINKS:
        link = sections[""].get(kind, "")
        if not link:
            return f"its renewal file has no {kind}"
        try:
            if not stat.S_ISLNK(os.lstat(root + link).st_mode):
                return f"{link} is no link"
            os.stat(root + link)
        except (FileNotFoundError, NotADirectoryError):
            return f"{link} leads nowhere"
    how = sections.get("renewalparams", {})
    if not how.get("authenticator"):
        return "its renewal file has no authenticator"
    needed = [how.get(role, "").rpartition(":")[2] for role in ("authenticator", "installer")]
    lost = [name for name in needed if known is not None and name not in {"", "None", *known}]
    return f"the plugin {lost[0]} is not here" if lost else ""


def lineages(known: set[str] | None, invalid: dict[str, str], root: str = "") -> Item:
    """Tell how many certificates there are, and which Certbot will not renew.

    :param known: the plugins that Certbot has; None: that cannot be told.
    :param invalid: why Certbot's own check of keys and signatures fails, by lineage.
    """
    as_root = "run the doctor as root"
    try:
        paths = renewal.files(root)
    except OSError as error:
        return Item(
            CERTIFICATES, f"cannot be told: {renewal.FOLDER}: {error.strerror}", State.UNKNOWN, as_root
        )
    faults, hidden = [], 0
    for path in paths:
        name = renewal.lineage(path)
        try:
            why = fault(path, known, root) or invalid.get(name, "")
        except OSError:
            hidden += 1
        else:
            faults += [f"{name} ({why})"] if why else []
    value = f"{len(paths)} in {renewal.FOLDER}"
    if faults:
        remedy = f"`{NAME} certificates` lists them; issue anew, or delete, what is not wanted any more"
        return Item(
            CERTIFICATES, f"{value}, {len(faults)} cannot be renewed: {listed(faults)}", State.WARN, remedy
        )
    if hidden:
        return Item(
            CERTIFICATES, f"{value}, {hidden} of them not for this user to see", State.UNKNOWN, as_root
        )
    if paths and known is None:
        return Item(CERTIFICATES, f"{value}; whether their plugins are here cannot be told", State.UNKNOWN)
    return Item(CERTIFICATES, value, State.OK)


def _timers(own: str, root: str) -> dict[str, str]:
    """Return the units of other Certbots' timers that systemd starts, by name, each with how to stop it."""
    found = {}
    for folder in UNITS:
        for path in glob.glob(f"{root}{folder}/*.wants/*certbot*.timer"):
            name = os.path.basename(path)
            masked = any(_is_null(f"{root}{units}/{name}") for units in UNITS[:2])
            if name.startswith(f"snap.{own}.") or masked:
                continue
            # Also of a snap's: up to snapd 2.57 `snap stop --disable` leaves the timer to the next boot.
            found[name] = f"systemctl disable --now {name}"
    return found


def _is_null(path: str) -> bool:
    return os.path.islink(path) and os.readlink(path) == os.devnull


def _jobs(root: str) -> dict[str, str]:
    """Return the files of cron that run another Certbot, each with what to do."""
    found = {}
    with_systemd = os.path.isdir(root + "/run/systemd/system")
    for path in (path for pattern in CRONTABS for path in sorted(glob.glob(root + pattern))):
        lines = [line for line in (read(path) or "").splitlines() if not line.lstrip().startswith("#")]
        # Debian's has `-a \! -d /run/systemd/system` in it: its timer does the work there.
        calls = [
            line
            for line in lines
            if "certbot" in line.replace(NAME, "") and not (with_systemd and "! -d /run/systemd" in line)
        ]
        if calls:
            name = path.removeprefix(root)
            found[name] = f"take the line out of {name}"
    return found


def managers(own: str, root: str = "") -> Item:
    """Look for another Certbot that renews the same certificates.

    :param own: the name of this snap's instance.
    """
    label = "renewed by others"
    others = _timers(own, root) | _jobs(root)
    try:
        any_there = bool(renewal.files(root))
    except OSError:
        any_there = True
    if others and any_there:
        return Item(label, f"also by {', '.join(others)}", State.WARN, "; ".join(others.values()))
    return Item(label, "no other timer known", State.OK)


def evidence(here: Place, fips: bool) -> Evidence:
    """Return both; ``fips``: it has to be on, so that not every plugin is used."""
    try:
        known = plugins.names(here, fips)
    except (OSError, ValueError):
        known = None
    try:
        invalid = {name: why for name, (_, why) in renewal.examined(here.python).items() if why}
    except ValueError:
        invalid = {}  # the line on their keys says so, or the one on the entry point
    return {"lineages": lineages(known, invalid), "two_managers": managers(here.name)}
