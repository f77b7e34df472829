"""What the openssl program does: its commands, and each algorithm of its lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, partial

from tools.boundary.inside.case import Case, made, openssl

KEY, IV = "00112233445566778899aabbccddeeff" * 2, "00" * 16
SELF = "-x509 -subj /CN=a.example -days 1"
PASSWORD = "-passout pass:password"
NO_PASSWORD_KDF = "a key made of a password in one step is not approved (SP 800-132)"

#: What each command is tried with: arguments, what is computed, and what is not approved in it. `{}` is
#: a file of its own.
COMMANDS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "ca": (
        (
            "-selfsign -batch -keyfile rsa.pem -in rsa.csr -outdir . -config ca.conf -md sha256",
            "RSA signature",
            "",
        ),
    ),
    "cms": (
        ("-sign -signer rsa.crt -inkey rsa.pem -in text", "RSA signature", ""),
        ("-sign -md md5 -signer rsa.crt -inkey rsa.pem -in text", "RSA signature", ""),
        (
            "-verify -inform DER -in signed.cms -CAfile rsa.crt -purpose any -out /dev/null",
            "RSA verification",
            "",
        ),
        ("-encrypt -aes256 -in text rsa.crt", "RSA encryption", "PKCS #1 v1.5 (SP 800-131A)"),
        ("-encrypt -aes256 -in text -recip rsa.crt -keyopt rsa_padding_mode:oaep", "RSA encryption", ""),
        ("-encrypt -des3 -in text rsa.crt", "DES", "Triple DES is not approved to encrypt (SP 800-131A)"),
        ("-encrypt -aes256 -in text p256.crt", "ECDH", ""),
        (
            "-decrypt -inform DER -in encrypted.cms -inkey rsa.pem -recip rsa.crt",
            "RSA decryption",
            "PKCS #1 v1.5 (SP 800-131A)",
        ),
        ("-digest_create -md sha256 -in text", "SHA-2", ""),
        (f"-EncryptedData_encrypt -aes256 -secretkey {KEY} -in text", "AES", ""),
        ("-encrypt -pwri_password password -aes256 -in text", "PBKDF2", ""),
    ),
    "crl": (("-in rsa.crl -CAfile rsa.crt -noout", "RSA verification", ""),),
    "dgst": (
        ("-sha256 -sign rsa.pem -out {} text", "RSA signature", ""),
        ("-sha256 -sign p256.pem -out {} text", "ECDSA signature", ""),
        ("-sha1 -sign p256.pem -out {} text", "ECDSA signature", ""),
        ("-sha256 -verify p256.pub -signature text.p256 text", "ECDSA verification", ""),
        (f"-sha256 -mac HMAC -macopt hexkey:{KEY} text", "HMAC", ""),
        ("-sha256 -hmac short text", "HMAC", "a key of less than 112 bits is not approved (SP 800-131A)"),
    ),
    "dhparam": (
        ("-out {} 512", "parameters", ""),
        ("-dsaparam -out {} 1024", "parameters", ""),
        ("-check -in dh.params -noout", "", ""),
    ),
    "dsa": (
        ("-in dsa.pem -pubout", "", ""),
        (f"-in dsa.pem -aes128 {PASSWORD}", "EVP_BytesToKey", NO_PASSWORD_KDF),
    ),
    "dsaparam": (
        ("-out {} 1024", "parameters", ""),
        ("-genkey -in dsa.params -noout -out {}", "DSA key", "DSA is not approved to make keys (FIPS 186-5)"),
    ),
    "ec": (("-in p256.pem -pubout", "", ""),),  # and with each cipher, see `cases`
    "ecparam": (
        *((f"-name {name} -genkey -noout", "EC key", "") for name in ("prime256v1", "secp256k1")),
        ("-name prime192v1 -genkey -noout", "EC key", "not approved to make signatures (SP 800-186)"),
        *(
            (f"-name {name} -genkey -noout", "EC key", "deprecated (SP 800-186)")
            for name in (
                "sect233k1",
                "sect283k1",
                "sect409k1",
                "sect571k1",
                "sect233r1",
                "sect283r1",
                "sect571r1",
            )
        ),
        ("-name brainpoolP256r1 -genkey -noout", "EC key", ""),
        ("-name prime256v1 -check -noout", "", ""),
    ),
    "enc": (
        ("-aes-256-cbc -pass pass:password -pbkdf2 -in text", "PBKDF2", ""),
        (
            "-aes-256-cbc -pass pass:password -pbkdf2 -iter 1 -in text",
            "PBKDF2",
            "1,000 iterations are the least (SP 800-132)",
        ),
        ("-aes-256-cbc -pass pass:password -in text", "EVP_BytesToKey", NO_PASSWORD_KDF),
        ("-base64 -in text", "", ""),
    ),
    "gendsa": (("dsa.params", "DSA key", "DSA is not approved to make keys (FIPS 186-5)"),),
    "genpkey": (
        ("-algorithm RSA -pkeyopt rsa_keygen_bits:1024", "RSA key", ""),
        ("-algorithm RSA -pkeyopt rsa_keygen_bits:2048 -aes256 -pass pass:password", "RSA key", ""),
        ("-algorithm EC -pkeyopt ec_paramgen_curve:P-256", "EC key", ""),
        ("-algorithm DH -pkeyopt group:ffdhe2048", "DH key", ""),
        ("-genparam -algorithm DH -pkeyopt pbits:512", "parameters", ""),
        ("-genparam -algorithm DSA -pkeyopt pbits:2048 -pkeyopt qbits:256", "parameters", ""),
        ("-paramfile dsa.params", "DSA key", "DSA is not approved to make keys (FIPS 186-5)"),
        ("-paramfile dh.params", "DH key", ""),
    ),
    "genrsa": (("2048", "RSA key", ""), ("1024", "RSA key", ""), ("-3 2048", "RSA key", "")),
    "kdf": (),
    "mac": (),
    "ocsp": (("-issuer rsa.crt -cert rsa.crt -no_nonce -reqout {}", "SHA-1", ""),),
    "passwd": (
        ("-5 -salt salt password", "a password's hash", "no approved way to keep passwords (SP 800-132)"),
        ("-6 -salt salt password", "a password's hash", "no approved way to keep passwords (SP 800-132)"),
        ("-1 -salt salt password", "a password's hash", "no approved way to keep passwords (SP 800-132)"),
        ("-apr1 -salt salt password", "a password's hash", "no approved way to keep passwords (SP 800-132)"),
        ("-5 password", "a password's hash", "no approved way to keep passwords (SP 800-132)"),
    ),
    "pkcs12": (
        (f"-export -inkey rsa.pem -in rsa.crt {PASSWORD}", "PKCS#12 KDF", ""),
        (f"-export -pbmac1_pbkdf2 -inkey rsa.pem -in rsa.crt {PASSWORD}", "PBKDF2", ""),
        (f"-export -nomac -inkey rsa.pem -in rsa.crt {PASSWORD}", "PBKDF2", ""),
        ("-in rsa.p12 -passin pass:password -nodes", "PKCS#12 KDF", ""),
        ("-in rsa.p12 -passin pass:password -nodes -nomacver", "PBKDF2", ""),
    ),
    "pkcs8": (
        (f"-topk8 -in rsa.pem {PASSWORD}", "PBKDF2", ""),
        (f"-topk8 -v1 PBE-SHA1-3DES -in rsa.pem {PASSWORD}", "PKCS#12 KDF", ""),
        (f"-topk8 -scrypt -in rsa.pem {PASSWORD}", "scrypt", ""),
        ("-topk8 -nocrypt -in rsa.pem", "", ""),
    ),
    "pkey": (
        ("-in rsa.pem -check -noout", "", ""),
        ("-in rsa.pub -pubin -pubcheck -noout", "", ""),
        ("-in rsa.encrypted.pem -passin pass:password", "PBKDF2", ""),
        ("-in x25519.pem -pubout", "", ""),
    ),
    "pkeyparam": (("-in dh.params -check -noout", "", ""), ("-in dsa.params -check -noout", "", "")),
    "pkeyutl": (
        ("-sign -in text -inkey rsa.pem -pkeyopt digest:sha256", "RSA signature", ""),
        (
            "-sign -in text -inkey rsa.pem",
            "RSA signature",
            "not approved: without DigestInfo the signature is none of RSASSA-PKCS1-v1_5 (FIPS 186-5)",
        ),
        (
            "-sign -rawin -digest sha256 -in text -inkey rsa.pem -pkeyopt rsa_padding_mode:x931",
            "RSA signature",
            "X9.31 is not in FIPS 186-5",
        ),
        (
            "-sign -rawin -digest sha256 -in text -inkey rsa.pem -pkeyopt rsa_padding_mode:pss",
            "RSA signature",
            "",
        ),
        ("-sign -rawin -digest sha256 -in text -inkey rsa-1024.pem", "RSA signature", ""),
        ("-sign -in text -inkey p256.pem", "ECDSA signature", ""),
        ("-sign -rawin -digest sha1 -in text -inkey p256.pem", "ECDSA signature", ""),
        ("-sign -rawin -in text -inkey secp256k1.pem", "ECDSA signature", ""),
        ("-sign -rawin -in text -inkey brainpool.pem", "ECDSA signature", ""),
        ("-sign -rawin -in text -inkey k233.pem", "ECDSA signature", "deprecated (SP 800-186)"),
        ("-sign -rawin -in text -inkey b233.pem", "ECDSA signature", "deprecated (SP 800-186)"),
        ("-verify -rawin -in text -sigfile text.p256 -pubin -inkey p256.pub", "ECDSA verification", ""),
        (
            "-encrypt -in text -pubin -inkey rsa.pub",
            "RSA encryption",
            "key transport with PKCS #1 v1.5 is not approved (SP 800-131A)",
        ),
        ("-encrypt -in text -pubin -inkey rsa.pub -pkeyopt rsa_padding_mode:oaep", "RSA encryption", ""),
        (
            "-decrypt -in text.rsa -inkey rsa.pem",
            "RSA decryption",
            "key transport with PKCS #1 v1.5 is not approved (SP 800-131A)",
        ),
        ("-derive -inkey p256.pem -peerkey p256.pub", "ECDH", ""),
        ("-derive -inkey secp256k1.pem -peerkey secp256k1.pub", "ECDH", ""),
    ),
    "prime": (("-generate -bits 256", "prime", "no approved way to make primes"), ("65537", "prime", "")),
    "rand": (("-hex 16", "random numbers", ""),),
    "req": (
        (f"-new -key rsa.pem {SELF}", "RSA signature", ""),
        (f"-new -sha1 -key rsa.pem {SELF}", "RSA signature", "SHA-1 is not approved to sign (SP 800-131A)"),
        (f"-new -md5 -key rsa.pem {SELF}", "RSA signature", ""),
        (f"-newkey rsa:2048 -nodes -keyout {{}} {SELF}", "RSA key", ""),
        (f"-newkey rsa:1024 -nodes -keyout {{}} {SELF}", "RSA key", ""),
        ("-in rsa.csr -verify -noout", "RSA verification", ""),
    ),
    "rsa": (
        ("-in rsa.pem -check -noout", "", ""),
        (f"-in rsa.pem -aes128 {PASSWORD}", "PBKDF2", ""),
        (f"-in rsa.pem -aes128 -traditional {PASSWORD}", "EVP_BytesToKey", NO_PASSWORD_KDF),
    ),
    "rsautl": (
        ("-sign -inkey rsa.pem -in text", "RSA signature", "without DigestInfo (FIPS 186-5)"),
        ("-encrypt -inkey rsa.pub -pubin -in text", "RSA encryption", "PKCS #1 v1.5 (SP 800-131A)"),
    ),
    "smime": (
        ("-sign -signer rsa.crt -inkey rsa.pem -in text", "RSA signature", ""),
        ("-encrypt -aes256 -in text rsa.crt", "RSA encryption", "PKCS #1 v1.5 (SP 800-131A)"),
    ),
    "spkac": (
        ("-key rsa.pem -digest sha256", "RSA signature", ""),
        ("-key rsa.pem -digest md5", "RSA signature", ""),
    ),
    "srp": (
        (
            "-srpvfile srp.file -add -gn 1024 -passout pass:password user",
            "SRP",
            "SRP is not approved",
        ),
    ),
    "ts": (("-query -data text -sha256 -out {}", "SHA-2", ""), ("-query -data text -md5 -out {}", "MD5", "")),
    "verify": (("-CAfile rsa.crt rsa.crt", "", ""), ("-CAfile rsa-1024.crt rsa-1024.crt", "", "")),
    "x509": (
        ("-in rsa.crt -signkey rsa.pem", "RSA signature", ""),
        ("-req -in rsa.csr -CA p256.crt -CAkey p256.pem", "ECDSA signature", ""),
        ("-in rsa.crt -fingerprint -sha256 -noout", "SHA-2", ""),
        ("-in rsa.crt -fingerprint -md5 -noout", "MD5", ""),
    ),
}

#: Commands that are no operation, and why.
NO_OPERATION = {
    "reads, writes or lists": (
        *("asn1parse", "ciphers", "crl2pkcs7", "errstr", "help", "info", "list", "nseq", "pkcs7", "rehash"),
        *("sess_id", "storeutl", "version"),
    ),
    "a connection: what TLS computes is told of Python's ssl": ("s_client", "s_server", "s_time"),
    "needs a server of its own kind": ("cmp",),
    "times the operations of the lists": ("speed",),
    "makes the module's config; the release's own program does it": ("fipsinstall",),
    "needs a manager of opaque keys; the program lists those that there are": ("skeyutl",),
}

#: Options of MACs and KDFs.
MACS = {
    "CMAC": ("CMAC", "-cipher AES-256-CBC"),
    "GMAC": ("AES", f"-cipher AES-256-GCM -macopt hexiv:{IV[:24]}"),
    "HMAC": ("HMAC", "-digest SHA256"),
    "KMAC-128": ("KMAC", ""),
    "KMAC-256": ("KMAC", ""),
    "SIPHASH": ("SipHash", ""),
    "POLY1305": ("Poly1305", ""),
    "BLAKE2BMAC": ("BLAKE2", ""),
    "BLAKE2SMAC": ("BLAKE2", ""),
}
_BASE = f"-kdfopt digest:SHA256 -kdfopt hexkey:{KEY}"
_SALTED = "-kdfopt pass:password -kdfopt hexsalt:" + IV
_ARGON2 = f"{_SALTED} -kdfopt iter:1 -kdfopt memcost:32"
KDFS = {
    "HKDF": ("HKDF", f"{_BASE} -kdfopt salt:salt -kdfopt info:i"),
    "TLS13-KDF": ("TLS 1.3 KDF", f"{_BASE} -kdfopt mode:EXTRACT_ONLY -keylen 32"),
    "SSKDF": ("SSKDF", f"{_BASE} -kdfopt info:i"),
    "PBKDF2": ("PBKDF2", f"-kdfopt digest:SHA256 {_SALTED} -kdfopt iter:1000"),
    "PKCS12KDF": ("PKCS#12 KDF", f"-kdfopt digest:SHA256 {_SALTED} -kdfopt iter:1000 -kdfopt id:1"),
    "SSHKDF": ("SSH KDF", f"{_BASE} -kdfopt hexxcghash:{KEY} -kdfopt hexsession_id:{KEY} -kdfopt type:A"),
    "X942KDF": ("X9.42 KDF", f"{_BASE} -kdfopt cekalg:AES-128-WRAP -kdfopt use-keybits:0"),
    "X942KDF-CONCAT": ("X9.63 KDF", f"{_BASE} -kdfopt info:i"),
    "TLS1-PRF": ("TLS 1.2 PRF", f"-kdfopt digest:SHA256 -kdfopt hexsecret:{KEY} -kdfopt seed:s"),
    "KBKDF": ("KBKDF", f"{_BASE} -kdfopt mode:COUNTER -kdfopt mac:HMAC -kdfopt salt:l -kdfopt info:c"),
    "SCRYPT": ("scrypt", f"{_SALTED} -kdfopt n:2 -kdfopt r:8 -kdfopt p:1"),
    "KRB5KDF": (
        "Kerberos KDF",
        f"-kdfopt cipher:AES-128-CBC -kdfopt hexkey:{KEY[:32]} -kdfopt hexconstant:{IV[:32]}",
    ),
    "HMAC-DRBG-KDF": ("HMAC", f"-kdfopt digest:SHA256 -kdfopt hexentropy:{KEY} -kdfopt hexnonce:{IV}"),
    **{f"ARGON2{kind}": ("Argon2", _ARGON2) for kind in ("D", "I", "ID")},
}
#: By which of our keys an algorithm of public keys is tried, by its first letters.
KEYS = {
    "RSA": "rsa",
    "DSA": "dsa",
    "ECDSA": "p256",
    "ECDH": "p256",
    "EC": "p256",
    "SM2": "sm2",
    "DH": "dh",
    "X25519": "x25519",
    "X448": "x448",
    "ED25519": "ed25519",
    "ED448": "ed448",
}
#: What is computed, by how the algorithm's name begins; the longest beginning counts.
SERVICES = {
    "digest": {
        "SHA1": "SHA-1",
        "SHA2": "SHA-2",
        "SHA3": "SHA-3",
        "SHAKE": "SHA-3",
        "KECCAK": "SHA-3",
        "MD5": "MD5",
        "BLAKE2": "BLAKE2",
        "SM3": "SM3",
        "RIPEMD": "RIPEMD-160",
        "NULL": "",
        "RMD160": "RIPEMD-160",
    },
    "cipher": {
        "AES": "AES",
        "ARIA": "ARIA",
        "CAMELLIA": "Camellia",
        "CHACHA20": "ChaCha20",
        "DES": "DES",
        "SM4": "SM4",
        "NULL": "",
    },
    "key": {
        "RSA": "RSA key",
        "EC": "EC key",
        "DH": "DH key",
        "DSA": "DSA key",
        "SM2": "EC key",
        "X25519": "X25519 key",
        "X448": "X448 key",
        "ED25519": "Ed25519 key",
        "ED448": "Ed448 key",
        "ML-DSA": "ML-DSA key",
        "ML-KEM": "ML-KEM key",
        "SLH-DSA": "SLH-DSA key",
        "SECP": "ML-KEM key",
        "X25519MLKEM": "ML-KEM key",
        "X448MLKEM": "ML-KEM key",
    },
    "signature": {
        "RSA": "RSA signature",
        "DSA": "DSA signature",
        "ECDSA": "ECDSA signature",
        "SM2": "SM2",
        "ED25519": "Ed25519 signature",
        "ED448": "Ed448 signature",
        "ML-DSA": "ML-DSA",
        "SLH-DSA": "SLH-DSA",
    },
    "exchange": {"DH": "DH", "ECDH": "ECDH", "X25519": "X25519", "X448": "X448"},
}
#: What is not approved of all that the lists have, where the module does not refuse it.
REMARKS = {
    r"^key exchange (X25519|X448)|^key (X25519|X448)$": "not approved for key agreement (SP 800-56A)",
    r"DSA-SHA1$|RSA-SHA1$": "SHA-1 is not approved to sign (SP 800-131A)",
    r"^(key|signature) DSA": "DSA is not approved to make keys and signatures (FIPS 186-5)",
    r"^cipher DES": "Triple DES is not approved to encrypt (SP 800-131A)",
}


def cases() -> Iterator[Case]:
    """Yield all; a name in a list for which nothing here says how to do it has no case."""
    ciphers = made("list.cipher-commands").decode().split()
    encrypted = [
        (f"-in p256.pem -{cipher} {PASSWORD}", "EVP_BytesToKey", NO_PASSWORD_KDF) for cipher in ciphers
    ]
    for command, tries in {**COMMANDS, "ec": (*COMMANDS["ec"], *encrypted)}.items():
        for arguments, service, remark in tries:
            yield _case(f"openssl {command}", f"{command} {arguments}", service, arguments, remark)
    for name in algorithms():
        if (found := _of_list(name)) is not None:
            arguments, service = found
            remark = next((why for pattern, why in REMARKS.items() if re.search(pattern, name)), "")
            yield _case(f"openssl: {name}", arguments, service, "", remark)


def _case(name: str, arguments: str, service: str, label: str, remark: str) -> Case:
    own = re.sub(r"\W+", "-", arguments)[:60] + ".out"
    run = partial(openssl, *arguments.replace("{}", own).split())
    return Case((name,), label, service, run, remark, program=True)


def operations() -> list[str]:
    """Return the names for which there must be a case."""
    apart = {name for names in NO_OPERATION.values() for name in names}
    inside = {"kdf", "mac"}  # each of their algorithms is in a list
    commands = [name for name in made("list.commands").decode().split() if name not in apart | inside]
    return [*(f"openssl {name}" for name in commands), *(f"openssl: {name}" for name in algorithms())]


@cache
def algorithms() -> list[str]:
    """Return the algorithms of all lists, as kind and name."""
    found: list[str] = []
    for kind, listed in (
        ("digest", "digest-algorithms"),
        ("cipher", "cipher-algorithms"),
        ("mac", "mac-algorithms"),
        ("kdf", "kdf-algorithms"),
        ("key", "key-managers"),
        ("signature", "signature-algorithms"),
        ("key exchange", "key-exchange-algorithms"),
        ("kem", "kem-algorithms"),
        ("encryption", "asymcipher-algorithms"),
    ):
        lines = re.findall(r"^ *(?:IDs: )?(.*) @ default$", made(f"list.{listed}").decode(), re.MULTILINE)
        names = {min(re.findall(r"(?<![\w.-])[A-Za-z][^{}, ]*", line), key=_plainness) for line in lines}
        found += sorted(f"{kind} {name}" for name in names)
    return found


def _plainness(name: str) -> tuple[bool, bool]:
    """Say how little a name of several is one that people write."""
    return name.startswith("id-"), not name[0].isupper()


def _begins(kinds: dict[str, str], name: str) -> str:
    """Return what stands for the longest beginning of a name; raise ValueError where none is known."""
    return kinds[max((one for one in kinds if name.upper().startswith(one)), key=len)]


def _of_list(algorithm: str) -> tuple[str, str] | None:
    """Return arguments and what is computed for an algorithm of a list, None when it is not known how."""
    kind, _, name = algorithm.rpartition(" ")
    try:
        match kind:
            case "digest":
                length = " -xoflen 16" if "SHAKE" in name or "KECCAK" in name else ""
                return f"dgst -{name}{length} text", _begins(
                    SERVICES["digest"], name.replace("SHA-1", "SHA1").replace("SHA-", "SHA2")
                )
            case "cipher":
                iv = "" if "ECB" in name or name == "NULL" else f" -iv {IV}"
                return f"enc -{name} -K {KEY}{iv} -in text", _begins(SERVICES["cipher"], name)
            case "mac":
                service, options = MACS[name]
                size = {"SIPHASH": 32}.get(name, 64)
                return (
                    f"mac -macopt hexkey:{KEY[:size]} {options} -in text {name}",
                    service,
                )
            case "kdf":
                service, options = KDFS[name]
                length = "" if "-keylen" in options else "-keylen 16"
                return f"kdf {length} {options} {name}", service
            case "key":
                options = {"EC": " -pkeyopt ec_paramgen_curve:P-256", "DH": " -pkeyopt group:ffdhe2048"}.get(
                    name, ""
                )
                if name in ("DSA",):
                    return "genpkey -paramfile dsa.params", "DSA key"
                if name.split("-")[0] in ("HMAC", "CMAC", "SIPHASH", "POLY1305", "TLS1", "HKDF", "SCRYPT"):
                    return f"genpkey -algorithm {name}", ""
                return f"genpkey -algorithm {name}{options}", _begins(SERVICES["key"], name)
            case "signature":
                if name in ("HMAC", "CMAC", "SIPHASH", "POLY1305"):
                    return f"dgst -sha256 -mac {name} -macopt hexkey:{KEY} text", MACS[name][0]
                key, _, digest = name.partition("-")
                file = (
                    f"{name.lower()}"
                    if "ML-DSA" in name
                    else KEYS.get(re.sub("(PH|CTX)$", "", name.upper()), KEYS.get(key))
                )
                file = "slh-dsa" if name.startswith("SLH") else file
                with_digest = f" -digest {digest}" if digest and file in ("rsa", "dsa", "p256") else ""
                return f"pkeyutl -sign -rawin{with_digest} -in text -inkey {file}.pem", _begins(
                    SERVICES["signature"], name
                )
            case "key exchange":
                if name in ("TLS1-PRF", "HKDF", "SCRYPT"):
                    return f"pkeyutl -kdf {name} -kdflen 16 {_kdf_options(name)}", KDFS[name][0]
                file = KEYS[name]
                return f"pkeyutl -derive -inkey {file}.pem -peerkey {file}.pub", _begins(
                    SERVICES["exchange"], name
                )
            case "kem":
                file = name.lower() if "ML" in name else KEYS[name]
                service = (
                    "ML-KEM"
                    if "ML" in name
                    else "RSA encryption"
                    if name == "RSA"
                    else "ECDH"
                    if name == "EC"
                    else name
                )
                how = " -kemop RSASVE" if name == "RSA" else ""
                return f"pkeyutl -encap{how} -inkey {file}.pub -pubin -secret {{}}", service
            case "encryption":
                service = "RSA encryption" if name == "RSA" else name
                return f"pkeyutl -encrypt -in text -pubin -inkey {KEYS[name]}.pub", service
    except (KeyError, ValueError):
        return None
    return None


def _kdf_options(name: str) -> str:
    options = {
        "TLS1-PRF": f"md:SHA256 hexsecret:{KEY} seed:s",
        "HKDF": f"md:SHA256 hexkey:{KEY} salt:s info:i",
        "SCRYPT": f"hexpass:{KEY} hexsalt:{IV} N:2 r:8 p:1",
    }
    return " ".join(f"-pkeyopt {option}" for option in options[name].split())
