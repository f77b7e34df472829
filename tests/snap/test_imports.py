"""In FIPS mode what is in the snap is imported from the snap, whatever lies nearer by the same name."""

import json

import pytest

from tests.snap.support import SNAP
from tools.hosts import NamespaceHost

FOLDER = "/run/beside"
#: Names that are in the snap.
OURS = ("cryptography", "OpenSSL", "hashlib", "certbot")
SCRIPT = f"""
import importlib, json
names = [*{OURS!r}, "helper"]
print(json.dumps([importlib.import_module(name).__file__ for name in names]))
"""
#: How they come to lie nearer, with the folder as the current one.
WAYS = {
    "beside a script": ["python3", f"{FOLDER}/script.py"],
    "in the current folder": ["python3", "-c", SCRIPT],
    "the same, by -m": ["python3", "-m", "script"],
    "the same, by stdin": ["sh", "-c", "python3 - < script.py"],
    "in an application of one file": ["python3", "application.zip"],
    "by the script's own word": [
        "python3",
        "-I",
        "-c",
        f"import sys; sys.path.insert(0, '{FOLDER}')\n{SCRIPT}",
    ],
}


@pytest.mark.parametrize("way", WAYS)
def test_what_lies_nearer_is_not_taken(flagged: NamespaceHost, unflagged: NamespaceHost, way: str) -> None:
    """Elsewhere it is, as always with Python: the control. What is not in the snap is taken from there."""
    shell = ["snap", "run", "--shell", "certbot-fips", "-c", f'cd {FOLDER} && exec "$0" "$@"', *WAYS[way]]
    found = []
    for host in (flagged, unflagged):
        make = (
            f"mkdir -p {FOLDER} && cd {FOLDER};"
            f"for name in {' '.join(OURS)}; do mkdir -p $name && touch $name/__init__.py; done;"
            "touch helper.py;"
            "cat > script.py; cp script.py __main__.py; rm -f application.zip;"
            "python3 -m zipfile -c application.zip __main__.py helper.py */"
        )
        host.run(["sh", "-euc", make], stdin=SCRIPT).check()
        found.append(json.loads(host.run(shell).check().stdout))
    inside = f"{SNAP.replace('current', 'x1')}/usr/lib/python3.13/"
    assert [path.startswith(inside) for path in found[0]] == [True] * len(OURS) + [False]
    assert [path.startswith(FOLDER) for path in found[1]] == [True] * (len(OURS) + 1)


def test_in_fips_a_cryptography_of_the_scripts_makes_no_weak_key(flagged: NamespaceHost) -> None:
    """What it is for: that package is anybody's, with an OpenSSL in it that knows no FIPS."""
    weak = (
        "from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as make;"
        "make(65537, 1024)"
    )
    plant = "mkdir -p /run/wheel/cryptography && echo 'print(1)' > /run/wheel/cryptography/__init__.py"
    flagged.run(["sh", "-euc", plant]).check()
    result = flagged.run(
        ["snap", "run", "--shell", "certbot-fips", "-c", f"cd /run/wheel && python3 -c '{weak}'"]
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert "ValueError" in result.stderr
