"""A person of a board: their name in addresses."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from podium.leaderboard.board_data import BoardData, Ranked
from podium.leaderboard.person_names import group_named, person_name
from podium.leaderboard.rules import Rules
from podium.repositories.store import queries
from podium.storage.session import Database
from tests.support.boards import Counted


@pytest.fixture
def counted(db: Database) -> Counted:
    return Counted(db)


@contextlib.contextmanager
def ranking(counted: Counted, rules: Rules | None = None) -> Iterator[Ranked]:
    with counted.db.read() as session:
        row = queries.by_id(session, counted.id)
        assert row is not None
        yield BoardData(session, row, "https://github.com").under(rules or Rules())


def led_to(counted: Counted, *given: str) -> list[str | None]:
    """The names of the rows to which ``given`` names lead."""
    with ranking(counted) as ranked:
        groups = [group_named(ranked, name) for name in given]
        return [None if group is None else person_name(ranked, group) for group in groups]


def names(counted: Counted, rules: Rules | None = None) -> list[str]:
    return [row["person"] for row in counted.board(rules)["top_contributors"]]


# --- names in addresses


def test_a_row_is_named_by_its_login_or_its_lowest_number(counted: Counted) -> None:
    counted.person("zoe@x", "Zoe Last", 9)
    counted.person("ada@x", "Ada", 5)
    counted.person("zoe@y", "Zoe Last", 3)
    counted.account(7, "AdaL", "ada@x")
    assert names(counted) == ["~1", "AdaL"]
    assert names(counted, Rules(names="apart")) == ["~1", "AdaL", "~3"]
    assert names(counted, Rules(identities=False)) == ["~1", "~2"]


def test_each_number_and_login_of_a_row_leads_to_it(counted: Counted) -> None:
    counted.person("ada@x", "Ada Lovelace", 5)
    counted.person("ada@y", "Ada Lovelace", 2)
    counted.person("bob@x", "Bob", 1)
    counted.account(7, "AdaL", "ada@y")
    assert led_to(counted, "AdaL", "adal", "@ADAL", "~1", "~2", "~3") == ["AdaL"] * 5 + ["~3"]
    wrong = ("~4", "~03", "~-1", "~", "~1 ", "bob", "bob@x", "ada@x", "", "@", "~" + "9" * 30, "\0", "~\u0663")
    assert led_to(counted, *wrong) == [None] * len(wrong)


@pytest.mark.parametrize("login", ["~2", "a/b", "..", "ada@x", "a b", "", "\u202eada", "x" * 200])
def test_a_login_that_no_host_gives_is_not_part_of_an_address(counted: Counted, login: str) -> None:
    counted.person("ada@x", "Ada", 5)
    counted.account(7, login, "ada@x")
    assert names(counted) == ["~1"]


def test_a_login_names_one_row(counted: Counted) -> None:
    """The host states it of the second account; that of the first comes from an e-mail."""
    counted.person("old@x", "Old", 5)
    counted.person("new@x", "New", 2)
    counted.account(1, "ada", "old@x", enriched=False)
    counted.account(2, "Ada", "new@x")
    assert names(counted) == ["~1", "Ada"]
    assert led_to(counted, "ADA") == ["Ada"]
