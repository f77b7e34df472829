"""Machines elsewhere: what has to be there, and that a subscription is given back whatever happens.

No virtual machine can be made here: multipass is a stand-in, and tmt writes down where a machine would be.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tools.hosts import HostError, HostRefusedError, elsewhere
from tools.hosts.elsewhere import MultipassHost, TmtHost

LAUNCH = "multipass launch 22.04 --name NAME --cpus 2 --memory 4G --disk 20G"
END = ["pro detach --assume-yes", "multipass delete --purge NAME"]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Stand-ins write what they are asked; this reads it, but for commands that are run there."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("multipass", "multipass.guest"):
        stand_in = PROJECT / "tests/hosts" / name.replace("multipass", "multipass_stand_in")
        (programs / name).symlink_to(stand_in)
    monkeypatch.setenv("PATH", f"{programs}:/usr/sbin:/usr/bin:/sbin:/bin")
    monkeypatch.setenv("STAND_IN", str(tmp_path))
    monkeypatch.setenv("FLAG", str(PROJECT / "tools/hosts/fips_flag.sh"))
    monkeypatch.setenv("UBUNTU_PRO_TOKEN", "secret-token")

    def asked() -> list[str]:
        lines = (tmp_path / "asked").read_text().splitlines()
        return [line for line in lines if line != "multipass exec"]

    return asked


def test_a_machine_is_attached_brought_into_fips_mode_and_given_back(
    machine: Callable[[], list[str]], tmp_path: Path
) -> None:
    with MultipassHost("22.04", "fips-updates/stable") as host:
        assert host.run(["cat", "/proc/sys/crypto/fips_enabled"]).stdout == "1\n"
        assert host.run(["sh", "-c", "cat; exit 3"], stdin="in").returncode == 3
    assert machine() == [
        LAUNCH,
        "pro attach --attach-config /run/pro-attach.yaml",
        "pro enable fips-updates --assume-yes",
        "multipass restart NAME",
        "snap install core24 --channel=fips-updates/stable",
        *END,
    ]
    host.down()  # twice is safe
    assert machine()[-2:] == END
    # The token went in by a file that root alone could read, and by no command line.
    assert (tmp_path / "attached").read_text() == "enable_services: []\ntoken: secret-token\n600\n"
    assert "secret-token" not in (tmp_path / "asked").read_text()


@pytest.mark.parametrize(
    ("fails", "line"),
    [
        ("pro attach", "ended with 1: pro attach: no"),
        ("pro enable", "ended with 1: pro enable: no"),
        ("restart", "multipass restart failed: restart failed: no more disks"),
        ("snap install", "ended with 1: snap install: no"),
    ],
)
def test_it_is_given_back_where_something_fails(
    machine: Callable[[], list[str]], tmp_path: Path, fails: str, line: str
) -> None:
    (tmp_path / "fails").write_text(f"{fails}\n")
    with pytest.raises(HostError, match=line), MultipassHost("22.04", "fips-updates/stable"):
        pytest.fail("it cannot come up")
    assert machine()[-2:] == END


def test_it_is_given_back_where_the_work_fails(machine: Callable[[], list[str]]) -> None:
    with pytest.raises(KeyboardInterrupt), MultipassHost("22.04"):
        raise KeyboardInterrupt
    assert machine()[-2:] == END


def test_what_was_not_made_needs_no_giving_back(machine: Callable[[], list[str]], tmp_path: Path) -> None:
    (tmp_path / "fails").write_text("launch\n")
    with pytest.raises(HostError, match="multipass launch failed"), MultipassHost("22.04"):
        pytest.fail("it cannot come up")
    assert machine() == [LAUNCH, END[1]]


def test_a_subscription_that_is_not_given_back_is_told(
    machine: Callable[[], list[str]], tmp_path: Path
) -> None:
    (tmp_path / "fails").write_text("pro detach\n")
    with pytest.raises(HostError, match="pro detach: no"), MultipassHost("22.04"):
        pass
    assert machine()[-2:] == END


def test_what_was_cut_off_is_given_back_later(machine: Callable[[], list[str]], tmp_path: Path) -> None:
    (tmp_path / "machines").write_text("Name,State\ncertbot-fips-0123abcd,Running\nprimary,Running\n")
    elsewhere.remove_orphans()
    assert machine() == ["multipass list --format csv", *END]


@pytest.mark.usefixtures("machine")
def test_a_kernel_without_the_flag_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The control: a machine that starts anew with a kernel that knows no FIPS."""
    (tmp_path / "no.sh").write_text("")
    monkeypatch.setenv("FLAG", str(tmp_path / "no.sh"))
    with pytest.raises(HostError, match="its kernel is not in FIPS mode"), MultipassHost("22.04"):
        pytest.fail("it is no FIPS host")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what tmt imports
def test_where_tmt_has_a_machine_is_read_as_tmt_writes_it() -> None:
    import tmt.utils
    from tmt._compat.pathlib import Path as TmtPath
    from tmt.guest import GuestSshData

    host = TmtHost("centos-stream-9", "centos-stream-9")
    written = Path(host._folder.name, "run/plans/centos-stream-9/provision/guests")
    written.parent.mkdir(parents=True)
    data = GuestSshData(primary_address="127.0.0.1", port=10022, key=[TmtPath("/key")], user="root")
    tmt.utils.write_state(TmtPath(written), {"default-0": data.to_serialized()})
    host._found()
    assert host.reaching()[-5:] == ["-p", "10022", "-i", "/key", "root@127.0.0.1"]


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("UBUNTU_PRO_TOKEN", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostRefusedError, match="the program multipass is missing"):
        MultipassHost("22.04").up()
    (tmp_path / "multipass").touch(0o755)
    with pytest.raises(HostRefusedError, match="export UBUNTU_PRO_TOKEN"):
        MultipassHost("22.04").up()
    with pytest.raises(HostRefusedError, match="the program ssh is missing: install it"):
        TmtHost("rhel-9", None).up()
    for name in ("ssh", "rsync", "ansible-playbook"):
        (tmp_path / name).touch(0o755)
    monkeypatch.delenv("GUEST", raising=False)
    with pytest.raises(HostRefusedError, match=r"rhel-9 has to be there already: .*GUEST=address"):
        TmtHost("rhel-9", None).up()
