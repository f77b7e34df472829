"""What was seen of one process of a case, from outside: plain data, which `verdict` judges."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass
from pathlib import Path

from tools.campaign.entry_points import SIGNED, EntryPoint
from tools.campaign.fault import HELPLESS
from tools.campaign.payload import Got, weigh
from tools.campaign.plan import Plan
from tools.campaign.process import Watched
from tools.campaign.stage import Stage

#: The loader on LD_PRELOAD; `python3 -v` and `-Ximporttime`; the loader on versions, of which it names many.
_NOISE = re.compile(
    rb"ERROR: ld\.so|warning: debug option|\s+\d+:\s|\s*#|import "
    rb"|.*: no version information|.*: version `\S+' not found"
)
#: The launcher's; and the loader's on a library that is damaged (glibc, elf/dl-minimal.c) or that it cannot
#: open, which ends there.
_LAST_WORDS = re.compile(
    rb"certbot-fips: |Inconsistency detected by ld\.so: |/\S+: error while loading shared libraries: "
)
_SCRIPT = re.compile(rb"usr/bin/(python3|fips-\w+): ")
#: Below the snap's folder: Python, whatever its name, and the program.
_PYTHON, _OPENSSL = "/usr/bin/", "/usr/libexec/openssl/openssl"
_KEY = b"PRIVATE KEY-----"
#: What `dgst -hex` and `pkeyutl -hexdump` say of one.
_SIGNATURE = re.compile(rb"\)= [0-9a-f]{80}|0000 - (?:[0-9a-f]{2}[ -]){16}")
_SHA256 = b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_MD5 = b"d41d8cd98f00b204e9800998ecf8427e"


@dataclass(frozen=True)
class Observation:
    """What a process was asked, was given, said and had mapped, and how it ended."""

    entry_point: EntryPoint
    asked: bool = True
    """The setting or the kernel's flag asks for FIPS."""
    excuses: frozenset[str] = frozenset()
    """What the case's faults make acceptable besides FIPS, see `fault`."""
    sent: int = 0
    """The signal that was sent to it; 0: none."""
    closed: frozenset[int] = frozenset()
    """Standard streams that it did not have."""
    status: int | None = 0
    """As waitpid(2) gives it; None: it did not end in time."""
    seconds: float = 0.1
    got: Got | None = None
    """What it achieved; None: nothing."""
    snap_seen: bool = False
    """The memory of the entry point's program of the snap was seen."""
    any_seen: bool = False
    """That of any program was."""
    mapped: frozenset[str] = frozenset()
    """The crypto libraries that were in that memory, by their paths; of hooks and reports: not told."""
    ours: bool = False
    """Those are the snap's libcrypto and its FIPS module, and no other; of a report: so it was in a child."""
    made: bool = False
    """For a hook: what it makes is there, and right."""
    spoiled: bool = False
    """For a hook: what is there was not there before, and is not right."""
    headline: str = ""
    """For a report: the doctor's line on FIPS."""
    health: str = ""
    """For a report: the status that snapd was told."""
    stderr: bytes = b""

    @property
    def code(self) -> int | None:
        """Its exit status; None when it did not exit."""
        return None if self.status is None or not os.WIFEXITED(self.status) else os.WEXITSTATUS(self.status)

    @property
    def killer(self) -> signal.Signals | None:
        """The signal that ended it."""
        killed = self.status is not None and os.WIFSIGNALED(self.status)
        return signal.Signals(os.WTERMSIG(self.status or 0)) if killed else None

    @property
    def weak(self) -> str:
        """The weak things that it was given."""
        return ", ".join(self.got.weak) if self.got else ""

    @property
    def libraries(self) -> list[str] | str:
        """The libraries of `mapped`, for people."""
        return sorted(self.mapped) or "nothing"

    @property
    def news(self) -> str:
        """What people or snapd were told."""
        return self.headline or self.health

    @property
    def lines(self) -> int:
        """How many lines it said."""
        return len(self.said)

    @property
    def said(self) -> list[bytes]:
        """The lines on its standard error, without what loader and shell say around the snap's."""
        lines = [line for line in self.stderr.splitlines() if line]
        said = [line for line in lines if _LAST_WORDS.match(line) or not _NOISE.match(line)]
        if self.entry_point.verbose or b"ERROR: ld.so" in self.stderr:
            # They were asked to say more; the loader prints a value with its line breaks.
            said = [line for line in said if _LAST_WORDS.match(line)] or said
        if self.entry_point.scripted:
            # A shell takes what the kernel does not for a script of its own.
            said = [line for line in said if not _SCRIPT.search(line)] or said[:1]
            if self.code in (126, 127):
                said = said[-1:]  # or says in its own way, with all the arguments, that it cannot run it
        return said

    @property
    def last(self) -> str:
        """The last of these lines."""
        said = self.said
        return said[-1].decode(errors="replace")[:300] if said else "nothing"


