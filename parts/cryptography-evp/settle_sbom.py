"""Take out of CycloneDX files what differs between two builds of the same: settle_sbom.py FOLDER FILE ...

That is their serial number, their time and the folder of the build. Both fields are optional (CycloneDX 1.5,
`serialNumber` and `metadata.timestamp`).
"""

import json
import sys
from pathlib import Path


def main() -> None:
    """Rewrite the files that the command line names."""
    folder, *files = sys.argv[1:]
    for file in map(Path, files):
        bom = json.loads(file.read_text().replace(f"{folder}/", ""))
        bom.pop("serialNumber", None)
        bom["metadata"].pop("timestamp", None)
        file.write_text(json.dumps(bom, indent=2) + "\n")


if __name__ == "__main__":
    main()
