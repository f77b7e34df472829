"""Variables of the caller: each name that a part of the snap could listen to, each kind of value."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

from tools.architecture import ARCHITECTURE
from tools.campaign.fault import HELPLESS, NOTHING, SCRIPTLESS, Fault
from tools.campaign.plan import HOSTILE, SNAP, Plan

_NAMES = {
    "OPENSSL_": "CONF MODULES ENGINES CONF_INCLUDE FORCE_FIPS_MODE FIPS ia32cap TRACE MALLOC_FAILURES RUNTIME"
    " NO_DEFAULT_ZLIB TEST_LIBCTX",
    "PYTHON": "HOME PATH STARTUP OPTIMIZE BREAKPOINT DEBUG DONTWRITEBYTECODE INSPECT IOENCODING NOUSERSITE"
    " UNBUFFERED USERBASE EXECUTABLE WARNINGS FAULTHANDLER TRACEMALLOC HASHSEED MALLOC UTF8 COERCECLOCALE"
    " DEVMODE PLATLIBDIR PYCACHEPREFIX SAFEPATH VERBOSE PROFILEIMPORTTIME CASEOK INTMAXSTRDIGITS GIL"
    " NODEBUGRANGES PERFSUPPORT WARNDEFAULTENCODING CPU_COUNT FROZEN_MODULES ASYNCIODEBUG THREADDEBUG",
    "LD_": "LIBRARY_PATH PRELOAD AUDIT BIND_NOW BIND_NOT DEBUG DEBUG_OUTPUT PROFILE PROFILE_OUTPUT"
    " ORIGIN_PATH SHOW_AUXV USE_LOAD_BIAS HWCAP_MASK DYNAMIC_WEAK TRACE_LOADED_OBJECTS WARN"
    " VERBOSE POINTER_GUARD",
    "": "SSL_CERT_FILE SSL_CERT_DIR SSLKEYLOGFILE CTLOG_FILE RANDFILE REQUESTS_CA_BUNDLE CURL_CA_BUNDLE"
    " http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY NETRC"
    " LANG LC_ALL LC_CTYPE LC_MESSAGES LANGUAGE LOCPATH NLSPATH CHARSET GCONV_PATH GETCONF_DIR TZ TZDIR"
    " GLIBC_TUNABLES MALLOC_CHECK_ MALLOC_PERTURB_ MALLOC_TRACE MALLOC_ARENA_MAX HOSTALIASES RES_OPTIONS"
    " HOME PATH TMPDIR TEMP USER LOGNAME SHELL TERM COLUMNS LINES PWD OLDPWD IFS ENV BASH_ENV SHELLOPTS"
    " XDG_CONFIG_HOME XDG_DATA_HOME XDG_RUNTIME_DIR NO_COLOR FORCE_COLOR DBUS_SESSION_BUS_ADDRESS"
    " SNAP SNAP_DATA SNAP_COMMON SNAP_NAME SNAP_INSTANCE_NAME SNAP_REVISION SNAP_LIBRARY_PATH SNAP_REEXEC"
    " SNAP_SAVED_OPENSSL_CONF SNAP_SAVED_LD_PRELOAD CERTBOT_SNAPPED CERTBOT_DOMAIN CERTBOT_DOCS"
    " AUGEAS_LENS_LIB AUGEAS_ROOT CRYPTOGRAPHY_OPENSSL_NO_LEGACY __PYVENV_LAUNCHER__",
}
NAMES = [prefix + name for prefix, names in _NAMES.items() for name in names.split()]
#: These decide most; they come up more often.
FAVOURITES = (
    *("OPENSSL_CONF", "OPENSSL_MODULES", "PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__"),
    *("LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "SNAP"),
)

PYTHON = "/run/hostile-python"
_FOREIGN = f"/usr/lib/{ARCHITECTURE.triplet}"
VALUES: dict[str, bytes] = {
    "empty": b"",
    "0": b"0",
    "1": b"1",
    "no such path": b"/nonexistent/path",
    "a folder": b"/etc",
    "the root": b"/",
    "/dev/null": b"/dev/null",
    "/dev/zero": b"/dev/zero",
    "/dev/full": b"/dev/full",
    "/dev/stdin": b"/dev/stdin",
    "a pipe nobody writes to": f"{HOSTILE}/pipe".encode(),
    "huge": b"A" * 100_000,
    "many paths": b"/nonexistent:" * 7_000,
    "binary": bytes(range(1, 256)),
    "not UTF-8": b"\xff\xfe\xc3(",
    "lines": b"a\nb\r\n\tc",
    "format": b"%s%n%d{0}$(id)`id`;",
    "relative": b"../../etc/ssl",
    "dots": b".",
    "$ORIGIN": b"$ORIGIN/../lib:$LIB:$PLATFORM",
    "the host's openssl.cnf": b"/etc/ssl/openssl.cnf",
    "the host's library folder": _FOREIGN.encode(),
    "the host's libcrypto": f"{_FOREIGN}/libcrypto.so.3".encode(),
    "the host's libz": f"{_FOREIGN}/libz.so.1".encode(),
    "the host's modules": f"{_FOREIGN}/ossl-modules".encode(),
    "a hostile openssl.cnf": f"{HOSTILE}/openssl.cnf".encode(),
    "hostile modules": HOSTILE.encode(),
    "a hostile libcrypto": f"{HOSTILE}/libcrypto.so.3".encode(),
    "the snap's default config": f"{SNAP}/etc/ssl/default.cnf".encode(),
    "the snap's provider libcrypto": f"{SNAP}/usr/libexec/fips-provider/libcrypto.so.3".encode(),
    "the snap's folder": SNAP.encode(),
    "a hostile Python's program": f"{PYTHON}/bin/python3".encode(),
    "a hostile Python's folder": PYTHON.encode(),
    "a hostile Python's library": f"{PYTHON}/lib/python3.13".encode(),
    "a locale": b"tr_TR.ISO-8859-9",
    "C": b"C",
    "glibc": b"glibc.malloc.check=3:glibc.rtld.optional_static_tls=0:glibc.cpu.hwcaps=-AVX2,-SHA",
    "capabilities of no processor": b"~0xffffffffffffffff:~0xffffffffffffffff",
    "error": b"error",
    "all": b"all",
    "a URL": b"http://127.0.0.1:9",
}
#: The loader or the shell answers itself, or the host's programs on the way can no longer be found.
_LOADER = {"LD_TRACE_LOADED_OBJECTS", "LD_AUDIT", "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_PROFILE"}


def draw(random: Random) -> Fault:
    """Draw one variable and its value, or its absence."""
    name = random.choice(FAVOURITES if random.random() < 0.3 else NAMES)
    if random.random() < 0.04:
        return Fault("environment", f"{name} is missing", _unset(name))
    value = random.choice(sorted(VALUES))
    if name in ("PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__") and len(VALUES[value]) > 5000:
        value = "empty"  # the host's own Python, which is a stand-in for `snap run`, would fail
    if (name.startswith("LD_") or name == "TZ") and value.startswith("a pipe"):
        value = "empty"  # the loader waits for it before there is any program; the C library, in any program
    return variable(name, value)


def variable(name: str, value: str) -> Fault:
    """Return the fault that a variable has a value, which is one of VALUES."""
    beyond = "pipe" in value or (name == "LD_PRELOAD" and "libcrypto" in value)
    return Fault("environment", f"{name} is {value}", _set(name, VALUES[value]), beyond)


def _set(name: str, value: bytes) -> Callable[[Plan], None]:
    def apply(plan: Plan) -> None:
        plan.env[name.encode()] = value
        if name in _LOADER:
            plan.excuses |= {HELPLESS, NOTHING} if name == "LD_TRACE_LOADED_OBJECTS" else {HELPLESS}
        if name == "TZ" and value == VALUES["/dev/stdin"]:
            plan.excuses.add(SCRIPTLESS)  # the C library reads it
        if name == "PATH":
            plan.excuses.add(HELPLESS)

    return apply


def _unset(name: str) -> Callable[[Plan], None]:
    def apply(plan: Plan) -> None:
        plan.env.pop(name.encode(), None)
        if name == "PATH":
            plan.excuses.add(HELPLESS)

    return apply


def make_python(root: Path) -> None:
    """Make the Python that hostile values name: the snap's, with a launcher that selects no FIPS."""
    library = root / "lib/python3.13"
    library.mkdir(parents=True)
    source = Path(f"{SNAP}/usr/lib/python3.13")
    for each in (root.parent.parent / source.relative_to("/")).iterdir():
        if each.name != "fips_launch":
            (library / each.name).symlink_to(source / each.name)
    (library / "fips_launch").mkdir()
    (library / "fips_launch/__init__.py").touch()
    (library / "fips_launch/boot.py").write_text(
        "import os\nos.environ['OPENSSL_CONF'] = '/dev/null'\ndef run(): pass\n"
    )
    (root / "bin").mkdir()
    (root / "bin/python3").symlink_to("/bin/true")


def make_hostile(case: Path, libcrypto: Path) -> None:
    """Make the files that hostile values name: a config without FIPS, modules and packages of an enemy."""
    folder = case / "hostile"
    folder.mkdir()
    (folder / "openssl.cnf").write_text(_HOSTILE_CONFIG)
    os.mkfifo(folder / "pipe")
    (folder / "libcrypto.so.3").symlink_to(libcrypto)
    for name in ("sitecustomize", "usercustomize", "_hashlib", "ssl", "os", "fips_launch", "json"):
        (folder / f"{name}.py").write_text(f"print('hostile {name}')\n")


_HOSTILE_CONFIG = """openssl_conf = init
[init]
providers = providers
[providers]
default = without
[without]
activate = 1
"""
