"""The store, through the program snapcraft: what it says is read back before it is believed.

The forms of its answers are those of snapcraft 9's source. It says that it has done what the store has not,
and asks for a login where it has none: so the store is asked again, stdin is closed and time is limited.
"""

from __future__ import annotations

import base64
import re
import shlex
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tools.release.errors import ReleaseError

SECONDS = 1800.0  # an upload ends when the store has looked at it
#: The store's words for bytes that it has.
AGAIN = "exact same content has already been uploaded"


class StoreError(ReleaseError):
    """The store, or snapcraft, did not do what it was asked; one line."""


@dataclass(frozen=True)
class Account:
    """Who is logged in, and what for; None: with no restrictions."""

    name: str
    permissions: frozenset[str] | None
    channels: frozenset[str] | None
    expires: datetime | None


@dataclass(frozen=True)
class Revision:
    """A revision of the snap.

    :ivar now: channels that have it now.
    :ivar once: channels that had it.
    """

    number: int
    version: str
    now: frozenset[str]
    once: frozenset[str]


class Store:
    """A snap in the store.

    :param name: the snap's.
    :param program: snapcraft.
    :param seconds: after which a command is given up.
    :param snap: snapd's program, which asks the store for what it has signed.
    """

    def __init__(
        self, name: str, program: str = "snapcraft", seconds: float = SECONDS, snap: str = "snap"
    ) -> None:
        self.name = name
        self._snap = snap
        self._program = program
        self._seconds = seconds

    def account(self) -> Account:
        """Return who is logged in; StoreError where nobody is."""
        fields = dict(line.split(": ", 1) for line in self._ask("whoami").splitlines() if ": " in line)
        try:
            expires = fields["expires"]
            return Account(
                name=fields["username"],
                permissions=_restricted(fields["permissions"]),
                channels=_restricted(fields["channels"]),
                expires=None if expires == "N/A" else _moment(expires),
            )
        except (KeyError, ValueError) as error:
            raise StoreError("snapcraft whoami: the answer is not one that it is known to give") from error

    def revisions(self) -> dict[int, Revision]:
        """Return the revisions that the store has."""
        lines = self._ask("revisions", self.name).splitlines()
        if not lines or lines[0].split()[:4] != ["Rev.", "Uploaded", "Arches", "Version"]:
            raise StoreError("snapcraft revisions: the answer is not one that it is known to give")
        found = {}
        for line in lines[1:]:
            words = line.split()
            if len(words) not in (4, 5) or not words[0].isdecimal():
                raise StoreError(f"snapcraft revisions: what is {line.strip()[:60]!r}?")
            channels = words[4].split(",") if len(words) == 5 and words[4] != "-" else []
            names = [each.removeprefix("latest/") for each in channels]
            now = frozenset(each.removesuffix("*") for each in names if each.endswith("*"))
            found[int(words[0])] = Revision(
                int(words[0]), words[3], now, frozenset(each for each in names if not each.endswith("*"))
            )
        return found

    def asserted(self, revision: int, digest: str) -> None:
        """Look whether a revision has the bytes that it is said to have, by the store's signature.

        :param digest: hex sha3-384.
        :raises StoreError: the store has signed no such thing.
        """
        key = base64.urlsafe_b64encode(bytes.fromhex(digest)).rstrip(b"=").decode()
        command = [self._snap, "known", "--remote", "snap-revision", f"snap-sha3-384={key}"]
        said = self._do(command, "snap known")
        found = re.search(r"^snap-revision: (\d+)$", said, re.MULTILINE)
        if not found or int(found[1]) != revision or f"snap-sha3-384: {key}\n" not in said:
            raise StoreError(f"the store has not signed that revision {revision} is of these bytes")

    def upload(self, snap: Path) -> int:
        """Upload a snap and return its revision. The same bytes are never uploaded twice.

        :raises StoreError: the store refuses it, has it already, or has not the revision that it says.
        """
        known = self.revisions()
        try:
            said = self._ask("upload", str(snap))
        except StoreError as error:
            if AGAIN in str(error):
                raise StoreError(
                    f"the store has {snap.name} already: name its revision (snapcraft revisions {self.name})"
                ) from error
            raise
        found = re.search(rf"^Revision (\d+) created for '{re.escape(self.name)}'", said, re.MULTILINE)
        if not found:
            raise StoreError(f"snapcraft upload named no revision, but: {_end(said)}")
        number = int(found[1])
        if number in known:
            raise StoreError(f"snapcraft upload named revision {number}, which was there before")
        if number not in self.revisions():
            raise StoreError(f"snapcraft upload named revision {number}, which the store does not have")
        return number

    def release(self, revision: int, channel: str, percent: int = 100) -> None:
        """Release a revision to a channel, for so many per cent of the users.

        :raises StoreError: the store does not, or says that it did and has it not.
        """
        self._ask(*self.words(revision, channel, percent))
        if not self.has(revision, channel, percent):
            way = "" if percent == 100 else f", for {percent} per cent"
            raise StoreError(f"the store says that revision {revision} is in {channel}{way}, and it is not")

    def has(self, revision: int, channel: str, *percents: int) -> bool:
        """Tell whether a revision is in a channel for one of these percentages, and no other on its way."""
        lines = self._status(channel)
        way = _on_its_way(lines)
        if way is None:
            return 100 in percents and _there(lines) == revision
        return way in [(revision, percent) for percent in percents if percent < 100]

    def words(self, revision: int, channel: str, percent: int = 100) -> list[str]:
        """Return the words of snapcraft's command that releases a revision."""
        progressive = [] if percent == 100 else ["--progressive", str(percent)]
        return ["release", self.name, str(revision), channel, *progressive]

    def close(self, channel: str) -> None:
        """Close a channel: it follows the next one that is open.

        :raises StoreError: it is not closed.
        """
        self._ask("close", self.name, channel)
        if self.there(channel) is not None:
            raise StoreError(f"the store says that {channel} is closed, and it is not")

    def there(self, channel: str) -> int | None:
        """Return the revision of a channel, but for one that is on its way to all; None: it is closed."""
        return _there(self._status(channel))

    def on_its_way(self, channel: str) -> tuple[int, int] | None:
        """Return the revision that is on its way to all of a channel, and the percentage that has it."""
        return _on_its_way(self._status(channel))

    def _status(self, channel: str) -> list[tuple[str, str]]:
        """Return what the store says of a channel: revision and progress of each line."""
        said = self._ask("status", self.name)
        if said.strip() == "This snap has no released revisions":
            return []
        lines = said.splitlines()
        if not lines or lines[0].split()[:6] != [
            "Track",
            "Arch",
            "Channel",
            "Version",
            "Revision",
            "Progress",
        ]:
            raise StoreError("snapcraft status: the answer is not one that it is known to give")
        columns = {
            name: lines[0].index(name) for name in ("Track", "Channel", "Version", "Revision", "Progress")
        }
        track, named, found = "", "", []
        for line in lines[1:]:
            track = line[: columns["Track"] + 6].split(" ")[0] or track
            named = line[columns["Channel"] : columns["Version"]].strip() or named
            if track == "latest" and named == channel:
                revision = line[columns["Revision"] : columns["Progress"]].strip()
                found.append((revision, line[columns["Progress"] :].strip()))
        return found

    def command(self, words: list[str]) -> str:
        """Return a command as a person would give it."""
        return shlex.join([self._program, *words])

    def _ask(self, *words: str) -> str:
        return self._do([self._program, *words], f"snapcraft {words[0]}")

    def _do(self, command: list[str], what: str) -> str:
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=self._seconds
            )
        except FileNotFoundError as error:
            program = what.partition(" ")[0]
            how = ": `snap install snapcraft --classic`" if program == "snapcraft" else ""
            raise StoreError(f"the program {program} is missing{how}") from error
        except subprocess.TimeoutExpired as error:
            raise StoreError(
                f"{what} took longer than {self._seconds:g} s: ask the store what became of it"
            ) from error
        if "required to login" in done.stdout + done.stderr or "No credentials found" in done.stderr:
            raise StoreError(f"{what}: nobody is logged in: export SNAPCRAFT_STORE_CREDENTIALS")
        if done.returncode:
            raise StoreError(f"{what} ended with {done.returncode}: {_end(done.stderr or done.stdout)}")
        return done.stdout


def _there(lines: list[tuple[str, str]]) -> int | None:
    for revision, _progress in lines[:1]:
        return int(revision) if revision.isdecimal() else None
    return None


def _on_its_way(lines: list[tuple[str, str]]) -> tuple[int, int] | None:
    for revision, progress in lines[1:]:
        found = re.match(r"\S*→(\d+)%(?:\s|$)", progress)  # when a branch expires may stand behind it
        if revision.isdecimal() and found:
            return int(revision), int(found[1])
    return None


def _restricted(words: str) -> frozenset[str] | None:
    return None if words == "no restrictions" else frozenset(words.split(", "))


def _moment(text: str) -> datetime:
    # snapcraft adds a Z to what the store says, which may have one.
    return datetime.fromisoformat(text.removesuffix("Z").removesuffix("Z") + "+00:00")


def _end(text: str) -> str:
    return " / ".join(text.split("\n"))[:300].strip(" /") or "it said nothing"
