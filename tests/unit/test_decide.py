import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fips_launch.decide import LONGEST, SETTINGS, Source, agreed, decide, kernel

FLAGS_ON = [b"1", b"1\n", b"", b"\n", b"2", b"01", b"-1", b"yes", b"1 1", b"0\x000", b"\xff", b"0" * 65]
FLAGS_ON.append(b"0" + b" " * 63 + b"1")  # what is behind the part that is read counts
FLAGS_OFF = [b"0", b"0\n"]
UNKNOWN_SETTINGS = [b"", b"\n", b"On", b"OFF", b"true", b"0", b"o ff", b"off\noff", b"\xfe", b"off" * 40]
UNKNOWN_SETTINGS.append(b"off" + b" " * 61 + b"x")
#: What a file may hold (None: there is none), near what is understood and far from it.
CONTENTS = (
    st.none()
    | st.binary(max_size=64)
    | st.lists(st.sampled_from([b"0", b"1", b"off", b"on", b"auto", b" ", b"\n", b"\x1c"]), max_size=4).map(
        b"".join
    )
)


def word(content: bytes | None) -> bytes | None:
    return None if content is None else content.strip()


@pytest.fixture
def flag(tmp_path: Path) -> Path:
    """Where the kernel's flag would be, as .../sys/crypto/fips_enabled; not written yet."""
    path = tmp_path / "sys" / "crypto" / "fips_enabled"
    path.parent.mkdir(parents=True)
    (tmp_path / "sys" / "kernel").mkdir()
    return path


@pytest.mark.parametrize("content", FLAGS_ON)
def test_a_flag_that_is_not_clearly_off_is_on(flag: Path, content: bytes) -> None:
    flag.write_bytes(content)
    decision = kernel(str(flag))
    known = content.strip() == b"1"
    assert (decision.fips, decision.source) == (True, Source.FLAG if known else Source.FLAG_UNKNOWN)


@pytest.mark.parametrize("content", FLAGS_OFF)
def test_a_flag_of_zero_is_off(flag: Path, content: bytes) -> None:
    flag.write_bytes(content)
    decision = kernel(str(flag))
    assert (decision.fips, decision.source) == (False, Source.FLAG)


def test_a_kernel_without_fips_is_off(flag: Path) -> None:
    """It has no /proc/sys/crypto at all."""
    flag.parent.rmdir()
    decision = kernel(str(flag))
    assert (decision.fips, decision.source) == (False, Source.NO_FLAG)


def test_a_proc_that_is_not_mounted_is_on(tmp_path: Path) -> None:
    assert kernel(str(tmp_path / "sys" / "crypto" / "fips_enabled")).fips


def test_a_covered_flag_is_on(flag: Path) -> None:
    """A folder crypto without the flag; and a sys without kernel, which every kernel has."""
    decision = kernel(str(flag))
    assert (decision.fips, decision.source) == (True, Source.FLAG_HIDDEN)
    assert decision.reason.endswith(f"something covers {flag.parent}")
    (flag.parents[1] / "kernel").rmdir()
    flag.parent.rmdir()
    assert kernel(str(flag)).fips


def test_a_flag_that_cannot_be_read_is_on(flag: Path) -> None:
    flag.mkdir()
    decision = kernel(str(flag))
    assert (decision.fips, decision.source) == (True, Source.FLAG_UNREADABLE)
    flag.rmdir()
    flag.symlink_to(flag.name)
    assert kernel(str(flag)).source == Source.FLAG_UNREADABLE


@pytest.mark.parametrize(
    ("content", "fips"), [(b"on", True), (b"on\n", True), (b"off", False), (b"off\n", False)]
)
@pytest.mark.parametrize("kernel_flag", FLAGS_ON + FLAGS_OFF)
def test_on_and_off_overrule_the_kernel(
    tmp_path: Path, flag: Path, content: bytes, fips: bool, kernel_flag: bytes
) -> None:
    setting = tmp_path / "fips"
    setting.write_bytes(content)
    flag.write_bytes(kernel_flag)
    decision = decide(str(setting), str(flag))
    assert decision.fips is fips
    assert decision.source == (Source.SETTING_ON if fips else Source.SETTING_OFF)


