"""What renewals hang on besides the module: whose keys the certificates have, the hooks and their PATH.

`python3 -I -m fips_doctor.renewal` is the part that needs crypto, and comes in by a proven entry point: it
prints as JSON of each lineage whether its key is on record as made here in FIPS mode, and why Certbot calls
it invalid.
"""

import functools
import json
import logging
import os
import sys
from contextlib import suppress
from types import SimpleNamespace

from fips_doctor.evidence import Evidence, Item, State, listed, read, run
from fips_launch import hooks, keys, place, refusal, superuser
from fips_launch.place import Place

FOLDER = "/etc/letsencrypt"
LIVE = f"{FOLDER}/live"
RENEWAL = f"{FOLDER}/renewal"
OPTIONS = f"{FOLDER}/cli.ini"
SHOWN = 5  # lineages by name; there may be thousands
LONGEST = 120  # characters of a hook's command
SUFFIX = ".conf"


def files(root: str = "") -> list[str]:
    """Return the lineages' renewal files; OSError if this user may not look.

    :param root: what stands before the folder.
    """
    folder = f"{root}{RENEWAL}"
    try:
        return [f"{folder}/{name}" for name in sorted(os.listdir(folder)) if name.endswith(SUFFIX)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def lineage(path: str) -> str:
    """Return the name of the lineage that has a renewal file."""
    return os.path.basename(path).removesuffix(SUFFIX)


@functools.cache
def examined(python: str) -> dict[str, tuple[bool, str]]:
    """Return of each lineage whether its key is on record, and why Certbot calls it invalid, if it does.

    :param python: the snap's, the proven entry point.
    :raises ValueError: it cannot be told; the text says why.
    """
    done = run(python, "-I", "-m", "fips_doctor.renewal")
    try:
        return {name: (bool(made), str(why)) for name, (made, why) in json.loads(done.out).items()}
    except ValueError:
        raise ValueError(refusal.parse(done.last_line)[0]) from None


def lineage_keys(here: Place, fips: bool) -> Item:
    """Name the lineages whose key was not made here in FIPS mode."""
    label = "keys of certificates"
    if not fips:
        return Item(label, "not looked at: FIPS is not asked for")
    if not here.keys:
        return Item(label, "cannot be told: this copy of the snap keeps no record", State.UNKNOWN)
    if os.geteuid():
        return Item(label, f"cannot be told: only root may look into {LIVE}", State.UNKNOWN)
    try:
        known = examined(here.python)
    except ValueError as error:
        return Item(label, f"cannot be told: {error}", State.UNKNOWN)
    others = [name for name, (made, _) in known.items() if not made]
    if not others:
        return Item(label, f"{len(known)}, all made here in FIPS mode", State.OK)
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
    try:
        texts = [OPTIONS, *files()]
    except OSError:  # not for this user to see
        texts = [OPTIONS]
    said = _bare(" ".join(read(file) or "" for file in texts))
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


def _made_here(name: str, known: set[str]) -> bool:
    from cryptography.x509 import load_pem_x509_certificate

    try:
        with open(f"{LIVE}/{name}/cert.pem", "rb") as certificate:
            return keys.name(load_pem_x509_certificate(certificate.read()).public_key()) in known
    except Exception:  # cryptography has many for a key that the module refuses
        return False


def _invalid(name: str) -> str:
    """Return why Certbot calls a lineage invalid, by its own check; empty if it does not."""
    from certbot.crypto_util import verify_renewable_cert  # type: ignore[import-not-found, unused-ignore]

    paths = {f"{kind}_path": f"{LIVE}/{name}/{kind}.pem" for kind in ("cert", "chain", "fullchain")}
    try:
        verify_renewable_cert(
            SimpleNamespace(lineagename=name, key_path=f"{LIVE}/{name}/privkey.pem", **paths)
        )
    except Exception as error:  # as Certbot does
        return " ".join(str(error).split()) or type(error).__name__
    return ""


def main() -> None:
    """Print it, as JSON."""
    logging.disable()
    with suppress(OSError):
        os.setsid()  # no terminal on which the password of a key could be asked for
    known = keys.known(place.find())
    names = [lineage(path) for path in files()]
    json.dump({name: (_made_here(name, known), _invalid(name)) for name in names}, sys.stdout)


if __name__ == "__main__":
    main()
