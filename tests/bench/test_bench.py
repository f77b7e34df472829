"""Every figure of `make bench`, once and in its quick form, on the packed snap."""

import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tools.bench import __main__ as bench
from tools.bench import upstream
from tools.bench.lineages import DUE, renewal
from tools.bench.measure import BenchError, Program, Sample
from tools.bench.package import NO_DNS
from tools.bench.report import Figure
from tools.bench.starts import TAKES_CRYPTO, first_start
from tools.bench.subjects import Subjects
from tools.build.errors import UnavailableError
from tools.hosts.base import LOGIN_ENVIRONMENT

#: How many figures are measured under such a name.
MANY = {
    "version": 3,
    "cold": 1,
    "context": 1,
    "launcher": 2,
    "issuance": 3,
    "dns": 3,
    "renew": 7,
    "timer": 3,
    "certificates": 3,
    "throughput": 4,
    "size": 2,
}
#: Between which ratios a figure is plausible on a machine that does other things besides: a wrong unit is
#: found, a slow moment is not.
PLAUSIBLE = (0.1, 5)
#: Differences of two runs, to either of which a moment may add more than is measured.
DIFFERENCES = {
    "first SSLContext, FIPS less default": (0.1, 10),
    "launcher, FIPS": (-20, 20),
    "launcher, default": (-20, 20),
    "renew, for each lineage": (-100, 100),
}
SLOW = pytest.mark.skip(reason="takes more than ten minutes, and has no quick form")


@pytest.fixture(scope="module")
def subjects(snap_file: Path) -> Iterator[Subjects]:
    made = Subjects(snap_file, bench.WORK, quick=True, reference=snap_file)
    with made.stack:
        yield made


def implausible(name: str, figures: list[Figure]) -> list[str]:
    """Return what cannot be of the figures of that name."""
    said = [] if len(figures) == MANY[name] else [f"{len(figures)} figures, not {MANY[name]}"]
    for figure in figures:
        least, most = DIFFERENCES.get(figure.name, PLAUSIBLE)
        found = figure.json()
        (pair,) = found["pairs"]  # of the one round
        if min(pair) <= 0 < least:
            said.append(f"{figure.name}: {pair} is nothing")
        ratio = found["ratio"]
        if not least < ratio["min"] <= ratio["median"] <= ratio["max"] < most:
            said.append(f"{figure.name}: the ratio is {ratio}")
    return said


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[SLOW] if name in bench.SLOW else []) for name in bench.FIGURES],
)
def test_figure(name: str, subjects: Subjects) -> None:
    try:
        figures = bench.FIGURES[name](subjects)
    except UnavailableError as reason:
        pytest.skip(str(reason))
    assert implausible(name, figures) == []


def test_what_is_implausible_is_told() -> None:
    """The control."""

    def of(*pairs: tuple[float, float]) -> list[str]:
        return implausible("version", [Figure("start", "ms", [pair], "pip") for pair in pairs])

    assert of(*[(80.0, 90.0)] * 3) == []
    assert of() == ["0 figures, not 3"]
    assert "start: [0.0, 90.0] is nothing" in of((0.0, 90.0))
    assert "start: [-80.0, -90.0] is nothing" in of((-80.0, -90.0))
    assert "the ratio is" in of((0.08, 90.0))[1]  # seconds, not milliseconds


def test_a_program_that_does_not_do_its_work_is_no_sample(subjects: Subjects) -> None:
    def run(program: str, *arguments: str, says: str) -> Sample:
        return Program(subjects.flagged, (program,), LOGIN_ENVIRONMENT)(*arguments, says=says)

    assert run("echo", "done", says="^done$").said == "done\n"
    with pytest.raises(BenchError, match="did not do its work and said: nothing"):
        run("true", says="^done$")
    with pytest.raises(BenchError, match="failed and said: done"):
        run("sh", "-c", "echo done; exit 1", says="^done$")


