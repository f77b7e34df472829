"""Step 1, decide: whether this process has to be in FIPS mode.

Fail-safe: whatever is not clearly "off" is on.  The environment has no say.
"""

import os

FLAG = "/proc/sys/crypto/fips_enabled"
SETTINGS = ("auto", "on", "off")


class Decision:
    """What was decided: ``fips``, and ``reason``, a clause that can follow "because"."""

    def __init__(self, fips: bool, reason: str) -> None:
        self.fips = fips
        self.reason = reason


def _word(path: str) -> str | None:
    """Return what a file says, None without a file, and the error where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe must not hold us up
        try:
            return os.fsdecode(os.read(descriptor, 64).strip())
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"({error.strerror})"


def kernel(flag: str = FLAG) -> Decision:
    """Decide by the kernel's flag: 1 is on, 0 or a kernel without FIPS is off, anything else is on."""
    word = _word(flag)
    if word is None:
        # Every kernel has /proc/sys/kernel, and nothing but its FIPS code makes /proc/sys/crypto: where it
        # looks otherwise, something covers the flag.
        folder = os.path.dirname(flag)
        if not os.path.lexists(folder) and os.path.isdir(os.path.dirname(folder) + "/kernel"):
            return Decision(False, "this kernel has no FIPS flag")
        return Decision(True, f"the kernel's FIPS flag is hidden, something covers {folder}")
    if word == "0":
        return Decision(False, "the kernel's FIPS flag is off")
    if word == "1":
        return Decision(True, "the kernel's FIPS flag is on")
    return Decision(True, f"the kernel's FIPS flag is {word!r}, neither 0 nor 1")


def decide(setting: str, flag: str = FLAG) -> Decision:
    """Decide by the administrator's setting, then by the kernel's flag.

    :param setting: the file that the configure hook writes; none, or an empty path, means ``auto``.
    :param flag: the kernel's file.
    """
    word = _word(setting)
    if word is None or word == "auto":
        return kernel(flag)
    if word not in SETTINGS:
        return Decision(True, f"the setting {setting} is {word!r}, none of {', '.join(SETTINGS)}")
    return Decision(word == "on", f"the setting is fips={word}")
