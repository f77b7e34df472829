from pathlib import Path

import pytest

from fips_hooks import settings
from fips_launch.files import write
from fips_launch.place import Place


@pytest.fixture
def snapctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for snapd's program: prints a file as the value of the setting `fips`."""
    value = tmp_path / "value"
    program = tmp_path / "snapctl"
    asked = f'[ "$1" != get ] || [ "$1 $2" != "get $ASKED" ] || exec cat "{value}"'
    program.write_text(f'#!/bin/sh\necho "$@" >> "{tmp_path}/calls"\n{asked}\n')
    program.chmod(0o755)
    monkeypatch.setenv("ASKED", "fips")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return value


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place("/snap/certbot-fips/x1", var=str(tmp_path / "var"))


@pytest.mark.parametrize(("value", "kept"), [("", "auto"), ("auto", "auto"), ("on", "on"), ("off", "off")])
def test_configure_keeps_a_known_setting_where_all_may_read_it(
    snapctl: Path, place: Place, value: str, kept: str
) -> None:
    snapctl.write_text(value + "\n")
    settings.configure(place)
    setting = Path(place.setting)
    assert setting.read_text() == kept + "\n"
    assert setting.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in setting.parent.iterdir()] == ["fips"]


@pytest.mark.parametrize("value", ["1", "true", "ON", "on off", "yes\nno", "{}", "x" * 9999])
def test_configure_refuses_an_unknown_setting_with_the_list(snapctl: Path, place: Place, value: str) -> None:
    snapctl.write_text("off\n")
    settings.configure(place)
    snapctl.write_text(value + "\n")
    with pytest.raises(ValueError, match="set it to one of auto, on, off") as refused:
        settings.configure(place)
    assert len(str(refused.value).splitlines()) == 1
    assert len(str(refused.value)) < 120
    assert Path(place.setting).read_text() == "off\n"


@pytest.mark.parametrize(
    ("kept", "of_snapd", "then"),
    [
        ("auto\n", "on", "auto, but snapd has on\n"),
        ("off\n", "", "off, but snapd has auto\n"),
        ("off, but snapd has auto\n", "off", "off\n"),
        ("auto\n", "", "auto\n"),
        ("perhaps", "on", "perhaps"),
        (None, "off", "auto, but snapd has off\n"),
        (None, "", None),
    ],
)
def test_a_setting_that_no_hook_has_seen_is_kept_as_a_difference(
    snapctl: Path, place: Place, kept: str | None, of_snapd: str, then: str | None
) -> None:
    setting = Path(place.setting)
    if kept is not None:
        write(place.setting, kept)
    snapctl.write_text(of_snapd + "\n")
    settings.compare(place)
    assert (setting.read_text() if setting.exists() else None) == then


@pytest.mark.usefixtures("snapctl")
def test_configure_says_what_snapctl_said(place: Place) -> None:
    with pytest.raises(ValueError, match=r"^snapctl: cat: .*value"):
        settings.configure(place)
    assert not Path(place.setting).exists()


def test_a_plugin_is_refused_without_consent_and_the_consent_is_used_up(
    snapctl: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASKED", settings.TRUST)
    for value in ("", "yes", "OK"):
        snapctl.write_text(value + "\n")
        with pytest.raises(ValueError, match="`snap set certbot-fips trust-plugin-with-root=ok`"):
            settings.prepare_plug_plugin(place)
    assert "unset" not in (snapctl.parent / "calls").read_text()
    snapctl.write_text("ok\n")
    settings.prepare_plug_plugin(place)
    assert (snapctl.parent / "calls").read_text().endswith("\nunset trust-plugin-with-root\n")


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "file"
    write(str(path), "old\n")
    (path.parent / "file.new").mkdir()  # what the new text would be written to
    with pytest.raises(OSError, match=r"file\.new"):
        write(str(path), "new\n")
    assert path.read_text() == "old\n"