@pytest.mark.parametrize("content", [None, b"auto", b"auto\n"])
@pytest.mark.parametrize(("kernel_flag", "fips"), [(b"1\n", True), (b"0\n", False), (b"?", True)])
def test_auto_and_no_setting_follow_the_kernel(
    tmp_path: Path, flag: Path, content: bytes | None, kernel_flag: bytes, fips: bool
) -> None:
    setting = tmp_path / "fips"
    if content is not None:
        setting.write_bytes(content)
    flag.write_bytes(kernel_flag)
    assert decide(str(setting), str(flag)).fips is fips
    assert decide("", str(flag)).fips is fips


@pytest.mark.parametrize("content", UNKNOWN_SETTINGS)
def test_an_unknown_setting_is_on_and_says_what_is_known(tmp_path: Path, flag: Path, content: bytes) -> None:
    setting = tmp_path / "fips"
    setting.write_bytes(content)
    flag.write_bytes(b"0\n")
    decision = decide(str(setting), str(flag))
    assert (decision.fips, decision.source) == (True, Source.SETTING_UNKNOWN)
    assert decision.reason.endswith("none of auto, on, off")
    assert "\n" not in decision.reason


def test_a_setting_that_cannot_be_read_is_on(tmp_path: Path, flag: Path) -> None:
    flag.write_bytes(b"0\n")
    for setting in (tmp_path, flag / "below-a-file"):
        decision = decide(str(setting), str(flag))
        assert (decision.fips, decision.source) == (True, Source.SETTING_UNREADABLE)


def test_a_pipe_in_place_of_a_file_does_not_hold_up(tmp_path: Path, flag: Path) -> None:
    flag.write_bytes(b"0\n")
    os.mkfifo(tmp_path / "fips")
    assert decide(str(tmp_path / "fips"), str(flag)).fips


@pytest.mark.parametrize("word", SETTINGS)
@pytest.mark.parametrize("of_snapd", [*SETTINGS, "perhaps", "x" * 999, "a\nb"])
def test_a_difference_from_snapds_setting_is_on_until_they_agree(
    tmp_path: Path, flag: Path, word: str, of_snapd: str
) -> None:
    """Also when it is looked at again; and the file says which of the two was kept."""
    flag.write_bytes(b"0\n")
    kept = agreed(word, of_snapd)
    assert agreed(kept, of_snapd) == kept
    assert agreed(kept, word) == word
    if word == of_snapd:
        assert kept == word
        return
    assert len(kept) < LONGEST
    setting = tmp_path / "fips"
    setting.write_text(kept + "\n")
    decision = decide(str(setting), str(flag))
    assert (decision.fips, decision.source) == (True, Source.SETTING_UNKNOWN)
    assert f"{word}, but snapd has " in decision.reason


@pytest.mark.parametrize("word", ["", "perhaps", "perhaps, but snapd has on"])
def test_an_unknown_setting_stays_one(word: str) -> None:
    assert all(agreed(word, of_snapd) == word for of_snapd in (*SETTINGS, word))


@settings(max_examples=1000)
@given(setting=CONTENTS, kernel_flag=CONTENTS)
def test_only_what_is_clearly_off_is_off(
    tmp_path_factory: pytest.TempPathFactory, setting: bytes | None, kernel_flag: bytes | None
) -> None:
    """And why is said in one printable line, whatever the files hold."""
    folder = tmp_path_factory.mktemp("host")
    (folder / "crypto").mkdir()
    (folder / "kernel").mkdir()
    for name, content in (("setting", setting), ("crypto/fips_enabled", kernel_flag)):
        if content is not None:
            (folder / name).write_bytes(content)
    decision = decide(str(folder / "setting"), str(folder / "crypto/fips_enabled"))
    off = word(setting) == b"off" or (word(setting) in (None, b"auto") and word(kernel_flag) == b"0")
    assert decision.fips is not off
    assert decision.reason.isprintable()
