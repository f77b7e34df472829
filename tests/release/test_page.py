"""The page as people see it, in a real browser: text, links, widths, light and dark, and print."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.conftest import PROJECT
from tests.release.browser import Browser
from tests.release.conftest import HOST, Case, results
from tools.release import page
from tools.release.__main__ import main
from tools.release.errors import ReleaseError

WIDTHS = (360, 1400)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as found:
        yield found


def write(case: Case) -> Path:
    file = case.folder.parent / "page.html"
    file.write_text(page.page(case.folder, case.policy(), case.time))
    return file


def test_it_says_what_the_evidence_says(case: Case, browser: Browser) -> None:
    browser.open(write(case), 1400)
    text = browser.ask("document.body.innerText")
    module = json.loads((case.folder / "module.json").read_text())
    for words in (
        case.about["sha256"],
        case.about["sha3-384"],
        module["validation"],
        module["mac"],
        "edge: yes",
        "beta: no",
        f"{module['sealed_sources_checked']} files compared with the list that the release seals",
        "none that this module may be said to have" if module["cmvp"] == "not validated" else "certificate",
        "a stand-in",
        "builder, laboratory",
        "CVE-2024-13176",
    ):
        assert words in text, words
    assert browser.ask("document.title") == f"certbot-fips {case.about['version']}: evidence"
    headings = browser.ask("[...document.querySelectorAll('h2')].map(each => each.innerText)")
    assert headings == [
        "The file",
        "The FIPS module",
        "Hosts",
        "The boundary",
        "What is claimed, and what is not",
        "Check it yourself",
    ]


def test_validated_is_said_only_where_the_record_says_it(case: Case, browser: Browser) -> None:
    browser.open(write(case), 1400)
    text = browser.ask("document.body.innerText")
    module = json.loads((case.folder / "module.json").read_text())
    if module["cmvp"] == "not validated":
        for before in re.findall(r"(\S+\s+\S+\s+)validated", text):
            assert re.search(r"not |modul\w+ is |are |libcrypto", before), before
    assert ("That the module is validated." in text) is (module["cmvp"] == "not validated")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_and_can_be_read(case: Case, browser: Browser, width: int, dark: bool) -> None:
    browser.complaints.clear()
    browser.open(write(case), width, dark)
    assert browser.complaints == []
    assert browser.ask("document.documentElement.scrollWidth") <= width
    # Nothing is cut off, and nothing lies outside of the window.
    outside = """[...document.querySelectorAll('main *, header *')].filter(each => {
        const box = each.getBoundingClientRect();
        return box.width && !each.closest('.scroll') && !each.closest('thead')
            && (box.right > innerWidth + 1 || box.left < -1);
    }).map(each => each.outerHTML.slice(0, 80))"""
    assert browser.ask(outside) == []
    # WCAG 2.2, 1.4.3: 4.5 to 1.
    contrast = """(() => {
        const parts = text => text.match(/[\\d.]+/g).map(Number);
        const light = text => {
            const [r, g, b] = parts(text).map(v => v / 255)
                .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const ground = each => {
            for (; each; each = each.parentElement) {
                const found = getComputedStyle(each).backgroundColor;
                if ((parts(found)[3] ?? 1) > 0) return found;
            }
            return 'rgb(255, 255, 255)';
        };
        return [...document.querySelectorAll('body *')].filter(each =>
            [...each.childNodes].some(node => node.nodeType == 3 && node.data.trim())
            && each.getClientRects().length).map(each => {
            const [a, b] = [light(getComputedStyle(each).color), light(ground(each))].sort((x, y) => y - x);
            return [(a + 0.05) / (b + 0.05), each.outerHTML.slice(0, 80)];
        }).filter(each => each[0] < 4.5);
    })()"""
    assert browser.ask(contrast) == []
    ground = browser.ask("getComputedStyle(document.body).backgroundColor")
    red = int(re.findall(r"\d+", ground)[0])
    assert red < 60 if dark else red > 200


def test_every_link_leads_somewhere_and_nothing_is_fetched(case: Case, browser: Browser) -> None:
    browser.complaints.clear()
    browser.open(write(case), 1400)
    links = browser.ask("[...document.querySelectorAll('a')].map(each => each.getAttribute('href'))")
    assert links
    for link in links:
        assert re.fullmatch(r"https://openssl-library\.org/news/vulnerabilities/#CVE-\d+-\d+", link), link
    loaded = browser.ask("performance.getEntriesByType('resource').map(each => each.name)")
    assert [each for each in loaded if not each.startswith("data:")] == []
    assert browser.complaints == []
    assert browser.ask("document.querySelectorAll('script').length") == 0


def test_it_can_be_printed(case: Case, browser: Browser) -> None:
    closed = ("approved by", "rhel-10: there is no evidence that counts")
    browser.open(write(case), 1400)
    assert [words for words in closed if words in browser.ask("document.body.innerText")] == []
    browser.open(write(case), 1400, media="print")
    printed = browser.pdf()
    assert printed.startswith(b"%PDF-")
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) <= 14
    assert browser.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    # On paper nothing can be opened: what is closed on the screen is there.
    assert [words for words in closed if words not in browser.ask("document.body.innerText")] == []


def test_the_inventory_is_called_whole_where_the_file_was_read(
    case: Case, snap_file: Path, browser: Browser
) -> None:
    for snap, claimed in ((None, False), (snap_file, True)):
        file = case.folder.parent / "page.html"
        file.write_text(page.page(case.folder, case.policy(), case.time, snap))
        browser.open(file, 1400)
        text = browser.ask("document.body.innerText")
        assert ("its inventory was held against it" in text) is claimed
        assert ("That the inventory is whole: this page was made without the file." in text) is not claimed


def test_a_test_that_did_not_pass_is_seen(case: Case, browser: Browser) -> None:
    """The control: the page follows the evidence."""

    def change(_predicate: object, files: dict[str, bytes]) -> None:
        files["junit.xml"] = results(failed="tests/spread/snapd/renewal")

    case.see(change)
    browser.open(write(case), 1400)
    text = browser.ask("document.body.innerText")
    assert "renewal failed" in text
    assert "edge: no" in text
    assert f"{HOST}: tests/spread/snapd/renewal failed" in text


def test_what_is_in_the_evidence_is_no_html(case: Case, browser: Browser) -> None:
    def change(predicate: dict[str, object], _files: dict[str, bytes]) -> None:
        predicate["system"] = "<script>document.title='mine'</script><b>x</b>"

    case.see(change)
    browser.open(write(case), 1400)
    assert browser.ask("document.title") != "mine"
    assert "<script>document.title" in browser.ask("document.body.innerText")


def test_the_commands_on_it_are_right(case: Case, snap_file: Path, tmp_path: Path, browser: Browser) -> None:
    """Given by somebody who has a clone, the snap, the evidence and a key; the last two take long."""
    case.rules["keys"] = {}
    public = [case.pairs[name].with_suffix(".pub") for name in ("builder", "laboratory")]
    clone = tmp_path / "clone"
    for name in ("tools", "parts"):
        shutil.copytree(PROJECT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    (clone / "tools/release/policy.yaml").write_text(yaml.safe_dump(case.rules))
    (clone / ".venv").symlink_to(PROJECT / ".venv")
    shutil.copytree(case.folder, clone / "dist/evidence" / case.folder.name)
    (clone / "dist" / case.about["file"]).symlink_to(snap_file)
    file = tmp_path / "page.html"
    file.write_text(page.page(case.folder, case.policy().with_trial(public), case.time, snap_file))
    browser.open(file, 1400)
    *commands, boundary, last = browser.ask("document.getElementById('commands').innerText").splitlines()
    assert (boundary, last) == ("make boundary", "make reproduce")
    said = []
    for command in commands:
        # Here two have signed.
        words = command.replace("--trial KEY.pub", f"--trial {public[0]} --trial {public[1]}")
        done = subprocess.run(words, shell=True, capture_output=True, text=True, cwd=clone)
        no = " decide " in command and "--to edge" not in command
        assert (done.returncode, done.stderr) == (int(no), ""), command
        said.append(done.stdout)
    assert said[0].startswith(case.about["sha256"])
    assert "all that edge asks for is there" in said[1]
    assert "all that is in it, and nothing else" in said[2]
    assert "is the snap's FIPS module" in said[3]
    assert [text.splitlines()[0].partition(", ")[0] for text in said[4:]] == [
        "edge: yes",
        "beta: no",
        "candidate: no",
        "stable: no",
    ]


def test_damaged_evidence_makes_no_page(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (case.folder / "module.json").write_text("{}")
    with pytest.raises(ReleaseError, match=r"module\.json was changed after it was signed"):
        write(case)
    words = ["page", str(case.folder), "--policy", str(case.folder.parent / "policy.yaml")]
    assert main([*words, "--out", str(tmp_path / "out.html")]) == 1
    assert capsys.readouterr().err == "page: module.json was changed after it was signed\n"
    assert not (tmp_path / "out.html").exists()
