"""One package owns the table ``repository``: no other module has SQL on it, or names a state by its text."""

from __future__ import annotations

import re

import pytest

from podium.repositories.model import State
from tests.support.sources import modules

# One process parses the source.
pytestmark = pytest.mark.together("sources")

STORE = "repositories/store/"
# The schema names states in its constraints and indexes, and the model defines them.
SCHEMA = ("storage/tables.py", "storage/due_times.py", "storage/migrations/")
NAMES_STATES = (STORE, "repositories/model.py", *SCHEMA)
SQL_ON_REPOSITORY = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO)\s+repository\b(?!_)", re.IGNORECASE)


def test_one_package_owns_the_table_repository() -> None:
    states = {"pending", "commits_processing", "users_processing", "completed"}
    for module in modules():
        name, found = module.name, module.strings
        if not name.startswith((STORE, "storage/migrations/")):
            assert not [text for text in found if SQL_ON_REPOSITORY.search(text)], name
        if not name.startswith(NAMES_STATES):
            assert not [text for text in found if text in states or any(f"'{state}'" in text for state in State)], name
            columns = r"""\b(?:row|repository)\[["'](?:state|lease_token|not_before)["']\]"""
            assert not re.search(columns, module.text), name


def test_the_search_for_foreign_statements_finds_them() -> None:
    assert SQL_ON_REPOSITORY.search("SELECT 1\n    FROM repository WHERE id = :id")
    assert SQL_ON_REPOSITORY.search("UPDATE repository SET state = 'failed'")
    assert not SQL_ON_REPOSITORY.search("DELETE FROM repository_contributor")
