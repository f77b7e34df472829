"""Hosts on machines elsewhere: reached by a program that takes a line of the shell.

- tmt prepares a machine that is there ($GUEST), or a virtual one that it makes, by a plan of plans/main.fmf;
  then ssh reaches it.
- multipass makes a virtual machine of Ubuntu, which a subscription of Ubuntu Pro ($UBUNTU_PRO_TOKEN) brings
  into FIPS mode; at the end it is always given back.
"""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import subprocess
import tempfile
import time
from abc import abstractmethod
from contextlib import suppress
from pathlib import Path

import yaml

from tools.hosts import snapd
from tools.hosts.base import Ended, Host, HostError, HostRefusedError

PROJECT = Path(__file__).resolve().parents[2]
MACHINE = "certbot-fips-"
FLAG = "/proc/sys/crypto/fips_enabled"
#: Seconds that a machine may take to come up or to go, and the network for a command besides its own time.
MACHINE_SECONDS = 3600
ON_THE_WAY = 120.0
#: $0 a time limit in seconds; then the command. Files, not pipes: see EnteredHost. Bash itself says nothing.
_RUN = (
    "exec 3>&2 2>/dev/null; d=$(mktemp -d) || exit 1; "
    'timeout -s KILL "$0" "$@" >"$d/out" 2>"$d/err"; code=$?; '
    'cat "$d/out"; cat "$d/err" >&3; rm -rf "$d"; exit $code'
)
_FILE = 'mkdir -p "$(dirname "$0")" && cat >"$0" && chmod "$1" "$0"'
_FOLDER = 'mkdir -p "$0" && tar -C "$0" -xf -'
#: Without a word of the token on a command line.
_PRO = """
set -eu
umask 077
cat >/run/pro-attach.yaml
trap 'rm -f /run/pro-attach.yaml' EXIT
pro attach --attach-config /run/pro-attach.yaml
pro enable fips-updates --assume-yes
"""


class ElsewhereHost(Host):
    """A host on a machine elsewhere; subclasses say what reaches it."""

    def __init__(self, snap: Path | None = None) -> None:
        super().__init__(snap)
        self._up = False

    @abstractmethod
    def reaching(self) -> list[str]:
        """Return the command that runs, as root there, one line of the shell, which is to follow."""

    def _is_up(self) -> bool:
        return self._up

    def _execute(self, command: list[str], given: bytes, seconds: float) -> Ended:
        line = shlex.join(["bash", "-c", _RUN, f"{seconds:g}", *command])
        began = time.monotonic()
        try:
            done = subprocess.run(
                [*self.reaching(), line], input=given, capture_output=True, timeout=seconds + ON_THE_WAY
            )
        except subprocess.TimeoutExpired as error:
            return Ended(None, error.stdout or b"", error.stderr or b"")
        late = time.monotonic() - began >= seconds
        return Ended.by_timeout(done.returncode, late, done.stdout, done.stderr)

    def _copy(self, source: Path, target: str) -> None:
        if source.is_dir():
            packed = subprocess.run(["tar", "-C", str(source), "-cf", "-", "."], capture_output=True)
            content, command = packed.stdout, ["sh", "-c", _FOLDER, target]
        else:
            content = source.read_bytes()
            command = ["sh", "-c", _FILE, target, f"{source.stat().st_mode & 0o777:o}"]
        done = subprocess.run(
            [*self.reaching(), shlex.join(command)],
            input=content,
            capture_output=True,
            timeout=MACHINE_SECONDS,
        )
        if done.returncode:
            raise HostError(f"{self.name}: {source} cannot be copied to {target}: {_last(done.stderr)}")

    def _install(self, snap: Path) -> None:
        snapd.install(self, snap, "--classic")

    def _flagged(self) -> None:
        """Raise HostError where the machine, which is up, is not in FIPS mode."""
        if self.run(["cat", FLAG]).stdout != "1\n":
            raise HostError(f"{self.name}: its kernel is not in FIPS mode")


