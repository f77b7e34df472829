"""Collects the evidence, all at once, and shows it: a screen for people, JSON for programs."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from fips_doctor import entry_points, host, leftovers, lineages, module, plugins, renewal, snap, verdict
from fips_doctor.evidence import Evidence, Item, State
from fips_launch import decide
from fips_launch.place import Place

FORMAT = 1  # of the JSON; see schema.json
WIDTH = 24  # columns of the labels
MARKS = {State.OK: "+", State.INFO: " ", State.WARN: "!", State.BAD: "X", State.UNKNOWN: "?"}


@dataclass(frozen=True)
class Report:
    """The verdict and the evidence for it."""

    verdict: str
    headline: str
    exit_status: int
    needed: bool
    """FIPS is, by the setting and the kernel's flag."""
    flagged: bool
    """The kernel says so."""
    evidence: Evidence

    def screen(self) -> str:
        """Return one screen of text: the verdict, then the evidence, what to do under what needs it."""
        lines, given = [self.headline, ""], set()
        for item in self.evidence.values():
            lines.append(f"{MARKS[item.state]} {item.label:{WIDTH}} {item.value}")
            if item.advice and item.advice not in given:
                lines.append(f"  {'':{WIDTH}} -> {item.advice}")
                given.add(item.advice)
        return "\n".join(line.rstrip() for line in lines) + "\n"

    def json(self) -> str:
        """Return the same as JSON, by usr/share/fips-doctor/schema.json."""
        evidence = {
            name: {"label": item.label, "value": item.value, "state": item.state.value, "remedy": item.advice}
            for name, item in self.evidence.items()
        }
        fields = {
            "format": FORMAT,
            "verdict": self.verdict,
            "headline": self.headline,
            "exit_status": self.exit_status,
            "fips_needed": self.needed,
            "host_flagged": self.flagged,
            "evidence": evidence,
        }
        return json.dumps(fields, indent=2) + "\n"


def examine(here: Place) -> Report:
    """Examine this copy of the snap and its machine; takes well under a second natively."""
    decision, flag = snap.decided(here), decide.kernel()
    recorded = module.record(here)
    collectors: dict[str, Callable[[], Evidence]] = {
        "process": lambda: entry_points.python(here, decision.fips),
        "openssl": lambda: entry_points.openssl(here, decision.fips),
        "self_test": lambda: module.self_test(here),
        "module": lambda: module.identity(here, recorded),
        "kernel_flag": lambda: host.kernel(flag),
        "mode": lambda: snap.mode(here, decision, flag),
        "system": host.system,
        "snap": lambda: snap.installed(here),
        "trust_store": host.trust_store,
        "services": lambda: snap.services(here),
        "plugins": lambda: plugins.evidence(here, decision.fips),
        "lineage_keys": lambda: renewal.renewal(here, decision.fips),
        "forced_mode": leftovers.all_of_them,
        "lineages": lambda: lineages.evidence(here, decision.fips),
    }
    with ThreadPoolExecutor(len(collectors)) as pool:
        pending = {name: pool.submit(collector) for name, collector in collectors.items()}
    evidence: Evidence = {}
    for name, future in pending.items():
        try:
            evidence |= future.result()
        except Exception as error:  # a doctor's own fault must not hide the rest
            evidence[name] = Item(name, f"{type(error).__name__}: {error}", State.UNKNOWN, "report this")
    code = verdict.verdict(decision, flag, evidence)
    headline = verdict.headline(code, evidence)
    status = verdict.exit_status(code, evidence)
    return Report(code, headline, status, decision.fips, flag.fips, evidence)
