"""What is in the snap is imported from the snap, wherever else there is a module by the same name.

A `cryptography` with an OpenSSL of its own beside a script, in the current folder or in a plugin would
otherwise take the place of ours, for these come first in `sys.path`.
"""

import sys
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder


def own(name: str, path: list[str]) -> ModuleSpec | None:
    """Return how a top-level module is imported from the snap itself; None: it is not in there.

    :param path: of :class:`Place`.
    """
    spec = PathFinder.find_spec(name, path)
    return spec if spec is not None and spec.origin else None  # any folder is a namespace, without an origin


class OwnFirst:
    """For `sys.meta_path`: what is in the snap is imported from the snap."""

    def __init__(self, path: list[str]) -> None:
        self.path = path

    def find_spec(self, name: str, path: object = None, _target: object = None) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`; the parts of a package are found where the package is."""
        return own(name, self.path) if path is None else None


def prefer(path: list[str]) -> None:
    """Ask the snap first, from now on, before all others who want to be asked.

    But for the program itself: what is in the interpreter's own file is not looked for anywhere.

    :param path: of :class:`Place`.
    """
    program = (BuiltinImporter, FrozenImporter)
    others = [each for each in sys.meta_path if each not in program and not isinstance(each, OwnFirst)]
    sys.meta_path[:] = [*program, OwnFirst(path), *others]
