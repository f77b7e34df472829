"""Run the recipe's parts with craft-parts: pull, build, stage, prime."""

import shutil
from pathlib import Path
from typing import Any

import craft_parts
import yaml
from craft_parts import Action, ActionType, Step

from tools.build.errors import BuildError
from tools.progress import step


def prime(parts: dict[str, Any], name: str, work: Path, cache: Path, jobs: int, shown: str) -> Path:
    """Build all parts and return the folder that holds the snap's files.

    Work that is done and unchanged is not done again; an interrupted build goes on where it was.

    :param parts: the parts, resolved; what they need of the system is there.
    :param name: the snap's name.
    :param work: work folder of this builder.
    :param cache: where their sources are.
    :param jobs: how many processes a part may run at a time.
    :param shown: how messages name the work folder.
    :raises BuildError: a part does not build.
    """
    _unstage_others(parts, work)
    lifecycle = craft_parts.LifecycleManager(
        {"parts": parts},
        application_name="certbot_fips",
        cache_dir=cache,
        work_dir=work,
        base="core24",
        project_name=name,
        parallel_build_count=jobs,
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
                _execute(executor, action, logs, shown)
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


def _execute(executor: Any, action: Action, logs: Path, shown: str) -> None:
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
            where = f"{shown}/logs/{log.name}"
            raise BuildError(f"{what} failed{hint}: the lines above are the end of {where}") from error
