#!/usr/bin/env python3
"""A stand-in for snapcraft and the store behind it: there is no store here.

Its words, its exit codes and its traps are those of snapcraft 9, as far as its source has them; what the
store itself says when it refuses is made up. The store is a file of JSON, which $STAND_IN_STORE names:

- revisions: {number: {version, sha256, uploaded}}
- releases: [[revision, channel, percent or null]], the oldest first
- closed: channels that are closed
- branch: there is one of stable, which expires
- account: what whoami says
- trap: how the store goes wrong. "review": an upload says its revision, and awaits a person; "lost": it
  says that it has released, and has not; "open": the same of closing; "error": an error for each command;
  "slow": it never answers; "noise": it answers in another form; "signed": it has
  signed another revision
"""

import argparse
import hashlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

FILE = Path(os.environ["STAND_IN_STORE"])
RISKS = ("stable", "candidate", "beta", "edge")


class Refused(Exception):  # noqa: N818 - craft-cli's CraftError
    """snapcraft ends with 1 and this line on stderr."""


def table(headers: list[str], rows: list[list[str]]) -> str:
    """As tabulate's format "plain" with numbers to the left."""
    widths = [max(len(line[at]) for line in [headers, *rows]) for at in range(len(headers))]
    lines = [
        "  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True))
        for line in [headers, *rows]
    ]
    return "\n".join(line.rstrip() for line in lines)


def whoami(store: dict[str, Any], _words: argparse.Namespace) -> str:
    account = store["account"]
    return "\n".join(
        f"{name}: {account[name]}"
        for name in ("email", "username", "id", "permissions", "channels", "expires")
    )


def upload(store: dict[str, Any], words: argparse.Namespace) -> str:
    file = Path(words.file)
    if not file.is_file():
        print(f"{str(file)!r} is not a valid file", file=sys.stderr)
        sys.exit(64)
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if any(each["sha256"] == digest for each in store["revisions"].values()):
        raise Refused(
            "Issues while processing snap:\n"
            "- binary_sha3_384: A file with this exact same content has already been uploaded"
        )
    if store.get("awaits"):
        raise Refused(
            "Store operation failed:\n"
            "- snap-push: Waiting for previous upload(s) to complete their review process."
        )
    number = max(map(int, store["revisions"]), default=0) + 1
    if store.get("trap") == "review":
        store["awaits"] = number
    else:
        store["revisions"][str(number)] = {
            "version": store["version"],
            "sha256": digest,
            "sha3-384": hashlib.sha3_384(content).hexdigest(),
            "uploaded": "2026-11-27T00:00:00Z",
        }
    return f"Revision {number} created for {store['name']!r}"


def revisions(store: dict[str, Any], _words: argparse.Namespace) -> str:
    rows: dict[str, list[str]] = {number: [] for number in store["revisions"]}
    seen: set[str] = set()
    for number, channel, _percent in reversed(store["releases"]):
        name = f"latest/{channel}"
        active = channel not in seen and channel not in store["closed"]
        if f"{name}*" not in rows[str(number)] and name not in rows[str(number)]:
            rows[str(number)].append(f"{name}*" if active else name)
        seen.add(channel)
    headers = ["Rev.", "Uploaded", "Arches", "Version", "Channels"]
    lines = [
        [number, about["uploaded"], "amd64", about["version"], ",".join(sorted(rows[number])) or "-"]
        for number, about in sorted(store["revisions"].items(), key=lambda each: -int(each[0]))
    ]
    if not store["releases"]:
        return table(headers[:4], [line[:4] for line in lines])
    return table(headers, lines)


def release(store: dict[str, Any], words: argparse.Namespace) -> str:
    if str(words.revision) not in store["revisions"]:
        raise Refused(
            "Store operation failed:\n"
            f"- resource-not-found: Revision {words.revision} of snap {words.name!r} not found"
        )
    if store.get("trap") != "lost":
        percent = None if words.percent in (None, 100) else words.percent
        store["releases"].append([words.revision, words.channel, percent])
        store["closed"] = [each for each in store["closed"] if each != words.channel]
    suffix = f" for {words.percent}% of users" if words.percent is not None else ""
    return f"Released {words.name!r} revision {words.revision} to channels: {words.channel!r}{suffix}"


def close(store: dict[str, Any], words: argparse.Namespace) -> str:
    if store.get("trap") != "open":
        store["closed"].append(words.channel)
    return f"Channel {words.channel!r} for {words.name!r} is now closed"


def status(store: dict[str, Any], _words: argparse.Namespace) -> str:
    if not store["releases"]:
        return "This snap has no released revisions"
    rows: list[list[str]] = []
    tick = "-"
    for risk in RISKS:
        had = [] if risk in store["closed"] else [each for each in store["releases"] if each[1] == risk]
        way = had[-1] if had and had[-1][2] is not None else None
        whole = [each for each in had if each[2] is None]
        first = ["latest", "amd64"] if not rows else ["", ""]
        if whole:
            number = str(whole[-1][0])
            rows.append(
                [
                    *first,
                    risk,
                    store["revisions"][number]["version"],
                    number,
                    f"?→{100 - way[2]}%" if way else "-",
                ]
            )
        else:
            rows.append([*first, risk, tick, tick, "-"])
        if way:
            number = str(way[0])
            rows.append(["", "", "", store["revisions"][number]["version"], number, f"?→{way[2]}%"])
        tick = "↑" if had else tick
    headers = ["Track", "Arch", "Channel", "Version", "Revision", "Progress"]
    if store.get("branch"):
        headers.append("Expires at")
        rows = [[*row, "-"] for row in rows]
        rows.append(["", "", "stable/try", "5.7.0", "7", "-", "2026-12-24T00:00:00Z"])
    return table(headers, rows)


COMMANDS = {
    "whoami": whoami,
    "upload": upload,
    "revisions": revisions,
    "release": release,
    "close": close,
    "status": status,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="snapcraft")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("whoami")
    commands.add_parser("upload").add_argument("file")
    for name in ("revisions", "status", "close", "release"):
        one = commands.add_parser(name)
        one.add_argument("name")
        if name == "release":
            one.add_argument("revision", type=int)
            one.add_argument("channel")
            one.add_argument("--progressive", type=int, dest="percent")
        if name == "close":
            one.add_argument("channel")
    words = parser.parse_args()
    store = json.loads(FILE.read_text())
    store.setdefault("asked", []).append(sys.argv[1:])
    FILE.write_text(json.dumps(store))
    if store.get("trap") == "slow":
        time.sleep(60)
    if not os.environ.get("SNAPCRAFT_STORE_CREDENTIALS"):
        if words.command == "whoami":
            print("No credentials found for 'snapcraft' on 'dashboard.snapcraft.io'.", file=sys.stderr)
            return 1
        # It asks; without a terminal it ends.
        print("You are required to login before continuing")
        print("Enter your Ubuntu One e-mail address and password.")
        print("prompting not possible with no tty" if not sys.stdin.isatty() else "Email: ", file=sys.stderr)
        return 1
    if store.get("trap") == "error" and words.command != "whoami":
        print("Issue encountered while processing your request: [503] Service Unavailable.", file=sys.stderr)
        return 1
    try:
        said = COMMANDS[words.command](store, words)
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    FILE.write_text(json.dumps(store))
    print("Something quite different" if store.get("trap") == "noise" else said)
    return 0


if __name__ == "__main__":
    sys.exit(main())
