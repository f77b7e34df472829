"""`python3 -m tools.watch`: what upstream has that the pins have not, a line each.

Exit status 0: all was asked, and there may be news; 2: something could not be asked, verified or told, and
a line on stderr says what. With --tell, the repository that GitHub's program gh is set up for gets a pull
request for each release whose own signature was verified, and one issue for all else.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator

from tools.watch import upstream
from tools.watch.propose import gh, propose
from tools.watch.upstream import News, Release, WatchError

TITLE = "Upstream has released something"


def main() -> int:
    """Ask, and say it."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.watch", description=__doc__)
    parser.add_argument("--tell", action="store_true", help="open pull requests, and an issue or renew it")
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
    if not arguments.tell:
        return 2 if failed else 0
    left: list[News] = []
    for news in found:
        try:
            if isinstance(news, Release) and news.key:
                print(propose(news))
            else:
                left.append(news)
        except WatchError as error:
            print(f"watch: {error}", file=sys.stderr)
            failed = True
            left.append(News(f"{news.what}; no pull request: {error}", news.where))
    if left:
        try:
            tell(left)
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
    listed = gh(["issue", "list", "--state", "open", "--search", TITLE, "--json", "number,title"])
    numbers = [str(each["number"]) for each in json.loads(listed) if each["title"] == TITLE]
    words = ["issue", "edit", numbers[0]] if numbers else ["issue", "create", "--title", TITLE]
    print(gh([*words, "--body-file", "-"], text).strip())


if __name__ == "__main__":
    sys.exit(main())
