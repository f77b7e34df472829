"""The install and post-refresh hooks: the module's self-tests, on the machine where the snap is installed.

Run there again after every refresh, by the module release's own `openssl fipsinstall`.
"""

import os
import subprocess

from fips_launch import config, place, refusal
from fips_launch.files import write


def prove(here: place.Place, path: str) -> None:
    """Prove a config in a process of its own; ValueError if it is not proven."""
    done = subprocess.run([here.fips_prove, path], stderr=subprocess.PIPE, text=True, errors="replace")
    if done.returncode != 0:
        lines = done.stderr.splitlines() or [f"the proof ended with {done.returncode}"]
        raise ValueError(refusal.parse(lines[-1])[0])


def install(here: place.Place) -> None:
    """Install the module on this machine: self-tests, config, and the proof in a process of its own.

    :raises ValueError, OSError: one of them failed; nothing is selected then.
    """
    text = config.make(here.provider_openssl, here.module, here.template)
    with open(config.regular(here.fips_config), encoding="ascii") as built:
        if text != built.read():
            raise ValueError("the module or its config is not what the snap was built with")
    unproven = here.installed_config + ".unproven"
    write(unproven, text)
    prove(here, unproven)
    os.rename(unproven, here.installed_config)
    folder, name = os.path.split(here.installed_config)
    for other in list(
        os.scandir(folder)
    ):  # the old revision's, copied by snapd; what a hook left that was killed
        if other.name != name and not other.is_dir(follow_symlinks=False):
            os.remove(other.path)
