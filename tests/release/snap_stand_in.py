#!/usr/bin/env python3
"""A stand-in for `snap known --remote snap-revision …`, with the store of snapcraft_stand_in.py.

It says what the store has signed of the bytes; the signature itself, which snapd verifies, is left out.
"""

import base64
import json
import os
import sys
from pathlib import Path

store = json.loads(Path(os.environ["STAND_IN_STORE"]).read_text())
assert sys.argv[1:4] == ["known", "--remote", "snap-revision"]
key = sys.argv[4].removeprefix("snap-sha3-384=")
for number, about in store["revisions"].items():
    digest = bytes.fromhex(about.get("sha3-384", ""))
    if digest and base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == key:
        named = 7 if store.get("trap") == "signed" else number
        print(f"type: snap-revision\nsnap-sha3-384: {key}\nsnap-id: x\nsnap-revision: {named}\n\nAcLB…")
        sys.exit(0)
print("error: cannot find the assertion: snap-revision not found", file=sys.stderr)
sys.exit(1)