class SshHost(ElsewhereHost):
    """A host that ssh reaches as root.

    guest: its address. port, key: as ssh takes them; None: as ssh is set up here.
    """

    def __init__(self, guest: str, snap: Path | None = None, port: int | None = None) -> None:
        super().__init__(snap)
        self.name = f"the machine at {guest or 'an address that is to be given'}"
        self._guest, self._port = guest, port
        self._key: Path | None = None
        self._folder = tempfile.TemporaryDirectory()

    def reaching(self) -> list[str]:
        """See `ElsewhereHost.reaching`. The machine's own key is taken as it is, as tmt takes it."""
        known = Path(self._folder.name, "known_hosts")
        options = ["-o", "StrictHostKeyChecking=accept-new", "-o", f"UserKnownHostsFile={known}"]
        options += ["-o", "LogLevel=ERROR"]
        options += ["-p", str(self._port)] if self._port else []
        options += ["-i", str(self._key)] if self._key else []
        return ["ssh", *options, f"root@{self._guest}"]

    def up(self) -> None:
        """Look whether the machine answers."""
        said = subprocess.run([*self.reaching(), "true"], stdin=subprocess.DEVNULL, capture_output=True)
        if said.returncode:
            raise HostError(f"{self.name} does not answer to ssh: {_last(said.stderr)}")
        self._up = True

    def down(self) -> None:
        """Leave it as it is."""
        self._up = False


class TmtHost(SshHost):
    """A machine that tmt prepares by a plan.

    plan: its name. image: what tmt makes a virtual machine from where $GUEST names none; None: it is needed.
    $GUEST_KEY: the private key for the machine; none: ssh has one.
    """

    def __init__(
        self, plan: str, image: str | None, snap: Path | None = None, plans: Path | None = None
    ) -> None:
        super().__init__(os.environ.get("GUEST", ""), snap)
        self.name = f"{plan}, by tmt"
        self._plan, self._image = plan, image
        self._plans = plans or PROJECT / "plans"
        self._begun = False

    def up(self) -> None:
        """Have the machine made or found, and prepared."""
        for program in ("ssh", "rsync", "ansible-playbook"):
            if shutil.which(program) is None:
                raise HostRefusedError(f"the program {program} is missing: install it")
        top = Path(self._folder.name)
        # The plans alone, for tmt sends to the machine all that is beside them.
        shutil.copytree(self._plans, top / "project/plans", dirs_exist_ok=True)
        shutil.copytree(PROJECT / ".fmf", top / "project/.fmf", dirs_exist_ok=True)
        how = ["--how", "connect", "--guest", self._guest, "--user", "root"]
        if key := os.environ.get("GUEST_KEY"):
            self._key = top / "key"
            self._key.touch(0o600)
            self._key.write_text(key.rstrip("\n") + "\n")
            how += ["--key", str(self._key)]
        if not self._guest:
            if self._image is None:
                raise HostRefusedError(
                    f"{self._plan} has to be there already: name its address (GUEST=address)"
                )
            if not os.access("/dev/kvm", os.W_OK):
                raise HostRefusedError("this machine has no /dev/kvm: a virtual machine would take hours")
            how = ["--how", "virtual", "--image", self._image, "--memory", "4096", "--disk", "20"]
        self._begun = True
        try:
            self._tmt("provision", *how, "prepare")
            self._found()
            super().up()
            self._flagged()
        except BaseException:
            self.down()
            raise

    def down(self) -> None:
        """Have a virtual machine taken down."""
        super().down()
        if self._begun:
            self._begun = False
            self._tmt("finish", "cleanup")

    def _tmt(self, *steps: str) -> None:
        top = Path(self._folder.name)
        tmt = [str(PROJECT / ".venv/bin/tmt"), "--root", str(top / "project")]
        command = [*tmt, "run", "--id", str(top / "run"), "plan", "--name", f"^/plans/{self._plan}$", *steps]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=MACHINE_SECONDS
        )
        if done.returncode:
            raise HostError(f"{self.name}: {steps[0]} failed: {_last((done.stdout + done.stderr).encode())}")

    def _found(self) -> None:
        """Take address, port and key from what tmt keeps of the machine."""
        (file,) = Path(self._folder.name, "run").glob("plans/*/provision/guests.*")
        (guest,) = yaml.safe_load(file.read_text()).values()
        self._guest = guest["primary-address"]
        self._port = guest.get("port")
        if guest.get("key"):
            self._key = Path(guest["key"][0])


