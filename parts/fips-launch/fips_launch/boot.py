"""The five steps, run by the interpreter's main program in every Python process of the snap."""

import os
import sys

from fips_launch import environment, place, prove
from fips_launch.decide import Decision, decide

decision: Decision | None = None


def refuse(line: str) -> None:
    """End the process with one line on stderr and EX_CONFIG of sysexits.h."""
    text = "certbot-fips: " + " ".join(line.split()) + "\n"
    os.write(2, text.encode(errors="backslashreplace"))
    os._exit(78)


def run() -> None:
    """Decide, select, init, prove, scrub; ends the process if one of them fails."""
    global decision
    doing = "it cannot be told whether FIPS is needed"
    try:
        here = place.find()
        proof_alone = sys.orig_argv[1:-1] == prove.COMMAND
        decision = Decision(True, "this is the proof itself") if proof_alone else decide(here.setting)
        doing = f"FIPS is needed ({decision.reason}) but not proven" if decision.fips else "cannot start"
        os.environ.update(here.select(decision.fips))
        if proof_alone:
            os.environ["OPENSSL_CONF"] = sys.orig_argv[-1]
        prove.prove(here, decision.fips)
        if proof_alone:
            os._exit(0)
        environment.scrub(here.root)
    except KeyboardInterrupt:
        os._exit(130)
    except BaseException as error:
        what = error if isinstance(error, prove.NotProvenError) else f"{type(error).__name__}: {error}"
        remedy = "run it without LD_PRELOAD" if "LD_PRELOAD" in os.environ else "reinstall the snap"
        refuse(f"{doing}: {what}; {remedy}; if that does not help, report this line")
