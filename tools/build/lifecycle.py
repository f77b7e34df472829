"""Run the recipe's parts with craft-parts: pull, build, stage, prime."""

import copy
import os
import shutil
from pathlib import Path
from typing import Any

import craft_parts
import yaml
from craft_parts import Action, ActionType, Step

from tools.build import provider, recipe, sources
from tools.build.errors import BuildError, UnavailableError
from tools.build.progress import step

# What Debian calls the tool that the recipe takes from a build-snap.
PACKAGES_FOR_SNAPS = {"rustup": ["rustc-web", provider.CARGO_PACKAGE]}


def resolve(
    parts: dict[str, Any], origins: dict[str, Any], wanted: str | None, cache: Path, origin: str | None = None
) -> dict[str, Any]:
    """Return the parts as they are to be built: pinned, with sources that are in the cache.

    :param parts: the recipe's parts.
    :param origins: the content of origins.yaml.
    :param wanted: a provider of origins.yaml, or None for the recipe's own.
    :param cache: where sources are kept.
    :param origin: the FIPS provider's only origin, "tarball" or "crate"; None: the first that can be had.
    :raises UnavailableError: a source cannot be had.
    :raises BuildError: the provider is unknown, or an origin answered with other bytes.
    """
    parts = copy.deepcopy(parts)
    name = provider.pin(parts, origins, wanted)
    for part_name, part in parts.items():
        if "source-checksum" in part:
            only = origin if part_name == provider.PART else None
            _bring(part_name, part, origins, name, cache, only)
        _track_inputs(part)
    return provider.rename(parts, f"{provider.PART}-{wanted}") if wanted else parts


def prime(parts: dict[str, Any], work: Path) -> Path:
    """Build all parts and return the folder that holds the snap's files.

    Work that is done and unchanged is not done again; an interrupted build goes on where it was.

    :param parts: the parts, resolved.
    :param work: work folder of this builder; sources are cached in it.
    :raises BuildError: a part does not build.
    """
    _unstage_others(parts, work)
    lifecycle = craft_parts.LifecycleManager(
        {"parts": parts},
        application_name="certbot_fips",
        cache_dir=work / "cache",
        work_dir=work,
        base="core24",
        project_name="certbot-fips",
        parallel_build_count=os.cpu_count() or 1,
    )
    logs = work / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    prime_dir = Path(lifecycle.project_info.prime_dir)
    try:
        # Always primed anew (seconds): nothing of an earlier recipe can stay behind in what ships.
        lifecycle.clean(Step.PRIME)
        shutil.rmtree(prime_dir, ignore_errors=True)
        lifecycle.reload_state()
        actions = lifecycle.plan(Step.PRIME)
        with lifecycle.action_executor() as executor:
            for action in actions:
                _execute(executor, action, logs)
    except craft_parts.PartsError as error:
        raise BuildError(" ".join(str(error).split())) from error
    return prime_dir


def _unstage_others(parts: dict[str, Any], work: Path) -> None:
    """Take what is not of these parts out of the stage: another FIPS provider has files of the same names.

    It stays built, in its own part folder.
    """
    for state in (work / "parts").glob("*/state/stage"):
        if state.parent.parent.name not in parts:
            for file in yaml.safe_load(state.read_text())["files"]:
                (work / "stage" / file).unlink(missing_ok=True)
            state.unlink()


def _bring(
    part_name: str, part: dict[str, Any], origins: dict[str, Any], name: str, cache: Path, only: str | None
) -> None:
    second = origins["distribution"].get(part["source-checksum"])
    if only != "crate" and sources.bring(part["source"], part["source-checksum"], cache, second):
        return
    if part_name != provider.PART or only == "tarball":
        raise UnavailableError(
            f"the sources of part {part_name} cannot be had: neither {part['source']} nor a second origin"
            " answers; check the network and try again"
        )
    provider.from_crate(part, origins, name, cache)


def _track_inputs(part: dict[str, Any]) -> None:
    """Make what a part reads below parts/ count as part of it, and name Debian's packages for its snaps."""
    scripts = "".join(part.get(f"override-{step_name}", "") for step_name in ("pull", "build", "prime"))
    environment = part.setdefault("build-environment", [])
    environment.append({"PART_INPUTS_SHA256": recipe.inputs_digest(scripts)})
    if "override-pull" in part:
        part["override-pull"] += f"# inputs: {recipe.inputs_digest(part['override-pull'])}\n"
    for snap in part.pop("build-snaps", []):
        part.setdefault("build-packages", []).extend(PACKAGES_FOR_SNAPS[snap.partition("/")[0]])


def _execute(executor: Any, action: Action, logs: Path) -> None:
    if action.action_type == ActionType.SKIP:
        return
    what = f"{action.part_name}: {action.step.name.lower()}"
    log = logs / f"{action.part_name}-{action.step.name.lower()}.log"
    with log.open("w") as output:
        if action.step in (Step.STAGE, Step.PRIME):
            executor.execute(action, stdout=output, stderr=output)
            return
        try:
            with step(what):
                executor.execute(action, stdout=output, stderr=output)
        except craft_parts.PartsError as error:
            output.flush()
            free = shutil.disk_usage(logs).free
            hint = f"; only {free >> 20} MiB are free on this disk" if free < 1 << 30 else ""
            tail = "".join(log.read_text(errors="replace").splitlines(keepends=True)[-15:])
            print(tail, flush=True)
            raise BuildError(f"{what} failed{hint}: the lines above are the end of {log}") from error
