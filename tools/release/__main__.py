"""`python3 -m tools.release`: what a snap is made of, what was seen of it, and what may be done with it.

Exit status 0: it is so; 1: it is not, and a line on stderr says why; 2: it could not be told.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tools.build.base import unpack
from tools.build.errors import BuildError
from tools.digest import sha256
from tools.hosts import HostError, HostRefusedError, newest_snap
from tools.release import channels, decide, explain, keys, make, page, policy, store, texts, verify
from tools.release.errors import ReleaseError
from tools.release.inventory import check


def inventory(arguments: argparse.Namespace) -> int:
    """Hold a snap's inventory against the snap."""
    snap = arguments.snap or newest_snap()
    with tempfile.TemporaryDirectory() as folder:
        found = list(check.differences(unpack(snap, Path(folder))))
    for line in found:
        print(f"inventory: {line}", file=sys.stderr)
    if not found:
        print(f"the inventory of {snap.name} has all that is in it, and nothing else")
    return 1 if found else 0


def evidence(arguments: argparse.Namespace) -> int:
    """Look at a snap on a host, and sign what was seen."""
    if not (arguments.host or arguments.run or arguments.build):
        raise ReleaseError("say on which host: WHERE=debian-12-fips (`python3 -m tools.hosts list`)")
    snap, by = arguments.snap or newest_snap(), arguments.unsigned
    if by is None:
        if arguments.key is None:
            keys.make(keys.TRIAL)
        by = keys.signer(arguments.key or keys.TRIAL)
    if arguments.build:
        print(make.of_snap(snap, by, arguments.below, arguments.revision))
    if arguments.run:
        known = policy.load().runs
        if arguments.run not in known:
            raise ReleaseError(f"there is no run {arguments.run}: the policy has {', '.join(known)}")
        folder, wrong = make.ran(snap, known[arguments.run], by, arguments.below)
        print(folder)
        if wrong:
            raise ReleaseError(f"{arguments.run}: {wrong[0]}; that is evidence, too")
    if arguments.host and not (arguments.once and _seen(arguments, snap)):
        folder, results = make.evidence(snap, arguments.host, by, arguments.below)
        print(folder)
        if results.failed:
            raise ReleaseError(f"{arguments.host}: {len(results.failed)} tests failed; that is evidence, too")
    return 0


def _seen(arguments: argparse.Namespace, snap: Path) -> bool:
    """Tell whether there is evidence of a host that counts still, by the key that would sign it anew."""
    folder, now = make.folder_of(sha256(snap), arguments.below), datetime.now(UTC)
    rules = policy.load().with_trial([(arguments.key or keys.TRIAL).with_suffix(".pub")])
    found = verify.verify(folder, rules, now)
    if arguments.host not in found.hosts:
        return False
    ended = texts.moment(found.hosts[arguments.host].said.predicate["ended"], arguments.host)
    return ended > now - timedelta(days=rules.channels[policy.CHANNELS[0]].days)


def attested(arguments: argparse.Namespace) -> int:
    """Lay statements that a run of the CI has signed to the files that they are about."""
    for bundle in arguments.bundle:
        print(make.attested(bundle, arguments.below))
    return 0


def verified(arguments: argparse.Namespace) -> int:
    """Verify the evidence of a snap, and that it has all that a channel asks for."""
    folder, rules, now = _evidence(arguments), _policy(arguments), _now(arguments)
    found = verify.verify(folder, rules, now, arguments.snap)
    problems = list(found.problems)
    if found.whole:
        problems += verify.missing(found, rules, arguments.to, now)
    for line in problems:
        print(f"verify: {line}", file=sys.stderr)
    if not problems:
        print(
            f"{found.subject['file']}: the evidence is whole, and all that {arguments.to} asks for is there"
        )
    return 1 if problems else 0


def explained(arguments: argparse.Namespace) -> int:
    """Say what a file or a digest is, and what is proven of it by whom."""
    for line in explain.explain(arguments.what, arguments.below, _policy(arguments), _now(arguments)):
        print(line)
    return 0


