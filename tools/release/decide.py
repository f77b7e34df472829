"""Decide whether a snap may go to a channel: from its evidence and the policy alone, and no by default."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from securesystemslib.signer import Signer

from tools.release import envelope, make, texts
from tools.release.errors import ReleaseError
from tools.release.policy import CHANNELS, Channel, Policy
from tools.release.verify import Evidence, missing, verify


@dataclass(frozen=True)
class Decision:
    """Whether, and why not: a reason a line."""

    channel: str
    found: Evidence
    reasons: tuple[str, ...]

    @property
    def yes(self) -> bool:
        """Whether the snap may go there."""
        return not self.reasons

    @property
    def line(self) -> str:
        """The decision in one line, with how many more reasons there are than the first."""
        if self.yes:
            return f"{self.channel}: yes"
        more = f" (and {len(self.reasons) - 1} more)" if len(self.reasons) > 1 else ""
        return f"{self.channel}: no, because {self.reasons[0]}{more}"


def decide(folder: Path, policy: Policy, channel: str, now: datetime, snap: Path | None = None) -> Decision:
    """Return the decision for one channel, by a folder of evidence.

    :param snap: the snap itself, where it is there.
    """
    return judge(verify(folder, policy, now, snap), policy, channel, now)


def judge(found: Evidence, policy: Policy, channel: str, now: datetime) -> Decision:
    """Return the decision for one channel; a channel asks for all that those before it ask for.

    :param found: what is verified.
    """
    reasons = list(found.problems)
    if found.whole:
        for name in CHANNELS[: CHANNELS.index(channel) + 1]:
            reasons += [each for each in _asked(found, policy, name, channel, now) if each not in reasons]
    # What no new evidence can mend stands first.
    reasons.sort(key=lambda reason: not reason.startswith("the module"))
    return Decision(channel, found, tuple(reasons))


def _asked(found: Evidence, policy: Policy, name: str, channel: str, now: datetime) -> Iterator[str]:
    wanted = policy.channels[name]
    if wanted.validated and found.module.get("cmvp") == "not validated":
        yield f"the module's origin is not its policy's ({found.module['validation']})"
    if name == channel:
        yield from missing(found, policy, channel, now)
        yield from _before(found, wanted, now)
    if wanted.approval and name not in found.approvals:
        yield f"no person has approved it for {name}"


def _before(found: Evidence, wanted: Channel, now: datetime) -> Iterator[str]:
    """Yield why a snap has not been in the channel before, or not for long enough."""
    if wanted.name == CHANNELS[0]:
        return
    before = CHANNELS[CHANNELS.index(wanted.name) - 1]
    released = found.releases.get(before, {}).get(100)
    if released is None:
        yield f"it was not released to {before}"
        return
    since = texts.moment(released.predicate["released"], before)
    if wanted.stayed and now - since < timedelta(days=wanted.stayed):
        yield f"it has to stay in {before} for {wanted.stayed} days, and is there since {texts.stamp(since)}"


def statement(decision: Decision, policy: Policy, now: datetime, signer: Signer) -> str:
    """Return the decision as a signed statement: in-toto's simple verification result, version 0.1.

    :param policy: that it was made by.
    :raises ReleaseError: there is no snap that it could be of: what is said of it is not as it has to be.
    """
    if not decision.found.whole:
        raise ReleaseError(f"nothing is signed of evidence that is not whole: {decision.found.problems[0]}")
    predicate: dict[str, Any] = {
        "verifier": {"id": "urn:certbot-fips:decide"},
        "timeCreated": texts.stamp(now),
        "properties": [
            envelope.answer(decision.channel, decision.yes),
            f"CERTBOT_FIPS_POLICY_SHA256_{policy.digest}",
        ],
    }
    return envelope.sign(make.descriptor(decision.found.subject), envelope.SUMMARY, predicate, signer)
