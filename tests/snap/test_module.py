"""Where the instructions ran: in the module, not in libcrypto beside it. The kernel counts."""

from contextlib import ExitStack

import pytest

from tests.snap.support import LIVE, MAIL, SNAP, Certbot
from tools.acme import AcmeServer
from tools.acme.server import EAB_HMAC_KEY, EAB_KEY_ID
from tools.hosts import NamespaceHost
from tools.observe import CallCounter, NoFunctionError, ObserveError
from tools.observe import primitives as p


class Counters:
    """How often the functions were entered, in each of the two files, since the test began."""

    def __init__(self, stack: ExitStack, host: NamespaceHost) -> None:
        folder = host.path(f"{SNAP}/usr/lib")
        try:
            self._module = stack.enter_context(CallCounter(folder / "ossl-modules/fips.so", p.IN_MODULE))
            self._libcrypto = stack.enter_context(CallCounter(folder / "libcrypto.so.3", p.IN_LIBCRYPTO))
        except NoFunctionError:
            raise
        except ObserveError as reason:
            pytest.skip(str(reason))

    @property
    def module(self) -> dict[str, int]:
        return self._module.counts()

    @property
    def libcrypto(self) -> dict[str, int]:
        return self._libcrypto.counts()


def whole_life(host: NamespaceHost) -> int:
    """Do all that Certbot does for a certificate, twice; return how many processes of the snap it took."""
    commands = 0
    with AcmeServer(host, port=54000, eab=True) as acme:
        certbot = Certbot(host, acme)
        binding = ("--eab-kid", EAB_KEY_ID, "--eab-hmac-key", EAB_HMAC_KEY)
        certbot("register", "--agree-tos", "--email", MAIL, *binding).check()
        for kind in "rsa", "ecdsa":
            name = f"made-in-the-module-{kind}.example.org"
            files = f"{LIVE}/{name}"
            new = ("--standalone", "--cert-name", name, "--domain", name, "--key-type", kind)
            certbot("certonly", *new).check()
            certbot("renew", "--cert-name", name, "--force-renewal", "--no-random-sleep-on-renew").check()
            theirs = ("--cert-path", f"{files}/cert.pem", "--key-path", f"{files}/privkey.pem")
            certbot("revoke", *theirs, "--delete-after-revoke").check()
            commands += 3
        certbot("unregister").check()
    return commands + 2


@pytest.mark.provider
def test_a_whole_life_is_computed_in_the_module(flagged: NamespaceHost) -> None:
    """Account, binding, keys, requests, TLS: of libcrypto's own only what the auditors' document lists.."""
    with ExitStack() as stack:
        calls = Counters(stack, flagged)
        flagged.run(["certbot-fips.python3", "-c", "pass"]).check()
        self_tests = calls.module  # they use the functions too, once in each process
        commands = whole_life(flagged)
        module, libcrypto = calls.module, calls.libcrypto
    for kind, functions in p.NEEDED.items():
        done = sum(module[name] - self_tests[name] * (commands + 1) for name in functions)
        assert done > 0, f"{kind}: the module did it for its self-tests alone"
    assert {name for name, count in libcrypto.items() if count} == {p.MD5, *p.CHECKS}
    # The checks of keys account for every power and every multiplication.
    assert libcrypto[p.TEST_PRIME] == 2 * libcrypto[p.CHECK_RSA]
    assert libcrypto[p.POWER] == 64 * libcrypto[p.TEST_PRIME]
    assert libcrypto[p.MULTIPLY] == libcrypto[p.CHECK_EC]


def test_the_counters_do_see_libcrypto(unflagged: NamespaceHost) -> None:
    """The control: the same life without the flag is computed in libcrypto, and the same probes see it."""
    with ExitStack() as stack:
        calls = Counters(stack, unflagged)
        whole_life(unflagged)
        libcrypto = calls.libcrypto
        assert calls.module == dict.fromkeys(p.IN_MODULE, 0)
    for kind, functions in p.NEEDED.items():
        assert sum(libcrypto[name] for name in functions) > 0, kind


def test_an_hmac_of_python_is_computed_in_the_module(flagged: NamespaceHost) -> None:
    """Certbot makes none this way; plugins of others do."""
    python = "import hmac; h = hmac.new(bytes(32), b'', 'sha256'); h.update(b'x'); h.copy().digest()"
    with ExitStack() as stack:
        calls = Counters(stack, flagged)
        flagged.run(["certbot-fips.python3", "-c", python]).check()
        assert {name for name, count in calls.libcrypto.items() if count} == set()
