"""What upstream has released is found, by git, pip and a page; here of upstreams on this machine."""

import http.server
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools.release.inventory.built import facts
from tools.watch import __main__ as watch
from tools.watch import upstream
from tools.watch.upstream import News, WatchError


@pytest.fixture
def repository(tmp_path: Path) -> Callable[..., str]:
    def make(*tags: str) -> str:
        folder = tmp_path / "upstream"
        git = ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@example.org"]
        folder.mkdir()
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
        for tag in tags:
            subprocess.run([*git, "tag", tag], check=True)
        return f"file://{folder}"

    return make


@pytest.mark.parametrize(
    ("tags", "news"),
    [
        (["openssl-3.5.7", "openssl-3.6.9", "openssl-3.5.99-beta1"], []),
        (["openssl-3.5.7", "openssl-3.5.10", "openssl-3.5.9"], ["openssl 3.5.10; 3.5.7 is pinned"]),
    ],
)
def test_a_release_of_the_series_is_found(
    repository: Callable[..., str], tags: list[str], news: list[str]
) -> None:
    watched = {"openssl": {"repository": repository(*tags), "tags": r"openssl-(3\.5\.\d+)"}}
    assert [each.what for each in upstream.releases(watched=watched)] == news


def test_a_repository_that_is_not_what_it_was_is_told(repository: Callable[..., str]) -> None:
    watched = {"openssl": {"repository": repository("v1"), "tags": r"openssl-(3\.5\.\d+)"}}
    with pytest.raises(WatchError, match=r"openssl: .* has no tag like openssl-"):
        list(upstream.releases(watched=watched))
    watched["openssl"]["repository"] = "file:///nowhere"
    with pytest.raises(WatchError, match="openssl: file:///nowhere does not answer: "):
        list(upstream.releases(watched=watched))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and where it is served."""
    folder = tmp_path / "site"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *words: object) -> None:
            super().__init__(*words, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_package_is_asked_for_by_pip(site: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = site
    pins = tmp_path / "parts/certbot-pins"
    pins.mkdir(parents=True)
    (pins / "runtime.in").write_text("# what runs\n--only-binary x\nsomething==5.8.0\n")
    (pins / "cryptography.txt").write_text("other==1.0 --hash=sha256:0\n")
    for name, versions in (("something", ["5.8.0", "5.10.0", "6.0.0rc1"]), ("other", ["1.0"])):
        (folder / name).mkdir()
        links = "".join(f'<a href="{name}-{each}-py3-none-any.whl">{name}</a>' for each in versions)
        (folder / name / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>")
    options = ("--index-url", address)
    assert [each.what for each in upstream.packages(tmp_path, options)] == [
        "something 5.10.0; 5.8.0 is pinned"
    ]
    (pins / "runtime.in").write_text("nothing==1\n")
    with pytest.raises(WatchError, match="nothing: pip does not answer: "):
        list(upstream.packages(tmp_path, options))


def page(*rows: tuple[str, str]) -> str:
    """A page in the form of OpenSSL's, in few words."""
    known = [(name, "yes") for name in facts("advisories")["advisories"]]
    lines = [
        f'<tr><td><a href="#{name}">{name}</a></td><td>3.0.13<br>3.1.5</td>'
        f"<td><strong>{said}</strong></td><td></td></tr>"
        for name, said in (*known, *rows)
    ]
    head = "<tr><th>CVE ID</th><th>Fixed</th><th>FIPS?</th><th>Notes</th></tr>"
    return f"<html><body><table>{head}{''.join(lines)}</table></body></html>"


def test_a_cve_that_is_relevant_and_not_known_is_found(site: tuple[Path, str]) -> None:
    folder, address = site
    rows = [
        ("CVE-2023-1255", "yes"),
        ("CVE-2027-1111", "no"),
        ("CVE-2027-2222", "yes"),
        ("CVE-2027-3333", "maybe"),
    ]
    (folder / "index.html").write_text(page(*rows))
    assert [each.what for each in upstream.advisories(address)] == [
        "CVE-2027-2222: relevant to FIPS modules (yes)",
        "CVE-2027-3333: relevant to FIPS modules (maybe)",
    ]


def test_a_page_that_is_not_what_it_was_is_told(site: tuple[Path, str]) -> None:
    folder, address = site
    (folder / "index.html").write_text("<p>We have moved.</p>")
    with pytest.raises(WatchError, match="does not have CVE-2023-6237 any more: look at it"):
        list(upstream.advisories(address))
    with pytest.raises(WatchError, match=r"cannot be read \(HTTPError\)"):
        list(upstream.advisories(f"{address}/none"))


GH = """#!/bin/sh
# A stand-in for GitHub's program: it writes what it is asked.
echo "$*" >>"$GH_ASKED"
case "$1 $2" in
"issue list") cat "$GH_OPEN" ;;
*) cat >>"$GH_ASKED"; echo https://example.org/issues/1 ;;
esac
"""


@pytest.mark.parametrize(
    ("open_ones", "done"),
    [
        ([], f"issue create --title {watch.TITLE} --body-file -"),
        ([{"number": 7, "title": watch.TITLE}, {"number": 8, "title": "x"}], "issue edit 7 --body-file -"),
    ],
)
def test_there_is_one_issue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_ones: list[dict[str, object]], done: str
) -> None:
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    (tmp_path / "open").write_text(json.dumps(open_ones))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("GH_ASKED", str(tmp_path / "asked"))
    monkeypatch.setenv("GH_OPEN", str(tmp_path / "open"))
    watch.tell([News("openssl 3.5.8; 3.5.7 is pinned", "upstream")])
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[1:3] == [done, "- openssl 3.5.8; 3.5.7 is pinned (upstream)"]


def test_without_gh_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WatchError, match="the program gh is missing"):
        watch.tell([News("x", "y")])
