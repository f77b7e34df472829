"""Try a plugin snap of others, in a process of its own: `python3 -m fips_launch.try_plugin FOLDER`.

Prints as JSON what Certbot would find in the folder, and why any of it is not used.
"""

import importlib.metadata
import json
import os
import sys

from fips_launch import place, plugins

GROUPS = ("certbot.plugins", "letsencrypt.plugins")  # of entry points, by which Certbot finds plugins


def attempt(folder: str) -> dict[str, object]:
    """Load a folder's plugins as Certbot would.

    :return: `loads`, the names of the plugins that do, and `fails`, why the others do not, empty if all do.
    """
    loads: list[str] = []
    fails = plugins.use([folder])
    for distribution in () if fails else importlib.metadata.distributions(path=[folder]):
        for entry_point in (each for each in distribution.entry_points if each.group in GROUPS):
            try:
                entry_point.load()
            except Exception as error:  # of code that is not ours
                fails.append(" ".join(f"{entry_point.name}: {type(error).__name__}: {error}".split()))
            else:
                loads.append(entry_point.name)
    if not loads and not fails:
        fails = [f"there is no plugin of Certbot in {folder}"]
    return {"loads": sorted(loads), "fails": "; ".join(fails)}


if __name__ == "__main__":
    packages = place.find().packages
    if packages not in sys.path:
        sys.path.append(packages)
    answer = os.dup(1)
    os.dup2(2, 1)  # whatever the plugin says, and by whatever way: it is no part of the answer
    found = attempt(sys.argv[1])
    plugins.prove_memory()
    os.write(answer, json.dumps(found).encode())
