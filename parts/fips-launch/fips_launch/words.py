"""What a refusal means for an administrator: Certbot's own errors say neither FIPS nor what to do.

One table.  A row goes by the type of an exception, OpenSSL's reason and the function that it came through; by
prose only where it says so.  The libraries are imported when there is something to explain.
"""

import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from fips_launch.place import NAME
from fips_launch.refusal import compose

logger = logging.getLogger(__name__)

Place = tuple[str, str]
"""A function that an exception came through: its module and its name."""


class Row(NamedTuple):
    """What a refusal is known by, and its words."""

    refusal: Callable[[BaseException], bool]
    places: frozenset[Place]
    """The exception came through one of them; empty: wherever it came from."""
    what: str
    remedy: str


# SSL alerts and reasons (RFC 8446, 6; openssl's sslerr.h) of two sides that find nothing in common.
NOTHING_IN_COMMON = {
    "SSLV3_ALERT_HANDSHAKE_FAILURE",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY",
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "UNSUPPORTED_PROTOCOL",
    "WRONG_CURVE",
    "DH_KEY_TOO_SMALL",
}
# X509_STORE_CTX_get_error(3): EE_KEY_TOO_SMALL, CA_KEY_TOO_SMALL, CA_MD_TOO_WEAK.
TOO_WEAK = {66, 67, 68}
SIGNATURE_FAILURE = 7


def not_supported(error: BaseException) -> bool:
    """Tell whether the module has no such algorithm, or cryptography says that OpenSSL failed."""
    from cryptography.exceptions import InternalError, UnsupportedAlgorithm

    return isinstance(error, (InternalError, UnsupportedAlgorithm))


def refused(error: BaseException) -> bool:
    """Tell the same of a function that does nothing but use a key: there a ValueError means that too."""
    return not_supported(error) or isinstance(error, ValueError)


def too_weak_for_tls(error: BaseException) -> bool:
    """By prose, OpenSSL's own: pyOpenSSL has no more of its reason."""
    texts = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return any(text[-1] in ("ee key too small", "ca md too weak") for text in texts)


def nothing_in_common(error: BaseException) -> bool:
    """Tell whether the other side had nothing that is approved."""
    import ssl

    return isinstance(error, ssl.SSLError) and error.reason in NOTHING_IN_COMMON


def internal(error: BaseException) -> bool:
    """Tell whether libssl has an error without a reason: the module did not do what it was asked."""
    import ssl

    return type(error) is ssl.SSLError and error.library == "SSL" and error.reason is None


def unverified_signature(error: BaseException) -> bool:
    """Tell whether a signature on the other side's certificates was not verified: forged, or not approved."""
    import ssl

    return isinstance(error, ssl.SSLCertVerificationError) and error.verify_code == SIGNATURE_FAILURE


def weak_certificate(error: BaseException) -> bool:
    """Tell whether the other side's certificates have a key or a signature that is too weak."""
    import ssl

    return isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in TOO_WEAK


def short_hmac_key(error: BaseException) -> bool:
    """By prose, OpenSSL's own: Python has no more of its reason."""
    return type(error) is ValueError and str(error) == "[Provider routines] invalid key length"


SIGN_REQUEST = frozenset({("josepy.jwa", "_JWARSA.sign"), ("josepy.jwa", "_JWAEC.sign")})
SIGN_CSR = frozenset({("cryptography.x509.base", "CertificateSigningRequestBuilder.sign")})
LOAD_KEY = frozenset(
    {("acme.crypto_util", "make_csr"), ("certbot._internal.storage", "RenewableCert._private_key")}
)
MATCH_KEY = frozenset({("certbot.crypto_util", "verify_cert_matches_priv_key")})
REVOKE = frozenset({("certbot._internal.main", "revoke")})
TSIG = frozenset({("dns.tsig", "HMACTSig.__init__")})
HMAC = frozenset({("hmac", "HMAC.__init__")})
SERVICE_ACCOUNT = frozenset({("google.auth.crypt._cryptography_rsa", "RSASigner.sign")})
ANYWHERE: frozenset[Place] = frozenset()

