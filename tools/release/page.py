"""The page: what is known of a snap, in one file that needs no other, made from its evidence alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
import markupsafe

from tools.release import channels, decide
from tools.release.errors import ReleaseError
from tools.release.inventory import check
from tools.release.policy import CHANNELS, TRIAL, Policy
from tools.release.verify import Evidence, Host, verify

TEMPLATES = Path(__file__).with_name("templates")
#: Where an operation is computed, in words for people; the order is that of the page.
WHERE = {
    "module": "computed in the module",
    "mixed": "in the module, and something in libcrypto too",
    "libcrypto": "in libcrypto",
    "own code": "by a package or the program itself",
    "nothing": "nothing is computed",
    "refused": "refused",
    "not offered": "not offered, with the flag or without",
}


def page(folder: Path, policy: Policy, now: datetime, snap: Path | None = None) -> str:
    """Return the page of a snap (HTML, one file).

    :param folder: its evidence.
    :param now: the time that its evidence is judged by.
    :raises ReleaseError: what is said of the snap itself is not as it has to be; nothing can then be shown.
    """
    found = verify(folder, policy, now, snap)
    decisions = [decide.judge(found, policy, channel, now) for channel in CHANNELS]
    if not found.whole:
        raise ReleaseError(found.problems[0])
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = _code
    signers = sorted({said.by.name for said in _said(found)})
    tried = TRIAL in signers
    return environment.get_template("page.html").render(
        subject=found.subject,
        revision=found.subject["revision"] or channels.revision_of(found),
        released=[(name, channels.done(found, name)) for name in CHANNELS if name in found.releases],
        module=found.module,
        validated=found.module["cmvp"] != "not validated",
        decisions=decisions,
        hosts=[_host(name, found.hosts.get(name), policy) for name in _names(found, policy)],
        suites=[*policy.lists],
        runs=[_run(name, found) for name in policy.runs],
        boundary=_boundary(found.boundary),
        services=[*_services(found.bom)],
        advisories=[*_advisories(found.bom)],
        parts=_parts(found.bom),
        signers=signers,
        tried=tried,
        trial=" --trial KEY.pub" if tried else "",
        problems=found.problems,
        held=found.held,
        now=now,
    )


def _code(text: str) -> markupsafe.Markup:
    """Return a text with what stands between backticks as code."""
    return markupsafe.Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(markupsafe.escape(text))))


def _names(found: Evidence, policy: Policy) -> list[str]:
    """Return the hosts of the page: those with evidence first, in the policy's order."""
    return sorted(policy.tests, key=lambda name: (name not in found.hosts, [*policy.tests].index(name)))


def _host(name: str, host: Host | None, policy: Policy) -> dict[str, Any]:
    """Return a line of the table: for each list of tests how many passed of how many, and what did not."""
    cells: dict[str, dict[str, Any]] = {}
    for suite, tests in policy.lists.items():
        wanted = [test for test in tests if test in policy.tests[name]]
        if not wanted:
            continue
        if host is None:
            cells[suite] = {"passed": 0, "all": len(wanted), "wrong": []}
            continue
        wrong = [f"{test.rpartition('/')[2]} {why}" for test in wanted if (why := host.results.why_not(test))]
        cells[suite] = {"passed": len(wanted) - len(wrong), "all": len(wanted), "wrong": wrong}
    about = host.said.predicate if host else None
    return {"name": name, "about": about, "by": host.said.by.name if host else None, "cells": cells}


def _run(name: str, found: Evidence) -> dict[str, Any]:
    said = found.runs.get(name)
    return {"name": name, "about": said.predicate if said else None, "by": said.by.name if said else None}


def _boundary(counts: dict[str, int]) -> list[tuple[str, str, int]]:
    """Return where how many operations are computed, with what that means."""
    return [(where, meaning, counts[where]) for where, meaning in WHERE.items() if where in counts]


def _services(bom: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for each in bom["components"]:
        if each["type"] == "cryptographic-asset":
            algorithm = each["cryptoProperties"]["algorithmProperties"]
            yield {
                "name": each["name"],
                "functions": ", ".join(algorithm["cryptoFunctions"]),
                "standard": check.said(each, "approved-by"),
                "note": each.get("description", ""),
            }


def _advisories(bom: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the statements, those of one advisory together."""
    statements: dict[str, dict[str, Any]] = {}
    for each in bom.get("vulnerabilities", []):
        about = statements.setdefault(
            each["id"], {"id": each["id"], "url": each["source"]["url"], "says": each["description"]}
        )
        about[each["bom-ref"].rpartition("#")[2]] = each["analysis"]
    yield from (statements[name] for name in sorted(statements))


def _parts(bom: dict[str, Any]) -> dict[str, int]:
    """Return how many things of each kind the inventory has."""
    refs = [str(each["bom-ref"]) for each in check.components(bom)]
    kinds = {
        "releases": "release:",
        "Python packages": "pkg:pypi/",
        "crates": "pkg:cargo/",
        "patches": "patch:",
        "files of machine code and of ours": "file:",
    }
    return {kind: sum(ref.startswith(start) for ref in refs) for kind, start in kinds.items()}


def _said(found: Evidence) -> Iterator[Any]:
    yield from filter(None, (found.build, found.provenance))
    yield from (host.said for host in found.hosts.values())
    yield from found.runs.values()
