"""The entry points that the launcher does not prove run nothing but the doctor, the hooks, and the proof."""

import re

import pytest

from tests.snap.support import SNAP, MakeHost
from tools.hosts import NamespaceHost
from tools.hosts.base import LOGIN_ENVIRONMENT

PYTHON = f"{SNAP}/usr/bin/python3"
#: With an argument that does no harm, and the exit status for arguments that are wrong.
ENTRY_POINTS = {
    "fips-doctor": ("--help", 2),
    "fips-hook": ("no-such-hook", 1),
    "fips-prove": ("/run/hostile/no-such-config", 78),
}
ESCAPES = [
    ["-c", "print('escaped')"],
    ["-m", "escaped"],
    ["-i"],
    ["-"],
    ["/run/hostile/escaped.py"],
    ["--", "-c", "print('escaped')"],
    ["-S", "-c", "print('escaped')"],
    ["-X", "importtime", "-c", "print('escaped')"],
    ["--json", "-c", "print('escaped')"],
    ["configure", "-c", "print('escaped')"],
]


def hostile(host: NamespaceHost) -> None:
    """Put modules of every name that could be picked up into a folder."""
    names = "escaped json os sitecustomize usercustomize fips_doctor fips_hooks fips_launch encodings"
    script = (
        "mkdir -p /run/hostile; cd /run/hostile;"
        f"for name in {names}; do echo \"print('escaped')\" > $name.py; done"
    )
    host.run(["sh", "-euc", script]).check()


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
@pytest.mark.parametrize("arguments", ESCAPES, ids=" ".join)
def test_no_argument_runs_anything_else(
    flagged: NamespaceHost, entry_point: str, arguments: list[str]
) -> None:
    hostile(flagged)
    for command in (
        [f"{SNAP}/usr/bin/{entry_point}"],
        ["bash", "-c", f'exec -a {entry_point} {PYTHON} "$@"', "sh"],
    ):
        result = flagged.run([*command, *arguments], stdin="print('escaped')\n", cwd="/run/hostile")
        assert result.returncode == ENTRY_POINTS[entry_point][1]
        assert result.stdout == ""
        assert len(result.stderr.splitlines()) == 1
        assert result.stderr.startswith("certbot-fips: ")


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PYTHONPATH", "/run/hostile"),
        ("PYTHONHOME", "/run/hostile"),
        ("PYTHONSTARTUP", "/run/hostile/escaped.py"),
        ("PYTHONINSPECT", "1"),
        ("PYTHONUSERBASE", "/run/hostile"),
        ("PYTHONBREAKPOINT", "escaped.run"),
        ("HOME", "/run/hostile"),
    ],
)
def test_no_variable_runs_anything_else(
    flagged: NamespaceHost, entry_point: str, name: str, value: str
) -> None:
    hostile(flagged)
    result = flagged.run(
        [f"{SNAP}/usr/bin/{entry_point}", ENTRY_POINTS[entry_point][0]],
        env={**LOGIN_ENVIRONMENT, name: value},
        stdin="print('escaped')\n",
        cwd="/run/hostile",
    )
    assert "escaped" not in result.stdout + result.stderr


def test_a_link_elsewhere_with_an_entry_points_name(flagged: NamespaceHost) -> None:
    """What is run is this snap's, wherever the link lies and whatever lies beside it."""
    hostile(flagged)
    flagged.run(["ln", "-sfn", f"{SNAP}/usr/bin/python3.13", "/run/hostile/fips-doctor"]).check()
    result = flagged.run(["/run/hostile/fips-doctor", "--help"], cwd="/run/hostile").check()
    assert result.stdout.startswith("usage: certbot-fips.doctor")


@pytest.mark.parametrize(
    "command",
    [["fips-doctor"], ["fips-doctor", "--json"], ["fips-hook", "install"], ["fips-hook", "configure"]],
)
def test_no_libcrypto_in_it(make_host: MakeHost, command: list[str]) -> None:
    """The loader itself writes down, for each process, what it loads; the children are the control."""
    host = make_host()
    variables = {**LOGIN_ENVIRONMENT, "LD_DEBUG": "files", "LD_DEBUG_OUTPUT": "/run/loaded"}
    script = f'echo $$; exec {SNAP}/usr/bin/"$@"'
    result = host.run(["sh", "-c", script, "sh", *command], env=variables)
    pid = result.stdout.splitlines()[0]

    def loaded(name: str) -> set[str]:
        return set(re.findall(r"calling init: (\S+)", host.run(["cat", name]).stdout))

    own = loaded(f"/run/loaded.{pid}")
    assert any("libc.so.6" in path for path in own)
    names = [path.rpartition("/")[2] for path in own]
    assert not [name for name in names if re.search("crypto|ssl|fips|hashlib", name)]
    if "configure" not in command:
        others = host.run(["sh", "-c", "ls /run/loaded.*"]).stdout.split()
        assert any("libcrypto.so.3" in path for name in others for path in loaded(name))
