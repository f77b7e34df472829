"""Imports are done when their names are first used, and nothing else about a program changes."""

import json
from pathlib import Path
from textwrap import dedent

import pytest

from tests.snap.support import SNAP, MakeHost
from tools.hosts import NamespaceHost

COMPILER = Path(__file__).parents[2] / "parts" / "lazy-imports" / "compile_lazily.py"
#: Where the compiled files say that they are.
SHOWN = "/snap/here/current"
Files = dict[str, str]


def install(host: NamespaceHost, files: Files, lazily: bool) -> str:
    """Make modules, as bytecode alone, by the snap's own Python; return their folder."""
    folder = f"/run/{'lazy' if lazily else 'plain'}"
    host.run(["rm", "-rf", folder]).check()
    for name, text in files.items():
        file = host.path(f"{folder}/{name}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))
    compiler = ["-", folder, folder, SHOWN]
    if not lazily:
        compiler = ["-m", "compileall", "-qb", "-s", folder, "-p", SHOWN, folder]
    host.run(["certbot-fips.python3", *compiler], stdin=COMPILER.read_text()).check()
    host.run(["find", folder, "-name", "*.py", "-delete"]).check()
    return folder


def run(host: NamespaceHost, files: Files, program: str, *, lazily: bool = True) -> str:
    """Return what a program says, stdout and stderr, with these modules."""
    folder = install(host, files, lazily)
    command = f"import sys; sys.path.insert(0, {folder!r})\n{dedent(program)}"
    done = host.run(["certbot-fips.python3", "-c", command])
    return done.stdout + done.stderr.replace("/run/plain", "/run/lazy")


NOISY = {"noisy.py": "print('noisy is loaded')\nvalue = 'noise'\n"}


@pytest.mark.parametrize(
    "line",
    [
        "import noisy",
        "import noisy as other; noisy = other",
        "from noisy import value",
        "from noisy import value as noise; value = noise",
    ],
)
def test_an_import_waits_for_its_name(unflagged: NamespaceHost, line: str) -> None:
    """Plain imports are done at once: the control. A name that is bound again is used by that."""
    names, _, again = line.partition("; ")
    used = "noise" if " as noise" in names else "other.value" if " as " in names else names.split()[-1]
    used = "noisy.value" if used == "noisy" else used
    files = NOISY | {"m.py": f"{names}\ndef use():\n    return {used}\n"}
    program = "import m; print('m is loaded'); print(m.use()); print(m.use())"
    lazy = run(unflagged, files, program)
    plain = run(unflagged, files, program, lazily=False)
    assert lazy.splitlines() == ["m is loaded", "noisy is loaded", "noise", "noise"]
    assert plain.splitlines() == ["noisy is loaded", "m is loaded", "noise", "noise"]
    assert again or used


def test_a_module_asks_for_the_imports_of_another(unflagged: NamespaceHost) -> None:
    files = NOISY | {"m.py": "import noisy\ndef use(): return noisy\n"}
    program = "import m; print(hasattr(m, 'other')); print(m.noisy.value)"
    assert run(unflagged, files, program).splitlines() == ["False", "noisy is loaded", "noise"]


PACKAGE = {
    "p/__init__.py": "from .a import make, Thing as Made\nfrom . import b\n__version__ = '1'\n",
    "p/a.py": "from .b import number\ndef make(): return number\nclass Thing:\n    n = number\n",
    "p/b.py": "number = 3\n",
    "p/sub/__init__.py": "",
    "p/sub/deep.py": "here = __name__\n",
}
#: Modules, and a program that says the same whether they are lazy or not.
SAME: dict[str, tuple[Files, str]] = {
    "import a.b": (PACKAGE | {"m.py": "import p.sub.deep\nx = p.sub.deep.here\n"}, "import m; print(m.x)"),
    "import a.b and a.c": (
        PACKAGE | {"m.py": "import p.sub.deep\nimport p.b\ndef f(): return p.b.number, p.sub.deep.here\n"},
        "import m; print(m.f())",
    ),
    "import a.b as c": (
        PACKAGE | {"m.py": "import p.sub.deep as d\nf = lambda: d.here\n"},
        "import m; print(m.f())",
    ),
    "what a package hands on": (
        PACKAGE,
        "import p; print(p.make(), p.Made.n, p.b.number, p.a.number); from p import make, b; print(b.number)",
    ),
    "relative imports": (
        PACKAGE | {"p/sub/m.py": "from .. import b\nfrom ..a import make\nfrom . import deep\n"},
        "from p.sub import m; print(m.b.number, m.make(), m.deep.here)",
    ),
    "a submodule that somebody else imported": (
        {"p/__init__.py": "", "p/x.py": "y = 1\n", "m.py": "import p\nimport p.x\nf = lambda: p.x.y\n"},
        "import m; print(m.f())",
    ),
    "a submodule through the package's own import": (
        {"p/__init__.py": "from .x.y import z\n", "p/x/__init__.py": "", "p/x/y.py": "z = 1\n"},
        "import p; print(p.x.y.z, hasattr(p, 'nothing'))",
    ),
    "a function by the name of its submodule": (
        {"p/__init__.py": "from .x import x\n", "p/x.py": "def x(): return 1\n"},
        "import p.x; import p; print(p.x())",
    ),
    "imports in a circle": (
        {
            "m.py": "import n\ndef f(): return n.g()\ndef h(): return 2\n",
            "n.py": "import m\ndef g(): return m.h()\n",
        },
        "import m; print(m.f())",
    ),
    "globals()": (
        NOISY | {"m.py": "import noisy\nf = lambda: sorted(globals())\n"},
        "import m; print(m.f())",
    ),
    "globals() of a name": (
        NOISY | {"m.py": "from noisy import value\nf = lambda: globals()['value']\n"},
        "import m; print(m.f())",
    ),
    "vars() and dir()": (
        {"m.py": "import json\nx = 'json' in vars(), 'json' in dir()\n"},
        "import m; print(m.x)",
    ),
    "the module's own __dict__": (
        {"m.py": "import sys\nimport json\nx = 'json' in sys.modules[__name__].__dict__\n"},
        "import m; print(m.x)",
    ),
    "dir of a module": (
        {"m.py": "import json as j\n"},
        "import m; print([x for x in dir(m) if x[0] != '_'], 'j' in dir(m))",
    ),
    "*": (
        {"m.py": "import json as j\nk = 1\n", "n.py": "from m import *\n"},
        "import n; print(n.j.dumps(n.k))",
    ),
    "* with __all__": (
        {"m.py": "import json\n__all__ = ['json']\n", "n.py": "from m import *\n"},
        "import n; print(n.json.dumps(1))",
    ),
    "try and ImportError": (
        {"m.py": "try:\n    import nothing_there as x\nexcept ImportError:\n    x = 1\n"},
        "import m; print(m.x)",
    ),
    "an error where it is expected": (
        {"n.py": "import nothing_there\n", "m.py": "try:\n    import n\nexcept ImportError:\n    n = 1\n"},
        "import m; print(m.n)",
    ),
    "the same, of a part of a package": (
        PACKAGE
        | {"n.py": "import p.nothing\n", "m.py": "try:\n    import n\nexcept ImportError:\n    n = 1\n"},
        "import m; print(m.n)",
    ),
    "TYPE_CHECKING": (
        {
            "m.py": """
            from typing import TYPE_CHECKING
            if TYPE_CHECKING:
                from decimal import Decimal
            def f(x: 'Decimal') -> 'Decimal': return x
            """
        },
        "import m; print(m.f(1), hasattr(m, 'Decimal'))",
    ),
    "annotations that are asked for": (
        {
            "m.py": """
            from decimal import Decimal
            import typing
            def f(x: Decimal) -> list[Decimal]: return [x]
            class C:
                y: Decimal
            """
        },
        "import m, typing; print(typing.get_type_hints(m.f), typing.get_type_hints(m.C))",
    ),
    "a data class": (
        {
            "m.py": """
            import typing as t
            from dataclasses import dataclass, InitVar
            from decimal import Decimal
            @dataclass
            class C:
                a: Decimal
                b: t.ClassVar[int] = 1
                c: InitVar[int] = 2
            """
        },
        "import m; print(m.C(1), [f for f in m.C.__dataclass_fields__])",
    ),
    "an import for what it does": (NOISY | {"m.py": "import noisy\n"}, "import m; print('m is loaded')"),
    "a name that is bound again": (
        {"m.py": "from json import dumps\nif True:\n    dumps = 1\nfrom os import path\npath = 2\n"},
        "import m; print(m.dumps, m.path)",
    ),
    "a name that a function binds": (
        {"m.py": "import json\ndef f():\n    global json\n    json = 1\nf()\nx = json\n"},
        "import m; print(m.x)",
    ),
    "a name of a function's own": (
        {"m.py": "import json\ndef f(json): return json\ndef g():\n    json = 2\n    return json\n"},
        "import m; print(m.f(1), m.g(), m.json.dumps(3))",
    ),
    "a name that is deleted": (
        {"m.py": "import json\nx = json.dumps(1)\ndel json\n"},
        "import m; print(m.x, hasattr(m, 'json'))",
    ),
    "a name of a builtin": (
        {"m.py": "from json import loads as len\nx = len('[1, 2, 3]')\ndef f(): return len('[4]')\n"},
        "import m; print(m.x, m.f())",
    ),
    "a name called name": (
        {"m.py": "from n import name\nf = lambda: name\n", "n.py": "name = 1\n"},
        "import m; print(m.f())",
    ),
    "base classes, decorators, defaults": (
        {
            "m.py": """
            import functools
            from collections import OrderedDict
            class C(OrderedDict):
                kind = OrderedDict
                @functools.cached_property
                def x(self, made=OrderedDict): return functools.reduce(max, [1, 2])
            """
        },
        "import m; print(m.C.__mro__, m.C().x)",
    ),
    "eval and exec": (
        {"m.py": "import json\nx = eval('json.dumps(1)')\ndef f(): exec('global y; y = json.dumps(2)')\n"},
        "import m; m.f(); print(m.x, m.y)",
    ),
    "PEP 562": (
        {"m.py": "import json\ndef __getattr__(name): return name\ndef f(): return json\n"},
        "import m; print(m.anything, m.json.__name__)",
    ),
    "a function that is pickled": (
        {"m.py": "from n import f\n", "n.py": "from json import dumps\ndef f(): return dumps(1)\n"},
        "import m, pickle; print(pickle.loads(pickle.dumps(m.f))())",
    ),
    "a module in the place of itself": (
        {
            "m.py": """
            import sys
            import json
            class M:
                def __init__(self, real): self.real = real
                def __getattr__(self, name): return getattr(self.real, name)
            sys.modules[__name__] = M(sys.modules[__name__])
            """
        },
        "import m; print(m.json.dumps(1))",
    ),
    "mock, before the first use and after": (
        {"m.py": "from json import dumps\nimport json\ndef f(): return dumps(1), json.dumps(2)\n"},
        """
        import m
        from unittest import mock
        for _ in range(2):
            with mock.patch('m.dumps') as d, mock.patch('m.json') as j:
                d.return_value, j.dumps.return_value = 'first', 'second'
                print(m.f())
            print(m.f())
        """,
    ),
    "another value, before the first use": (
        {"m.py": "from json import dumps\ndef f(): return dumps(1)\n"},
        "import m; m.dumps = str; print(m.f(), m.dumps is str)",
    ),
    "builtins that are replaced": (
        {"m.py": "import json\ndef f(): return open('x')\ndef g(): return json\n"},
        """
        import m
        from unittest import mock
        for _ in range(2):
            with mock.patch('builtins.open') as opened:
                opened.return_value = 'mock'
                print(m.f())
            try:
                m.f()
            except FileNotFoundError as error:
                print(error)
        """,
    ),
    "a name that is nowhere": (
        {"m.py": "import json\ndef f(): return jsno\ndef g(): return json\n"},
        "import m\ntry:\n    m.f()\nexcept NameError as error:\n    print(error, error.name)",
    ),
    "an attribute that is nowhere": (
        {"m.py": "import json\ndef g(): return json\n"},
        "import m\ntry:\n    m.f\nexcept AttributeError as error:\n    print(error)\n"
        "try:\n    from m import f\nexcept ImportError as error:\n    print(error.name)",
    ),
    "a module that is loaded anew": (
        NOISY | {"m.py": "from noisy import value\ndef f(): return value\n"},
        """
        import m, noisy, importlib
        print(m.f())
        noisy.value = 'more'
        print(m.f(), importlib.reload(m).f())
        """,
    ),
    "threads": (
        PACKAGE | {"m.py": "import p.sub.deep as d\nfrom p import make\ndef f(_): return d.here, make()\n"},
        """
        import m
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(16) as pool:
            print(set(pool.map(m.f, range(200))))
        """,
    ),
    "what each module has": (
        PACKAGE | {"p/m.py": "from . import b\nf = lambda: b\nfrom .n import __doc__\n", "p/n.py": ""},
        "import p.m as m; print(m.__doc__, m.__package__, m.__spec__.name, m.f().__name__)",
    ),
    "python3 -m": (
        {"m.py": "import json\nprint(__name__, json.dumps(1))\n"},
        "import runpy; runpy.run_module('m', run_name='main')",
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_a_program_says_the_same(unflagged: NamespaceHost, case: str) -> None:
    files, program = SAME[case]
    plain = run(unflagged, files, program, lazily=False)
    assert run(unflagged, files, program) == plain
    assert plain
    assert "Traceback" not in plain


def test_the_programs_are_lazy(unflagged: NamespaceHost) -> None:
    """The control: in most of those programs something is taken out."""
    lazy = []
    for case, (files, _) in SAME.items():
        compiled = unflagged.path(install(unflagged, files, lazily=True)).rglob("*.pyc")
        lazy += [case] * any(b"lazy_import" in file.read_bytes() for file in compiled)
    assert len(lazy) > len(SAME) * 0.6


BROKEN = {
    "broken.py": "import json\n\nraise ValueError(json.dumps('broken'))\n",
    "m.py": "\nimport json\nimport broken\n\ndef use():\n    json.dumps(1)\n    return broken.x\n",
}


def test_a_traceback_says_where_the_name_was_used_where_it_is_imported_and_what_is_wrong(
    unflagged: NamespaceHost,
) -> None:
    said = run(unflagged, BROKEN, "import m\nm.use()")
    places = [line.strip() for line in said.splitlines() if SHOWN in line]
    assert places == [
        f'File "{SHOWN}/m.py", line 7, in use',
        f'File "{SHOWN}/m.py", line 3, in lazy_import',
        f'File "{SHOWN}/broken.py", line 3, in <module>',
    ]
    assert said.splitlines()[-1] == 'ValueError: "broken"'
    assert "importlib" not in said


def test_the_traceback_of_an_import_is_as_with_plain_imports(unflagged: NamespaceHost) -> None:
    lazy = run(unflagged, BROKEN, "import broken")
    assert lazy == run(unflagged, BROKEN, "import broken", lazily=False)
    assert f'File "{SHOWN}/broken.py", line 3, in <module>' in lazy


def test_an_import_that_fails_fails_again(unflagged: NamespaceHost) -> None:
    program = """
    import m
    for _ in range(2):
        try:
            m.use()
        except ValueError as error:
            print(error)
    """
    assert run(unflagged, BROKEN, program) == '"broken"\n"broken"\n'


def test_a_warning_points_to_who_imports(unflagged: NamespaceHost) -> None:
    files = {
        "old.py": "import warnings\nimport json\nwarnings.warn('old', stacklevel=2)\ndef f(): return json\n",
        "m.py": "\n\nimport old\nx = old.f\n",
    }
    program = "import warnings; warnings.simplefilter('always')\nimport old"
    lazy = run(unflagged, files, program)
    assert lazy == run(unflagged, files, program, lazily=False)
    assert "<string>:3: UserWarning: old" in lazy


def test_who_wants_to_know_of_failures_is_told(unflagged: NamespaceHost) -> None:
    """As fips_launch.certbot does, which ends with one line; without that it is an exception: see above."""
    program = """
    import lazy_imports, m
    def stop(error): raise SystemExit(f"stopped: {error}") from error
    lazy_imports.failed = stop
    try:
        m.use()
    except Exception:
        print("taken for something else")
    """
    assert run(unflagged, BROKEN, program) == 'stopped: "broken"\n'


def test_what_it_makes_is_the_same_each_time(unflagged: NamespaceHost) -> None:
    made = []
    for _ in range(2):
        folder = unflagged.path(install(unflagged, PACKAGE, lazily=True))
        made.append({file.name: file.read_bytes() for file in folder.rglob("*.pyc")})
    assert made[0] == made[1]
    assert made[0]


def test_certbot_starts_without_what_it_does_not_use(host: NamespaceHost) -> None:
    """The control: issuing uses them, and they can be imported."""
    program = """
    import sys
    sys.argv[1:] = ["--version"]
    from fips_launch import certbot
    try:
        certbot.main()
    except SystemExit:
        pass
    import json
    names = ["requests", "urllib3", "cryptography.x509", "OpenSSL", "pyparsing", "ssl"]
    names += ["importlib.metadata", "importlib.resources", "inspect"]
    loaded = [name for name in names if name in sys.modules]
    print(json.dumps([loaded, [bool(__import__(name)) for name in names]]))
    """
    done = host.run(["certbot-fips.python3", "-c", dedent(program)]).check()
    loaded, importable = json.loads(done.stdout.splitlines()[-1])
    assert (loaded, sum(importable)) == ([], 9)


def test_a_damaged_file_that_is_first_used_later_ends_in_one_line(make_host: MakeHost) -> None:
    """What does not need it works: the control, and that it is lazy."""
    host = make_host()
    file = (
        f"{SNAP.replace('current', 'x1')}/usr/lib/python3.13/site-packages/certbot/_internal/cert_manager.pyc"
    )
    host.run(["sh", "-euc", 'head -c 200 "$0" > /run/cut; mount --bind /run/cut "$0"', file]).check()
    assert host.run(["certbot-fips", "--version"]).check().stdout == "certbot 5.8.0\n"
    result = host.run(["certbot-fips", "certificates"])
    assert (result.returncode, result.stdout) == (78, "")
    line, *others = [each for each in result.stderr.splitlines() if not each.startswith("Saving debug log")]
    assert others == []
    assert line.startswith(
        "certbot-fips: a part of Certbot cannot be loaded: EOFError: marshal data too short"
    )
    assert line.endswith("; reinstall the snap")
