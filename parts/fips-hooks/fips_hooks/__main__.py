"""Run the hook named on the command line: `fips-hook NAME`.

A hook that fails makes snapd undo the install, the refresh, the `set` or the connection.
"""

import os
import sys
from collections.abc import Callable

from fips_hooks import module, settings, timers
from fips_launch import environment, place
from fips_launch.refusal import PREFIX

ENTRY = "fips-hook"  # for main.c, which runs no other module by that name


def check_health(here: place.Place) -> None:
    """Report health; the doctor is loaded only for this, so that no fault in it stops another hook."""
    from fips_hooks import health

    settings.compare(here)
    health.check(here)


def configure(here: place.Place) -> None:
    """Keep the setting; it is also what snapd runs after a refresh, when it has started the timers."""
    settings.configure(here)
    try:
        timers.restore(here)
    except (OSError, ValueError, KeyError) as error:  # no reason to undo a refresh, or to refuse a setting
        print(f"{PREFIX}the timers are not as they were before the refresh: {error}", file=sys.stderr)


def pre_refresh(here: place.Place) -> None:
    """Keep what timers are stopped; whatever fails here must not stand in a refresh's way."""
    try:
        timers.keep(here)
    except (OSError, ValueError, KeyError) as error:
        print(f"{PREFIX}which timers are stopped cannot be kept: {error}", file=sys.stderr)


HOOKS: dict[str, Callable[[place.Place], None]] = {
    "install": module.install,
    "post-refresh": module.install,
    "pre-refresh": pre_refresh,
    "configure": configure,
    "check-health": check_health,
    "prepare-plug-plugin": settings.prepare_plug_plugin,
}


def main(arguments: list[str]) -> None:
    """Run one hook; exits with one line if it fails."""
    if len(arguments) != 1 or arguments[0] not in HOOKS:
        sys.exit(f"{PREFIX}a hook's name is needed, one of: {', '.join(HOOKS)}")
    try:
        here = place.find()
        if not here.instance:
            raise ValueError(f"{here.root} was not installed by snapd")
        environment.scrub(here.root)
        os.environ.update(environment.snapd)  # snapctl answers nobody else
        HOOKS[arguments[0]](here)
    except Exception as error:  # whatever is broken, one line
        sys.exit(PREFIX + " ".join(f"{arguments[0]} hook: {error}".split()))


if __name__ == "__main__":
    main(sys.argv[1:])
