"""Remove from installed packages what no plugin of Certbot reaches: `python3 prune.py FOLDER`.

The tests go with each plugin as far as its record, without these.
"""

import base64
import hashlib
import shutil
import sys
from pathlib import Path

#: Folders of which only these stay.
KEPT = {
    # Descriptions of services: of Amazon's, Route 53's and those that sign in; of Google's, DNS.
    "botocore/data": ("*.json", "route53", "signin", "sso", "sso-oidc", "sts"),
    "googleapiclient/discovery_cache/documents": ("dns.v1.*",),
    # Of Cloudflare's client zones and their records, and what is loaded with them.
    "cloudflare/resources": ("*.py", "analytics_query", "dns", "zones"),
    "cloudflare/types": ("__init__.py", "analytics_query*", "dns", "rules", "shared*", "zones"),
}
REMOVED = (
    "bin",
    "*/_internal/tests",
    "cffi/*.h",
    # Lists of certificate authorities: the host's is used, see certifi-host.patch.
    "botocore/cacert.pem",
    "httplib2/cacerts.txt",
    # Amazon's other services.
    "botocore/data/*/*/examples-*.json",
    "boto3/data",
    "boto3/examples",
    # What lexicon parses the pages of three other providers with.
    *(f"{name}*" for name in ("beautifulsoup4-", "bs4", "soupsieve")),
    # For other machines; an inventory of a wheel's Python, which is nothing but itself.
    "urllib3/contrib/emscripten",
    "filelock-*.dist-info/sboms",
    # Google's protocol buffers, and what watches its client: not used over HTTP. Nor are these of its core.
    *(f"google/api_core/{name}" for name in ("gapic_v1", "operations_v1", "resumable_transfer")),
    "google/auth/aio",
    *(
        f"google/{name}"
        for name in ("api", "cloud", "gapic", "logging", "longrunning", "protobuf", "rpc", "type")
    ),
    "proto",
    "opentelemetry",
    *(
        f"{name}-*.dist-info"
        for name in ("googleapis_common_protos", "opentelemetry_api", "proto_plus", "protobuf")
    ),
    # The first version of pydantic, beside the second; YAML again, in C.
    "pydantic/v1",
    "pydantic/mypy.py",
    "yaml/_yaml.*.so",
    "_yaml",
    # What only type checkers read; time zones, where the host has none.
    "**/*.pyi",
    "dateutil/zoneinfo/*.tar.gz",
    # pyasn1's modules of many protocols; google-auth uses the core alone.
    "pyasn1_modules",
    "pyasn1_modules-*.dist-info",
)


def _leave_out_description(metadata: Path) -> str:
    """Shorten a METADATA to its headers (core metadata, "Description"): few read a package's page here.

    :return: its line in RECORD.
    """
    headers, _, _ = metadata.read_text(encoding="utf-8").partition("\n\n")
    metadata.write_text(f"{headers}\n", encoding="utf-8")
    content = metadata.read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{metadata.parent.name}/METADATA,sha256={digest},{len(content)}\n"


def prune(folder: Path) -> None:
    """Remove it, and from each package's RECORD the lines of what is gone (see PyPA's specification of it).

    :param folder: where packages are installed.
    :raises ValueError: a pattern of the lists above fits nothing, so that it is out of date.
    """
    doomed = []
    for pattern in REMOVED:
        doomed.append((pattern, sorted(folder.glob(pattern))))
    for name, kept in KEPT.items():
        others = [path for path in sorted(folder.glob(f"{name}/*")) if not any(map(path.match, kept))]
        doomed.append((f"{name}/*", others))
        for pattern in kept:
            if not any(folder.glob(f"{name}/{pattern}")):
                raise ValueError(f"{name} has no {pattern}")
    for pattern, paths in doomed:
        if not paths:
            raise ValueError(f"there is no {pattern}")
        for path in paths:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    for record in folder.glob("*.dist-info/RECORD"):
        shortened = _leave_out_description(record.parent / "METADATA")
        name = shortened.partition(",")[0]
        lines = record.read_text().splitlines(keepends=True)
        left = [line for line in lines if (folder / line.partition(",")[0]).exists()]
        record.write_text("".join(shortened if line.startswith(f"{name},") else line for line in left))


if __name__ == "__main__":
    prune(Path(sys.argv[1]))