def test_what_proves_fips_is_not_taken_for_what_does_not(subjects: Subjects) -> None:
    python = partial(subjects.app(subjects.flagged, "python3"), "-c", TAKES_CRYPTO)
    assert python(says="^True\nflag\n$").cpu > 0
    for other in ("^False", "stand-in"):
        with pytest.raises(BenchError, match="did not do its work"):
            python(says=other)


def test_a_start_that_is_not_cold_is_no_sample(subjects: Subjects) -> None:
    app = subjects.app(subjects.host(flagged=True))
    assert first_start(app)().seconds > 0
    with pytest.raises(BenchError, match="was not cold"):
        first_start(app, mount=False)()


def test_each_lineage_is_asked_about_at_each_renewal(subjects: Subjects) -> None:
    """With its controls: Certbot was told about the lineage a moment ago; the authority does not answer."""
    folder = "/var/lib/asked"
    subjects.certonly(subjects.certbot, "asked.example.org", "--standalone", "--config-dir", folder)
    conf = subjects.flagged.path(f"{folder}/renewal/asked.example.org.conf")
    settings = conf.read_text()
    renew = renewal(subjects.certbot, folder)
    assert renew().seconds > 0
    assert renew().seconds > 0
    subjects.certbot("renew", "--no-random-sleep-on-renew", "--config-dir", folder)
    unanswered = "of 1 lineages, 0 due, `certbot renew` renewed 0 and was answered about 0"
    with pytest.raises(BenchError, match=unanswered):
        renew()
    conf.write_text(settings.replace(":14000/", ":9/"))
    with pytest.raises(BenchError, match=unanswered):
        renew()
    conf.write_text(DUE + settings)
    with pytest.raises(BenchError, match="of 1 lineages, 0 due, `certbot renew` renewed 1"):
        renew()


def test_the_snap_with_dns_plugins_is_not_taken_for_one_without(subjects: Subjects) -> None:
    with pytest.raises(BenchError, match="did not do its work"):
        subjects.certbot("plugins", says=NO_DNS)


def test_certificates_by_dns_need_the_record(subjects: Subjects) -> None:
    """The control of the figure: another key's signature is refused."""
    program = subjects.certbot
    try:
        how = subjects.nameserver(program.host)
    except UnavailableError as reason:
        pytest.skip(str(reason))
    file = program.host.path("/run/rfc2136.ini")
    file.write_text(file.read_text().replace("secret = ", "secret = AAAA"))
    with pytest.raises(BenchError, match="failed and said"):
        subjects.certonly(program, "forged.example.org", *how)


def test_certbot_that_cannot_be_fetched_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/")  # where nothing listens
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(UnavailableError, match="check the network"):
        upstream.install(tmp_path / "venv")


def test_the_program_prints_a_table_and_writes_json(
    snap_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be measured is told, and the rest is there."""
    written = tmp_path / "bench.json"
    monkeypatch.setattr(bench, "OUTPUT", written)
    monkeypatch.setattr(sys, "argv", ["bench", "--quick", "--snap", str(snap_file), "cold", "context"])
    assert bench.main() == 1
    found = json.loads(written.read_text())
    assert (found["quick"], found["reference"], found["snap"]["file"]) == (True, None, snap_file.name)
    (figure,) = found["figures"]
    said = capsys.readouterr()
    assert said.err == "bench: cold: no snap to compare a cold start with: name one with --reference\n"
    assert figure["name"] in said.out


def test_what_is_no_snap_ends_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none.snap").write_text("none")
    monkeypatch.setattr(bench, "OUTPUT", tmp_path / "bench.json")
    monkeypatch.setattr(sys, "argv", ["bench", "--snap", str(tmp_path / "none.snap"), "size"])
    assert bench.main() == 1
    assert capsys.readouterr().err == f"bench: {tmp_path}/none.snap is no packed snap: run `make snap`\n"
    assert not (tmp_path / "bench.json").exists()
