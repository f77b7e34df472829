"""The primed files become a snap: metadata, hooks, `snap pack`."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tools.build.errors import BuildError
from tools.build.progress import step

# What snapcraft copies from the recipe into meta/snap.yaml, in its order.
COPIED = ["name", "title", "version", "summary", "description", "license", "base", "grade", "confinement"]
COPIED += ["environment", "plugs", "slots"]


def metadata(recipe: dict[str, Any], architecture: str) -> dict[str, Any]:
    """Return the content of meta/snap.yaml for a recipe, as snapcraft writes it.

    Source: the snap.yaml reference of snapd; `assumes: command-chain` is what snapd's own rule is.

    :param recipe: the recipe.
    :param architecture: Debian's name of the architecture.
    """
    result: dict[str, Any] = {key: recipe[key] for key in COPIED if key in recipe}
    result["architectures"] = [architecture]
    result["apps"] = recipe["apps"]
    assumes = list(recipe.get("assumes", []))
    if any("command-chain" in app for app in recipe["apps"].values()):
        assumes.append("command-chain")
    if assumes:
        result["assumes"] = assumes
    return result


def pack(recipe: dict[str, Any], prime: Path, hooks: Path, final: Path, architecture: str) -> None:
    """Write meta/ into the primed files and pack them.

    The snap appears in its folder when it is whole, and not before.

    :param prime: the primed files.
    :param hooks: the recipe's snap/hooks.
    :param final: the snap.
    :raises BuildError: `snap pack` refuses.
    """
    meta = prime / "meta"
    shutil.rmtree(meta, ignore_errors=True)
    meta.mkdir()
    (meta / "snap.yaml").write_text(
        yaml.safe_dump(metadata(recipe, architecture), sort_keys=False, allow_unicode=True)
    )
    if hooks.is_dir():
        shutil.copytree(hooks, meta / "hooks")
    final.parent.mkdir(parents=True, exist_ok=True)
    incoming = final.with_name(f".incoming-{final.name}")
    options = [f"--compression={recipe['compression']}"] if "compression" in recipe else []
    with step(f"snap pack {final.name}"):
        done = subprocess.run(
            ["snap", "pack", *options, f"--filename={incoming.name}", str(prime), str(final.parent)],
            capture_output=True,
            text=True,
        )
    if done.returncode:
        incoming.unlink(missing_ok=True)
        raise BuildError(f"snap pack: {' '.join((done.stderr or done.stdout).split())}")
    incoming.replace(final)
