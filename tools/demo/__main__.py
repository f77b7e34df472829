"""Get a certificate with the packed snap on a FIPS-flagged host made here; show that FIPS was really used.

Exit status: 0 when everything held; 1 with one line on stderr when something did not, or could not be shown
on this machine; 2 for wrong arguments; 130 when interrupted.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tools import architecture
from tools.acme.certificate import CertificateError
from tools.demo.steps import Demo, NotShownError
from tools.hosts import HostError, newest_snap
from tools.observe import ObserveError

PROJECT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run the demo; return the exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.demo", description=__doc__.splitlines()[0])
    parser.add_argument("snap", nargs="?", type=Path, help="the packed snap (default: the newest in dist/)")
    arguments = parser.parse_args()
    began = time.monotonic()
    try:
        if complaint := architecture.complaint():
            raise NotShownError(complaint)
        Demo(arguments.snap or newest_snap()).run()
    except (NotShownError, HostError, ObserveError, CertificateError) as error:
        sys.stdout.flush()
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: interrupted; nothing is left behind", file=sys.stderr)
        return 130
    print(f"   ({time.monotonic() - began:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
