"""The hooks of install and refresh, ended in their middle as by a power cut: never half-configured.

A dozen of each hook's system calls here; `pytest tests/snap/test_power_cut.py --every-call` ends the hooks at
every one of theirs, which takes more than an hour.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.snap.support import MakeHost
from tests.snap.test_faults import in_fips
from tests.snap.test_hooks import refresh
from tools.hosts import NamespaceHost

PROGRAM = "/run/power_cut.py"
CUT = 137
#: Calls by which a file or a folder changes its name, content on the disk or rights, as x86-64 counts them:
#: fsync, rename, mkdir, unlink, fchmod.
CHANGING = {"74", "82", "83", "87", "91"}
WRITE = "1"
DOZEN = 12
#: How many calls are tried on one host: what was ended stays in its list of processes.
PORTION = 500
State = dict[str, bytes]


class Hook:
    """A hook of the snap on a host of its own, and the data that it works on."""

    def __init__(
        self, host: NamespaceHost, name: str, revision: str, command: list[str] | None = None
    ) -> None:
        self.host = host
        self._command = command or ["snap", "run", f"--hook={name}", "certbot-fips"]
        self._program = "sh" if command else "fips-hook"
        self._folder = f"/var/snap/certbot-fips/{revision}/fips"
        self.config = f"openssl-{revision}.cnf"
        host.copy(Path(__file__).with_name("power_cut.py"), PROGRAM)
        # What snapd has before the hook runs: nothing, or a copy of the old revision's data.
        host.run(["sh", "-euc", 'mkdir -p "$0"; cp -a "$0" /run/before', self._folder]).check()

    def cut(self, last: int) -> list[str]:
        """Run it on what there was before, up to a call; return its calls, if that is 0: to its end."""
        before = 'rm -rf "$0"; cp -a /run/before "$0"'
        self.host.run(["sh", "-euc", before, self._folder]).check()
        done = self.host.run(["python3", "-IS", PROGRAM, str(last), self._program, *self._command])
        # A call less here and there, of the address space's layout: then it has come to its end.
        assert done.returncode in ({0, CUT} if last else {0}), done.stderr
        return done.stdout.split()

    def again(self) -> None:
        """Run it to its end, as snapd does with what had not ended when the machine went down."""
        self.host.run(self._command).check()

    def state(self) -> State:
        return {file.name: file.read_bytes() for file in self.host.path(self._folder).iterdir()}


@pytest.fixture
def make_hook(make_host: MakeHost) -> Callable[[str], Hook]:
    def make(name: str) -> Hook:
        host = make_host()
        if name == "install":
            host.run(["rm", "-r", "/var/snap/certbot-fips/x1/fips"]).check()
            return Hook(host, name, "x1")
        refresh(host, "true")
        return Hook(host, name, "x2")

    return make


def judge(hook: Hook, state: State, whole: State) -> str:
    """Return what is wrong with the data that a cut has left, empty if nothing is."""
    if state.get(hook.config, whole[hook.config]) != whole[hook.config]:
        return f"{hook.config} is half"
    if not in_fips(hook.host):
        return f"not in FIPS mode with {sorted(state)}"
    hook.again()
    return "" if hook.state() == whole and in_fips(hook.host) else f"not mended: {sorted(hook.state())}"


def faults(hook: Hook, calls: Iterator[int], whole: State) -> tuple[dict[int, str], int]:
    """Cut it at calls; return the faults, by the call, and how many states of the data there were."""
    judged: list[State] = []
    found = {}
    for call in calls:
        hook.cut(call)
        state = hook.state()
        if state not in judged:
            judged.append(state)
            if fault := judge(hook, state, whole):
                found[call] = fault
    return found, len(judged)


def dozen(calls: list[str]) -> list[int]:
    """Choose calls: the last that change something, three quarters, and others at even distances."""
    changing = [place for place, call in enumerate(calls, 1) if call in CHANGING][-DOZEN + 3 :]
    others = DOZEN - len(changing)
    return sorted({*changing, *(len(calls) * (part + 1) // (others + 1) for part in range(others))})


@pytest.mark.parametrize("name", ["install", "post-refresh"])
def test_a_hook_that_is_cut(make_hook: Callable[[str], Hook], name: str, pytestconfig: pytest.Config) -> None:
    hook = make_hook(name)
    calls = hook.cut(0)
    whole = hook.state()
    assert list(whole) == [hook.config]
    if not pytestconfig.getoption("--every-call"):
        found, left = faults(hook, iter(dozen(calls)), whole)
        assert not found
        assert left > 2
        return
    for begin in range(1, len(calls) + 1, PORTION):
        hook = hook if begin == 1 else make_hook(name)
        assert not faults(hook, iter(range(begin, min(begin + PORTION, len(calls) + 1))), whole)[0]


def test_a_hook_that_writes_in_place(make_host: MakeHost) -> None:
    """The control: what is not written aside and renamed is found half."""
    host = make_host()
    script = "cd /var/snap/certbot-fips/x1/fips; head -c 100 {0} > {1}; tail -c +101 {0} >> {1}"
    host.run(["sh", "-euc", "cp -a /var/snap/certbot-fips/x1/fips/openssl-x1.cnf /run/made"]).check()
    hook = Hook(host, "", "x1", ["sh", "-euc", script.format("/run/made", "openssl-x1.cnf")])
    writes = [place for place, call in enumerate(hook.cut(0), 1) if call == WRITE]
    found, _ = faults(hook, iter(writes), hook.state())
    assert any("is half" in fault for fault in found.values())
