"""`python3 -m tools.hosts`: hosts for people, and for spread's adhoc backend."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from tools.hosts import HostError, HostRefusedError, elsewhere, newest_snap, nspawn, written
from tools.hosts.base import LOGIN_ENVIRONMENT
from tools.hosts.catalog import find, systems
from tools.hosts.entered import EnteredHost
from tools.hosts.make import make_host
from tools.hosts.ssh import allocation
from tools.hosts.vm import machine


def main() -> int:
    """Return 0, what the command on the host returned, or with one line 1, or 69 from `allocate`."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.hosts", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="list the systems, and what each of them is")
    commands.add_parser("write", help="put what hosts.yaml says into spread.yaml and the CI's workflows")
    commands.add_parser(
        "prepare", help="build what the hosts are made of; they do it themselves when it is wanted"
    )
    commands.add_parser("clean", help="take down hosts whose users were killed; every host does that first")
    for name, text in (
        ("run", "run a command on a new host"),
        ("shell", "a shell on a new host, gone at its end"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("system")
        command.add_argument("--snap", type=Path, help="the packed snap (default: the newest in dist/)")
        command.add_argument("--no-snap", action="store_true", help="do not install the snap")
    commands.choices["run"].add_argument("argv", nargs="+", metavar="-- COMMAND")
    allocate = commands.add_parser("allocate", help="for spread: bring up a host and say its ssh ADDRESS")
    allocate.add_argument("system")
    discard = commands.add_parser("discard", help="for spread: take down the host with that address")
    discard.add_argument("address")
    arguments = parser.parse_args()
    try:
        return _do(arguments)
    except HostError as error:
        # spread.yaml hands on what `allocate` says: the address, or why there is none.
        allocating = arguments.command == "allocate"
        print(f"hosts: {error}", file=sys.stdout if allocating else sys.stderr)
        return allocation.REFUSED if allocating and isinstance(error, HostRefusedError) else 1
    except KeyboardInterrupt:
        print("hosts: interrupted; nothing is left behind", file=sys.stderr)
        return 130


def _do(arguments: argparse.Namespace) -> int:
    if arguments.command == "list":
        for system in systems().values():
            facts = " ".join(fact for fact, said in system.facts.items() if said == "yes")
            print(f"{system.name:<24}{system.kind:<11}{facts}".rstrip())
    elif arguments.command == "write":
        from tools import ci  # wants packages that no host does

        for file in (*written.write(), *ci.write()):
            print(f"written: {file}")
    elif arguments.command == "prepare":
        _prepare()
    elif arguments.command == "clean":
        nspawn.remove_orphans()
        machine.remove_orphans()
        elsewhere.remove_orphans()
    elif arguments.command == "allocate":
        print(allocation.allocate(find(arguments.system)))
    elif arguments.command == "discard":
        allocation.discard(arguments.address)
    else:
        return _on_host(arguments)
    return 0


def _prepare() -> None:
    for system in systems().values():
        if system.manual or system.backend != "adhoc":
            continue
        try:
            make_host(system).prepare()
        except HostRefusedError as reason:
            print(f"hosts: {system.name}: {reason}", file=sys.stderr)


def _on_host(arguments: argparse.Namespace) -> int:
    system = find(arguments.system)
    snap = None if arguments.no_snap else arguments.snap or newest_snap()
    print(f"==> bring up {system.name}", file=sys.stderr, flush=True)
    with make_host(system, snap) as host:
        if arguments.command == "run":
            done = host.run(arguments.argv, timeout=3600)
            sys.stdout.write(done.stdout)
            sys.stderr.write(done.stderr)
            return done.returncode if done.returncode >= 0 else 128 - done.returncode
        if not isinstance(host, EnteredHost):
            raise HostError(f"{system.name} gives no shell: use `run {system.name} -- COMMAND`")
        variables = [f"{name}={value}" for name, value in LOGIN_ENVIRONMENT.items()]
        return subprocess.run([*host.entering(), "env", "-i", *variables, "bash", "-l"]).returncode


if __name__ == "__main__":
    sys.exit(main())
