"""What snapd's hooks do; a hook that fails makes snapd undo the install, the refresh or the `set`.

The module's self-tests run here, on the machine where the snap is installed and again after every
refresh, by the module release's own `openssl fipsinstall`.
"""

import os
import sys

from fips_launch import config, decide, place, prove


def _write(path: str, text: str) -> None:
    """Write a file that all may read, and wait until it is on the disk; OSError if that fails."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def install(here: place.Place) -> None:
    """Install the module on this machine: self-tests, config, and the proof in a process of its own.

    :raises ValueError, OSError: one of them failed; nothing is selected then.
    """
    text = config.make(here.provider_openssl, here.module, here.template)
    with open(here.fips_config, encoding="ascii") as built:
        if text != built.read():
            raise ValueError("the module or its config is not what the snap was built with")
    candidate = here.installed_config + ".new"
    _write(candidate, text)
    config.run(here.python, *prove.COMMAND, candidate, variables=os.environ)
    os.rename(candidate, here.installed_config)
    folder, name = os.path.split(here.installed_config)
    for other in os.listdir(folder):  # the old revision's, copied by snapd
        if other != name:
            os.remove(f"{folder}/{other}")


def configure(here: place.Place) -> None:
    """Check and keep the setting `fips` of `snap set`.

    :raises ValueError, OSError: its value is unknown, the text has the list; or it cannot be kept.
    """
    value = config.run("snapctl", "get", "fips", variables=os.environ).strip() or "auto"
    if value not in decide.SETTINGS:
        raise ValueError(f"fips={value[:40]!r} is unknown: set it to one of {', '.join(decide.SETTINGS)}")
    _write(here.setting + ".new", value + "\n")
    os.rename(here.setting + ".new", here.setting)


HOOKS = {"install": install, "post-refresh": install, "configure": configure}


def main() -> None:
    """Run the hook named on the command line: `python3 -m fips_launch.hooks NAME`."""
    here = place.find()
    try:
        if not here.setting:
            raise ValueError(f"{here.root} was not installed by snapd")
        HOOKS[sys.argv[1]](here)
    except (ValueError, OSError) as error:
        sys.exit("certbot-fips: " + " ".join(f"{sys.argv[1]} hook: {error}".split()))


if __name__ == "__main__":
    main()
