"""A snap that is broken, on a FIPS host: one line on stderr and exit 78, never a run without FIPS."""

import json

import pytest

from tests.snap.support import MADE_HERE, SNAP, MakeHost
from tools.architecture import ARCHITECTURE
from tools.hosts import NamespaceHost, Result

ENTRY_POINTS = {
    "certbot": ["certbot-fips", "--version"],
    "renew": ["snap", "run", "certbot-fips.renew"],
    "python3": ["certbot-fips.python3", "-c", "print('ran')"],
    "python3 -S": ["/snap/certbot-fips/current/usr/bin/python3", "-S", "-c", "print('ran')"],
    "openssl": ["certbot-fips.openssl", "version"],
    "shell": ["snap", "run", "--shell", "certbot-fips", "-c", "python3 -c 'print(\"ran\")'"],
}
MODULE = "usr/lib/ossl-modules/fips.so"
CONFIG = "etc/ssl/openssl.cnf"
PIPE = 'rm "$0"; mkfifo "$0"'
#: What is done to which file of the mounted snap: shell, with the file as "$0".
DAMAGE = {
    "module missing": (MODULE, 'rm "$0"'),
    "module empty": (MODULE, ': > "$0"'),
    "module is a folder": (MODULE, 'rm "$0"; mkdir "$0"'),
    "module with one byte flipped": (
        MODULE,
        'printf "\\377" | dd of="$0" bs=1 seek=700000 conv=notrunc status=none',
    ),
    "module cut short": (MODULE, 'truncate -s 1000000 "$0"'),
    "module is another library": (MODULE, f'cp /lib/{ARCHITECTURE.triplet}/libz.so.1 "$0"'),
    "libcrypto missing": ("usr/lib/libcrypto.so.3", 'rm "$0"'),
    "libcrypto is the host's": (
        "usr/lib/libcrypto.so.3",
        f'cp /usr/lib/{ARCHITECTURE.triplet}/libcrypto.so.3 "$0"',
    ),
    "config missing": (CONFIG, 'rm "$0"'),
    "config empty": (CONFIG, ': > "$0"'),
    "config is a folder": (CONFIG, 'rm "$0"; mkdir "$0"'),
    "config is a pipe": (CONFIG, PIPE),
    "config not of this syntax": (CONFIG, 'echo "[nonsense" > "$0"'),
    "config without FIPS": (CONFIG, 'cp /etc/ssl/openssl.cnf "$0"'),
    "config with fips=yes as a wish": (CONFIG, 'sed -i "s/fips=yes/?fips=yes/" "$0"'),
    "config without its first line": (CONFIG, 'sed -i /^openssl_conf/d "$0"'),
    "config with another module-mac": (CONFIG, 'sed -i "s/^module-mac.*/module-mac = 00:11/" "$0"'),
}


def damage(host: NamespaceHost, file: str, script: str) -> None:
    """Do something to a file of the mounted, read-only snap: a changed copy of its folder goes on top."""
    folder = f"/snap/certbot-fips/x1/{file.rpartition('/')[0]}"
    name = file.rpartition("/")[2]
    host.run(
        [
            *(
                "sh",
                "-euc",
                'mkdir -p /run/damaged; cp -a "$0"/. /run/damaged; sh -euc "$1" "/run/damaged/$2"',
            ),
            *(folder, script, name),
        ]
    ).check()
    host.run(["mount", "--bind", "/run/damaged", folder]).check()


def assert_refused(result: Result) -> None:
    assert result.returncode == 78, result
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("certbot-fips: ")
    assert "Traceback" not in result.stderr
    assert len(result.stderr) < 400


def assert_each_entry_point_refuses(host: NamespaceHost) -> None:
    for command in ENTRY_POINTS.values():
        assert_refused(host.run(command, timeout=5))


@pytest.mark.provider
def test_a_damaged_module(make_host: MakeHost) -> None:
    assert_damage_is_refused(make_host(), "module with one byte flipped")


@pytest.mark.parametrize("what", sorted(set(DAMAGE) - {"module with one byte flipped"}))
def test_a_damaged_snap(make_host: MakeHost, what: str) -> None:
    assert_damage_is_refused(make_host(), what)


def assert_damage_is_refused(host: NamespaceHost, what: str) -> None:
    damage(host, *DAMAGE[what])
    if DAMAGE[what][0] == CONFIG:  # what the install hook made would be used instead
        host.run(["rm", "-f", MADE_HERE]).check()
    assert_each_entry_point_refuses(host)


@pytest.mark.parametrize(
    "script",
    [': > "$0"', 'echo "[nonsense" > "$0"', 'cp /etc/ssl/openssl.cnf "$0"', 'rm "$0"; mkdir "$0"'],
    ids=["empty", "nonsense", "the host's", "a folder"],
)
def test_damage_to_what_the_install_hook_made(make_host: MakeHost, script: str) -> None:
    host = make_host()
    host.run(["sh", "-euc", script, MADE_HERE]).check()
    assert_each_entry_point_refuses(host)


