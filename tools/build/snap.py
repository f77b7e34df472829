"""The primed files become a snap: metadata, hooks, the record of the build, `snap pack`."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tools.build.errors import BuildError
from tools.progress import step

# What snapcraft copies from the recipe into meta/snap.yaml, in its order.
COPIED = ["name", "title", "version", "summary", "description", "license", "base", "grade", "confinement"]
COPIED += ["environment", "plugs", "slots"]
#: What the snap was built from and in; beside the place of snapcraft's own manifest.
RECORD = "snap/build.json"


class _Dumper(yaml.SafeDumper):
    """Texts of several lines stay so (YAML's literal block style), as in what snapcraft writes."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def metadata(recipe: dict[str, Any]) -> dict[str, Any]:
    """Return the content of meta/snap.yaml for a recipe, as snapcraft writes it.

    Source: the snap.yaml reference of snapd; `assumes: command-chain` is what snapd's own rule is.

    :param recipe: the recipe; it has one platform.
    """
    result: dict[str, Any] = {key: recipe[key] for key in COPIED if key in recipe}
    result["architectures"] = list(recipe["platforms"])
    result["apps"] = recipe["apps"]
    assumes = list(recipe.get("assumes", []))
    if any("command-chain" in app for app in recipe["apps"].values()):
        assumes.append("command-chain")
    if assumes:
        result["assumes"] = assumes
    return result


def pack(
    recipe: dict[str, Any], prime: Path, hooks: Path, record: dict[str, Any], time: int, packed: Path
) -> None:
    """Write meta/ and the record into the primed files and pack them.

    The same files become the same bytes: all have one time, `snap pack` takes it for the file system too.

    :param recipe: the recipe.
    :param prime: the primed files.
    :param hooks: the recipe's snap/hooks; the icon is told from the folder above.
    :param record: what stands for the build in the snap.
    :param time: seconds since the epoch.
    :param packed: the snap.
    :raises BuildError: `snap pack` refuses.
    """
    meta = prime / "meta"
    shutil.rmtree(meta, ignore_errors=True)
    meta.mkdir()
    with (meta / "snap.yaml").open("w") as file:
        yaml.dump(metadata(recipe), file, _Dumper, sort_keys=False, allow_unicode=True)
    if hooks.is_dir():
        shutil.copytree(hooks, meta / "hooks")
        for hook in (meta / "hooks", *(meta / "hooks").iterdir()):
            hook.chmod(0o755)  # whatever the umask was when this clone was made
    if "icon" in recipe:
        icon = hooks.parents[1] / recipe["icon"]
        (meta / "gui").mkdir()
        shutil.copyfile(icon, meta / "gui" / f"icon{icon.suffix}")
    (prime / RECORD).parent.mkdir(exist_ok=True)
    (prime / RECORD).write_text(json.dumps(record, indent=2) + "\n")
    for path in (prime, *prime.rglob("*")):
        os.utime(path, (time, time), follow_symlinks=False)
    options = [f"--compression={recipe['compression']}"] if "compression" in recipe else []
    packed.unlink(missing_ok=True)
    with step(f"snap pack {packed.name}"):
        done = subprocess.run(
            ["snap", "pack", *options, f"--filename={packed.name}", str(prime), str(packed.parent)],
            capture_output=True,
            text=True,
            env={**os.environ, "SOURCE_DATE_EPOCH": str(time)},
        )
    if done.returncode:
        raise BuildError(f"snap pack: {' '.join((done.stderr or done.stdout).split())}")
