"""Small histories that are counted once for the tests of a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.small_histories import CountedHistory, Histories, Writer
from tests.support.sqlite_database import open_or_create


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Histories]:
    """Count the history that a function writes, unless that was done."""
    folder = tmp_path_factory.mktemp("histories")
    db = open_or_create(folder / "podium.db")
    counted: dict[Callable[[Writer], None], CountedHistory] = {}

    def history(write: Callable[[Writer], None]) -> CountedHistory:
        if write not in counted:
            counted[write] = CountedHistory.written(db, folder / f"{len(list(folder.iterdir()))}.git", write)
        return counted[write]

    yield history
    db.close()
