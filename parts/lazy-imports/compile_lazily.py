"""Compile a tree of packages to bytecode that imports lazily: `python3 compile_lazily.py ROOT FOLDER SHOWN`.

FOLDER, below ROOT, has the packages; SHOWN is where ROOT will be.  What a module imports at its top level is
imported when its name is first used, as PEP 810 has it with `-X lazy_imports=all`; this goes when the snap's
Python has that.  Docstrings are left out, for size.  With `--at-once` as the first argument that is all:
imports stay as they are, as those of the standard library do.

Some names are imported at once, as before:

- below `if` or `try`, by `*`, from modules whose names are looked for in text (dataclasses do so);
- what cannot be found now, so that an error comes where it is expected;
- a name that is bound in more than one way, or is that of a submodule of the package itself;
- `import x` where x is not used: for what it does.

A module that looks at its own globals, or has a `__getattr__` of its own, stays as it is.
"""

import __future__

import ast
import importlib.util
import symtable
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from importlib import _bootstrap_external
from pathlib import Path
from types import CodeType

#: Modules that stay as they are: what has to do with crypto itself, and what does the imports; what takes the
#: place of `os`; acme, which gives all modules of josepy that are there by then a second name.
PLAIN = ("OpenSSL", "OpenSSL.*", "lazy_imports", "certbot.compat.*", "acme", "josepy")
#: Docstrings that are read: Certbot's help has them, dnspython's errors say them, the help of two programs.
READ = ("certbot.configuration", "dns.*", "cmd", "pdb", "timeit")
#: What is imported from them is looked for by its name in a module's globals, or is there anyway.
AT_ONCE = {"__future__", "abc", "builtins", "dataclasses", "os", "sys", "typing", "typing_extensions"}
#: Not here while these are compiled: other parts of the snap.
ELSEWHERE = {"cryptography", "fips_launch"}
#: Functions that, without an argument, look at the globals.
INSPECTORS = {"globals", "locals", "vars", "dir"}
#: What has this file name is left out of tracebacks, and of the levels of warnings.
UNSEEN = "<frozen importlib._bootstrap>"

#: A parameter that no name of a program can be.
WANTED = ".wanted"

Import = ast.Import | ast.ImportFrom
Function = ast.FunctionDef | ast.AsyncFunctionDef


def _is(module: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(module, each) for each in patterns)


def _leave_out_docstrings(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | Function) and ast.get_docstring(node, clean=False):
            only = len(node.body) == 1 and not isinstance(node, ast.Module)
            node.body[:1] = [ast.copy_location(ast.Pass(), node.body[0])] if only else []


def _looks_at_globals(tree: ast.Module) -> bool:
    """Tell whether a module looks at its own globals as at a dictionary, or has PEP 562's functions."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[]) if name in INSPECTORS:
                return True
            case ast.Attribute(value=ast.Subscript(slice=ast.Name(id="__name__")), attr="__dict__"):
                return True
            case ast.Call(func=ast.Name(id="vars"), args=[ast.Subscript(slice=ast.Name(id="__name__"))]):
                return True
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return bool(defined & {"__getattr__", "__dir__"})


def _tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _tables(child)


def _bound(statements: list[ast.stmt]) -> set[str]:
    """Return the global names that statements bind or delete."""
    names = set()
    top = symtable.symtable(ast.unparse(ast.Module(statements, [])), "", "exec")
    for table in _tables(top):
        for symbol in table.get_symbols():
            binds = symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()
            if binds and (table is top or symbol.is_declared_global()):
                names.add(symbol.get_name())
    return names


def _used(tree: ast.Module) -> set[str]:
    """Return the names that are read, and texts, which may be names."""
    names = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()) | ast.Constant(value=str(name)):
                names.add(name)
    return names


def _binds(alias: ast.alias, statement: Import) -> str:
    return alias.asname or (alias.name.partition(".")[0] if isinstance(statement, ast.Import) else alias.name)


class Packages:
    """What can be found while packages are compiled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, module: str) -> bool:
        """Tell whether a module will be there."""
        top, *below = module.split(".")
        if top in sys.stdlib_module_names:
            try:
                return importlib.util.find_spec(module) is not None
            except ModuleNotFoundError:
                return False
        path = self.folder.joinpath(top, *below)
        files = [
            path.with_name(f"{path.name}.py"),
            path / "__init__.py",
            *path.parent.glob(f"{path.name}.*.so"),
        ]
        return top in ELSEWHERE or any(file.is_file() for file in files) or path.is_dir()


def _absolute(statement: ast.ImportFrom, package: str) -> str:
    base = package.split(".")
    base = base[: len(base) - statement.level + 1] if statement.level else []
    return ".".join([*base, *([statement.module] if statement.module else [])])


def _may_wait(
    alias: ast.alias, statement: Import, package: str, inside: Path | None, packages: Packages
) -> bool:
    """Tell whether an import may be done later, as far as it is seen from itself.

    :param package: that the module is in, or is.
    :param inside: the package's folder, if the module is a package.
    """
    if isinstance(statement, ast.Import):
        module, name = alias.name, _binds(alias, statement)
        submodule = None
    else:
        if alias.name == "*":
            return False
        module, name = _absolute(statement, package), _binds(alias, statement)
        submodule = f"{module}.{alias.name}"
    given = name.startswith("__")  # as __doc__, which each module has
    if given or module.partition(".")[0] in AT_ONCE or not packages.has(module):
        return False
    if inside is None:
        return True
    if module == package:  # a submodule of its own; anything else is not there yet
        return alias.name == name and packages.has(submodule or "")
    return not packages.has(f"{package}.{name}")


