"""From a digest on a host to what is proven of it, and by whom."""

import json
from pathlib import Path

import pytest

from tests.release.conftest import HOST, Case
from tools.release import explain
from tools.release.__main__ import main
from tools.release.errors import ReleaseError


def told(case: Case, what: str) -> str:
    return "\n".join(explain.explain(what, case.folder.parent, case.policy(), case.time))


def test_a_module_leads_to_the_claim_the_sources_the_build_and_the_evidence(case: Case) -> None:
    module = json.loads((case.folder / "module.json").read_text())
    text = told(case, module["sha256"])
    assert text.startswith(f"{module['sha256']} is the snap's FIPS module, usr/lib/ossl-modules/fips.so\n")
    for line in (
        f"claim       {module['validation']}",
        f"sources     from its {module['origin']}, {module['source']}",
        f"            {module['sealed_sources_checked']} files compared with the release's sealed list",
        f"build       commit {case.about['commit']}",
        "said by builder; the provenance by builder",
        f"evidence    {HOST}: a stand-in, kernel 6.1.0, the flag laid over /proc",
        "said by laboratory",
    ):
        assert line in text, line
    if module["cmvp"] == "not validated":
        assert "certificate none that this module may be said to have\n" in text
        assert "validated, certificate" not in text


def test_a_file_is_known_by_its_content(case: Case, snap_file: Path) -> None:
    assert told(case, str(snap_file)).startswith(f"{case.about['sha256']} is the snap itself\n")


def test_every_file_package_and_source_of_the_inventory_is_known(case: Case) -> None:
    bom = json.loads((case.folder / "bom.cdx.json").read_text())
    for ref in ("release:openssl@3.5.7", "pkg:pypi/certbot@"):
        part = next(each for each in bom["components"] if each["bom-ref"].startswith(ref))
        hashed = part.get("hashes") or part["externalReferences"][0]["hashes"]
        assert part["name"] in told(case, hashed[0]["content"]).splitlines()[0]


def test_evidence_that_does_not_count_is_told_as_such(case: Case) -> None:
    (case.host / "junit.xml").write_text("<testsuites/>")
    text = told(case, case.about["sha256"])
    assert f"not counted hosts/{HOST}: junit.xml was changed after it was signed" in text
    assert "evidence    of no host" in text


def test_what_nobody_knows_is_said(case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ReleaseError, match=f"no evidence below {case.folder.parent} knows 0000"):
        told(case, "0" * 64)
    assert main(["explain", "nothing", "--below", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "explain: nothing is no file and no sha256\n"


def test_damaged_evidence_explains_nothing(case: Case) -> None:
    (case.folder / "module.json").write_text("{}")
    with pytest.raises(ReleaseError, match=r"module\.json was changed after it was signed"):
        told(case, case.about["sha256"])
