"""The entry point for Certbot: its own main program, in the process that ``boot`` has proven."""

import _thread
import atexit
import gc
import sys
from contextlib import nullcontext

from fips_launch import boot, refusal

ENTRY = "fips-certbot"  # for main.c, which runs no other module by that name


class _Interrupt:
    """Interrupts the process when it goes: as the last thing a function has, where that is called from."""

    __del__ = staticmethod(_thread.interrupt_main)


def interrupt_again(unraisable: "sys.UnraisableHookArgs") -> None:
    """Have an interrupt raised as soon as it can be, which came where Python cannot raise anything.

    Python would print and forget it: importing takes away each module's lock in such a place, so that while
    Certbot was being loaded one interrupt in three hundred was lost.  For `sys.unraisablehook`.
    """
    if unraisable.exc_type is KeyboardInterrupt:
        _ = _Interrupt()
    else:
        sys.__unraisablehook__(unraisable)


def spare_the_collector() -> None:
    """Have garbage looked for less often, for what is loaded stays, and not at the end of the process."""
    gc.set_threshold(2_000, 5, 100)
    atexit.register(gc.freeze)


def stop(error: Exception) -> None:
    """End what needs a module of the snap that cannot be loaded; Certbot puts back what it has begun.

    That is the one lineage, where a plugin for DNS needs it.
    """
    from fips_launch import plugins

    if plugin := plugins.at_work():
        from certbot.errors import PluginError  # type: ignore[import-not-found, unused-ignore]

        raise PluginError(
            f"a part of the plugin {plugin} cannot be loaded: {type(error).__name__}: {error};"
            f" {refusal.REINSTALL}"
        ) from error
    raise refusal.NotLoadedError(
        f"a part of Certbot cannot be loaded: {type(error).__name__}: {error}"
    ) from error


def main() -> None:
    """Run Certbot by its usual name; the exit status is Certbot's own."""
    sys.argv[0] = "certbot"
    sys.unraisablehook = interrupt_again
    try:
        load_and_run()
    finally:  # at exit, one interrupt would end one after the other of what is done there
        sys.unraisablehook = sys.__unraisablehook__


def load_and_run() -> None:
    """Load Certbot and run it; never returns but where it could not be loaded."""
    spare_the_collector()
    try:
        import lazy_imports
        from certbot.main import main as certbot_main  # type: ignore[import-not-found, unused-ignore]

        from fips_launch import trail, words

        fips = boot.decision is None or boot.decision.fips
        trail.follow(fips)
        lazy_imports.failed = stop
    except Exception as error:  # a file of the snap is damaged, or there is not enough memory
        what = f"Certbot cannot be loaded: {type(error).__name__}: {error}"
        return refusal.refuse(what, refusal.REINSTALL)
    try:
        with words.explained() if fips else nullcontext():
            sys.exit(certbot_main())
    except refusal.NotLoadedError as error:
        print(refusal.compose(str(error), refusal.REINSTALL), file=sys.stderr)
        sys.exit(refusal.STATUS)


if __name__ == "__main__":
    main()
