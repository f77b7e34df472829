"""What renewals hang on besides the module: whose keys the certificates have, and the PATH that hooks get.

`python3 -I -m fips_doctor.renewal` is the part that needs crypto, and comes in by a proven entry point: it
prints each lineage with whether its key is on record as made here in FIPS mode, as JSON.
"""

import json
import os
import sys

from fips_doctor.evidence import Evidence, Item, State, run
from fips_launch import keys, place, refusal, superuser
from fips_launch.place import Place

LIVE = "/etc/letsencrypt/live"
RENEWAL = "/etc/letsencrypt/renewal"
SHOWN = 5  # lineages by name; there may be thousands
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


def renewal(here: Place, fips: bool) -> Evidence:
    """Return both; ``fips``: it is asked for here."""
    return {"lineage_keys": lineage_keys(here, fips), "hooks_path": hooks_path()}


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
