"""What a process of the snap can and cannot do: run by a proven entry point, prints JSON.

`python3 -I -m fips_doctor.probe`.  Nothing here asks for the mode; it tries.
"""

import json
import sys
from collections.abc import Callable
from contextlib import suppress

GROUPS = {
    23: "P-256",
    24: "P-384",
    25: "P-521",
    29: "X25519",
    30: "X448",
    256: "ffdhe2048",
    257: "ffdhe3072",
    258: "ffdhe4096",
    259: "ffdhe6144",
    260: "ffdhe8192",
    4587: "SecP256r1MLKEM768",
    4588: "X25519MLKEM768",
    4589: "SecP384r1MLKEM1024",
}


def hello() -> bytes:
    """Return the first message that a TLS client of the snap sends; none of it leaves the process."""
    import ssl

    outgoing = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def offered_groups(message: bytes) -> list[str]:
    """Return the groups that a ClientHello names (RFC 8446, 4.1.2 and 4.2.7), its extension 10."""
    at = 5 + 4 + 2 + 32  # record and handshake headers, version, random
    at += 1 + message[at]  # session
    at += 2 + int.from_bytes(message[at : at + 2])  # cipher suites
    at += 1 + message[at]  # compression
    at += 2
    while at + 4 <= len(message):
        kind, size = int.from_bytes(message[at : at + 2]), int.from_bytes(message[at + 2 : at + 4])
        if kind == 10:
            numbers = message[at + 6 : at + 4 + size]
            found = [int.from_bytes(numbers[i : i + 2]) for i in range(0, len(numbers), 2)]
            return [GROUPS.get(number, str(number)) for number in found]
        at += 4 + size
    return []


def sha256() -> None:
    """Digest."""
    import hashlib

    assert hashlib.sha256(b"abc").hexdigest().startswith("ba7816bf8f01cfea")


def hmac() -> None:
    """Authenticate, as external account binding does."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.hmac import HMAC

    HMAC(b"k" * 32, hashes.SHA256()).finalize()


def ecdsa() -> None:
    """Make an account key on P-256 and sign with it."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    ec.generate_private_key(ec.SECP256R1()).sign(b"", ec.ECDSA(hashes.SHA256()))


def account_id() -> None:
    """Name an account by an MD5, which is not security."""
    import hashlib

    hashlib.md5(b"", usedforsecurity=False)


def md5() -> None:
    """Digest by MD5, for security."""
    import hashlib

    hashlib.md5(b"")


def rsa_1024() -> None:
    """Make a key that is too short."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    rsa.generate_private_key(65537, 1024)


def ecdsa_sha1() -> None:
    """Sign over a digest that is no longer approved in signatures (NIST SP 800-131A)."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    ec.generate_private_key(ec.SECP256R1()).sign(b"", ec.ECDSA(hashes.SHA1()))


def secp256k1() -> None:
    """Make a key on a curve that is not approved."""
    from cryptography.hazmat.primitives.asymmetric import ec

    ec.generate_private_key(ec.SECP256K1())


MUST_WORK = {
    "SHA-256": sha256,
    "HMAC-SHA-256": hmac,
    "ECDSA P-256": ecdsa,
    "MD5 as an account's name": account_id,
}
MUST_BE_REFUSED = {
    "MD5": md5,
    "RSA-1024": rsa_1024,
    "secp256k1": secp256k1,
    "ECDSA with SHA-1": ecdsa_sha1,
}


def works(probe: Callable[[], None]) -> bool:
    """Tell whether a probe did what it tries; libraries have many exceptions for a refusal."""
    try:
        probe()
    except Exception:
        return False
    return True


def main() -> None:
    """Try everything and print what came of it."""
    from fips_launch.prove import mapped

    groups = offered_groups(hello())
    tried = {name: works(probe) for name, probe in (MUST_WORK | MUST_BE_REFUSED).items()}
    json.dump({"works": tried, "groups": groups, "libraries": sorted(mapped())}, sys.stdout)


if __name__ == "__main__":
    main()
