"""The advisories that name the module's release, as VEX statements (CycloneDX, vulnerabilities)."""

from __future__ import annotations

from collections.abc import Iterator

from cyclonedx.model import XsUri
from cyclonedx.model.impact_analysis import (
    ImpactAnalysisJustification,
    ImpactAnalysisResponse,
    ImpactAnalysisState,
)
from cyclonedx.model.vulnerability import (
    BomTarget,
    Vulnerability,
    VulnerabilityAdvisory,
    VulnerabilityAnalysis,
    VulnerabilitySource,
)

from tools.release.inventory.built import facts

URL = "https://openssl-library.org/news/vulnerabilities/#{}"


def statements(release: str, module: str, certbot: str) -> Iterator[Vulnerability]:
    """Yield the statements of a module: of each advisory one for the module, and one for Certbot.

    :param release: of the module; of one that advisories.yaml does not name nothing is said.
    :param module: what the inventory knows the module by.
    :param certbot: the same of Certbot.
    """
    known = facts("advisories")
    if release not in known["releases"]:
        return
    for name, advisory in known["advisories"].items():
        for subject, ref in (("module", module), ("certbot", certbot)):
            said = advisory[subject]
            mended = [ImpactAnalysisResponse.WORKAROUND_AVAILABLE] if "workaround" in said else []
            # The module is what was validated: a mended one would be another.
            never = [ImpactAnalysisResponse.CAN_NOT_FIX] if said["state"] == "exploitable" else []
            yield Vulnerability(
                bom_ref=f"vex:{name}#{subject}",
                id=name,
                source=VulnerabilitySource(name="OpenSSL", url=XsUri(URL.format(name))),
                description=" ".join(advisory["says"].split()),
                workaround=said.get("workaround"),
                advisories=[VulnerabilityAdvisory(url=XsUri(URL.format(name)))],
                analysis=VulnerabilityAnalysis(
                    state=ImpactAnalysisState(said["state"]),
                    justification=(
                        ImpactAnalysisJustification(said["justification"])
                        if "justification" in said
                        else None
                    ),
                    responses=[*never, *mended],
                    detail=" ".join(said["detail"].split()),
                ),
                affects=[BomTarget(ref=ref)],
            )
