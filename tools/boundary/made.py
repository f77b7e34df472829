"""What the operations need, made without FIPS by the snap's own program: keys, certificates, parameters.

Made anew for each table, on the host that is not flagged: so an operation can be tried with a key that the
module would not make.
"""

from __future__ import annotations

from tools.hosts import NamespaceHost

COMMAND = "certbot-fips.openssl"
FOLDER = "/run/boundary/made"

#: The keys by their files, without `.pem`: algorithm and options of genpkey.
KEYS = {
    "rsa": "RSA",
    "rsa-1024": "RSA -pkeyopt rsa_keygen_bits:1024",
    **{
        name: f"EC -pkeyopt ec_paramgen_curve:{curve}"
        for name, curve in {
            "p256": "P-256",
            "p384": "P-384",
            "p192": "P-192",
            "secp256k1": "secp256k1",
            "brainpool": "brainpoolP256r1",
            "k233": "sect233k1",
            "b233": "sect233r1",
        }.items()
    },
    **{name: name for name in ("x25519", "x448", "ed25519", "ed448")},
    **{
        f"ml-dsa-{size}": f"ML-DSA-{size} -provparam ml-dsa.output_formats=seed-only" for size in (44, 65, 87)
    },
    **{
        f"ml-kem-{size}": f"ML-KEM-{size} -provparam ml-kem.output_formats=seed-only"
        for size in (512, 768, 1024)
    },
    "slh-dsa": "SLH-DSA-SHA2-128f",
    "dh": "DH -pkeyopt group:ffdhe2048",
    "dhx": "DHX -pkeyopt group:dh_2048_256",
    "sm2": "SM2",
}
#: Those that sign their own certificate.
CERTIFICATES = ("rsa", "p256", "dsa", "ed25519", "brainpool", "rsa-1024")
#: The config of `openssl ca` and `openssl srp`.
AUTHORITY = """
[ca]
default_ca = one
[one]
database = index
rand_serial = yes
default_days = 1
policy = any
[any]
commonName = supplied
[srp]
default_srp = verifiers
[verifiers]
srpvfile = srp.file
"""
#: Lists of the program, of which each entry is an operation.
LISTS = (
    *("commands", "digest-algorithms", "cipher-algorithms", "mac-algorithms", "kdf-algorithms"),
    *("key-managers", "key-exchange-algorithms", "kem-algorithms", "signature-algorithms"),
    *("asymcipher-algorithms", "tls-signature-algorithms", "cipher-commands"),
)
#: And, of each version of TLS, the list of groups.
GROUPS = ("tls1_2", "tls1_3")


def make(host: NamespaceHost) -> None:
    """Make all of it on a host that has the snap and no flag; raise HostError where that cannot be."""
    lines = [f"{COMMAND} genpkey -out {name}.pem -algorithm {how}" for name, how in KEYS.items()]
    lines += [
        f"{COMMAND} dsaparam -out dsa.params 2048",
        f"{COMMAND} gendsa -out dsa.pem dsa.params",
        f"{COMMAND} dhparam -out dh.params -dsaparam 2048",
    ]
    lines += [f"{COMMAND} pkey -in {name}.pem -pubout -out {name}.pub" for name in (*KEYS, "dsa")]
    request = "req -x509 -new -subj /CN=a.example -days 30 -addext subjectAltName=DNS:a.example"
    request += " -addext keyUsage=digitalSignature,keyCertSign"
    lines += [f"{COMMAND} {request} -key {name}.pem -out {name}.crt" for name in CERTIFICATES]
    lines += [
        f"{COMMAND} req -new -key rsa.pem -subj /CN=a.example -out rsa.csr",
        f"{COMMAND} pkcs12 -export -inkey rsa.pem -in rsa.crt -passout pass:password -out rsa.p12",
        f"{COMMAND} pkcs8 -topk8 -in rsa.pem -passout pass:password -out rsa.encrypted.pem",
        f"{COMMAND} rsa -in rsa.pem -aes128 -passout pass:password -traditional -out rsa.traditional.pem",
        f"{COMMAND} genpkey -algorithm RSA -outform DER -out rsa.der",
        f"{COMMAND} cms -sign -signer rsa.crt -inkey rsa.pem -in text -outform DER -nodetach -out signed.cms",
        f"{COMMAND} cms -encrypt -in rsa.crt -aes256 -outform DER -out encrypted.cms rsa.crt",
        f"{COMMAND} cms -encrypt -in rsa.crt -aes256 -outform DER -out to-ec.cms p256.crt",
        f"{COMMAND} pkeyutl -encrypt -pubin -inkey rsa.pub -in text -out text.rsa",
        f"{COMMAND} pkeyutl -sign -rawin -inkey p256.pem -in text -out text.p256",
        f"{COMMAND} pkeyutl -sign -rawin -inkey rsa.pem -in text -out text.sha256.rsa",
    ]
    lines += [
        f"{COMMAND} list -1 -{name} > list.{name} || {COMMAND} list -{name} > list.{name}" for name in LISTS
    ]
    lines += [f"{COMMAND} list -tls-groups -{version} > list.groups.{version}" for version in GROUPS]
    files = ["printf %032d 0 > text", "touch index index.attr srp.file", "cat > ca.conf"]
    script = "\n".join([f"mkdir -p {FOLDER}", f"cd {FOLDER}", *files, *lines])
    host.run(["sh", "-euc", script], stdin=AUTHORITY, timeout=300).check()
