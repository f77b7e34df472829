"""The entry point for Certbot: its own main program, in the process that ``boot`` has proven."""

import os
import sys

from fips_launch import environment, refusal


def main() -> None:
    """Run Certbot by its usual name; the exit status is Certbot's own."""
    if "SNAP" in os.environ:  # run by snapd, so there is a snapd to ask for plugins
        environment.keep_private("CERTBOT_SNAPPED", "True")
    sys.argv[0] = "certbot"
    try:
        from certbot.main import main as certbot_main  # type: ignore[import-not-found, unused-ignore]
    except Exception as error:  # a file of the snap is damaged, or there is not enough memory
        what = f"Certbot cannot be loaded: {type(error).__name__}: {error}"
        return refusal.refuse(what, refusal.REINSTALL)
    sys.exit(certbot_main())


if __name__ == "__main__":
    main()
