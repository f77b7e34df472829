"""What renewals hang on besides the module: whose keys the certificates have, the hooks and their PATH.

`python3 -I -m fips_doctor.renewal` is the part that needs crypto, and comes in by a proven entry point: it
prints each lineage with whether its key is on record as made here in FIPS mode, as JSON.
"""

import glob
import json
import os
import sys

from fips_doctor.evidence import Evidence, Item, State, listed, read, run
from fips_launch import hooks, keys, place, refusal, superuser
from fips_launch.place import Place

LIVE = "/etc/letsencrypt/live"
RENEWAL = "/etc/letsencrypt/renewal"
OPTIONS = "/etc/letsencrypt/cli.ini"
SHOWN = 5  # lineages by name; there may be thousands
LONGEST = 120  # characters of a hook's command
SUFFIX = ".conf"


def lineage_keys(here: Place, fips: bool) -> Item:
    """Name the lineages whose key was not made here in FIPS mode."""
    label = "keys of certificates"
    if not fips:
        return Item(label, "not looked at: FIPS is not asked for")
    if not here.keys:
        return Item(label, "cannot be told: this copy of the snap keeps no record", State.UNKNOWN)
    if os.geteuid():
        return Item(label, f"cannot be told: only root may look into {LIVE}", State.UNKNOWN)
    done = run(here.python, "-I", "-m", "fips_doctor.renewal")
    try:
        made_here: dict[str, bool] = json.loads(done.out)
    except ValueError:
        return Item(label, f"cannot be told: {refusal.parse(done.last_line)[0]}", State.UNKNOWN)
    others = [name for name, made in made_here.items() if not made]
    if not others:
        return Item(label, f"{len(made_here)}, all made here in FIPS mode", State.OK)
    named = ", ".join(others[:SHOWN]) + (f" and {len(others) - SHOWN} more" if len(others) > SHOWN else "")
    remedy = f"{here.instance} renew --cert-name NAME --force-renewal --new-key"
    return Item(label, f"not on record as made here in FIPS mode: {named}", State.WARN, remedy)


def hooks_path() -> Item:
    """Tell whether hooks would find the programs of administrators with the PATH that is set here."""
    label = "PATH for hooks"
    if not superuser.missing(os.environ.get("PATH")):
        return Item(label, "leads to administrators' programs", State.OK)
    value = f"has none of {', '.join(superuser.FOLDERS)}"
    # Others than root renew nothing, and have such a PATH by default on some systems.
    state = State.INFO if os.geteuid() else State.WARN
    return Item(label, value, state, "set PATH where Certbot is started like this, as in the crontab")


def _wanted(hook: hooks.Failed, said: str) -> bool:
    """Tell whether a hook is still there: as a file, or in a text of options; its certificate too."""
    if hook.lineage and not os.path.lexists(f"{RENEWAL}/{hook.lineage}{SUFFIX}"):
        return False
    return os.access(hook.command, os.X_OK) or _bare(hook.command) in said


def _bare(text: str) -> str:
    """Return a text without what ConfigObj may have put around it, or into it."""
    return "".join(text.replace("\\", "").replace('"', "").replace("'", "").split())


def failed_hooks(here: Place) -> Item:
    """Name the hooks that failed when they last ran."""
    label = "Certbot's hooks"
    if not here.failed_hooks:
        return Item(label, "cannot be told: this copy of the snap keeps no record", State.UNKNOWN)
    try:
        failed = hooks.failed(here)
    except (OSError, ValueError) as error:
        return Item(label, f"cannot be told: {here.failed_hooks}: {error}", State.UNKNOWN)
    said = _bare(" ".join(read(file) or "" for file in (OPTIONS, *glob.glob(f"{RENEWAL}/*{SUFFIX}"))))
    named = [
        f"{hook.kind} `{hook.command[:LONGEST]}`{hook.lineage and f' for {hook.lineage}'} ended with"
        f" {hook.status} at {hook.time}"
        for hook in failed
        if _wanted(hook, said)
    ]
    if not named:
        return Item(label, "none failed when it last ran", State.OK)
    remedy = f"do what it should have done, then try it: {here.instance} renew --dry-run --run-deploy-hooks"
    return Item(label, listed(named), State.BAD, remedy)


def renewal(here: Place, fips: bool) -> Evidence:
    """Return all three; ``fips``: it is asked for here."""
    return {
        "lineage_keys": lineage_keys(here, fips),
        "hooks_path": hooks_path(),
        "hooks": failed_hooks(here),
    }


def main() -> None:
    """Print which lineages have a key that is on record; one whose certificate cannot be read has not."""
    from cryptography.x509 import load_pem_x509_certificate

    known = keys.known(place.find())
    found = {}
    for file in sorted(os.listdir(RENEWAL)) if os.path.isdir(RENEWAL) else []:
        if file.endswith(SUFFIX):
            name = file.removesuffix(SUFFIX)
            try:
                with open(f"{LIVE}/{name}/cert.pem", "rb") as certificate:
                    key = load_pem_x509_certificate(certificate.read()).public_key()
                found[name] = keys.name(key) in known
            except Exception:  # cryptography has many for a key that the module refuses
                found[name] = False
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
