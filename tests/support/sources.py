"""What the modules of Podium's source say. Each is parsed once in a process."""

from __future__ import annotations

import ast
import dataclasses
import functools
from pathlib import Path

import podium
from podium.history.walks.gc_pause import gc_paused

SOURCE = Path(podium.__file__).parent


@dataclasses.dataclass(frozen=True, slots=True)
class Class:
    """A class, at the top of its module or not."""

    name: str
    bases: frozenset[str]
    is_top: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Module:
    """A module of Podium.

    name: its path below ``src/podium``. imports: the full names of the modules that it imports, at its top or later.
    attributes: the names after a dot. strings: without docstrings; of an f-string, the parts that are written out.
    """

    name: str
    text: str
    imports: frozenset[str]
    classes: tuple[Class, ...]
    attributes: frozenset[str]
    strings: tuple[str, ...]


@functools.cache
def modules() -> list[Module]:
    # Trees are as many objects as all tests have: only what the tests look at is kept.
    with gc_paused():
        return [_module(path) for path in sorted(SOURCE.rglob("*.py"))]


def _module(path: Path) -> Module:
    text = path.read_text()
    tree = ast.parse(text)
    nodes = list(ast.walk(tree))
    docs = {
        id(node.body[0].value)
        for node in nodes
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    imports: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            imports.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            imports.add(node.module or "")
            imports.update(f"{node.module}.{alias.name}" for alias in node.names if node.module == "podium")
    return Module(
        path.relative_to(SOURCE).as_posix(),
        text,
        frozenset(imports),
        tuple(
            Class(node.name, frozenset(ast.unparse(base) for base in node.bases), node in tree.body)
            for node in nodes
            if isinstance(node, ast.ClassDef)
        ),
        frozenset(node.attr for node in nodes if isinstance(node, ast.Attribute)),
        tuple(
            node.value
            for node in nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
        ),
    )
