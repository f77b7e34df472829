"""What an auditor finds in Certbot's log: the mode of each run, and whose keys it works with.

And what the doctor finds: which hooks failed.  Certbot's functions are watched where keys are made,
certificates requested and hooks run.  Nothing that goes wrong here stops Certbot: what cannot be told or
recorded is said in the log.
"""

import functools
import json
import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

from fips_launch import boot, keys, place, refusal, superuser
from fips_launch.decide import Source

logger = logging.getLogger(__name__)
_said: set[str] = set()


def once(level: int, text: str) -> None:
    """Log a line, the first time that this process has to say it."""
    if text not in _said:
        _said.add(text)
        logger.log(level, "%s", text)


@functools.cache  # its sha256 takes milliseconds, and each key wants it
def _module() -> str:
    """Return the module: its name and version by the snap's record, which is proven, and its sha256."""
    import hashlib

    here = place.find()
    try:
        with open(here.record, encoding="utf-8") as file:
            recorded = json.load(file)
        with open(here.module, "rb") as module:
            sha256 = hashlib.file_digest(module, "sha256").hexdigest()
        return f"{recorded['name']} {recorded['version']}, sha256:{sha256}"
    except (OSError, ValueError, KeyError) as error:
        return f"which one cannot be told: {type(error).__name__}: {error}"


def log_mode() -> None:
    """Write into the log in which mode this run is, why, and with which module."""
    decision = boot.decision
    if decision is None:
        return  # not the snap's own Python
    if decision.fips:
        once(logging.INFO, f"FIPS mode on, because {decision.reason}; proven; module: {_module()}")
    else:
        how = "off by setting" if decision.source == Source.SETTING_OFF else "not asked for"
        once(logging.INFO, f"FIPS {how}, because {decision.reason}")


def _record(key: Any) -> None:
    """Put a key that has just been made on record."""
    here = place.find()
    try:
        if here.keys:
            keys.add(here, key, _module())
        else:
            once(logging.INFO, "No record is kept of keys: this copy of the snap has no data of its own.")
    except Exception as error:
        logger.info("A key that was made here is not on record: %s: %s", type(error).__name__, error)


def _remark(whose: str, public_key: Callable[[], Any]) -> None:
    """Say of a key that it is not on record, if it is not; ``public_key`` returns it."""
    here = place.find()
    try:
        name = keys.name(public_key())
        if here.keys and name not in keys.known(here):
            once(logging.INFO, f"The key of {whose} is not on record as made here in FIPS mode: {name}")
    except Exception as error:
        logger.info("Where the key of %s was made cannot be told: %s: %s", whose, type(error).__name__, error)


def _made_pem(pem: bytes, *_: Any, **__: Any) -> None:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    _record(load_pem_private_key(pem, None).public_key())


def _account(config: Any, key: Any = None, *_: Any, **__: Any) -> None:
    if key is not None:
        _remark(f"the account at {config.server}", lambda: key.key.public_key())


def _request(_client: Any, csr: Any, *_: Any, **__: Any) -> None:
    from cryptography.x509 import load_pem_x509_csr

    _remark(
        f"the certificate request {csr.file or ''}".rstrip(), lambda: load_pem_x509_csr(csr.data).public_key()
    )


def _hook(path: str | None) -> None:
    """Say that a hook runs, or would, with a PATH that does not lead to the programs of administrators."""
    if superuser.missing(path):
        text = f"hooks may not find what they start: PATH has none of {', '.join(superuser.FOLDERS)}"
        once(logging.ERROR, refusal.compose(text, "set PATH where Certbot is started, as in the crontab"))


def _hook_ended(
    result: tuple[int, str, str], kind: str, command: str, env: Mapping[str, str] = os.environ
) -> None:
    """Keep whether a hook failed."""
    from fips_launch import hooks  # few runs have any

    here = place.find()
    try:
        if here.failed_hooks and kind in hooks.KINDS:
            lineage = os.path.basename(env.get("RENEWED_LINEAGE", "")) if kind == hooks.DEPLOY else ""
            hooks.ended(here, kind, command, lineage, result[0])
    except Exception as error:
        logger.info("How a hook ended is not on record: %s: %s", type(error).__name__, error)


def _generate_private_key(*arguments: Any, **named: Any) -> Any:
    """Make an account's key, and record it; cryptography is not loaded before."""
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

    key = generate_private_key(*arguments, **named)
    _record(key.public_key())
    return key


def watch(
    owner: Any, name: str, before: Callable[..., None] | None, after: Callable[..., None] | None
) -> None:
    """Have a function watched: ``before`` gets its arguments, ``after`` its result, then its arguments.

    :raises AttributeError: it is not there, so that no other release of Certbot goes unwatched.
    """
    watched = getattr(owner, name)

    @functools.wraps(watched)
    def call(*arguments: Any, **named: Any) -> Any:
        if before:
            before(*arguments, **named)
        result = watched(*arguments, **named)
        if after:
            after(result, *arguments, **named)
        return result

    setattr(owner, name, call)


def follow(fips: bool) -> None:
    """Watch Certbot, which has been loaded: hooks, and in FIPS mode keys."""
    from certbot import crypto_util  # type: ignore[import-not-found, unused-ignore]
    from certbot._internal import client  # type: ignore[import-not-found, unused-ignore]
    from certbot._internal import hooks as certbots  # type: ignore[import-not-found, unused-ignore]
    from certbot.compat import misc  # type: ignore[import-not-found, unused-ignore]

    def hook(*_: Any, env: Mapping[str, str] = os.environ) -> None:
        _hook(env.get("PATH"))

    watch(misc, "execute_command_status", hook, _hook_ended)
    watch(certbots, "_run_deploy_hook", lambda *_: hook(), None)  # a dry run does not run them
    if fips:
        watch(crypto_util, "make_key", None, _made_pem)
        if "generate_private_key" not in dir(client):  # asked so, it is not loaded
            client.generate_private_key  # noqa: B018  # raises AttributeError with its words
        client.generate_private_key = _generate_private_key
        watch(client, "create_acme_client", _account, None)
        watch(client.Client, "obtain_certificate_from_csr", _request, None)
