"""What upstream has released is found, by git, pip and a page; here of upstreams on this machine."""

import hashlib
import http.server
import io
import json
import subprocess
import tarfile
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from packaging.version import Version
from pysequoia import Cert, SignatureMode, Tsk, sign

from tools.build.recipe import PROJECT
from tools.release.inventory.built import facts
from tools.release.inventory.releases import version_of
from tools.watch import __main__ as watch
from tools.watch import propose, upstream
from tools.watch.upstream import News, Release, WatchError


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
    with pytest.raises(WatchError, match="openssl: file:///nowhere failed: "):
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
    (pins / "runtime.txt").write_text("# what runs\n--only-binary x\nsomething==5.8.0\n")
    (pins / "cryptography.txt").write_text("other==1.0 --hash=sha256:0\n")
    for name, versions in (("something", ["5.8.0", "5.10.0", "6.0.0rc1"]), ("other", ["1.0"])):
        (folder / name).mkdir()
        links = "".join(f'<a href="{name}-{each}-py3-none-any.whl">{name}</a>' for each in versions)
        (folder / name / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>")
    options = ("--index-url", address)
    assert [each.what for each in upstream.packages(tmp_path, options)] == [
        "something 5.10.0; 5.8.0 is pinned"
    ]
    (pins / "runtime.txt").write_text("nothing==1\n")
    with pytest.raises(WatchError, match="nothing: pip failed: "):
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
"issue list" | "pr list") cat "$GH_OPEN" ;;
"repo view") echo main ;;
"pr create") ! [ -e "$GH_OPEN.refuses" ] || { echo "may not create pull requests" >&2; exit 1; }
    cat >>"$GH_ASKED"; echo "https://example.org/$1/1" ;;
*) cat >>"$GH_ASKED"; echo "https://example.org/$1/1" ;;
esac
"""


@pytest.fixture
def gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Set what is open there; the list is of what is asked, line by line, as soon as it is read again."""
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    asked = tmp_path / "asked"
    asked.touch()
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("GH_ASKED", str(asked))
    monkeypatch.setenv("GH_OPEN", str(tmp_path / "open"))

    def there(open_ones: str) -> list[str]:
        (tmp_path / "open").write_text(open_ones)
        return asked.read_text().splitlines()

    return there


@pytest.mark.parametrize(
    ("open_ones", "done"),
    [
        ([], f"issue create --title {watch.TITLE} --body-file -"),
        ([{"number": 7, "title": watch.TITLE}, {"number": 8, "title": "x"}], "issue edit 7 --body-file -"),
    ],
)
def test_there_is_one_issue(
    gh: Callable[[str], list[str]], open_ones: list[dict[str, object]], done: str
) -> None:
    gh(json.dumps(open_ones))
    watch.tell([News("openssl 3.5.8; 3.5.7 is pinned", "upstream")])
    assert gh("")[1:3] == [done, "- openssl 3.5.8; 3.5.7 is pinned (upstream)"]


def test_without_gh_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WatchError, match="the program gh is missing"):
        watch.tell([News("x", "y")])


RECIPE = """parts:
  openssl:
    source: {address}/openssl-3.5.7/openssl-3.5.7.tar.gz
    source-checksum: sha256/00
"""
ORIGINS = """distribution:
  sha256/00: {package: openssl, suite: trixie}
  sha256/11: {package: other, suite: trixie}
"""


