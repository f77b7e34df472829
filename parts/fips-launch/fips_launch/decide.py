"""Step 1, decide: whether this process has to be in FIPS mode.

Fail-safe: whatever is not clearly "off" is on.  The environment has no say.
"""

import os

FLAG = "/proc/sys/crypto/fips_enabled"
SETTINGS = ("auto", "on", "off")
DIFFERS = ", but snapd has "
LONGEST = 64  # bytes of a word and the blanks around it; what is longer is none, whatever it begins with


class Source:
    """What a decision follows from.  The doctor and `trail` compare this, and nobody the words.

    Not an `enum`, which would cost every start some milliseconds.
    """

    FLAG = "flag"
    """the kernel's, which is 0 or 1"""
    NO_FLAG = "no-flag"
    """a kernel without FIPS"""
    FLAG_HIDDEN = "flag-hidden"
    FLAG_UNREADABLE = "flag-unreadable"
    FLAG_UNKNOWN = "flag-unknown"
    SETTING_ON = "setting-on"
    SETTING_OFF = "setting-off"
    SETTING_UNREADABLE = "setting-unreadable"
    SETTING_UNKNOWN = "setting-unknown"


class Decision:
    """What was decided: ``fips``, its ``source``, and ``reason``, a clause that can follow "because"."""

    def __init__(self, fips: bool, source: str, reason: str) -> None:
        self.fips = fips
        self.source = source
        self.reason = reason


def word_in(path: str) -> str | None:
    """Return what a file says, None without a file; OSError where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe must not hold us up
    except FileNotFoundError:
        return None
    try:
        said = os.read(descriptor, LONGEST + 1)
        return os.fsdecode(said.strip() if len(said) <= LONGEST else said)
    finally:
        os.close(descriptor)


def kernel(flag: str = FLAG) -> Decision:
    """Decide by the kernel's flag: 1 is on, 0 or a kernel without FIPS is off, anything else is on."""
    try:
        word = word_in(flag)
    except OSError as error:
        why = f"the kernel's FIPS flag cannot be read: {error.strerror}"
        return Decision(True, Source.FLAG_UNREADABLE, why)
    if word is None:
        # Every kernel has /proc/sys/kernel, and nothing but its FIPS code makes /proc/sys/crypto: where it
        # looks otherwise, something covers the flag.
        folder = os.path.dirname(flag)
        if not os.path.lexists(folder) and os.path.isdir(os.path.dirname(folder) + "/kernel"):
            return Decision(False, Source.NO_FLAG, "this kernel has no FIPS flag")
        why = f"the kernel's FIPS flag is hidden, something covers {folder}"
        return Decision(True, Source.FLAG_HIDDEN, why)
    if word == "0":
        return Decision(False, Source.FLAG, "the kernel's FIPS flag is off")
    if word == "1":
        return Decision(True, Source.FLAG, "the kernel's FIPS flag is on")
    return Decision(True, Source.FLAG_UNKNOWN, f"the kernel's FIPS flag is {word!r}, neither 0 nor 1")


def decide(setting: str, flag: str = FLAG) -> Decision:
    """Decide by the administrator's setting, then by the kernel's flag.

    :param setting: the file that the configure hook writes; none, or an empty path, means ``auto``.
    :param flag: the kernel's file.
    """
    try:
        word = word_in(setting)
    except OSError as error:
        why = f"the setting {setting} cannot be read: {error.strerror}"
        return Decision(True, Source.SETTING_UNREADABLE, why)
    return by_word(word, setting, flag)


def by_word(word: str | None, setting: str, flag: str = FLAG) -> Decision:
    """Decide by what the file of the setting says; None: there is no such file."""
    if word is None or word == "auto":
        return kernel(flag)
    if word not in SETTINGS:
        why = f"the setting {setting} is {word!r}, none of {', '.join(SETTINGS)}"
        return Decision(True, Source.SETTING_UNKNOWN, why)
    # With the word itself in it: so no flipped jump makes another source into SETTING_OFF.
    return Decision(word == "on", f"setting-{word}", f"the setting is fips={word}")


def agreed(word: str, of_snapd: str) -> str:
    """Return what the file of the setting has to say: the word, or that snapd has another.

    `snapctl set` from an app changes snapd's without the configure hook.  What this returns then is none of
    :data:`SETTINGS`, and so on, for every process that reads it.

    :param word: what the file says. :param of_snapd: what snapd says, `auto` where it is not set.
    """
    kept = word.partition(DIFFERS)[0]
    if kept not in SETTINGS:
        return word
    if kept == of_snapd:
        return kept
    return f"{kept}{DIFFERS}{of_snapd if of_snapd in SETTINGS else 'another'}"