def observe(entry_point: EntryPoint, plan: Plan, stage: Stage, ended: Watched) -> Observation:
    """Return what was seen of a process that has ended, while its case's files are still there."""
    hook, report = entry_point.kind == "hook", entry_point.kind == "report"
    kept = (_OPENSSL,) if entry_point.kind == "openssl" else (_PYTHON, _OPENSSL) if report else (_PYTHON,)
    path = plan.argv[0]
    program = tuple(f"{plan.chroot}{plan.root}{each}" for each in kept)
    # A hook is judged by what it leaves, a report by its children: it has no crypto in its own process.
    seen = (
        [] if hook else [libraries for (_, exe), libraries in ended.seen.items() if exe.startswith(program)]
    )
    filled = [libraries for libraries in seen if libraries]
    left, right = (
        (stage.setting(), b"auto\n") if entry_point.told == "setting" else (stage.config(), stage.made)
    )
    headline = ""
    if report:  # LD_SHOW_AUXV comes before it
        lines = ended.stdout.decode(errors="replace").splitlines()
        headline = next((line for line in lines if line.startswith("FIPS: ")), "")
    return Observation(
        entry_point,
        asked=plan.must,
        excuses=frozenset(plan.excuses | {HELPLESS} if hook else plan.excuses),
        sent=plan.signal[0] if plan.signal else 0,
        closed=frozenset(plan.closed),
        status=ended.status,
        seconds=ended.seconds,
        got=None if hook or report else _got(entry_point, ended, stage),
        snap_seen=bool(seen),
        any_seen=bool(ended.seen),
        mapped=frozenset() if report else frozenset[str]().union(*filled),
        # Of a report one child is enough; else each process counts, also one that is just being forked.
        ours=bool(filled) and (any if report else all)(_ours(plan, libraries) for libraries in filled),
        made=hook and left == right,
        spoiled=hook and left not in (right, None, stage.before[entry_point.told]),
        headline=headline,
        health=stage.health() if report else "",
        # The loader says the program's path as it is, and a folder's name may have line breaks.
        stderr=ended.stderr.replace(path, b" ".join(path.split())),
    )


def _got(entry_point: EntryPoint, ended: Watched, stage: Stage) -> Got | None:
    out = ended.stdout
    if entry_point.kind == "python":
        return weigh(out)
    if entry_point.kind == "openssl":
        made = {"sha256": _SHA256 in out, "key": _KEY in out, SIGNED: _SIGNATURE.search(out)}
        if entry_point.told:
            return Got(()) if made.get(entry_point.told, entry_point.told.encode() in out) else None
        return Got((entry_point.name,)) if _MD5 in out or made["key"] or made[SIGNED] else None
    if entry_point.logged:
        return Got(()) if ended.status == 0 and entry_point.logged.encode() in stage.log() else None
    return Got(()) if entry_point.told.encode() in out else None


def _ours(plan: Plan, mapped: frozenset[str]) -> bool:
    root = plan.chroot + plan.root.replace("\n", "\\012")
    counted = {path for path in mapped if not Path(path).name.startswith("libssl")}
    return counted == {f"{root}/usr/lib/libcrypto.so.3", f"{root}/usr/lib/ossl-modules/fips.so"}
