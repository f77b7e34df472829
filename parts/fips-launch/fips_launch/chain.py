"""The entry point for a program of the snap that is not Python: `fips-exec PROGRAM [ARGUMENT ...]`.

A command-chain wrapper of snapd.  ``boot`` has proven FIPS in this process, with the same libcrypto,
module and config that the program is about to load.
"""

import os
import sys

from fips_launch import boot, place, refusal

ENTRY = "fips-exec"  # for main.c, which runs no other module by that name


def privileged(program: str) -> bool:
    """Tell whether a program would start with more rights than the caller: setuid, setgid, capabilities.

    Its loader and its libcrypto then ignore where our libraries and config are (AT_SECURE, ld.so(8)).
    """
    try:
        return bool(os.stat(program).st_mode & 0o6000) or "security.capability" in os.listxattr(program)
    except OSError:  # no such program, which execve will say, or a file system without such things
        return False


def main() -> None:
    """Replace this process by the program, with the selected config and else the host's environment."""
    if boot.decision is None or len(sys.argv) < 2:
        refusal.refuse("fips-exec needs a program to run", "use the snap's own commands, see `snap info`")
        return
    if privileged(sys.argv[1]):
        what = f"{sys.argv[1]} is setuid or has capabilities, and would not use this snap's OpenSSL"
        refusal.refuse(what, "take these rights from it")
    variables = {name: value for name, value in os.environ.items() if not name.startswith("OPENSSL_")}
    variables |= place.find().select(boot.decision.fips)
    try:
        os.execve(sys.argv[1], sys.argv[1:], variables)
    except OSError as error:
        refusal.refuse(f"cannot run {sys.argv[1]}: {error}", refusal.REINSTALL)


if __name__ == "__main__":
    main()
