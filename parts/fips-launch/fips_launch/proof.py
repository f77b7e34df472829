"""The entry point `fips-prove CONFIG`: the proof in a process of its own, with that config, on any host.

The install hook asks it before a config is selected.
"""

import os
import sys

from fips_launch import boot, place, prove

ENTRY = "fips-prove"  # for main.c, which runs no other module by that name


def main() -> None:
    """Prove that libcrypto is in FIPS mode with a config; ends the process if it is not."""
    try:
        here = place.find()
        os.environ.update(here.select(True))
        if len(sys.argv) != 2:
            raise prove.NotProvenError("fips-prove takes one argument, a config")
        os.environ["OPENSSL_CONF"] = sys.argv[1]
        prove.prove(here, True)
    except BaseException as error:
        boot.end("FIPS is not proven", error)


if __name__ == "__main__":
    main()
