"""Tell which plugins the installed packages have, as Python: `python3 list_plugins.py FOLDER > installed.py`.

So a start does not read the metadata of all packages, which takes longer than to load Certbot.
"""

import importlib.metadata
import sys

GROUPS = ("certbot.plugins", "letsencrypt.plugins")  # the second is the old name, which Certbot reads too

print('"""The plugins of Certbot that are installed with it: made by list_plugins.py."""')
print("from fips_launch.plugins import EntryPoint\n\nENTRY_POINTS = [")
packages = importlib.metadata.distributions(path=[sys.argv[1]])
for point in sorted(point for package in packages for point in package.entry_points if point.group in GROUPS):
    print(f"    EntryPoint({point.name!r}, {point.value!r}, {point.group!r}),")
print("]")
