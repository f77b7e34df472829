"""Evidence as `make evidence` makes it, of the packed snap on a FIPS host, and what follows."""

import base64
import json
import os
import platform
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.digest import sha256
from tools.hosts.catalog import find, systems
from tools.hosts.make import make_host
from tools.release import keys, make, policy, subject
from tools.release.__main__ import main
from tools.release.errors import ReleaseError
from tools.release.observed import ASKED, is_it

HOST = "namespace-fips"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "trial.pem"
    keys.make(path)
    return path


@pytest.fixture(scope="module")
def below(snap_file: Path, key: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the evidence, made once."""
    found = tmp_path_factory.mktemp("evidence")
    assert main(["evidence", HOST, "--snap", str(snap_file), "--key", str(key), "--below", str(found)]) == 0
    return found


@pytest.fixture
def options(tmp_path: Path, key: Path) -> list[str]:
    """The policy, in which this host is enough for edge, and the key that was made for a try."""
    content = yaml.safe_load(policy.FILE.read_text())
    content["channels"]["edge"]["hosts"] = [HOST]
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump(content))
    return ["--policy", str(tmp_path / "policy.yaml"), "--trial", str(key.with_suffix(".pub"))]


def test_it_is_enough_for_edge(
    below: Path, snap_file: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = below / sha256(snap_file)
    said = json.loads((folder / "hosts" / HOST / "doctor.json").read_text())
    assert said["verdict"] == "fips-active"
    assert seen(folder)["kernel"] == {"release": os.uname().release, "flag": "1", "own": False}
    assert main(["verify", str(folder), "--snap", str(snap_file), *options]) == 0
    assert "the evidence is whole" in capsys.readouterr().out
    assert main(["decide", str(folder), "--to", "beta", *options]) == 1
    assert "signed by a key made for a try, which says nothing for beta" in capsys.readouterr().out


def seen(folder: Path) -> dict[str, Any]:
    """What was signed of the host."""
    signed = json.loads((folder / "hosts" / HOST / "host.dsse.json").read_text())
    found: dict[str, Any] = json.loads(base64.b64decode(signed["payload"]))["predicate"]
    return found


@pytest.mark.parametrize(
    ("name", "flag", "running", "line"),
    [
        ("rhel-9", "proc", "rhel 8.10", "rhel-9 is rhel 9, and this is rhel 8.10: name the host that it is"),
        ("rhel-9", "proc", "centos 9", "rhel-9 is rhel 9, and this is centos 9"),
        ("rhel-10", "proc", "rhel 1", "rhel-10 is rhel 10, and this is rhel 1"),
        ("ubuntu-pro-fips-22.04", "proc", "ubuntu 24.04", "is ubuntu 22.04, and this is ubuntu 24.04"),
        (
            "rhel-9",
            "tmpfs",
            "rhel 9.4",
            "rhel-9 has a flag of its kernel's own, and this one is laid over it",
        ),
    ],
)
def test_a_host_that_is_another_gives_no_evidence(name: str, flag: str, running: str, line: str) -> None:
    """Machines elsewhere are what somebody says that they are, until they are asked."""
    with pytest.raises(ReleaseError, match=line):
        is_it(find(name), flag, running)
    # The control.
    assert is_it(find("rhel-9"), "proc", "rhel 9.4")
    assert is_it(find("ubuntu-pro-fips-22.04"), "proc", "ubuntu 22.04")
    assert not is_it(find("ubi-9"), "tmpfs", "rhel 9.4")


def test_what_a_host_is_asked_is_what_it_is(snap_file: Path) -> None:
    """Which file system the flag is in, and ID and VERSION_ID, stand where they are looked for."""
    with make_host(find(HOST), snap_file) as host:
        said = host.run(["sh", "-c", ASKED]).check().stdout
    release, flag, laid, title, running, *_ = said.splitlines()
    here = platform.freedesktop_os_release()
    assert (release, flag, laid) == (os.uname().release, "1", "tmpfs")
    assert (title, running) == (here["PRETTY_NAME"], f"{here['ID']} {here['VERSION_ID']}")


def test_every_system_that_is_not_made_here_says_what_it_is() -> None:
    for system in systems().values():
        assert (system.os is None) is (system.kind not in ("image", "tmt", "pro")), system.name


def test_without_the_key_it_says_nothing(
    below: Path, snap_file: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The control: the same evidence, and a policy that does not have the key."""
    assert main(["verify", str(below / sha256(snap_file)), *options[:2]]) == 1
    assert "is signed by a key that the policy does not have (" in capsys.readouterr().err


def test_the_module_on_a_host_is_explained(
    below: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (module,) = below.glob("*/module.json")
    digest = json.loads(module.read_text())["sha256"]
    assert main(["explain", digest, "--below", str(below), *options]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{digest} is the snap's FIPS module")
    assert f"evidence    {HOST}: Debian GNU/Linux 12" in out
    assert "fips-active, this module in memory and no other; tests: 7 passed, 0 failed, 0 skipped" in out


def test_what_the_builder_said_stays(
    snap_file: Path, key: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A laboratory that adds its host signs nothing but that."""
    words = ["evidence", "--snap", str(snap_file), "--below", str(tmp_path)]
    keys.make(tmp_path / "builder.pem")
    assert main([*words, "--build", "--key", str(tmp_path / "builder.pem")]) == 0
    (folder,) = map(Path, capsys.readouterr().out.split())
    first = (folder / "build.dsse.json").read_bytes()
    assert make._begun(snap_file, subject.subject(snap_file), keys.signer(key), tmp_path) == folder
    assert (folder / "build.dsse.json").read_bytes() == first
    assert main([*words, "--build", "--key", str(key)]) == 0
    assert (folder / "build.dsse.json").read_bytes() != first
    assert main([*words, "--build", "--revision", "8", "--key", str(key)]) == 0
    assert json.loads((folder / "subject.json").read_text())["revision"] == 8


def test_a_host_without_the_flag_gives_no_evidence(
    snap_file: Path, key: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--snap", str(snap_file), "--key", str(key), "--below", str(tmp_path)]
    assert main(["evidence", "namespace-plain", *words]) == 1
    assert capsys.readouterr().err == ("evidence: namespace-plain has no FIPS flag: choose a host that has\n")
    assert main(["evidence", *words]) == 1
    assert capsys.readouterr().err.startswith("evidence: say on which host: WHERE=debian-12-fips")
    assert main(["evidence", "mars", *words]) == 2
    assert capsys.readouterr().err.startswith("evidence: unknown system 'mars'")
    assert not list(tmp_path.iterdir())
