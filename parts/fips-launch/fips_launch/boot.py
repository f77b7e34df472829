"""The five steps, run by the interpreter's main program in every Python process of the snap."""

import os

from fips_launch import environment, own, place, prove, refusal
from fips_launch.decide import Decision, decide

decision: Decision | None = None


def run() -> None:
    """Decide, select, init, prove, scrub; ends the process if one of them fails."""
    global decision
    doing = "it cannot be told whether FIPS is needed"
    try:
        here = place.find()
        decision = decide(here.setting)
        doing = f"FIPS is needed ({decision.reason}) but not proven" if decision.fips else "cannot start"
        os.environ.update(here.select(decision.fips))
        prove.prove(here, decision.fips)
        environment.scrub(here.root)
        if decision.fips:
            own.prefer(here.path)
    except BaseException as error:
        end(doing, error)


def end(doing: str, error: BaseException) -> None:
    """End the process because of an error: with its line, or in silence where the user interrupted it."""
    if isinstance(error, KeyboardInterrupt):
        os._exit(130)
    what = error if isinstance(error, prove.NotProvenError) else f"{type(error).__name__}: {error}"
    remedy = refusal.WITHOUT_PRELOAD if "LD_PRELOAD" in os.environ else refusal.REINSTALL
    refusal.refuse(f"{doing}: {what}", remedy, report=True)
