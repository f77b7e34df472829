"""What one case does to its host and its process: plain data that faults fill in and `stage` carries out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

SNAP = "/snap/certbot-fips/x1"
#: What a case may write to and make its files in, as the host sees it.
CASE = "/run/case"
#: Files of an enemy's, as variables and options name them.
HOSTILE = f"{CASE}/hostile"
#: A package with an OpenSSL linked in: what lies below counts as a libcrypto, whatever its name.
FOREIGN = "/opt/foreign"
#: Another root, with the snap and this machine's programs and no data of snaps.
CHROOT = "/opt/root"
MADE_HERE = "var/certbot-fips/x1/fips/openssl-x1.cnf"
SETTING = "var/certbot-fips/common/fips"

Damage = Callable[[Path, Path], None]
"""Called with a file of the undamaged snap and the path where its replacement has to be made."""


BIND = 0x1000
"""A flag of mount(2): a folder or file is at another place too."""


@dataclass
class Mount:
    """One mount(2): the source, the target on the host, the file system, its flags and options."""

    source: str
    target: str
    kind: str = ""
    flags: int = 0
    options: str = ""


@dataclass
class Plan:
    """A case about to run; everything is as on a healthy FIPS host until a fault changes it."""

    argv: list[bytes]
    stdin: bytes = b""
    env: dict[bytes, bytes] = field(default_factory=dict)
    #: The copy of the snap that is entered.
    root: str = SNAP
    #: The folder that is the root of the process; empty: it is the host's.
    chroot: str = ""
    proc: bool = False
    """That root has a /proc."""
    fips: bool = True
    """The kernel's flag asks for FIPS (the oracle's view, set together with `files`)."""
    bare: bool = False
    """The kernel is one without FIPS: it has no /proc/sys/crypto."""
    unknown: bool = False
    """Nobody can say what the flag is."""
    setting: str = "auto"
    """What the administrator's setting means for that copy: auto, on or off."""
    files: list[Callable[[Path], None]] = field(default_factory=list)
    """Called with the case's folder, to make or change files in it."""
    damages: dict[str, Damage] = field(default_factory=dict)
    mounts: list[Mount] = field(default_factory=list)
    last_mounts: list[Mount] = field(default_factory=list)
    hide_plain: bool = False
    writable: bool = False
    uid: int = 0
    limits: dict[int, int] = field(default_factory=dict)
    blocked: set[int] = field(default_factory=set)
    ignored: set[int] = field(default_factory=set)
    closed: set[int] = field(default_factory=set)
    argv0: bytes | None = None
    signal: tuple[int, float] | None = None
    """A signal to send, and after how many seconds."""
    copies: int = 1
    """How many processes start at once."""
    falls: tuple[int, int, float] | None = None
    """A limit, how low it falls, and after how many seconds."""
    excuses: set[str] = field(default_factory=set)
    """What the case's faults make acceptable besides FIPS, see `verdict`."""

    @property
    def must(self) -> bool:
        """Does DESIGN's rule ask for FIPS: the setting, or else the kernel's flag."""
        # A copy goes by the setting of the installed snap, where that can be seen.
        setting = "auto" if self.chroot else self.setting
        return setting == "on" or (setting == "auto" and (self.fips or self.unknown))
