"""From a digest on a host to what is proven of it, and by whom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from tools.digest import sha256
from tools.release.errors import ReleaseError
from tools.release.inventory import check
from tools.release.policy import Policy
from tools.release.verify import Evidence, verify


def digest_of(what: str) -> str:
    """Return a hex sha256: of a file, or what was given.

    :raises ReleaseError: it is neither.
    """
    if re.fullmatch(r"[0-9a-fA-F]{64}", what):
        return what.lower()
    path = Path(what)
    if not path.is_file():
        raise ReleaseError(f"{what} is no file and no sha256")
    return sha256(path)


def explain(what: str, below: Path, policy: Policy, now: datetime) -> Iterator[str]:
    """Yield the lines that say what a file or a sha256 is, and what is proven of it by whom.

    Where several snaps have it, they are told one after the other.

    :param below: the folder with the evidence of all snaps.
    :raises ReleaseError: there is no evidence that knows it, or what there is is not as it has to be.
    """
    digest, wrong, known = digest_of(what), [], False
    for folder in sorted(path for path in below.iterdir() if path.is_dir()) if below.is_dir() else []:
        found = verify(folder, policy, now)
        if not found.whole:
            wrong += [f"{folder.name[:12]}: {each}" for each in found.problems]
        elif names := list(_names(digest, found)):
            known = True
            yield from _told(digest, names, found)
    if not known:
        raise ReleaseError(wrong[0] if wrong else f"no evidence below {below} knows {digest}")


def _names(digest: str, found: Evidence) -> Iterator[str]:
    """Yield what a digest is of: the snap, its module, or anything in its inventory."""
    if digest == found.subject["sha256"]:
        yield "the snap itself"
    if digest == found.module["sha256"]:
        yield "the snap's FIPS module, usr/lib/ossl-modules/fips.so"
    for each in check.components(found.bom):
        if str(each["bom-ref"]).startswith("module:") or digest == found.module["sha256"]:
            continue
        if digest in (hashed["content"] for hashed in each.get("hashes", [])):
            yield f"{each['name']} {each.get('version', '')}".strip()
        for reference in each.get("externalReferences", []):
            if digest in (hashed["content"] for hashed in reference.get("hashes", [])):
                yield f"the source of {each['name']} {each.get('version', '')}".strip()


def _told(digest: str, names: list[str], found: Evidence) -> Iterator[str]:
    subject, module = found.subject, found.module
    assert found.build is not None and found.provenance is not None
    builder = found.build.by.name
    changed = ", with changes that are not committed" if subject["changed"] else ""
    yield f"{digest} is {'; '.join(dict.fromkeys(names))}"
    yield f"in          {subject['file']}, {subject['name']} {subject['version']}"
    yield f"            sha256 {subject['sha256']}"
    yield f"            sha3-384 {subject['sha3-384']} (by which the store's assertion is found)"
    yield f"module      {module['name']} {module['version']}, sha256 {module['sha256']}, MAC {module['mac']}"
    yield f"claim       {module['validation']}"
    yield from _certificate(module)
    sealed, source = module["sealed_sources_checked"], f"{module['origin']}, {module['source']}"
    compared = (
        f"{sealed} files compared with the release's sealed list"
        if sealed
        else "no sealed list to compare with"
    )
    yield f"sources     from its {source}"
    yield f"            {compared} by the build"
    built = found.provenance.predicate["buildDefinition"]["resolvedDependencies"]
    yield f"build       commit {subject['commit']}{changed}"
    yield f"            from {len(built)} sources and packages, each by its digest"
    yield f"            said by {builder}; the provenance by {found.provenance.by.name}"
    for name, host in sorted(found.hosts.items()):
        yield from _host(name, host.said.predicate, host.said.by.name)
    for name, run in sorted(found.runs.items()):
        yield f"            {name}: as the policy wants it; {run.predicate['ended']}, said by {run.by.name}"
    if not found.hosts:
        yield "evidence    of no host"
    for problem in found.problems:
        yield f"not counted {problem}"
    yield "to check    `certbot-fips.doctor`; `make reproduce` builds the commit again, from the same sources"


def _certificate(module: dict[str, Any]) -> Iterator[str]:
    if module["cmvp"] == "not validated":
        yield "certificate none that this module may be said to have"
        return
    yield f"certificate #{module['cmvp']}, CAVP {' '.join(module['cavp'])}"
    yield f"            active until {module['sunset']}, as read on {module['read']}"
    yield f'            "{module["caveat"]}"'


def _host(name: str, about: dict[str, Any], by: str) -> Iterator[str]:
    kernel = about["kernel"]
    flag = "the kernel's own flag" if kernel["own"] else "the flag laid over /proc"
    counts = ", ".join(f"{about['tests'][what]} {what}" for what in ("passed", "failed", "skipped"))
    yield f"evidence    {name}: {about['system']}, kernel {kernel['release']}, {flag}"
    yield f"            {about['doctor']['verdict']}, this module in memory and no other; tests: {counts}"
    yield f"            {about['ended']}, said by {by}"
