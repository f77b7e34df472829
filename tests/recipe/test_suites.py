"""The suites are those of the packages that are in the snap."""

import re

from tests.conftest import PROJECT


def versions(*names: str) -> dict[str, str]:
    """Return what requirements files pin, by the names of the packages."""
    text = "".join((PROJECT / name).read_text() for name in names)
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


def test_they_have_the_versions_of_the_snap() -> None:
    snap = versions("parts/certbot-pins/runtime.txt", "parts/certbot-pins/cryptography.txt")
    sdists, needs = versions("tools/suites/sdists.txt"), versions("tools/suites/needs.txt")
    assert sdists.items() <= snap.items()
    assert needs["cryptography-vectors"] == snap["cryptography"]


def test_what_they_want_besides_is_not_what_the_snap_has() -> None:
    snap = versions("parts/certbot-pins/runtime.txt", "parts/certbot-pins/cryptography.txt")
    assert not versions("tools/suites/needs.txt").keys() & snap.keys()
