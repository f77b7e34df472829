"""The two doors that work when the snap is broken lead nowhere but to the doctor and the hooks."""

import re

import pytest

from tests.snap.support import SNAP, MakeHost
from tools.hosts import NamespaceHost
from tools.hosts.base import LOGIN_ENVIRONMENT

PYTHON = f"{SNAP}/usr/bin/python3"
DOORS = {"fips-doctor": "--help", "fips-hook": "no-such-hook"}
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


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("arguments", ESCAPES, ids=" ".join)
def test_no_argument_runs_anything_else(flagged: NamespaceHost, door: str, arguments: list[str]) -> None:
    hostile(flagged)
    for command in ([f"{SNAP}/usr/bin/{door}"], ["bash", "-c", f'exec -a {door} {PYTHON} "$@"', "sh"]):
        result = flagged.run([*command, *arguments], stdin="print('escaped')\n", cwd="/run/hostile")
        assert result.returncode in (1, 2)
        assert result.stdout == ""
        assert len(result.stderr.splitlines()) == 1
        assert result.stderr.startswith("certbot-fips: ")


@pytest.mark.parametrize("door", DOORS)
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
def test_no_variable_runs_anything_else(flagged: NamespaceHost, door: str, name: str, value: str) -> None:
    hostile(flagged)
    result = flagged.run(
        [f"{SNAP}/usr/bin/{door}", DOORS[door]],
        env={**LOGIN_ENVIRONMENT, name: value},
        stdin="print('escaped')\n",
        cwd="/run/hostile",
    )
    assert "escaped" not in result.stdout + result.stderr


def test_a_link_elsewhere_with_the_doors_name(flagged: NamespaceHost) -> None:
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
