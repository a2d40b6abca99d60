"""Hashes that identify files and code."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path


def digest(path: Path) -> str:
    """MD5 of a file (DVC's own hash), ``unknown`` where there is none."""
    if not path.is_file():
        return "unknown"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def code_digest(roots: Iterable[str], without: Iterable[str] = ()) -> str:
    """Hash of the code that modules of notedecay run, theirs and that of what they import.

    Comments, docstrings and layout do not count: they change no figure.

    Parameters
    ----------
    roots : iterable of str
        Modules or packages, such as ``notedecay.models.modal.model``.
    without : iterable of str
        Modules, or packages with all in them, that change no figure, such as pictures. They are
        left out with what they alone import. ``package.__init__`` leaves out that file alone.

    Returns
    -------
    str
        16 hexadecimal digits, the same on every machine with the same minor version of Python.
    """
    excluded = tuple(without)
    found: dict[str, str] = {}
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        path = _source(module)
        if path is None or module in found or _is_below(module, excluded):
            continue
        found[module], imported = _read(path)
        waiting += imported
    content = "\n".join(f"{module} {found[module]}" for module in sorted(found))
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _is_below(module: str, packages: tuple[str, ...]) -> bool:
    return f"{module}.__init__" in packages or any(
        f"{module}.".startswith(f"{name}.") for name in packages
    )


@cache
def _source(module: str) -> Path | None:
    """File of a module of notedecay; None for any other name."""
    top, _, rest = module.partition(".")
    path = Path(__file__).parents[1].joinpath(*rest.split("."))
    if top != "notedecay":
        return None
    return next((p for p in (path / "__init__.py", path.with_suffix(".py")) if p.is_file()), None)


@cache
def _read(path: Path) -> tuple[str, list[str]]:
    """Digest of a module's statements, and what it imports."""
    tree = ast.parse(path.read_bytes())
    imported = list(_imported(tree))
    for node in ast.walk(tree):
        _drop_docstring(node)
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), imported


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield _defining(node.module, alias.name)


def _defining(module: str, name: str) -> str:
    """Where a name comes from: a package passes on what its ``__init__`` imports."""
    path = _source(module)
    if path is None or path.name != "__init__.py":
        return module
    origin = _passed_on(path).get(name, module)
    if origin == module and _source(f"{module}.{name}"):
        return f"{module}.{name}"
    return origin


@cache
def _passed_on(path: Path) -> dict[str, str]:
    return {
        alias.asname or alias.name: node.module
        for node in ast.parse(path.read_bytes()).body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def _drop_docstring(node: ast.AST) -> None:
    """Drop text that stands alone as a statement, also below a constant."""
    body = getattr(node, "body", None)
    if isinstance(body, list):
        node.body = [one for one in body if not _is_text(one)]  # type: ignore[attr-defined]


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
