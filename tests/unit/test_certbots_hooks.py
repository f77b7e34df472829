"""Which of Certbot's hooks failed: the record, and what the doctor takes of it."""

from pathlib import Path

import pytest

from fips_doctor import renewal
from fips_doctor.evidence import State
from fips_launch import hooks
from fips_launch.place import Place

DEPLOY = "/etc/letsencrypt/renewal-hooks/deploy/mine"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place("/snap/certbot-fips/x1", var=str(tmp_path / "var"))


def test_a_hook_is_on_record_until_it_works_for_the_same_certificate(place: Place) -> None:
    assert hooks.failed(place) == []
    hooks.ended(place, "deploy-hook", DEPLOY, "a", 3)
    hooks.ended(place, "deploy-hook", DEPLOY, "b", -9)
    hooks.ended(place, "post-hook", DEPLOY, "", 1)
    assert [(each.kind, each.lineage, each.status) for each in hooks.failed(place)] == [
        ("deploy-hook", "a", 3),
        ("deploy-hook", "b", -9),
        ("post-hook", "", 1),
    ]
    hooks.ended(place, "deploy-hook", DEPLOY, "a", 0)
    hooks.ended(place, "post-hook", DEPLOY, "", 0)
    assert [each.lineage for each in hooks.failed(place)] == ["b"]
    assert Path(place.failed_hooks).stat().st_mode & 0o777 == 0o644


def test_a_hook_that_works_leaves_nothing(place: Place) -> None:
    hooks.ended(place, "pre-hook", "true", "", 0)
    assert not Path(place.failed_hooks).exists()


@pytest.mark.parametrize("damaged", ["", "[", "{}", "[1]", '[{"kind": "pre-hook"}]', "\x00"])
def test_a_damaged_record_is_told_and_written_anew(place: Place, damaged: str) -> None:
    hooks.ended(place, "pre-hook", "false", "", 1)
    Path(place.failed_hooks).write_text(damaged)
    item = renewal.failed_hooks(place)
    assert damaged == "{}" or (item.state is State.UNKNOWN and place.failed_hooks in item.value)
    hooks.ended(place, "pre-hook", "false", "", 1)
    assert len(hooks.failed(place)) == 1


def test_the_doctor_forgets_what_is_no_longer_there(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hook whose file, option or certificate is gone cannot be mended."""
    monkeypatch.setattr(renewal, "RENEWAL", str(tmp_path))
    monkeypatch.setattr(renewal, "OPTIONS", str(tmp_path / "cli.ini"))
    conf, file = tmp_path / "a.conf", tmp_path / "hook"
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    command = """echo "it's" $RENEWED_LINEAGE"""
    hooks.ended(place, "post-hook", command, "", 1)
    assert renewal.failed_hooks(place).state is State.OK
    conf.write_text(f"post_hook = '''{command}'''\n")  # as ConfigObj writes it
    found = renewal.failed_hooks(place)
    assert found.state is State.BAD
    assert found.value.startswith(f"post-hook `{command}` ended with 1 at 20")
    assert found.remedy.endswith("certbot-fips renew --dry-run --run-deploy-hooks")
    hooks.ended(place, "deploy-hook", str(file), "a", 2)
    assert f"deploy-hook `{file}` for a ended with 2 at" in renewal.failed_hooks(place).value
    conf.unlink()
    assert renewal.failed_hooks(place).state is State.OK
    hooks.ended(place, "pre-hook", str(file), "", 2)
    assert renewal.failed_hooks(place).state is State.BAD
    file.unlink()
    assert renewal.failed_hooks(place).state is State.OK
