"""The tree of errors in the docstring of podium.errors."""

from __future__ import annotations

import re

import pytest

from podium import errors
from tests.support.sources import modules

# One process parses the source.
pytestmark = pytest.mark.together("sources")


def drawn() -> list[tuple[int, str]]:
    """Depth and name of each error in the docstring's tree."""
    found = re.findall(r"^    ([│├└─ ]*)(\w+)", errors.__doc__ or "", flags=re.MULTILINE)
    return [(len(branch) // 4, name) for branch, name in found]


def declared(root: type[errors.PodiumError], depth: int = 0) -> list[tuple[int, str]]:
    """The same of the classes, in the order in which they are declared."""
    below = [line for child in root.__subclasses__() for line in declared(child, depth + 1)]
    return [(depth, root.__name__), *below]


def test_the_docstring_draws_every_error() -> None:
    ours = [line for line in declared(errors.PodiumError) if hasattr(errors, line[1])]
    assert drawn() == ours


def test_every_error_is_declared_in_one_module() -> None:
    names = {name for _, name in drawn()}
    elsewhere = [
        f"{module.name}: {found.name}"
        for module in modules()
        if module.name != "errors.py"
        for found in module.classes
        if names & {base.rpartition(".")[2] for base in found.bases}
    ]
    assert elsewhere == []
