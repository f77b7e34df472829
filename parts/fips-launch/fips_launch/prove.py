"""Steps 3 and 4, init and prove.  The proof is written here and nowhere else.

OpenSSL says nothing when a mistake in its config leaves it without FIPS, and ``get_fips_mode`` says 1
also when the module is missing.  So what counts is what the process can and cannot do, and which
files are in its memory.
"""

import os

from fips_launch.place import Place

WEAK_RSA_BITS = 1024  # SP 800-131A forbids to make such a key


class NotProvenError(Exception):
    """The process is not what it should be; the text is a clause that names the evidence."""


def check_whole(path: str) -> None:
    """Refuse a library that is shorter than its ELF header says: to use it would end in SIGBUS.

    The section headers are the last thing in it (ELF-64: e_shoff, e_shentsize and e_shnum).
    """
    if not os.path.isfile(path):
        raise NotProvenError(f"{path} is missing or no file")
    with open(path, "rb") as file:
        header, size = file.read(64), os.fstat(file.fileno()).st_size
    offset, entry, count = (int.from_bytes(header[a:b], "little") for a, b in ((40, 48), (58, 60), (60, 62)))
    if header[:5] != b"\x7fELF\x02" or size < max(offset + entry * count, 64):
        raise NotProvenError(f"{path} is damaged")


def mapped(maps: str = "/proc/self/maps") -> set[str]:
    """Return the path of every libcrypto and fips.so in this process's memory."""
    with open(maps, "rb") as file:
        paths = {os.fsdecode(line.rstrip(b"\n").split(None, 5)[5]) for line in file if b"/" in line}
    return {path for path in paths if os.path.basename(path).startswith(("libcrypto", "fips.so"))}


def prove(here: Place, fips: bool) -> None:
    """Initialise libcrypto once and for all, and prove that this process is in FIPS mode if it has to be.

    :raises NotProvenError: libcrypto does not work with the config that OPENSSL_CONF names, or not
        as ``fips`` wants it, or the files in memory are not those of ``here``.
    """
    config = os.environ["OPENSSL_CONF"]
    # The module's parameters libcrypto takes from the snap's own config, and it would wait for a pipe.
    for path in [config, here.fips_config] if fips else [config]:
        if not os.path.isfile(path):
            raise NotProvenError(f"OpenSSL's config {path} is missing or no file")
    for library in [here.libcrypto, here.module] if fips else [here.libcrypto]:
        check_whole(library)
    try:
        import _hashlib

        _hashlib.openssl_sha256(b"").digest()
    except ImportError as error:
        raise NotProvenError(f"OpenSSL cannot be loaded: {error}") from None
    except ValueError:
        raise NotProvenError(f"no provider starts; it or its config {config} is damaged") from None
    if not fips:
        return
    if not os.path.isfile(here.config_digest):
        raise NotProvenError(f"{here.config_digest} is missing or no file")
    with open(config, "rb") as file, open(here.config_digest, "rb") as built:
        if _hashlib.openssl_sha256(file.read()).hexdigest().encode() != built.read().strip():
            # With other groups or suites it would be in FIPS mode all the same.
            raise NotProvenError(f"OpenSSL's config {config} is not the one that this snap was built with")
    if _hashlib.get_fips_mode() != 1:
        raise NotProvenError(f"OpenSSL did not take up its FIPS config {config}")
    try:
        _hashlib.openssl_md5(b"")
        raise NotProvenError("MD5 for security is not refused")
    except ValueError:
        pass
    strange = mapped() ^ {here.libcrypto, here.module}
    if strange:
        raise NotProvenError(f"libcrypto and module in memory are not just this snap's: {', '.join(strange)}")
    prove_keys(here)


def prove_keys(here: Place) -> None:
    """Prove that keys are made by the module that the snap records, and weak ones are not made.

    :raises NotProvenError: a 1024-bit RSA key is made, or by somebody else, or the version is another.
    """
    import _fips

    try:
        maker, version, running, made = _fips.rsa(here.libcrypto, WEAK_RSA_BITS)
        with open(here.record, encoding="utf-8") as file:
            recorded = f'"version": "{version}"' in file.read()
    except (OSError, ValueError) as error:
        raise NotProvenError(str(error)) from None
    if made:
        raise NotProvenError(f"an RSA key of {WEAK_RSA_BITS} bits is not refused")
    if maker != "fips" or not running:
        raise NotProvenError(f"keys would be made by the provider {maker!r}, running: {running}")
    if not recorded:
        raise NotProvenError(f"the module says that it is {version}, which {here.record} does not")
