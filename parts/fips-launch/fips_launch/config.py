"""Makes the FIPS config of OpenSSL: our template, and what the module's own `fipsinstall` says.

The one place where it is made: for the snap by the recipe, on the machine by the install hook.  Needs
no other file, so that any Python 3.11 or later can run it for the recipe:
`python3 config.py OPENSSL MODULE TEMPLATE > openssl.cnf`.
"""

import os
import struct
import subprocess
import sys
from collections.abc import Mapping
from functools import partial

PLACEHOLDER = "@FIPS_SECT@"


def run(program: str, *arguments: str, variables: Mapping[str, str], loader: str = "") -> str:
    """Return what a program wrote to stdout; ValueError with its last line of stderr if it failed.

    :param loader: runs a program that is no executable file (ld.so(8)).
    """
    command = [*filter(None, [loader]), program, *arguments]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        end = f"exit status {done.returncode}" if done.returncode > 0 else f"signal {-done.returncode}"
        lines = done.stderr.strip().splitlines() or [f"ended with {end}"]
        raise ValueError(f"{os.path.basename(program)}: {lines[-1]}")
    return done.stdout


def loader_of(program: str) -> str:
    """Return the loader that a program of ELF-64 names (elf(5): PT_INTERP); ValueError if it names none."""
    with open(program, "rb") as file:
        content = file.read()
    try:
        start, size, count = struct.unpack_from("<Q14xHH", content, 32)
        for at in range(start, start + size * count, size):
            kind, offset, length = struct.unpack_from("<I4xQ16xQ", content, at)
            if kind == 3:  # PT_INTERP
                return content[offset : offset + length].rstrip(b"\0").decode()
    except (struct.error, UnicodeDecodeError):
        pass
    raise ValueError(f"{program} is damaged")


def regular(path: str) -> str:
    """Return the path of a regular file; ValueError if it is none: a pipe would be waited for."""
    if not os.path.isfile(path):
        raise ValueError(f"{path} is missing or no file")
    return path


def render(template: str, section: str) -> str:
    """Return the text of the config.

    :param template: a config with a line that is :data:`PLACEHOLDER`.
    :param section: the section ``[fips_sect]`` that fipsinstall wrote.
    :raises ValueError: one of the two is not that, or the section says that the self-tests are done
        (``install-status``: OpenSSL would skip them, and forbids to copy such a section).
    """
    pairs = [line.partition("=") for line in section.splitlines()]
    values = {name.strip(): value.strip() for name, _, value in pairs}
    if "[fips_sect]" not in values or not values.get("module-mac") or values.get("activate") != "1":
        raise ValueError("fipsinstall wrote no [fips_sect] with activate = 1 and a module-mac")
    if "install-status" in values or "install-mac" in values:
        raise ValueError("fipsinstall wrote install-status; this module's self-tests must always run")
    if template.splitlines().count(PLACEHOLDER) != 1:
        raise ValueError(f"the template has no line {PLACEHOLDER}, or more than one")
    return template.replace(f"\n{PLACEHOLDER}\n", f"\n{section.strip()}\n")


def approved_groups(template: str) -> list[str]:
    """Return the TLS groups that a config names, in OpenSSL's names; what is approved stands there alone.

    :param template: a config with a line ``Groups``; SSL_CTX_set1_groups_list(3) has its syntax.
    """
    lines = [line.partition("=") for line in template.splitlines()]
    listed = [value for name, _, value in lines if name.strip() == "Groups"]
    return [group.strip("?* ") for group in ":".join(listed).split(":")]


def make(openssl: str, module: str, template: str) -> str:
    """Run the module's self-tests and return the config for it.

    :param openssl: the program of the module's own release; the others are files too.
    :raises ValueError, OSError: a self-test failed, or a file is missing or wrong.
    """
    for path in (openssl, module, template):
        regular(path)
    # Only so it starts: nobody is to compute anything else with a program that has no FIPS.
    ask = partial(run, openssl, variables={"OPENSSL_CONF": os.devnull}, loader=loader_of(openssl))
    # 3.0.x has no -pedantic, and must be told not to write that the self-tests are done.
    pedantic = "pedantic" in ask("list", "-options", "fipsinstall")
    option = "-pedantic" if pedantic else "-self_test_onload"
    section = ask("fipsinstall", option, "-quiet", "-module", module)
    with open(template, encoding="ascii") as file:
        return render(file.read(), section)


if __name__ == "__main__":
    try:
        sys.stdout.write(make(*sys.argv[1:]))
    except (OSError, ValueError, TypeError) as error:
        sys.exit(f"no FIPS config made: {error}")
