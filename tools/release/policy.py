"""The policy: what has to be shown before a snap goes to a channel, and who may say it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from securesystemslib.signer import Key, Signer

from tools.release import keys, texts
from tools.release.errors import ReleaseError

FILE = Path(__file__).with_name("policy.yaml")
CHANNELS = ("edge", "beta", "candidate", "stable")
TRIAL = "a key made for a try"


@dataclass(frozen=True)
class Authority:
    """Whoever may sign: by a key, or by being a run of a workflow.

    :ivar name: in the policy, or what it is.
    :ivar workflow: the one that a run has to be of, with its ref, as `attestation.signed_by` has it.
    :ivar may: what it may sign: build, host, run, approval, release.
    :ivar hosts: of which hosts; None: of all.
    :ivar channels: for which channels what it says counts.
    """

    name: str
    key: Key | None
    may: frozenset[str]
    hosts: frozenset[str] | None
    channels: frozenset[str]
    workflow: str | None = None


@dataclass(frozen=True)
class Run:
    """A long run: its command, and what it has to say."""

    name: str
    command: tuple[str, ...]
    shows: tuple[str, ...]


@dataclass(frozen=True)
class Channel:
    """What a channel asks for, with what those before it ask for; the file explains the words."""

    name: str
    hosts: tuple[str, ...]
    runs: tuple[str, ...]
    days: int
    clean: bool
    validated: bool
    stayed: int
    approval: bool
    steps: tuple[int, ...]


@dataclass(frozen=True)
class Policy:
    """The content of the policy file.

    :ivar digest: the file's sha256, in hexadecimal.
    :ivar ahead: seconds that a clock may be ahead.
    :ivar lists: of tests, by their names.
    :ivar tests: the tests that each host has to pass.
    """

    digest: str
    authorities: tuple[Authority, ...]
    ahead: int
    lists: dict[str, tuple[str, ...]]
    tests: dict[str, tuple[str, ...]]
    runs: dict[str, Run]
    channels: dict[str, Channel]
    trial: dict[str, Any]

    def with_trial(self, public: list[Path]) -> Policy:
        """Return the policy with keys that were made for a try; one that it has itself says no less.

        :raises ReleaseError: a file is no public key.
        """
        known = {authority.key.keyid for authority in self.authorities if authority.key}
        tried = [
            Authority(TRIAL, key, frozenset(self.trial["may"]), None, frozenset(self.trial["channels"]))
            for key in map(keys.public, public)
            if key.keyid not in known
        ]
        return replace(self, authorities=(*self.authorities, *tried))

    def allow(self, signer: Signer, what: str, channel: str) -> None:
        """Look whether what a key would say of a channel counts, before it says it.

        :param what: as in `Authority.may`.
        :raises ReleaseError: it does not.
        """
        keyid = signer.public_key.keyid
        by = next((each for each in self.authorities if each.key and each.key.keyid == keyid), None)
        if by is None:
            raise ReleaseError(f"the policy does not have the key that is to sign ({keyid[:12]})")
        if what not in by.may or channel not in by.channels:
            raise ReleaseError(f"{by.name} may sign no {what} for {channel}, by the policy")


def load(path: Path = FILE) -> Policy:
    """Read the policy.

    :raises ReleaseError: it cannot be read, or has a key, a host, a list or a channel that is not known.
    """
    text = texts.read(path)
    try:
        content = yaml.load(text.decode(), _Loader)
    except (yaml.YAMLError, UnicodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        raise ReleaseError(f"{path.name}{line}: {getattr(error, 'problem', None) or 'no YAML'}") from error
    texts.judge(content, "policy", path.name)
    return Policy(
        digest=hashlib.sha256(text).hexdigest(),
        authorities=tuple(_authorities(content, path.name)),
        ahead=content["ahead"],
        lists={name: tuple(tests) for name, tests in content["tests"].items()},
        tests=dict(_tests(content, path.name)),
        runs={
            name: Run(name, tuple(said["command"]), tuple(said["shows"]))
            for name, said in content["runs"].items()
        },
        channels=dict(_channels(content, path.name)),
        trial=content["trial"],
    )


class _Loader(yaml.SafeLoader):
    """YAML in which a key that is there twice is a mistake."""


def _once(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for name, value in node.value:
        key = loader.construct_object(name, deep=True)
        if key in found:
            raise yaml.constructor.ConstructorError(None, None, f"{key} is there twice", name.start_mark)
        found[key] = loader.construct_object(value, deep=True)
    return found


_Loader.add_constructor("tag:yaml.org,2002:map", _once)


def _authorities(content: dict[str, Any], name: str) -> Iterator[Authority]:
    seen: dict[str, str] = {}
    for where in ("keys", "workflows"):
        for who, said in content[where].items():
            try:
                key = keys.from_pem(said["key"].encode(), who) if where == "keys" else None
            except ReleaseError as error:
                raise ReleaseError(f"{name}: keys/{error}") from error
            known = key.keyid if key else said["workflow"]
            if known in seen:
                raise ReleaseError(f"{name}: {where}/{who} is the {where[:-1]} of {seen[known]}")
            if who in seen.values():
                raise ReleaseError(f"{name}: {where}/{who}: the name is that of a key, too")
            seen[known] = who
            for host in said.get("hosts", []):
                if host not in content["hosts"]:
                    raise ReleaseError(f"{name}: {where}/{who}: there is no host {host}")
            hosts = frozenset(said["hosts"]) if "hosts" in said else None
            yield Authority(
                who, key, frozenset(said["may"]), hosts, frozenset(said["channels"]), said.get("workflow")
            )


def _tests(content: dict[str, Any], name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for host, lists in content["hosts"].items():
        if unknown := set(lists) - set(content["tests"]):
            raise ReleaseError(f"{name}: hosts/{host}: there is no list {min(unknown)}")
        yield host, tuple(test for each in lists for test in content["tests"][each])


def _channels(content: dict[str, Any], name: str) -> Iterator[tuple[str, Channel]]:
    hosts: list[str] = []
    runs: list[str] = []
    for channel in CHANNELS:
        said = content["channels"][channel]
        for host in said["hosts"]:
            if host not in content["hosts"]:
                raise ReleaseError(f"{name}: channels/{channel}: there is no host {host}")
            if host not in hosts:
                hosts.append(host)
        for run in said.get("runs", []):
            if run not in content["runs"]:
                raise ReleaseError(f"{name}: channels/{channel}: there is no run {run}")
        runs += [run for run in said.get("runs", []) if run not in runs]
        yield (
            channel,
            Channel(
                name=channel,
                hosts=tuple(hosts),
                runs=tuple(runs),
                days=said["days"],
                clean=said.get("clean", False),
                validated=said.get("module") == "validated",
                stayed=said.get("stayed", 0),
                approval=said.get("approval", False),
                steps=_steps(said, f"{name}: channels/{channel}"),
            ),
        )


def _steps(said: dict[str, Any], place: str) -> tuple[int, ...]:
    steps = tuple(said.get("steps", [100]))
    if list(steps) != sorted(steps) or steps[-1] != 100:
        raise ReleaseError(f"{place}/steps: they have to rise to 100")
    return steps
