import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fips_launch.config import approved_groups, render

TEMPLATE = Path(__file__).resolve().parents[2] / "parts" / "openssl-configs" / "fips.cnf.in"
SECTION = """\
[fips_sect]
activate = 1
install-version = 1
conditional-errors = 1
security-checks = 1
tls1-prf-ems-check = 1
drbg-no-trunc-md = 1
module-mac = 42:AF:88:C2
"""
#: Its settings in any order, with any spaces, and others between them.
SETTINGS = st.permutations([*SECTION.splitlines()[1:], "x = y", "", "# a comment"])
SPACES = st.text(" \t", max_size=2)


def test_the_config_is_the_template_with_the_modules_section_in_it() -> None:
    config = render(TEMPLATE.read_text(), SECTION)
    assert config.endswith(SECTION)
    assert config.startswith(TEMPLATE.read_text().partition("@FIPS_SECT@")[0])
    assert "@" not in re.sub(r"@SECLEVEL|^#.*$", "", config, flags=re.MULTILINE)


def test_the_config_demands_fips_and_does_not_merely_prefer_it() -> None:
    config = render(TEMPLATE.read_text(), SECTION)
    assert re.search(r"^default_properties = fips=yes$", config, re.MULTILINE)
    assert not re.search(r"^\.include", config, re.MULTILINE)


def test_what_is_approved_is_read_from_the_config() -> None:
    config = render(TEMPLATE.read_text(), SECTION)
    approved = ["SecP256r1MLKEM768", "SecP384r1MLKEM1024", "P-256", "P-384", "P-521"]
    assert approved_groups(config) == approved
    assert "X25519" in approved_groups(config.replace("*P-256", "?X25519:*P-256"))
    assert not set(approved_groups("")) & set(approved)


def test_every_section_that_the_config_names_is_in_it() -> None:
    config = re.sub(r"^#.*$", "", render(TEMPLATE.read_text(), SECTION), flags=re.MULTILINE)
    named = set(re.findall(r"= (\w+_(?:sect|init|policy|name))$", config, re.MULTILINE))
    assert named
    assert named <= set(re.findall(r"^\[(\w+)\]$", config, re.MULTILINE))


@pytest.mark.parametrize(
    "section",
    [
        "",
        SECTION.replace("[fips_sect]", "[other]"),
        SECTION.replace("activate = 1", "activate = 0"),
        SECTION.replace("module-mac", "mac"),
        SECTION.replace("42:AF:88:C2", ""),
        SECTION + "install-status = INSTALL_SELF_TEST_KATS_RUN\n",
        SECTION + "install-mac = 00:11\n",
    ],
    ids=["empty", "no section", "not active", "no mac", "empty mac", "install-status", "install-mac"],
)
def test_a_section_that_would_not_run_the_self_tests_is_refused(section: str) -> None:
    with pytest.raises(ValueError, match="fipsinstall wrote"):
        render(TEMPLATE.read_text(), section)


@pytest.mark.parametrize(
    "template", ["", "[openssl_init]\n", "\n@FIPS_SECT@\n@FIPS_SECT@\n", "x = @FIPS_SECT@\n"]
)
def test_a_template_with_no_one_place_for_the_section_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="template"):
        render(template, SECTION)


@given(SETTINGS, SPACES)
def test_whatever_fipsinstall_writes_comes_into_the_config_as_it_is(settings: list[str], space: str) -> None:
    section = "\n".join(["[fips_sect]", *settings]).replace(" = ", f"{space}={space}")
    before, after = TEMPLATE.read_text().split("@FIPS_SECT@\n")
    assert render(TEMPLATE.read_text(), section) == f"{before}{section.strip()}\n{after}"


@given(
    SETTINGS, SPACES, st.sampled_from(["install-status", "install-mac"]), st.integers(0, 9), st.text("aZ0:")
)
def test_skipped_self_tests_are_refused_wherever_they_are_allowed(
    settings: list[str], space: str, name: str, at: int, value: str
) -> None:
    settings.insert(at, f"{space}{name}{space}={space}{value}")
    with pytest.raises(ValueError, match="self-tests must always run"):
        render(TEMPLATE.read_text(), "\n".join(["[fips_sect]", *settings]))