def decided(arguments: argparse.Namespace) -> int:
    """Say yes or no for a channel, line by line; sign it where a key is given; where it is yes, do it."""
    if arguments.run and arguments.sign is None:
        raise ReleaseError("--run signs what it has done: name the key (--sign)")
    if arguments.run and arguments.now:
        raise ReleaseError("--run goes by the clock, not by --now")
    if (arguments.sign is None) is not (arguments.out is None) and not arguments.run:
        raise ReleaseError("--sign KEY --out FILE sign the decision: name both")
    with channels.alone() if arguments.run else contextlib.nullcontext():
        return _decided(arguments)


def _decided(arguments: argparse.Namespace) -> int:
    folder, rules, now = _evidence(arguments), _policy(arguments), _now(arguments)
    signer = keys.signer(arguments.sign) if arguments.sign else None
    found = decide.decide(folder, rules, arguments.to, now, None if arguments.run else arguments.snap)
    if arguments.run and found.yes:
        # What goes out is looked at itself, when all else is as it should be.
        arguments.snap = arguments.snap or newest_snap()
        found = decide.decide(folder, rules, arguments.to, now, arguments.snap)
    print(found.line)
    for reason in () if arguments.short else found.reasons:
        print(f"  {reason}")
    if signer is not None and arguments.out is not None:
        arguments.out.write_text(decide.statement(found, rules, now, signer))
    if not found.yes:
        return 1
    shop, snap = _store(arguments, found.found), arguments.snap or Path("dist", found.found.subject["file"])
    if not arguments.run and channels.done(found.found, arguments.to) == 100:
        if not arguments.short:
            print(f"  it is released to {arguments.to} already")
        return 0
    for command in () if arguments.short else channels.plan(found, rules, shop, snap, arguments.revision):
        print(f"  {command}")
    if arguments.run and signer is not None:
        print(channels.promote(found, rules, shop, snap, signer, print, arguments.revision))
    return 0


def approved(arguments: argparse.Namespace) -> int:
    """Sign a person's approval of a snap for a channel."""
    folder, now = _evidence(arguments), _now(arguments)
    rules = _policy(arguments)
    found = verify.verify(folder, rules, now, arguments.snap)
    if not found.whole:
        raise ReleaseError(found.problems[0])
    print(channels.approve(folder, rules, found.subject, arguments.to, keys.signer(arguments.sign), now))
    return 0


def changed(arguments: argparse.Namespace) -> int:
    """Go back to an older revision, halt a release that is on its way, or close a channel."""
    shop = store.Store(arguments.name, arguments.snapcraft)
    with channels.alone():
        if arguments.command == "back":
            channels.back(shop, arguments.channel, arguments.revision)
            print(f"revision {arguments.revision} is in {arguments.channel} again")
        elif arguments.command == "halt":
            print(f"revision {channels.halt(shop, arguments.channel)} is in {arguments.channel} for all")
        else:
            channels.close(shop, arguments.channel)
            print(f"{arguments.channel} is closed")
    return 0


def _store(arguments: argparse.Namespace, found: verify.Evidence) -> store.Store:
    return store.Store(found.subject["name"], arguments.snapcraft)


def paged(arguments: argparse.Namespace) -> int:
    """Write the page of a snap."""
    folder, rules, now = _evidence(arguments), _policy(arguments), _now(arguments)
    out = arguments.out or folder.with_suffix(".html")
    out.write_text(page.page(folder, rules, now, arguments.snap))
    print(out)
    return 0


def _policy(arguments: argparse.Namespace) -> policy.Policy:
    return policy.load(arguments.policy).with_trial(arguments.trial)


def _evidence(arguments: argparse.Namespace) -> Path:
    """Return the folder that is named, or else that of the snap, which is then read itself as well."""
    if arguments.folder is not None:
        return Path(arguments.folder).resolve()
    arguments.snap = arguments.snap or newest_snap()
    return make.folder_of(sha256(arguments.snap))


def _now(arguments: argparse.Namespace) -> datetime:
    return texts.moment(arguments.now, "--now") if arguments.now else datetime.now(UTC)


