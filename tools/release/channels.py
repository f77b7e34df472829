"""Move a snap through the store's channels: as the policy decides, one step at a time, each signed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from securesystemslib.signer import Signer

from tools.release import envelope, make, texts
from tools.release.decide import Decision, statement
from tools.release.errors import ReleaseError
from tools.release.policy import CHANNELS, Policy
from tools.release.store import Account, Store
from tools.release.verify import Evidence

Say = Callable[[str], None]


#: What one promotion at a time holds, whichever clone and evidence it is of.
LOCK = "certbot-fips-release"


@contextmanager
def alone() -> Iterator[None]:
    """Hold what only one promotion at a time may: of a login of this user, or else of this machine.

    :raises ReleaseError: another one is at it, or this user may not.
    """
    path = Path(os.environ.get("XDG_RUNTIME_DIR", "/run/lock"), LOCK)
    try:
        opened = path.open("w")
    except OSError as error:
        raise ReleaseError(f"{path} cannot be held: {error.strerror}") from error
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ReleaseError("another promotion is at it: wait for it to end") from error
        yield


def approve(
    folder: Path, policy: Policy, about: dict[str, Any], channel: str, signer: Signer, now: datetime
) -> Path:
    """Write a person's approval of a snap for a channel.

    :raises ReleaseError: by the policy, theirs does not count.
    """
    policy.allow(signer, "approval", channel)
    said = {"channel": channel, "commit": about["commit"], "approved": texts.stamp(now)}
    return _lay(folder, about, channel, f"approval{envelope.SUFFIX}", envelope.APPROVAL, said, signer)


def done(found: Evidence, channel: str) -> int:
    """Return for how many per cent of a channel's users it was released, by the statements; 0: for none."""
    return max(found.releases.get(channel, {0: None}))


def next_step(found: Evidence, policy: Policy, channel: str) -> int:
    """Return for how many per cent of the users the next release to a channel is.

    :raises ReleaseError: all have it.
    """
    for step in policy.channels[channel].steps:
        if step > done(found, channel):
            return step
    raise ReleaseError(f"it is released to {channel} already")


def revision_of(found: Evidence) -> int | None:
    """Return the store's revision of a snap, by the statements of its releases; None: it has none yet.

    :raises ReleaseError: they name more than one.
    """
    said = {each.predicate["revision"] for steps in found.releases.values() for each in steps.values()}
    if len(said) > 1:
        raise ReleaseError(f"the statements of its releases name {len(said)} revisions")
    return said.pop() if said else None


def plan(
    decision: Decision, policy: Policy, store: Store, snap: Path, revision: int | None = None
) -> list[str]:
    """Return the commands that a promotion gives, as a person would.

    :param revision: the store's, where it has the snap and no statement says so.
    """
    number = revision_of(decision.found) or revision
    percent = next_step(decision.found, policy, decision.channel)
    upload = [] if number else [store.command(["upload", str(snap)])]
    words = store.words(number or 0, decision.channel, percent)
    release = store.command(words) if number else store.command(words).replace(" 0 ", " REVISION ", 1)
    before, after = (store.command([word, store.name]) for word in ("revisions", "status"))
    return [store.command(["whoami"]), *upload, before, release, after]


def promote(
    decision: Decision,
    policy: Policy,
    store: Store,
    snap: Path,
    signer: Signer,
    say: Say,
    revision: int | None = None,
) -> Path:
    """Release a snap to the channel that was decided on, and sign that it is there.

    :param snap: the file, which is uploaded where the store does not have it.
    :param revision: the store's, where it has the snap and no statement says so.
    :returns: the statement; the decision lies beside it, signed too.
    :raises ReleaseError: the decision is no, or the store is not as it has to be; nothing is released then.
    """
    found, channel, now = decision.found, decision.channel, datetime.now(UTC)
    if not decision.yes:
        raise ReleaseError(decision.line)
    policy.allow(signer, "release", channel)
    percent, account = next_step(found, policy, channel), store.account()
    _allowed(account, channel)
    number = revision_of(found)
    if number is None and revision is not None:
        # A person says it; the store's own signature has to say the same of these bytes.
        store.asserted(revision, found.subject["sha3-384"])
        number = revision
    if number is None:
        if channel != CHANNELS[0]:
            raise ReleaseError(f"the store does not have it yet: it goes to {CHANNELS[0]} first")
        number = store.upload(snap)
        say(f"uploaded as revision {number}")
    there = store.revisions()
    if number not in there:
        raise ReleaseError(f"the store has no revision {number}")
    if there[number].version != found.subject["version"]:
        raise ReleaseError(
            f"revision {number} is version {there[number].version}, not {found.subject['version']}"
        )
    if channel != CHANNELS[0]:
        before = CHANNELS[CHANNELS.index(channel) - 1]
        if before not in there[number].now:
            raise ReleaseError(f"revision {number} is not in {before} any more")
    # As the last statement has it; or as this step would, which was done and not signed.
    so_far = done(found, channel)
    if so_far and not store.has(number, channel, so_far, percent):
        raise ReleaseError(
            f"revision {number} is not on its way in {channel} any more: it was halted, or another one came"
        )
    store.release(number, channel, percent)
    say(f"revision {number} is in {channel}, for {percent} per cent")
    said = {
        "channel": channel,
        "commit": found.subject["commit"],
        "revision": number,
        "percent": percent,
        "released": texts.stamp(datetime.now(UTC)),
        "account": account.name,
    }
    name = f"release-{percent}{envelope.SUFFIX}"
    signed = statement(decision, policy, now, signer)
    _put(found.folder, channel, f"decision-{percent}{envelope.SUFFIX}", signed)
    return _lay(found.folder, found.subject, channel, name, envelope.RELEASE, said, signer)


def back(store: Store, channel: str, revision: int) -> None:
    """Release a revision again that a channel had before.

    :raises ReleaseError: it never had it.
    """
    _allowed(store.account(), channel)
    there = store.revisions()
    if revision not in there or channel not in there[revision].once | there[revision].now:
        raise ReleaseError(f"revision {revision} was never in {channel}")
    store.release(revision, channel)


def halt(store: Store, channel: str) -> int:
    """End a release that is on its way: those who have it get the revision that the others have.

    :returns: that revision.
    :raises ReleaseError: the channel has none.
    """
    _allowed(store.account(), channel)
    revision = store.there(channel)
    if revision is None:
        raise ReleaseError(f"{channel} has no revision to go back to: close it")
    store.release(revision, channel)
    return revision


def close(store: Store, channel: str) -> None:
    """Close a channel."""
    _allowed(store.account(), channel)
    store.close(channel)


def _allowed(account: Account, channel: str) -> None:
    if account.expires is not None and account.expires < datetime.now(UTC):
        raise ReleaseError(f"the credentials of {account.name} have expired")
    if account.channels is not None and channel not in account.channels:
        raise ReleaseError(f"the credentials of {account.name} do not reach {channel}")
    if account.permissions is not None and "package_release" not in account.permissions:
        raise ReleaseError(f"the credentials of {account.name} may not release")


def _lay(
    folder: Path,
    about: dict[str, Any],
    channel: str,
    name: str,
    kind: str,
    said: dict[str, Any],
    signer: Signer,
) -> Path:
    texts.judge(said, "approval" if kind == envelope.APPROVAL else "release", name)
    return _put(folder, channel, name, envelope.sign(make.descriptor(about), kind, said, signer))


def _put(folder: Path, channel: str, name: str, text: str) -> Path:
    path = folder / "channels" / channel / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
