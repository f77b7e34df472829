"""PEP 810 in small: a module's imports are done when their names are first used.

compile_lazily.py takes these imports out of a module and gives them to a function, which does one of them.
A name that is not among the module's globals is looked for among its builtins: those are ours here, and know.
"""

import builtins
import sys
from collections.abc import Callable
from importlib import _bootstrap
from types import CodeType, FunctionType
from typing import Any

#: Runs a module's code; Python leaves what calls it out of tracebacks, as it does with its own importing.
run: Callable[..., object] = _bootstrap._call_with_frames_removed  # type: ignore[attr-defined]
#: Told of an import that fails; what it does not raise is raised as it is.
failed: Callable[[Exception], None] | None = None


#: Builtins that others put something else in the place of, as tests do.
REPLACED = frozenset(("__import__", "breakpoint", "exit", "input", "open", "print", "quit"))


class _Builtins(dict[str, Any]):
    """The builtins of a module: those that it has used, but for what others may replace."""

    __slots__ = ("lazy",)
    lazy: "_Lazy"

    def __missing__(self, name: str) -> Any:
        if name in self.lazy.names:
            return self.lazy.use(name)
        value = builtins.__dict__[name]
        if name not in REPLACED:
            self[name] = value
        return value


class _Lazy:
    """The imports of one module that have not been done."""

    def __init__(self, scope: dict[str, Any], names: frozenset[str], code: CodeType) -> None:
        self.scope = scope
        self.names = names
        self.do = FunctionType(code, scope)

    def use(self, name: str) -> Any:
        """Return the value of a name, which is imported unless another thread has done that."""
        if name not in self.scope:
            try:
                self.do(name)
            except Exception as error:
                if failed is not None:
                    failed(error)
                raise
        return self.scope[name]

    def attribute(self, name: str) -> Any:
        """Return what others ask a module for that it has not: an import, or a submodule.

        Submodules, because with plain imports somebody would have imported them by now.
        """
        if name in self.names:
            return self.use(name)
        if name == "__all__":  # it has none: `from module import *` wants all that is there
            for each in self.names:
                self.use(each)
        title = self.scope["__name__"]
        if "__path__" in self.scope and not name.startswith("__"):
            submodule = f"{title}.{name}"
            try:
                __import__(submodule)
                return sys.modules[submodule]
            except ModuleNotFoundError as error:
                if error.name != submodule:
                    raise
        raise AttributeError(
            f"module {title!r} has no attribute {name!r}", name=name, obj=sys.modules.get(title)
        )

    def all_names(self) -> list[str]:
        """Return what `dir` says of the module."""
        return [*self.scope.keys() | self.names]


def prepare(scope: dict[str, Any], names: tuple[str, ...], code: CodeType) -> None:
    """Make ready what a module's code is to be run in.

    :param scope: the module's globals.
    :param names: those of its imports.
    :param code: of a function that does the import of a name.
    """
    lazy = _Lazy(scope, frozenset(names), code)
    own = _Builtins()
    own.lazy = lazy
    for name in names:
        scope.pop(name, None)  # the module is loaded anew
    scope.update(__builtins__=own, __getattr__=lazy.attribute, __dir__=lazy.all_names)
