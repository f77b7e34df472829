"""The inventory: what the snap is made of, as a CycloneDX bill of materials, of software and of cryptography.

The build makes it and packs it with the snap; `python3 -m tools.release inventory` compares the two.
"""

#: Where it lies in the snap: beside the record of the build.
FILE = "snap/bom.cdx.json"
