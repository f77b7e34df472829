"""The entry point for Certbot: its own main program, in the process that ``boot`` has proven."""

import atexit
import gc
import sys

from fips_launch import boot, refusal

ENTRY = "fips-certbot"  # for main.c, which runs no other module by that name


def spare_the_collector() -> None:
    """Have garbage looked for less often, for what is loaded stays, and not at the end, when all memory goes."""
    gc.set_threshold(10_000, 20, 100)
    atexit.register(gc.freeze)


def main() -> None:
    """Run Certbot by its usual name; the exit status is Certbot's own."""
    sys.argv[0] = "certbot"
    spare_the_collector()
    try:
        from certbot.main import main as certbot_main  # type: ignore[import-not-found, unused-ignore]

        from fips_launch import trail, words

        fips = boot.decision is None or boot.decision.fips
        trail.follow(fips)
    except Exception as error:  # a file of the snap is damaged, or there is not enough memory
        what = f"Certbot cannot be loaded: {type(error).__name__}: {error}"
        return refusal.refuse(what, refusal.REINSTALL)
    if fips:
        with words.explained():
            sys.exit(certbot_main())
    sys.exit(certbot_main())


if __name__ == "__main__":
    main()
