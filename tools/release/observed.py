"""What is seen of a snap on a host: facts, doctor, self-tests of the module, memory, tasks."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tools.hosts import Host, HostError
from tools.hosts.catalog import System, find
from tools.hosts.make import make_host
from tools.progress import say
from tools.release import junit, subject, texts
from tools.release.errors import ReleaseError
from tools.release.inventory import check
from tools.spread.model import load
from tools.spread.plan import Job, jobs
from tools.spread.run import FailedError, open_session

PROJECT = Path(__file__).resolve().parents[2]
#: What a process of the snap has in memory, once it has done TLS: files, with the sha256 of each.
LIBRARIES = """
import hashlib, json, ssl
ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
import cryptography.hazmat.bindings._rust
with open("/proc/self/maps") as maps:
    files = {line.split(maxsplit=5)[5].strip() for line in maps if line.count("/")}
found = {}
for file in sorted(files):
    if file.startswith("/") and not file.startswith(("/dev/", "/memfd:")):
        try:
            with open(file, "rb") as opened:
                found[file] = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            found[file] = "cannot be read: " + str(error.strerror)
print(json.dumps(found))
"""
#: The module release's own program says its self-tests, one a line; it is run by its loader, as the hooks do.
SELF_TEST = """
import os, subprocess, sys
from fips_launch import config
top = os.path.join(os.path.dirname(os.path.realpath(sys.executable)), "..", "..")
program = os.path.join(top, "usr/libexec/fips-provider/openssl")
module = os.path.join(top, "usr/lib/ossl-modules/fips.so")
command = [config.loader_of(program), program, "fipsinstall", "-module", module, "-out", os.devnull]
done = subprocess.run(command, env={"OPENSSL_CONF": os.devnull}, capture_output=True, text=True)
print((done.stdout + done.stderr).strip())
sys.exit(done.returncode)
"""
ASKED = """
echo "$(uname -r)"
cat /proc/sys/crypto/fips_enabled 2>/dev/null || echo absent
stat --file-system --format=%T /proc/sys/crypto/fips_enabled 2>/dev/null || echo none
(. /etc/os-release && echo "$PRETTY_NAME" && echo "$ID ${VERSION_ID-}")
command -v openssl >/dev/null && openssl version || echo none
{ command -v snap >/dev/null && snap version 2>/dev/null || true; } | sed -n 's/^snapd  *//p'
"""


@dataclass(frozen=True)
class Observed:
    """A host's evidence, not yet signed.

    :ivar files: what lies in its folder, but for what is signed.
    :ivar predicate: schemas/host.json, without `files`.
    """

    files: dict[str, bytes]
    predicate: dict[str, Any]
    results: junit.Results


def observe(snap: Path, name: str, commit: str) -> Observed:
    """Bring up a host, look at the snap on it, and run the tasks of spread that it has.

    :param snap: the packed snap.
    :param name: the host's, in hosts.yaml.
    :param commit: that the snap is of.
    :raises HostError: there is no such host, or this machine cannot make it.
    :raises ReleaseError: the host did not say what it was asked.
    """
    system, started = find(name), datetime.now(UTC)
    if not system.flag:
        raise ReleaseError(f"{name} has no FIPS flag: choose a host that has")
    with make_host(system, snap) as host:
        said = host.run(["sh", "-c", ASKED]).check().stdout.splitlines()
        release, flag, flag_is_in, title, running, openssl, *snapd = said
        own = is_it(system, flag_is_in, running)
        doctor = host.run(["certbot-fips.doctor", "--json"])
        libraries = host.run(["certbot-fips.python3", "-c", LIBRARIES]).check().stdout
        providers = host.run(["certbot-fips.openssl", "list", "-providers"]).check().stdout
        self_test = _self_test(host)
        # A machine elsewhere is made once; the tasks have snapd install the snap themselves.
        if system.snapd and system.manual:
            host.run(["snap", "remove", "--purge", "certbot-fips"], timeout=300).check()
            xml = _tasks(snap, name, host)
    judged = texts.parse(doctor.stdout.encode(), "the doctor's JSON")
    if not (system.snapd and system.manual):
        xml = _tasks(snap, name)
    found = junit.results(xml, name)
    ended = datetime.now(UTC)
    return Observed(
        files={
            "doctor.json": texts.dump(judged).encode(),
            "libraries.json": texts.dump(json.loads(libraries)).encode(),
            "self-test.txt": self_test.encode(),
            "junit.xml": xml,
        },
        predicate={
            "host": name,
            "kind": system.kind,
            "commit": commit,
            "started": texts.stamp(started),
            "ended": texts.stamp(ended),
            "seconds": round((ended - started).total_seconds(), 1),
            "kernel": {"release": release, "flag": flag, "own": own},
            "system": title,
            "openssl": None if openssl == "none" else openssl,
            "snapd": snapd[0] if snapd and system.snapd else None,
            "doctor": {"verdict": judged["verdict"], "exit_status": judged["exit_status"]},
            "module": _module(providers, json.loads(libraries)),
            "boundary": check.boundary(json.loads(subject.bill(snap))),
            "tests": found.counts,
        },
        results=found,
    )


def is_it(system: System, flag: str, running: str) -> bool:
    """Hold what runs against what the system is by hosts.yaml; return whether the flag is the kernel's own.

    :param flag: the type of the file system that the flag is in. :param running: ID and VERSION_ID.
    :raises ReleaseError: it is another operating system, or the flag is laid over that of the kernel.
    """
    if system.os and running != system.os and not running.startswith(f"{system.os}."):
        raise ReleaseError(f"{system.name} is {system.os}, and this is {running}: name the host that it is")
    if system.kernel and flag != "proc":
        raise ReleaseError(f"{system.name} has a flag of its kernel's own, and this one is laid over it")
    return flag == "proc"


def _self_test(host: Host) -> str:
    done = host.run(["certbot-fips.python3", "-c", SELF_TEST])
    if done.returncode:
        raise ReleaseError(f"the module's self-tests fail: {' / '.join(done.stdout.splitlines()[-2:])}")
    return done.stdout


def _module(providers: str, libraries: dict[str, str]) -> dict[str, str]:
    version = re.search(r"name: OpenSSL FIPS Provider\n +version: (\S+)\n +status: active", providers)
    if not version:
        raise ReleaseError("no FIPS provider is active on the host")
    modules = {digest for file, digest in libraries.items() if file.endswith("/fips.so")}
    if len(modules) != 1:
        raise ReleaseError(f"{len(modules)} FIPS modules are in the memory of a process of the snap, not one")
    return {"version": version[1], "sha256": modules.pop()}


def tasks(system: System) -> list[Job]:
    """Return spread's tasks that a system has, but for those that are run by name alone."""
    found = [job for job in jobs(load(PROJECT), "adhoc", manual=True) if job.system.name == system.name]
    return [job for job in found if not job.task.keys.get("manual")]


def _tasks(snap: Path, name: str, host: Host | None = None) -> bytes:
    """Run the tasks, a line for each, and return their file of results; host: it is up."""
    wanted, done = tasks(find(name)), []
    if not wanted:
        raise HostError(f"{name} has no task of spread that can be run from here")
    with open_session(PROJECT, name, snap, host) as session:
        for job in wanted:
            began, failure = time.monotonic(), None
            try:
                session.run(job)
            except FailedError as error:
                failure = str(error)
            seconds = time.monotonic() - began
            say(f"    {'FAIL' if failure else 'pass'} {job.task.name} ({seconds:.0f} s)")
            done.append(junit.Case(job.task.name, seconds, failure))
    return junit.written(done, name)
