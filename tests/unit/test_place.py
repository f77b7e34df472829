from pathlib import Path

import pytest

from fips_launch.place import NAME, Place
from tools.build import recipe


@pytest.mark.parametrize(
    ("root", "setting", "config"),
    [
        ("/snap/certbot-fips/x1", "certbot-fips/common/fips", "certbot-fips/x1/fips/openssl-x1.cnf"),
        ("/snap/certbot-fips_two/7", "certbot-fips_two/common/fips", "certbot-fips_two/7/fips/openssl-7.cnf"),
        (
            "/var/lib/snapd/snap/certbot-fips/42",
            "certbot-fips/common/fips",
            "certbot-fips/42/fips/openssl-42.cnf",
        ),
    ],
)
def test_the_folder_of_an_installed_snap_names_its_data(root: str, setting: str, config: str) -> None:
    place = Place(root)
    assert place.setting == f"/var/snap/{setting}"
    assert place.installed_config == f"/var/snap/{config}"


@pytest.mark.parametrize(
    "root", ["/opt/copy", "/snap/x1", "/snap/a/b/c", "/home/me/snap/a/1", "/", "", "/snap//1"]
)
def test_a_copy_elsewhere_has_no_data_and_goes_by_the_installed_snaps_setting(root: str) -> None:
    place = Place(root)
    assert place.installed_config == place.plugins == place.instance == ""
    assert place.setting == "/var/snap/certbot-fips/common/fips"


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("certbot-fips", "certbot"),
        ("certbot", "certbot-fips"),
        ("certbot-fips_two", "certbot-fips"),
        ("", ""),
    ],
)
def test_certbots_texts_name_the_alias_where_it_is_this_snaps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, command: str
) -> None:
    snaps = str(tmp_path)
    monkeypatch.setattr("fips_launch.place.MOUNTED", (snaps,))
    (tmp_path / "bin").mkdir()
    if target:
        (tmp_path / "bin/certbot").symlink_to(target)
    assert Place(f"{snaps}/certbot-fips/x1").command() == (command or "certbot-fips")
    assert Place("/opt/copy").command() == "certbot-fips"


def test_the_snaps_name_is_the_recipes() -> None:
    assert recipe.load()["name"] == NAME


def test_fips_uses_the_config_made_on_this_machine_once_there_is_one(tmp_path: Path) -> None:
    place = Place("/snap/certbot-fips/x2", var=str(tmp_path))
    built = {
        "OPENSSL_CONF": "/snap/certbot-fips/x2/etc/ssl/openssl.cnf",
        "OPENSSL_MODULES": "/snap/certbot-fips/x2/usr/lib/ossl-modules",
    }
    assert place.select(fips=True) == built

    data = tmp_path / "certbot-fips" / "x2" / "fips"
    data.mkdir(parents=True)
    (data / "openssl-x1.cnf").touch()  # the old revision's, as snapd copies it at a refresh
    assert place.select(fips=True) == built

    (data / "openssl-x2.cnf").touch()
    assert place.select(fips=True) == built | {"OPENSSL_CONF": str(data / "openssl-x2.cnf")}


def test_a_config_made_here_that_leads_nowhere_is_not_passed_over(tmp_path: Path) -> None:
    place = Place("/snap/certbot-fips/x1", var=str(tmp_path))
    link = Path(place.installed_config)
    link.parent.mkdir(parents=True)
    link.symlink_to("nowhere")
    assert place.select(fips=True)["OPENSSL_CONF"] == str(link)


def test_without_fips_it_is_the_default_config_always(tmp_path: Path) -> None:
    place = Place("/snap/certbot-fips/x1", var=str(tmp_path))
    made_here = Path(place.installed_config)
    made_here.parent.mkdir(parents=True)
    made_here.touch()
    assert place.select(fips=False)["OPENSSL_CONF"] == "/snap/certbot-fips/x1/etc/ssl/default.cnf"