def test_a_pipe_in_the_configs_place_beside_what_the_install_hook_made(make_host: MakeHost) -> None:
    """libcrypto takes the module's parameters from it, whichever config the launcher has selected."""
    host = make_host()
    damage(host, CONFIG, PIPE)
    assert_each_entry_point_refuses(host)


#: By the module of each entry point, how it is entered.
MODULES = {
    "fips_launch/__pycache__/certbot": ["fips-certbot", "-q", "renew"],
    "fips_launch/__pycache__/chain": ["fips-exec", "/bin/true"],
    "fips_launch/__pycache__/proof": ["fips-prove", MADE_HERE],
    "fips_doctor/__pycache__/__main__": ["fips-doctor"],
    "fips_hooks/__pycache__/__main__": ["fips-hook", "install"],
}
#: With the host's own Python: how it ends with the bytecode of each other module in its place that has a main
#: function, or is one of our own.
REPLACE = """
import glob, json, os, subprocess, sys
library, module, *command = sys.argv[1:]
target = f"{library}/{module}.cpython-313.pyc"
ours = glob.glob(f"{library}/fips_*/__pycache__/*.pyc")
every = glob.glob(f"{library}/**/*.pyc", recursive=True)
others = {path for path in every if b"\\x04main" in open(path, "rb").read()}
ends = {}
for path in sorted({*ours, *others} - {target}):
    subprocess.run(["mount", "--bind", path, target], check=True)
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    subprocess.run(["umount", target], check=True)
    ends[path] = done.returncode, done.stdout, done.stderr
print(json.dumps(ends))
"""


@pytest.mark.parametrize("module", MODULES)
def test_another_modules_bytecode_in_the_place_of_an_entry_points(make_host: MakeHost, module: str) -> None:
    """Else it would be run, may do nothing, and ends well: a renewal that never was.

    It was imported by then: what it says itself, as hashlib does where no digest is, comes before.
    """
    host = make_host()
    command = [f"{SNAP}/usr/bin/{MODULES[module][0]}", *MODULES[module][1:]]
    host.run(command).check()  # the control
    library = f"{SNAP.replace('current', 'x1')}/usr/lib/python3.13"
    ran = host.run(["python3", "-c", REPLACE, library, module, *command], timeout=300).check()
    ends = json.loads(ran.stdout)
    assert len(ends) > 60
    for path, (status, out, err) in ends.items():
        assert (status, out) == (78, ""), path
        last = err.splitlines()[-1]
        assert last.startswith("certbot-fips: cannot start: "), path
        assert not path.startswith(f"{library}/fips_") or last == err.rstrip("\n"), path


@pytest.mark.parametrize("what", ["module missing", "config missing"])
def test_the_same_damage_is_no_matter_on_an_unflagged_host(make_host: MakeHost, what: str) -> None:
    host = make_host(flagged=False)
    damage(host, *DAMAGE[what])
    host.run(["certbot-fips", "--version"]).check()


@pytest.mark.parametrize("flag", ["2\n", "yes", "", "01", "1 0", "\n"])
def test_a_strange_flag_is_on(make_host: MakeHost, flag: str) -> None:
    assert in_fips(make_host(flag_content=flag))


@pytest.mark.parametrize("flag", ["0\n", "0"])
def test_a_flag_of_zero_is_off(make_host: MakeHost, flag: str) -> None:
    assert not in_fips(make_host(flag_content=flag))


@pytest.mark.parametrize(
    ("flagged", "setting", "expected"),
    [
        (True, "auto", True),
        (True, "on", True),
        (True, "off", False),
        (True, "perhaps", True),
        (False, "auto", False),
        (False, "on", True),
        (False, "off", False),
        (False, "perhaps", True),
        (False, "", True),
    ],
)
def test_the_administrators_setting(make_host: MakeHost, flagged: bool, setting: str, expected: bool) -> None:
    host = make_host(flagged=flagged)
    host.run(["tee", "/var/snap/certbot-fips/common/fips"], stdin=setting).check()
    assert in_fips(host) is expected


def in_fips(host: NamespaceHost) -> bool:
    """Tell by what the snap does: MD5 for security is refused, by Python and by openssl alike."""
    python = host.run(["certbot-fips.python3", "-c", "import hashlib; hashlib.md5(b'')"])
    openssl = host.run(["certbot-fips.openssl", "dgst", "-md5", "/dev/null"])
    assert (python.returncode == 0) == (openssl.returncode == 0)
    return python.returncode != 0


def test_bytecode_whose_size_is_damaged_takes_no_gigabytes(flagged: NamespaceHost) -> None:
    """A tuple of two thousand million items, of which three are there; the control: of three."""
    said = []
    for size in (2**31 - 1, 3):
        code = (
            "import marshal, resource\n"
            "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
            f"try: print(marshal.loads(b'(' + ({size}).to_bytes(4, 'little') + b'NNN'))\n"
            "except (EOFError, MemoryError) as error: print(type(error).__name__, error)\n"
        )
        said.append(flagged.run(["certbot-fips.python3", "-c", code]).check().stdout)
    assert said == ["EOFError marshal data too short\n", "(None, None, None)\n"]
