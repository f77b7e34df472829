"""Where the instructions ran: in the module, not in libcrypto beside it. The kernel counts."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.snap.support import MAIL, SNAP, Certbot
from tools.acme import AcmeServer
from tools.acme.server import EAB_HMAC_KEY, EAB_KEY_ID
from tools.hosts import NamespaceHost
from tools.observe import CallCounter, ObserveError
from tools.observe.calls import KEY_GENERATION

FUNCTIONS = (*KEY_GENERATION, "HMAC_Init_ex")


class Counters:
    """How often the functions were entered, in each of the two files, since the test began."""

    def __init__(self, module: CallCounter, libcrypto: CallCounter) -> None:
        self._module = module
        self._libcrypto = libcrypto

    @property
    def module(self) -> dict[str, int]:
        return self._module.counts()

    @property
    def libcrypto(self) -> dict[str, int]:
        return self._libcrypto.counts()


def counters(stack: ExitStack, host: NamespaceHost) -> Counters:
    folder = host.path(f"{SNAP}/usr/lib")
    try:
        return Counters(
            stack.enter_context(CallCounter(folder / "ossl-modules/fips.so", FUNCTIONS)),
            stack.enter_context(CallCounter(folder / "libcrypto.so.3", FUNCTIONS)),
        )
    except ObserveError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def calls(flagged: NamespaceHost) -> Iterator[Counters]:
    with ExitStack() as stack:
        yield counters(stack, flagged)


@pytest.mark.parametrize(("key", "generator"), [("rsa", KEY_GENERATION[0]), ("ecdsa", KEY_GENERATION[1])])
def test_keys_are_made_in_the_module(
    fips_certbot: Certbot, calls: Counters, key: str, generator: str
) -> None:
    fips_certbot.issue(f"made-in-the-module-{key}.example.org", "--key-type", key)
    assert calls.module[generator] > 0
    assert calls.libcrypto == dict.fromkeys(FUNCTIONS, 0)


def test_the_binding_of_an_account_is_made_in_the_module(flagged: NamespaceHost, calls: Counters) -> None:
    with AcmeServer(flagged, port=54000, eab=True) as acme:
        binding = ("--eab-kid", EAB_KEY_ID, "--eab-hmac-key", EAB_HMAC_KEY)
        Certbot(flagged, acme)("register", "--agree-tos", "--email", MAIL, *binding).check()
    assert calls.module["HMAC_Init_ex"] > 0
    assert calls.libcrypto == dict.fromkeys(FUNCTIONS, 0)


def test_the_counters_do_see_libcrypto(unflagged: NamespaceHost) -> None:
    """The control: without the flag the same functions are entered in libcrypto."""
    with ExitStack() as stack:
        calls = counters(stack, unflagged)
        unflagged.run(
            ["certbot-fips.openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "group:P-256"]
        ).check()
        assert calls.libcrypto["EC_KEY_generate_key"] > 0
        assert calls.module == dict.fromkeys(FUNCTIONS, 0)