def main(words: list[str] | None = None) -> int:
    """Answer the question of the command line; see the module's text for the result."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.release", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    one = commands.add_parser("inventory", help="hold a snap's inventory against the snap")
    one.add_argument("snap", type=Path, nargs="?", help="default: the one that was built last")
    one.set_defaults(answer=inventory)

    one = commands.add_parser("evidence", help="look at a snap on a host, and sign what was seen")
    one.add_argument("host", nargs="?", help="of hosts.yaml, with the FIPS flag")
    one.add_argument("--snap", type=Path, help="default: the one that was built last")
    one.add_argument(
        "--once", action="store_true", help="unless there is evidence of that host that counts still"
    )
    one.add_argument("--build", action="store_true", help="what is said of the snap itself, anew")
    one.add_argument("--revision", type=int, help="with --build: the store's, where it is known")
    one.add_argument("--run", help="a long run of the policy's, here")
    one.add_argument("--below", type=Path, default=make.EVIDENCE, help="evidence of all snaps")
    signing = one.add_mutually_exclusive_group()
    signing.add_argument("--key", type=Path, help="private key in PEM; default: one that is made for a try")
    signing.add_argument(
        "--unsigned", type=Path, metavar="FOLDER", help="put there what is to be signed by a run of the CI"
    )
    one.set_defaults(answer=evidence)

    one = commands.add_parser("attested", help="lay what a run of the CI has signed to what it is about")
    one.add_argument("bundle", type=Path, nargs="+", help="Sigstore's, as actions/attest writes it")
    one.add_argument("--below", type=Path, default=make.EVIDENCE, help="evidence of all snaps")
    one.set_defaults(answer=attested)

    for name, answer, text in (
        ("verify", verified, "verify evidence, and that all that a channel asks for is there"),
        ("page", paged, "write the page of a snap, one file of HTML"),
        ("approve", approved, "sign a person's approval of a snap for a channel"),
        ("decide", decided, "say whether a snap may go to a channel, and why not"),
        ("explain", explained, "say what a file or a sha256 is, and what is proven of it by whom"),
    ):
        one = commands.add_parser(name, help=text)
        one.set_defaults(answer=answer)
        one.add_argument("--policy", type=Path, default=policy.FILE, help="default: this project's")
        one.add_argument(
            "--trial", type=Path, action="append", default=[], metavar="KEY", help="public key made for a try"
        )
        one.add_argument("--now", help="the time, as 2026-12-01T00:00:00Z; default: this machine's")
        if name == "explain":
            one.add_argument("what", metavar="FILE-OR-SHA256")
            one.add_argument("--below", type=Path, default=make.EVIDENCE, help="evidence of all snaps")
            continue
        one.add_argument("folder", nargs="?", help="default: that of the snap")
        one.add_argument("--snap", type=Path, help="the snap itself, to be read as well")
        if name == "page":
            one.add_argument("--out", type=Path, help="default: beside the evidence")
            continue
        one.add_argument("--to", choices=policy.CHANNELS, default="edge", help="default: edge")
        if name == "approve":
            one.add_argument(
                "--sign", type=Path, metavar="KEY", required=True, help="that person's private key"
            )
        if name == "decide":
            one.add_argument(
                "--sign", type=Path, metavar="KEY", help="private key that signs what was decided"
            )
            one.add_argument("--out", type=Path, help="where the signed decision goes")
            one.add_argument("--short", action="store_true", help="one line")
            one.add_argument("--run", action="store_true", help="if it is yes, release it")
            one.add_argument("--revision", type=int, help="the store's, where it has the snap already")
            one.add_argument("--snapcraft", default="snapcraft", help="the program")

    for name, text in (
        ("back", "release a revision again that a channel had before"),
        ("halt", "end a release that is on its way to all"),
        ("close", "close a channel"),
    ):
        one = commands.add_parser(name, help=text)
        one.set_defaults(answer=changed)
        one.add_argument("channel", choices=policy.CHANNELS)
        one.add_argument("--name", default="certbot-fips", help="the snap's; default: this project's")
        one.add_argument("--snapcraft", default="snapcraft", help="the program")
        if name == "back":
            one.add_argument("--revision", type=int, required=True, help="the store's")
    arguments = parser.parse_args(words)
    try:
        return int(arguments.answer(arguments))
    except ReleaseError as error:
        print(f"{arguments.command}: {error}", file=sys.stderr)
        return 1
    except HostRefusedError as error:
        print(f"{arguments.command}: {error}", file=sys.stderr)
        return 69  # EX_UNAVAILABLE, as elsewhere in this project
    except OSError as error:
        print(f"{arguments.command}: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    except (BuildError, HostError) as error:
        print(f"{arguments.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{arguments.command}: interrupted; nothing was signed", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
