"""Runs cases: one after the other on a host of each worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path

from tools.campaign.case import Case, draw
from tools.campaign.observation import observe
from tools.campaign.report import Line
from tools.campaign.shrink import shrink
from tools.campaign.stage import Stage
from tools.campaign.verdict import FAILED, judge


def run_case(stage: Stage, case: Case) -> tuple[str, str]:
    """Run one case and return its outcome and the evidence.

    :raises CampaignError: the case could not be set up.
    """
    plan = case.plan()
    return judge([observe(case.entry_point, plan, stage, ended) for ended in stage.run(plan)])


def examine(stage: Stage, seed: int) -> Line:
    """Run the case of a seed; when it fails, shrink it and say how to see it again."""
    case = draw(seed, stage.files)
    began = time.monotonic()
    outcome, evidence = run_case(stage, case)
    seconds = time.monotonic() - began
    text, reproduce = case.text, ""
    if outcome in FAILED:
        kept = shrink(case, lambda smaller: run_case(stage, smaller)[0] == outcome)
        text = case.keep(kept).text
        reproduce = f"python3 -m tools.campaign --case {seed} --keep {','.join(map(str, kept)) or 'none'}"
    return Line(seed, case.kind, case.entry_point.name, text, outcome, evidence, round(seconds, 3), reproduce)


def campaign(snap: Path, seeds: Sequence[int], jobs: int, tell: Callable[[Line], None]) -> list[Line]:
    """Run the cases of all seeds, `jobs` at a time, and return their lines in the order of the seeds.

    :raises RuntimeError: a worker failed; the text is its last words.
    """
    context = get_context("fork")
    queue: Queue[Line | str] = context.Queue()
    workers = [
        context.Process(target=_work, args=(snap, seeds[number::jobs], queue), daemon=True)
        for number in range(jobs)
    ]
    for worker in workers:
        worker.start()
    lines: list[Line] = []
    try:
        while len(lines) < len(seeds):
            line = queue.get()
            if isinstance(line, str):
                raise RuntimeError(line)
            lines.append(line)
            tell(line)
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()
    return sorted(lines, key=lambda line: line.seed)


def _work(snap: Path, seeds: Sequence[int], queue: Queue[Line | str]) -> None:
    seed = None
    try:
        with Stage(snap) as stage:
            for seed in seeds:
                queue.put(examine(stage, seed))
            queue.close()
            queue.join_thread()
    except Exception as error:
        queue.put(f"seed {seed}: {type(error).__name__}: {error}")
