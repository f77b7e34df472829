"""A pull request that changes a pin, where upstream's own signature over the new source was verified.

Of the new sha256 nothing else is believed: neither the page that the source is on nor what was downloaded.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

import requests
import yaml
from pysequoia import Cert, Sig, verify

from tools.build.recipe import PROJECT
from tools.digest import sha256
from tools.watch.upstream import SECONDS, Release, WatchError

KEYS = Path(__file__).with_name("keys")
IDENTITY = ("-c", "user.name=watch", "-c", "user.email=watch@localhost")


def propose(release: Release, project: Path = PROJECT) -> str:
    """Open a pull request for a release, unless there was one; return its address.

    The clone is left as it was, but for the branch.

    :raises WatchError: the signature is not verified, or git or gh fails.
    """
    branch = f"watch/{release.part}-{release.version}"
    listed = gh(["pr", "list", "--state", "all", "--head", branch, "--json", "url", "--jq", ".[].url"])
    if listed.strip():
        return listed.split()[0]
    recipe = project / "snapcraft.yaml"
    source = yaml.safe_load(recipe.read_text())["parts"][release.part]["source"]
    source = source.replace(str(release.pinned), str(release.version))
    digest = verified(source, KEYS / release.key)
    before = _git(project, "rev-parse", "HEAD").strip()
    _git(project, "switch", "--quiet", "--create", branch)
    try:
        change(project, release, digest)
        title = f"{release.part} {release.version}"
        _git(project, *IDENTITY, "commit", "--quiet", "--all", "--message", title)
        gh(["auth", "setup-git"])  # git asks it for the credentials
        _git(project, "push", "--quiet", "origin", branch)
    finally:
        _git(project, "switch", "--quiet", "--force", "--detach", before)
    text = f"sha256 {digest} of {source}, by the signature beside it, verified with {release.key}.\n"
    return gh(["pr", "create", "--head", branch, "--title", title, "--body-file", "-"], text).strip()


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
            _fetch(url, target)
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
        return sha256(file)


def _fetch(url: str, target: Path) -> None:
    try:
        with requests.get(url, stream=True, timeout=SECONDS) as answer:
            answer.raise_for_status()
            with target.open("wb") as file:
                for block in answer.iter_content(1 << 20):
                    file.write(block)
    except requests.RequestException as error:
        raise WatchError(f"{url} cannot be fetched ({type(error).__name__})") from error


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
    text, changed = old.subn(rf"\g<1>{new}\n\g<2>sha256/{digest}", text)
    if changed != 1:
        raise WatchError(f"snapcraft.yaml: source and source-checksum of {release.part} are not as expected")
    recipe.write_text(text)
    lines = origins.read_text().splitlines(keepends=True)
    origins.write_text("".join(line for line in lines if not line.strip().startswith(f"{checksum}:")))


def _git(project: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(project), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it says nothing"]
        raise WatchError(f"git {words[-1 if words[0] == '-c' else 0]} failed: {said[-1][:200]}")
    return done.stdout


def gh(words: list[str], text: str = "") -> str:
    """Return what GitHub's program says.

    :param words: its arguments.
    :param text: its standard input.
    :raises WatchError: it is missing, fails or does not answer.
    """
    try:
        done = subprocess.run(["gh", *words], input=text, capture_output=True, text=True, timeout=SECONDS)
    except FileNotFoundError as error:
        raise WatchError("the program gh is missing: only with it can GitHub be told") from error
    except subprocess.TimeoutExpired as error:
        raise WatchError("gh does not answer") from error
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it says nothing"]
        raise WatchError(f"gh {' '.join(words[:2])} failed: {said[-1][:200]}")
    return done.stdout