def _alone(alias: ast.alias, statement: Import, package: str, inside: Path | None) -> Import:
    """Return the import of one name."""
    if isinstance(statement, ast.Import):
        return ast.Import([alias])
    if inside is not None and _absolute(statement, package) == package:
        # `from . import x` would ask the package first whether it has x, which would import it.
        return ast.Import([ast.alias(f"{package}.{alias.name}", alias.name)])
    return ast.ImportFrom(statement.module, [alias], statement.level)


def take_out(
    tree: ast.Module, module: str, inside: Path | None, packages: Packages
) -> dict[str, list[Import]]:
    """Take the imports that may wait out of a module, and return them by the names that they bind.

    :param tree: the module; changed.
    :param module: its name.
    :param inside: its folder, if it is a package.
    """
    package = module if inside is not None else module.rpartition(".")[0]
    imports = [each for each in tree.body if isinstance(each, ast.Import | ast.ImportFrom)]
    bound = _bound([each for each in tree.body if each not in imports])
    used = _used(tree)
    by_name: dict[str, list[tuple[ast.alias, Import]]] = {}
    for statement in imports:
        for alias in statement.names:
            by_name.setdefault(_binds(alias, statement), []).append((alias, statement))
    taken: dict[str, list[Import]] = {}
    for name, found in by_name.items():
        plain = all(isinstance(each, ast.Import) and not alias.asname for alias, each in found)
        if name in bound or (plain and name not in used) or (len(found) > 1 and not plain):
            continue
        if all(_may_wait(alias, each, package, inside, packages) for alias, each in found):
            taken[name] = []
            for alias, each in found:
                each.names.remove(alias)
                taken[name].append(ast.copy_location(_alone(alias, each, package, inside), each))
    tree.body = [each for each in tree.body if each not in imports or each.names]
    return taken


def _importer(taken: dict[str, list[Import]], shown: str) -> CodeType:
    """Return the code of a function that does the import of the name that it is given."""
    body: list[ast.stmt] = [ast.Global([*taken]) if taken else ast.Pass()]
    for name, statements in taken.items():
        test = ast.Compare(ast.Name(WANTED, ast.Load()), [ast.Eq()], [ast.Constant(name)])
        body.append(ast.copy_location(ast.If(test, [*statements, ast.Return()], []), statements[0]))
    function = ast.parse("def lazy_import(): pass")
    definition = function.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.args.posonlyargs.append(ast.arg(WANTED))
    definition.body = body
    code = compile(ast.fix_missing_locations(function), shown, "exec", dont_inherit=True)
    return next(each for each in code.co_consts if isinstance(each, CodeType))


def _with(code: CodeType, **given: object) -> CodeType:
    """Return code with these things in the place of texts of their names."""
    consts = tuple(given.get(each, each) if isinstance(each, str) else each for each in code.co_consts)
    return code.replace(co_consts=consts)


START = """
__import__("lazy_imports").prepare(globals(), "names", "importer")
__import__("lazy_imports").run(exec, "body", globals())
"""


def compiled(
    source: bytes, shown: str, module: str, inside: Path | None, packages: Packages, lazily: bool = True
) -> CodeType:
    """Return the code of a module.

    :param shown: the file name in it.
    :param module: its name.
    :param inside: its folder, if it is a package.
    :raises SyntaxError: it is not Python.
    """
    tree = ast.parse(source)
    if not _is(module, READ):
        _leave_out_docstrings(tree)
    plain = not lazily or _is(module, PLAIN) or _looks_at_globals(tree)
    taken = {} if plain else take_out(tree, module, inside, packages)
    if plain or (not taken and inside is None):  # a package gives its submodules, without imports too
        return compile(tree, shown, "exec", dont_inherit=True)
    # Annotations as texts (PEP 563), for else they would be uses of names.
    body = compile(tree, shown, "exec", __future__.annotations.compiler_flag, dont_inherit=True)
    start = compile(START, UNSEEN, "exec", dont_inherit=True)
    return _with(start, names=tuple(taken), importer=_importer(taken, shown), body=body)


def main(root: Path, folder: Path, shown: str, lazily: bool) -> None:
    """Compile each module, to a file beside it."""
    packages = Packages(folder)
    for file in sorted(folder.rglob("*.py")):
        parts = file.relative_to(folder).with_suffix("").parts
        inside = file.parent if parts[-1] == "__init__" else None
        module = ".".join(parts[:-1] if inside else parts)
        source = file.read_bytes()
        code = compiled(source, f"{shown}/{file.relative_to(root)}", module, inside, packages, lazily)
        digest = importlib.util.source_hash(source)
        content = _bootstrap_external._code_to_hash_pyc(code, digest, False)  # type: ignore[attr-defined]
        file.with_suffix(".pyc").write_bytes(content)


if __name__ == "__main__":
    at_once = sys.argv[1] == "--at-once"
    given_root, given_folder, given_shown = sys.argv[1 + at_once :]
    main(Path(given_root), Path(given_folder), given_shown, lazily=not at_once)