def archive(folder: str) -> bytes:
    """A release: an archive with one file in a folder of that name."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as packed:
        packed.addfile(tarfile.TarInfo(f"{folder}/README"))
    return content.getvalue()


CONTENT = archive("openssl-3.5.9")


class Upstream:
    """A project's clone, its origin, and the release that upstream offers."""

    def __init__(self, tmp_path: Path, site: tuple[Path, str]) -> None:
        self.origin, self.clone = tmp_path / "origin.git", tmp_path / "clone"
        folder, address = site
        self.served = folder / "openssl-3.5.9"
        self.served.mkdir()
        (self.clone / "tools/build").mkdir(parents=True)
        (self.clone / "snapcraft.yaml").write_text(RECIPE.format(address=address))
        (self.clone / "tools/build/origins.yaml").write_text(ORIGINS)
        subprocess.run(["git", "init", "-q", "--bare", str(self.origin)], check=True)
        subprocess.run(["git", "init", "-q", "-b", "main", str(self.clone)], check=True)
        self.git("add", "--all")
        self.git("-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-qm", "x")
        self.git("remote", "add", "origin", str(self.origin))
        self.git("push", "-q", "origin", "main")
        self.certificate = tmp_path / "openssl.asc"
        self.secret = Tsk.generate("Release <release@example.org>")
        self.certificate.write_text(str(self.secret.extract_certificate()))
        pinned, newer = Version("3.5.7"), Version("3.5.9")
        self.release = Release("openssl 3.5.9", "x", "openssl", pinned, newer, "openssl.asc")

    def git(self, *words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(self.clone), *words], check=True, capture_output=True, text=True
        ).stdout.strip()

    def pushed(self) -> list[str]:
        """What the branch changes, line by line; nothing where there is none."""
        branches = self.git("--git-dir", str(self.origin), "branch", "--list", "watch/*")
        if not branches:
            return []
        changed = self.git("--git-dir", str(self.origin), "diff", "-U0", "main", branches.strip())
        return [line for line in changed.splitlines() if line[0] in "+-" and line[:3] not in ("+++", "---")]

    def offer(self, content: bytes, signature: bytes | None) -> None:
        (self.served / "openssl-3.5.9.tar.gz").write_bytes(content)
        if signature is not None:
            (self.served / "openssl-3.5.9.tar.gz.asc").write_bytes(signature)

    def signed(self, content: bytes = CONTENT, by: Tsk | None = None) -> bytes:
        return sign((by or self.secret).signer(), content, mode=SignatureMode.DETACHED)


@pytest.fixture
def offered(tmp_path: Path, site: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> Upstream:
    monkeypatch.setattr(propose, "KEYS", tmp_path)
    return Upstream(tmp_path, site)


def test_a_release_whose_signature_is_verified_becomes_a_pull_request(
    offered: Upstream, site: tuple[Path, str], gh: Callable[[str], list[str]]
) -> None:
    """From the default branch; what somebody works on in the clone has no part in it, and stays."""
    a_forks = {"url": "https://example.org/a-fork", "isCrossRepository": True}
    gh(json.dumps([a_forks]))
    offered.offer(CONTENT, offered.signed())
    offered.git("switch", "-qc", "work")
    worked_on = f"{RECIPE.format(address=site[1])}# somebody works here\n"
    (offered.clone / "snapcraft.yaml").write_text(worked_on)
    assert propose.propose(offered.release, offered.clone) == "https://example.org/pr/1"
    digest = hashlib.sha256(CONTENT).hexdigest()
    source = f"{site[1]}/openssl-3.5.9/openssl-3.5.9.tar.gz"
    ours = {"url": "https://example.org/ours", "isCrossRepository": False}
    listed, _, created, text, *_ = gh(json.dumps([a_forks, ours]))
    assert listed.startswith("pr list --state all --head watch/openssl-3.5.9 ")
    assert created == "pr create --base main --head watch/openssl-3.5.9 --title openssl 3.5.9 --body-file -"
    assert text.startswith(f"sha256 {digest} of {source}, by the signature beside it")
    assert offered.pushed() == [
        f"-    source: {site[1]}/openssl-3.5.7/openssl-3.5.7.tar.gz",
        "-    source-checksum: sha256/00",
        f"+    source: {source}",
        f"+    source-checksum: sha256/{digest}",
        "-  sha256/00: {package: openssl, suite: trixie}",
    ]
    assert offered.git("symbolic-ref", "--short", "HEAD") == "work"
    assert (offered.clone / "snapcraft.yaml").read_text() == worked_on
    assert len(offered.git("worktree", "list").splitlines()) == 1
    # Of one release there is one.
    assert propose.propose(offered.release, offered.clone) == "https://example.org/ours"
    assert len([line for line in gh("") if line.startswith("pr create")]) == 1


def test_it_goes_on_where_a_run_has_ended(
    offered: Upstream, tmp_path: Path, gh: Callable[[str], list[str]]
) -> None:
    gh("[]")
    offered.offer(CONTENT, offered.signed())
    refuses = tmp_path / "open.refuses"
    refuses.touch()
    with pytest.raises(WatchError, match="gh pr create failed: may not create pull requests"):
        propose.propose(offered.release, offered.clone)
    refuses.unlink()
    assert propose.propose(offered.release, offered.clone) == "https://example.org/pr/1"
    assert len(offered.pushed()) == 5


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("none", r"openssl-3.5.9.tar.gz.asc cannot be fetched \(HTTPError\)"),
        ("no signature", r"openssl-3.5.9.tar.gz: no valid signature by openssl.asc: "),
        ("another's", r"openssl-3.5.9.tar.gz: no valid signature by openssl.asc: "),
        ("a changed byte", r"openssl-3.5.9.tar.gz: no valid signature by openssl.asc: "),
        ("an old release", r"openssl-3.5.9.tar.gz is signed, and has openssl-3.5.1/README in it: it is not "),
    ],
)
def test_what_is_not_verified_changes_nothing(
    offered: Upstream, gh: Callable[[str], list[str]], fault: str, why: str
) -> None:
    gh("[]")
    old = archive("openssl-3.5.1")
    by_another = offered.signed(by=Tsk.generate("Release <release@example.org>"))
    signatures = {
        "none": None,
        "no signature": b"<html>",
        "another's": by_another,
        "an old release": offered.signed(old),
    }
    contents = {"a changed byte": CONTENT[:-1] + b"x", "an old release": old}
    offered.offer(contents.get(fault, CONTENT), signatures.get(fault, offered.signed()))
    with pytest.raises(WatchError, match=why):
        propose.propose(offered.release, offered.clone)
    assert offered.pushed() == []
    assert not [line for line in gh("") if line.startswith("pr create")]


