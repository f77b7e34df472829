"""Statements that others have signed by what they are, as Sigstore's bundles: a run at GitHub, one at GitLab.

No run of this project's CI has signed anything yet. They are data of PyPA's pypi-attestations, from its sdist
(in the form of PEP 740).
"""

import functools
import json
import tarfile
from typing import Any

import pytest

from tests.conftest import PROJECT
from tools.build import packages
from tools.build.errors import UnavailableError
from tools.digest import sha256

PINS = PROJECT / "tests/release/attestations.txt"
CACHE = PROJECT / "build/cache/attestations"
GITHUB, GITLAB = "pypi_attestations-0.0.19.tar.gz.slsa", "gitlab_oidc_project-0.0.3.tar.gz.publish"


@functools.cache
def bundle(name: str) -> str:
    """Return one of them; the test is skipped where the sdist cannot be fetched."""
    try:
        packages.bring([PINS], "3.13", CACHE)
    except UnavailableError as reason:
        pytest.skip(str(reason))
    (pinned,) = (line for line in PINS.read_text().splitlines() if "--hash" in line)
    (sdist,) = (file for file in CACHE.iterdir() if sha256(file) in pinned)
    with tarfile.open(sdist) as packed:
        (member,) = (each for each in packed if each.name.endswith(f"/test/assets/{name}.attestation"))
        content = packed.extractfile(member)
        assert content
        attestation: dict[str, Any] = json.load(content)
    signed, material = attestation["envelope"], attestation["verification_material"]
    return json.dumps(
        {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": {"rawBytes": material["certificate"]},
                "tlogEntries": material["transparency_entries"],
            },
            "dsseEnvelope": {
                "payload": signed["statement"],
                "payloadType": "application/vnd.in-toto+json",
                "signatures": [{"sig": signed["signature"]}],
            },
        }
    )
