"""Make an SSLContext and say what is in the memory of the process that did."""

import hashlib
import ssl
from pathlib import Path

ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
print("context: made")
with Path("/proc/self/maps").open() as maps:
    mapped = {line.split(maxsplit=5)[5].strip() for line in maps if "/" in line}
for label, part in (("libcrypto", "/libcrypto"), ("module", "/fips.so")):
    print(f"{label}: {' '.join(sorted(path for path in mapped if part in path)) or 'none'}")
try:
    hashlib.md5(b"")
    print("md5: given")
except ValueError:
    print("md5: refused")