def test_a_signature_that_is_valid_is_not_enough(
    offered: Upstream, gh: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has to be that certificate's, whatever the library makes of others."""
    gh("[]")
    offered.offer(CONTENT, offered.signed())
    monkeypatch.setattr(propose, "verify", lambda **_: types.SimpleNamespace(valid_sigs=[]))
    with pytest.raises(WatchError, match=r"openssl-3.5.9.tar.gz: no valid signature by openssl.asc$"):
        propose.propose(offered.release, offered.clone)


def test_the_recipes_pins_can_be_changed(tmp_path: Path) -> None:
    """Each that is watched and has a certificate, as `change` finds it."""
    for release in ("openssl", "python"):
        (tmp_path / "tools/build").mkdir(parents=True, exist_ok=True)
        for name in ("snapcraft.yaml", "tools/build/origins.yaml"):
            (tmp_path / name).write_text((PROJECT / name).read_text())
        pin = yaml.safe_load((tmp_path / "snapcraft.yaml").read_text())["parts"][release]
        pinned = Version(version_of(pin["source"]))
        newer = Release("x", "x", release, pinned, Version(f"{pinned}9"), "x")
        propose.change(tmp_path, newer, "22")
        now = yaml.safe_load((tmp_path / "snapcraft.yaml").read_text())["parts"][release]
        assert now["source"] == pin["source"].replace(str(pinned), f"{pinned}9")
        assert now["source-checksum"] == "sha256/22"
        assert pin["source-checksum"] not in (tmp_path / "tools/build/origins.yaml").read_text()


def test_the_certificates_are_those_of_the_releases() -> None:
    """By their fingerprints, as Debian's source packages of both have them."""
    prints = {path.stem: Cert.from_file(str(path)).fingerprint for path in sorted(propose.KEYS.glob("*.asc"))}
    assert prints == {
        "openssl": "ba5473a2b0587b07fb27cf2d216094dfd0cb81ef",
        "python": "7169605f62c751356d054a26a821e680e5fa6305",
    }
