from pathlib import Path

import pytest

from fips_hooks import settings
from fips_launch.place import Place


@pytest.fixture
def snapctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for snapd's program: prints a file as the value of the setting `fips`."""
    value = tmp_path / "value"
    program = tmp_path / "snapctl"
    program.write_text(f'#!/bin/sh\n[ "$1 $2" = "get fips" ] && exec cat "{value}"\n')
    program.chmod(0o755)
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


@pytest.mark.usefixtures("snapctl")
def test_configure_says_what_snapctl_said(place: Place) -> None:
    with pytest.raises(ValueError, match=r"^snapctl: cat: .*value"):
        settings.configure(place)
    assert not Path(place.setting).exists()
