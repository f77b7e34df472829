"""`python3 -m tools.watch`: what upstream has that the pins have not, a line each.

Exit status 0: all was asked, and there may be news; 2: something could not be asked, and a line on stderr
says what. With --issue, news become an issue of the repository that GitHub's program gh is set up for.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator

from tools.watch import upstream
from tools.watch.upstream import News, WatchError

TITLE = "Upstream has released something"


def main() -> int:
    """Ask, and say it."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.watch", description=__doc__)
    parser.add_argument("--issue", action="store_true", help="open an issue, or renew the one that is open")
    arguments = parser.parse_args()
    found: list[News] = []
    failed = False
    asked: tuple[Callable[[], Iterator[News]], ...] = (
        upstream.releases,
        upstream.packages,
        upstream.advisories,
    )
    for ask in asked:
        try:
            found.extend(ask())
        except WatchError as error:
            print(f"watch: {error}", file=sys.stderr)
            failed = True
    for news in found:
        print(f"{news.what} ({news.where})")
    if found and arguments.issue:
        try:
            tell(found)
        except WatchError as error:
            print(f"watch: {error}", file=sys.stderr)
            failed = True
    return 2 if failed else 0


def tell(found: list[News]) -> None:
    """Open an issue, unless there is one: then it gets the text.

    :raises WatchError: gh does not.
    """
    lines = [f"- {news.what} ({news.where})" for news in found]
    text = "\n".join([*lines, "", "CONTRIBUTING.md, *Change a pin*, says what to do.", ""])
    listed = _gh(["issue", "list", "--state", "open", "--search", TITLE, "--json", "number,title"])
    numbers = [str(each["number"]) for each in json.loads(listed) if each["title"] == TITLE]
    words = ["issue", "edit", numbers[0]] if numbers else ["issue", "create", "--title", TITLE]
    print(_gh([*words, "--body-file", "-"], text).strip())


def _gh(words: list[str], text: str = "") -> str:
    try:
        done = subprocess.run(["gh", *words], input=text, capture_output=True, text=True, timeout=120)
    except FileNotFoundError as error:
        raise WatchError("the program gh is missing: only with it can an issue be opened") from error
    except subprocess.TimeoutExpired as error:
        raise WatchError("gh does not answer") from error
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it says nothing"]
        raise WatchError(f"gh {' '.join(words[:2])} failed: {said[-1][:200]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