TAKEN = "it takes RSA from 2048 bits on, and P-256, P-384 and P-521"
LINEAGE = (
    f"FIPS: the module refuses the private key of this certificate: {TAKEN}",
    f"get a new key once, by `{NAME} renew --cert-name NAME --force-renewal --new-key --key-type ecdsa"
    " --elliptic-curve secp256r1`",
)
TABLE = (
    Row(
        refused,
        SIGN_REQUEST,
        f"FIPS: the module refuses the account's key: {TAKEN}",
        f"move its folder out of /etc/letsencrypt/accounts, `{NAME} register`, and renew once by"
        f" `{NAME} renew --force-renewal --account NEW`, the new folder's name",
    ),
    Row(
        lambda error: not_supported(error) or too_weak_for_tls(error),
        REVOKE,
        f"FIPS: the module refuses the key that --key-path names: {TAKEN}",
        "leave --key-path away, so that the account's key revokes",
    ),
    Row(refused, SIGN_CSR, *LINEAGE),
    Row(not_supported, LOAD_KEY, *LINEAGE),
    Row(too_weak_for_tls, MATCH_KEY, *LINEAGE),
    Row(
        short_hmac_key,
        HMAC,
        "FIPS: the module refuses a secret of less than 112 bits, by which requests to the DNS provider or"
        " server are signed",
        "have a longer one made there, of 14 bytes at least",
    ),
    Row(
        refused,
        TSIG,
        "FIPS: HMAC-MD5, by which requests to the DNS server are signed unless another algorithm is named, is"
        " refused",
        "set `dns_rfc2136_algorithm = HMAC-SHA512` in the plugin's credentials, as the server has it",
    ),
    Row(
        refused,
        SERVICE_ACCOUNT,
        f"FIPS: the module refuses the key of the service account at Google: {TAKEN}",
        "have Google make a new key for it, and name its file by `--dns-google-credentials`",
    ),
    Row(
        nothing_in_common,
        ANYWHERE,
        "FIPS: the server has nothing that is approved: TLS 1.3 or 1.2, AES-GCM, P-256, P-384 or P-521, a"
        " certificate on RSA from 2048 bits on or on these curves",
        "have one of each allowed on the server",
    ),
    Row(
        internal,
        ANYWHERE,
        "FIPS: the module refused a step of TLS; a server with TLS 1.2 that has no extended master secret"
        " (RFC 7627) is known for that",
        "have TLS 1.3 or the extended master secret allowed on the server",
    ),
    Row(
        weak_certificate,
        ANYWHERE,
        "FIPS: the server's certificate, or one of its authorities', has a key of less than 112 bits of"
        " security or an MD5 or SHA-1 signature",
        "replace it on the server",
    ),
    Row(
        unverified_signature,
        ANYWHERE,
        "FIPS: a signature on the server's certificates is by a key that is not approved, as Ed25519 or"
        " secp256k1, or it is forged",
        "find out which; a certificate authority on RSA from 2048 bits on, P-256, P-384 or P-521 is approved",
    ),
    Row(
        not_supported,
        ANYWHERE,
        "FIPS: the module refuses an algorithm or a key that is not approved",
        "see the log for what it was used for",
    ),
)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and those that it came from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _places(errors: list[BaseException]) -> Iterator[Place]:
    """Yield what the exceptions came through, and what called the function that handles one."""
    for error in errors:
        if (trace := error.__traceback__) is not None:
            for frame, _ in (*traceback.walk_stack(trace.tb_frame), *traceback.walk_tb(trace)):
                yield frame.f_globals.get("__name__", ""), frame.f_code.co_qualname


def explain(error: BaseException | None) -> str | None:
    """Return the line for an error that is a refusal, None for any other."""
    errors = list(_chain(error))
    places = set(_places(errors))
    for row in TABLE:
        if any(map(row.refusal, errors)) and (not row.places or row.places & places):
            return compose(row.what, row.remedy)
    return None


class Listener(logging.Handler):
    """Hears of the errors that Certbot reports and goes on after, such as one of several renewals."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: dict[str, None] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line for the error that is being handled."""
        if record.name != __name__ and (line := explain(sys.exc_info()[1])):
            self.lines[line] = None


@contextmanager
def explained() -> Iterator[None]:
    """Run Certbot and say, after its own errors, what they mean; in the log too.  Its exit status stays."""
    listener = Listener()
    logging.getLogger().addHandler(listener)
    try:
        yield
    except Exception:
        sys.excepthook(*sys.exc_info())  # Certbot's own, which exits; it reports the error
        sys.exit(1)
    finally:
        for line in listener.lines:
            logger.error("%s", line)
