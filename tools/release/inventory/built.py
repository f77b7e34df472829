"""What the build has, from which the inventory is made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
SITE = "usr/lib/python3.13/site-packages"


@dataclass(frozen=True)
class Built:
    """A snap that is about to be packed.

    :ivar recipe: the recipe, as it stands.
    :ivar parts: its parts, pinned (`tools.build.pull.parts`).
    :ivar project: the clone.
    :ivar prime: the files that are packed.
    :ivar work: the builder's folders, one a part, with `src` and `install` in each.
    :ivar packages: the folder of the cache with Python's packages.
    :ivar record: what stands for the build in the snap (snap/build.json).
    :ivar provider: the record of the FIPS module (usr/share/fips-provider/record.json).
    :ivar time: of all files of the snap, in seconds since the epoch.
    """

    recipe: dict[str, Any]
    parts: dict[str, Any]
    project: Path
    prime: Path
    work: Path
    packages: Path
    record: dict[str, Any]
    provider: dict[str, Any]
    time: int

    @cached_property
    def provider_part(self) -> str:
        """The name of the part that has the FIPS module: another provider's part has another."""
        return next(name for name in self.parts if name.startswith("fips-provider"))

    def owner(self, file: str) -> str | None:
        """Return the part that a file of the snap, by its path there, was installed by."""
        for name in self.parts:
            if (self.work / name / "install" / file).exists():
                return name
        return None

    def patches(self, part: str) -> list[Path]:
        """Return the patches of a part: those beside its script."""
        script = re.search(r"/parts/([\w.-]+)/build\b", self.parts[part].get("override-build", ""))
        return sorted((self.project / "parts" / script[1]).glob("*.patch")) if script else []


def facts(name: str) -> dict[str, Any]:
    """Return the content of a file of facts beside this one."""
    found: dict[str, Any] = yaml.safe_load((HERE / f"{name}.yaml").read_text())
    return found
