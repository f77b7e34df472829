"""The patches: each a file with its hash, nested in what it changes, and in its pedigree."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from cyclonedx.model import XsUri
from cyclonedx.model.component import Component, Diff, Patch, PatchClassification, Pedigree
from cyclonedx.model.license import License

from tools.release.inventory import terms


def touched(patch: Path) -> list[str]:
    """Return the files that a patch changes, as it names them (diff -u, one folder stripped)."""
    return re.findall(r"^\+\+\+ b?/?(\S+)", patch.read_text(), re.MULTILINE)


def reason(patch: Path) -> str:
    """Return the first sentence of a patch's head."""
    return " ".join(patch.read_text().partition("\n\n")[0].split())


def apply(component: Component, patches: Iterable[Path], project: Path, licences: list[License]) -> None:
    """Put patches into the component that they change.

    :param project: what the patches' paths are told from.
    :param licences: of what is patched, which a patch has too.
    """
    names = []
    for patch in patches:
        name = str(patch.relative_to(project))
        names.append(name)
        ref = f"patch:{name}#{component.bom_ref.value}"
        component.components.add(terms.file(patch, name, licences, ref, reason(patch)))
    if names:
        component.pedigree = Pedigree(
            patches=[
                Patch(type=PatchClassification.UNOFFICIAL, diff=Diff(url=XsUri(name))) for name in names
            ],
            notes="Changed by the patches that are nested here, each with its reason.",
        )
