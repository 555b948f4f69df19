"""A board's rows in another order."""

from __future__ import annotations

from typing import Any

import pytest

from podium.cli.arguments import SORT_COLUMNS
from podium.leaderboard.counts.row_roles import ROLES
from podium.leaderboard.export.sorted_rows import COLUMNS, OF_ROLES, sorted_rows


def row(rank: int, name: str, **values: Any) -> dict[str, Any]:
    entry = {"rank": rank, "name": name, "username": None, "email": None, "commitCount": 10 - rank, "mergeCount": 0}
    entry |= {"coAuthoredCount": 0, "aiCount": 0, "firstCommitAt": None, "lastCommitAt": None}
    return entry | {"roles": dict.fromkeys(ROLES, 0)} | values


BOARD = {
    "top_contributors": [
        row(1, "zoe", username="b", mergeCount=1, firstCommitAt="2020-01-02T00:00:00Z"),
        row(2, "Äda", mergeCount=3, lastCommitAt="2021-01-01T00:00:00Z", firstCommitAt="2020-01-01T00:00:00Z"),
        row(3, "adam", username="A", mergeCount=1, lastCommitAt="2022-01-01T00:00:00Z"),
        row(4, "", mergeCount=3),
    ]
}


@pytest.mark.parametrize(
    ("column", "reverse", "ranks"),
    [
        ("commits", False, [1, 2, 3, 4]),
        ("commits", True, [4, 3, 2, 1]),
        # Equal rows stay in the order of their ranks.
        ("merges", False, [2, 4, 1, 3]),
        ("merges", True, [1, 3, 2, 4]),
        # Without case and accents; what has no value is last.
        ("name", False, [2, 3, 1, 4]),
        ("name", True, [1, 3, 2, 4]),
        ("account", False, [3, 1, 2, 4]),
        ("account", True, [1, 3, 2, 4]),
        ("first", False, [2, 1, 3, 4]),
        ("last", False, [3, 2, 1, 4]),
        ("last", True, [2, 3, 1, 4]),
        ("signed-off", False, [1, 2, 3, 4]),
    ],
)
def test_orders(column: str, reverse: bool, ranks: list[int]) -> None:
    found = sorted_rows(BOARD, column, reverse=reverse)
    assert [entry["rank"] for entry in found["top_contributors"]] == ranks
    assert found["sort"] == {"column": column, "reverse": reverse}


def test_the_options_are_the_columns() -> None:
    assert SORT_COLUMNS == COLUMNS
    assert len(OF_ROLES) == len(ROLES)
    for column in COLUMNS:
        assert len(sorted_rows(BOARD, column, reverse=False)["top_contributors"]) == 4