class MultipassHost(ElsewhereHost):
    """A virtual machine of Ubuntu in FIPS mode, by Ubuntu Pro.

    image: as multipass names it, such as 22.04. base: the channel of core24; None: as snapd takes it.
    """

    def __init__(self, image: str, base: str | None = None, snap: Path | None = None) -> None:
        super().__init__(snap)
        self.name = f"Ubuntu Pro {image}, fips-updates{f', core24 from {base}' if base else ''}"
        self._image, self._base = image, base
        self._machine = ""
        self._attached = False

    def reaching(self) -> list[str]:
        """See `ElsewhereHost.reaching`."""
        return ["multipass", "exec", self._machine, "--", "sudo", "sh", "-c"]

    def up(self) -> None:
        """Make the machine, attach it to the subscription, and start it anew with the FIPS kernel."""
        if shutil.which("multipass") is None:
            raise HostRefusedError("the program multipass is missing: `snap install multipass`")
        token = os.environ.get("UBUNTU_PRO_TOKEN", "").strip()
        if not token:
            raise HostRefusedError("a subscription of Ubuntu Pro is needed: export UBUNTU_PRO_TOKEN")
        self._machine = f"{MACHINE}{secrets.token_hex(4)}"
        try:
            size = ["--cpus", "2", "--memory", "4G", "--disk", "20G"]
            self._multipass("launch", self._image, "--name", self._machine, *size)
            self._up = True
            self._attached = True
            attach = yaml.safe_dump({"token": token, "enable_services": []})
            self.run(["sh", "-c", _PRO], stdin=attach, timeout=MACHINE_SECONDS).check()
            self._multipass("restart", self._machine)
            self._flagged()
            if self._base:
                command = ["snap", "install", "core24", f"--channel={self._base}"]
                self.run(command, timeout=MACHINE_SECONDS).check()
        except BaseException:
            with suppress(HostError):  # the first error is the one to be told
                self.down()
            raise

    def down(self) -> None:
        """Give the subscription back, whatever has happened, and take the machine away."""
        machine, attached = self._machine, self._attached
        try:
            if attached:
                self._attached = False
                self.run(["pro", "detach", "--assume-yes"], timeout=ON_THE_WAY).check()
        finally:
            self._up, self._machine = False, ""
            if machine:
                self._multipass("delete", "--purge", machine)

    def _multipass(self, *words: str) -> None:
        done = subprocess.run(
            ["multipass", *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=MACHINE_SECONDS
        )
        if done.returncode:
            raise HostError(f"{self.name}: multipass {words[0]} failed: {_last(done.stderr)}")


def remove_orphans() -> None:
    """Give back what a killed user of MultipassHost has left, and take its machines away.

    Raise HostError where that fails.
    """
    if shutil.which("multipass") is None:
        return
    done = subprocess.run(
        ["multipass", "list", "--format", "csv"], stdin=subprocess.DEVNULL, capture_output=True
    )
    for line in done.stdout.decode().splitlines()[1:]:
        if (name := line.partition(",")[0]).startswith(MACHINE):
            orphan = MultipassHost("")
            orphan.name, orphan._machine, orphan._up, orphan._attached = name, name, True, True
            orphan.down()


def _last(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return " / ".join(lines[-3:]) or "it said nothing"
