"""The command `SNAP.doctor`: one screen, or `--json`.

Exit status 0: as it should be; 1: not as it should be; 2: it could not be told.
"""

import os
import sys

from fips_launch import place
from fips_launch.refusal import PREFIX

ENTRY = "fips-doctor"  # for main.c, which runs no other module by that name
USAGE = f"usage: {place.NAME}.doctor [--json]"


def main(arguments: list[str]) -> int:
    """Examine and print; return the exit status."""
    if arguments not in ([], ["--json"]):
        asked = arguments == ["--help"]
        print(f"{USAGE}\n{__doc__}" if asked else PREFIX + USAGE, file=None if asked else sys.stderr)
        return 0 if asked else 2
    try:
        from fips_doctor import report
        from fips_launch import environment

        here = place.find()
        environment.scrub(here.root)
        found = report.examine(here)
        sys.stdout.write(found.json() if arguments else found.screen())
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # whatever is broken, one line
        print(f"{PREFIX}the doctor is broken too: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    return found.exit_status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
