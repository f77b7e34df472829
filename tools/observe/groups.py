"""The groups of TLS, by their numbers and names in IANA's registry; the one list for tools and tests.

The product has its own, which tests/unit/test_doctor.py compares with this one.
"""

from __future__ import annotations

NAMES = {
    0x16: "secp256k1",
    0x17: "secp256r1",
    0x18: "secp384r1",
    0x19: "secp521r1",
    0x1D: "x25519",
    0x1E: "x448",
    0x100: "ffdhe2048",
    0x101: "ffdhe3072",
    0x102: "ffdhe4096",
    0x11EB: "SecP256r1MLKEM768",
    0x11EC: "X25519MLKEM768",
    0x11ED: "SecP384r1MLKEM1024",
}
#: What FIPS approves: NIST's curves (SP 800-186), and their hybrids with ML-KEM (FIPS 203).
APPROVED = frozenset({"secp256r1", "secp384r1", "secp521r1", "SecP256r1MLKEM768", "SecP384r1MLKEM1024"})


def name(number: int) -> str:
    """Return the name of a group; of one that is not in the list its number, as `0x…`."""
    return NAMES.get(number, f"{number:#06x}")
