"""A pull request that changes a pin, where upstream's own signature over the new source was verified.

Of the new sha256 nothing else is believed: neither the page that the source is on nor what was downloaded.
"""

from __future__ import annotations

import json
import re
import tarfile
import tempfile
from pathlib import Path

import requests
import yaml
from pysequoia import Cert, Sig, verify

from tools.build.recipe import PROJECT
from tools.build.sources import download
from tools.digest import sha256
from tools.watch.upstream import Release, WatchError, run

KEYS = Path(__file__).with_name("keys")
IDENTITY = {f"GIT_{who}_{what}": "watch" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
#: git asks gh for the credentials, and never a person.
CREDENTIALS = ("-c", "credential.helper=", "-c", "credential.helper=!gh auth git-credential")


def propose(release: Release, project: Path = PROJECT) -> str:
    """Open a pull request for a release, unless there was one; return its address.

    What is in the clone stays as it is: the branch starts from the default branch, in a work tree
    of its own.

    :raises WatchError: the signature is not verified, or git or gh fails.
    """
    branch, title = f"watch/{release.part}-{release.version}", f"{release.part} {release.version}"
    asked = ["pr", "list", "--state", "all", "--head", branch, "--json", "url,isCrossRepository"]
    for found in json.loads(gh(asked)):
        if not found["isCrossRepository"]:  # anybody may have a branch of that name in a fork
            return str(found["url"])
    base = gh(["repo", "view", "--json", "defaultBranchRef", "--jq", ".defaultBranchRef.name"]).strip()
    pinned = yaml.safe_load((project / "snapcraft.yaml").read_text())["parts"][release.part]["source"]
    source = pinned.replace(str(release.pinned), str(release.version))
    digest = verified(source, KEYS / release.key)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        _git(project, *CREDENTIALS, "fetch", "--quiet", "origin", base)
        _git(project, "worktree", "add", "--quiet", "--detach", str(tree), "FETCH_HEAD")
        try:
            change(tree, release, digest)
            _git(tree, "commit", "--quiet", "--all", "--message", title)
            # By force: of a run that ended here the branch is left.
            _git(tree, *CREDENTIALS, "push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")
        finally:
            _git(project, "worktree", "remove", "--force", str(tree))
    text = (
        f"sha256 {digest} of {source}, by the signature beside it, verified with {release.key}.\n\n"
        "CHANGELOG.md and docs/auditors.md name the version too.\n"
    )
    return gh(
        ["pr", "create", "--base", base, "--head", branch, "--title", title, "--body-file", "-"], text
    ).strip()


def verified(source: str, key: Path) -> str:
    """Return the sha256 of a source that has a valid signature beside it (OpenPGP, RFC 9580, `SOURCE.asc`).

    :param source: its URL.
    :param key: the certificate that has to have signed.
    :raises WatchError: either cannot be fetched, or no valid signature is by that certificate.
    """
    name = source.rpartition("/")[2]
    certificate = Cert.from_bytes(key.read_bytes())
    with tempfile.TemporaryDirectory() as folder:
        file, signature = Path(folder) / name, Path(folder) / f"{name}.asc"
        for url, target in ((source, file), (f"{source}.asc", signature)):
            try:
                download(url, target)
            except requests.RequestException as error:
                raise WatchError(f"{url} cannot be fetched ({type(error).__name__})") from error
        try:
            found = verify(
                file=str(file),
                store=lambda _: [certificate],
                signature=Sig.from_bytes(signature.read_bytes()),
            )
        except Exception as error:  # of kinds that pysequoia does not name
            raise WatchError(f"{name}: no valid signature by {key.name}: {error}") from error
        if certificate.fingerprint not in [each.certificate for each in found.valid_sigs]:
            raise WatchError(f"{name}: no valid signature by {key.name}")
        _holds(file)
        return sha256(file)


def _holds(file: Path) -> None:
    """Hold what is signed against its name: an older release has a valid signature too.

    :raises WatchError: not all of the archive is in a folder named as it is.
    """
    folder = file.name.partition(".tar.")[0]
    with tarfile.open(file) as archive:
        for member in archive:
            if member.name.partition("/")[0] != folder:
                found = member.name[:99]
                raise WatchError(f"{file.name} is signed, and has {found} in it: it is not {folder}")


def change(project: Path, release: Release, digest: str) -> None:
    """Change the pin in snapcraft.yaml; the second origin of the old bytes goes with them.

    :param digest: the sha256 of the new source.
    :raises WatchError: the recipe has not the form that is known.
    """
    recipe, origins = project / "snapcraft.yaml", project / "tools/build/origins.yaml"
    text = recipe.read_text()
    pin = yaml.safe_load(text)["parts"][release.part]
    source, checksum = pin["source"], pin["source-checksum"]
    old = re.compile(
        rf"(?m)^(    source: ){re.escape(source)}\n(    source-checksum: ){re.escape(checksum)}$"
    )
    new = source.replace(str(release.pinned), str(release.version))
    if new == source:
        raise WatchError(f"snapcraft.yaml of the default branch does not pin {release.part} {release.pinned}")
    text, changed = old.subn(rf"\g<1>{new}\n\g<2>sha256/{digest}", text)
    if changed != 1:
        raise WatchError(f"snapcraft.yaml: source and source-checksum of {release.part} are not as expected")
    recipe.write_text(text)
    lines = origins.read_text().splitlines(keepends=True)
    origins.write_text("".join(line for line in lines if not line.strip().startswith(f"{checksum}:")))


def _git(folder: Path, *words: str) -> str:
    what = [word for word in words if not word.startswith(("-", "credential."))]
    variables = {**IDENTITY, "GIT_TERMINAL_PROMPT": "0"}
    return run(["git", "-C", str(folder), *words], f"git {what[0]}", **variables)


def gh(words: list[str], text: str = "") -> str:
    """Return what GitHub's program says.

    :param words: its arguments.
    :param text: its standard input.
    :raises WatchError: it is missing, fails or does not answer.
    """
    return run(["gh", *words], f"gh {' '.join(words[:2])}", text)
