"""Static imports: the modules that a function may load, found in its source without running it."""

import ast
from collections.abc import Container, Iterator
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

from infra.errors import InfraError

PACKAGE = "shared"
"""The one package that functions share. Everything else comes from requirements.txt."""
FOR_TYPE_CHECKERS = ("TYPE_CHECKING", "typing.TYPE_CHECKING")
"""Conditions that are never true at run time. https://docs.python.org/3/library/typing.html#typing.TYPE_CHECKING"""


def imported_modules(main: Path, root: Path) -> set[Path]:
    """The files of `shared/` that `main` imports, directly or indirectly, at the top of a module or in a function.

    Raises `InfraError` if a file is not valid Python, or has an import that is relative or of an unknown module.
    """
    known = _modules(root)
    found: set[Path] = set()
    waiting = [main]
    while waiting:
        source = waiting.pop()
        new = {known[name] for name in _imports(source, root, known)} - found
        found |= new
        waiting += new
    return found


def _modules(root: Path) -> dict[str, Path]:
    """The file of each module of `shared/` by the module's dotted name; a package's is its `__init__.py`."""
    files = {file.relative_to(root).with_suffix(""): file for file in (root / PACKAGE).rglob("*.py")}
    return {".".join(path.parts).removesuffix(".__init__"): file for path, file in files.items()}


def _imports(source: Path, root: Path, known: Container[str]) -> Iterator[str]:
    """The modules of `shared/` that one file imports, and the packages that contain them."""
    place = source.relative_to(root).as_posix()
    try:
        statements = _statements_in(source.read_bytes())
    except (SyntaxError, ValueError) as error:
        raise InfraError(f"cannot package {place}: expected valid Python, found: {error}") from error
    for statement in statements:
        for name in _names(statement, known):
            if name not in known:
                mistake = f"{place}, line {statement.lineno}: expected the name of a module, found {name}"
                raise InfraError(f"cannot package {mistake}")
            yield name


@lru_cache(maxsize=1024)
def _statements_in(source: bytes) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """The import statements of a module, kept because functions that are packaged together share modules.

    Raises `SyntaxError` or `ValueError` for a source that is not valid Python.
    """
    return tuple(_statements(ast.parse(source)))


def _statements(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Every import statement in a tree, except those that only type checkers follow."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node
    hidden = node.body if isinstance(node, ast.If) and ast.unparse(node.test) in FOR_TYPE_CHECKERS else ()
    for child in ast.iter_child_nodes(node):
        if child not in hidden:
            yield from _statements(child)


def _names(statement: ast.Import | ast.ImportFrom, known: Container[str]) -> Iterator[str]:
    """The modules of `shared/` that a statement loads: those it names, and the packages that contain them.

    A relative name is given as it stands, and is therefore unknown.
    """
    if isinstance(statement, ast.Import):
        named = [alias.name for alias in statement.names]
    else:
        origin = "." * statement.level + (statement.module or "")
        members = (f"{origin}.{alias.name}" for alias in statement.names)
        named = [origin, *(member for member in members if member in known)]
    for name in named:
        first, *rest = name.split(".")
        if first == PACKAGE:
            yield from accumulate((first, *rest), "{}.{}".format)
        elif not first:
            yield name
