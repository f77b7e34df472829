"""Build the snap: sources -> parts -> prime -> `snap pack`.

craft-parts runs the parts of the one recipe, ``snapcraft.yaml``; `snap pack` packs what they prime.
"""
