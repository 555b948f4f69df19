"""A person of a board: their name in addresses, and their document."""

from __future__ import annotations

import contextlib
import dataclasses
import random
from collections.abc import Iterator
from typing import Any

import pytest

from podium.leaderboard.board_data import BoardData, Ranked
from podium.leaderboard.counts.yearly_ranks import ranks_by_year
from podium.leaderboard.rows.person_document import read_person
from podium.leaderboard.rows.person_names import group_named, person_name
from podium.leaderboard.rules import Rules
from podium.repositories.store import queries
from podium.storage.session import Database
from podium.timeutil import DAY
from tests.support.boards import Counted, at
from tests.support.commit_logs import Commit
from tests.support.memory_boards import MemoryBoard


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


# --- the document


def person(counted: Counted, name: str, rules: Rules | None = None, *, show_emails: bool = False) -> dict[str, Any]:
    with ranking(counted, rules) as ranked:
        group = group_named(ranked, name)
        assert group is not None
        return read_person(ranked, group, show_emails=show_emails)


@pytest.fixture
def three(counted: Counted) -> Counted:
    """Ada (5 commits, 1 merge), Bob (3) and Cy (1); a bot with 9."""
    counted.person("ada@x", "Ada Lovelace", 5, merges=1, weeks={at("2022-12-31"): 2, at("2023-01-01"): (3, 1)})
    counted.person("bob@x", "Bob", 3, weeks={at("2023-06-01"): 3})
    counted.person("cy@x", "Cy", 1, weeks={at("2023-06-01"): 1})
    counted.person("robot[bot]@x", "Robot", 9, kind="bot", weeks={at("2023-06-01"): 9})
    counted.account(7, "ada", "ada@x")
    return counted


def test_a_person_has_ranks_of_years_and_the_rows_beside_them(three: Counted) -> None:
    three.commit("bob@x", at("2024-01-07"), "ada@x", roles={"ada@x": ["reviewed"]})
    found = person(three, "~2")
    assert (found["row"]["rank"], found["row"]["name"], found["row"]["email"], found["total"]) == (2, "Bob", None, 3)
    assert found["previous"] == {
        "rank": 1,
        "person": "ada",
        "username": "ada",
        "name": "Ada Lovelace",
        "commitCount": 5,
    }
    assert found["next"] == {"rank": 3, "person": "~3", "username": None, "name": "Cy", "commitCount": 1}
    years = [(y["year"], y["commitCount"], y["countedCommits"], y["rank"], y["total"]) for y in found["years"]]
    assert years == [(2023, 3, 3, 2, 3), (2024, 1, 1, 1, 1)]
    assert [(w["week"], w["commitCount"]) for w in found["weeks"]] == [("2023-05-28", 3), ("2024-01-07", 1)]
    ada = person(three, "ada")
    assert (ada["previous"], ada["next"]["person"], ada["row"]["roles"]["reviewed"]) == (None, "~2", 1)
    years = [(y["year"], y["countedCommits"], y["coAuthoredCount"], y["rank"], y["total"]) for y in ada["years"]]
    # Of equal counts in 2023, the row with the earlier first commit comes first.
    assert years == [(2022, 2, 0, 1, 1), (2023, 3, 0, 1, 3), (2024, 0, 1, None, None)]
    assert ada["years"][1]["commitsUrl"].endswith("/o/r/commits/main?author=ada&since=2023-01-01&until=2023-12-31")
    assert ada["years"][2]["commitsUrl"] is None


def test_who_is_not_ranked_has_a_document_too(three: Counted) -> None:
    bot = person(three, "~4")
    assert (bot["row"]["rank"], bot["previous"], bot["next"], bot["total"]) == (None, None, None, 3)
    assert "bot" in bot["notRanked"]
    assert [(y["countedCommits"], y["rank"]) for y in bot["years"]] == [(9, None)]
    ranked = person(three, "~4", Rules(bots="include"))
    assert (ranked["row"]["rank"], [y["rank"] for y in ranked["years"]], ranked["next"]["person"]) == (1, [1], "ada")


def test_ai_is_declared_by_week_and_a_merge_only_if_it_counts(three: Counted) -> None:
    three.person("noreply@anthropic.com", "Claude", 0, kind="agent")
    three.commit("cy@x", at("2023-06-02"), "noreply@anthropic.com", times=2)
    three.commit("cy@x", at("2023-06-02"), "noreply@anthropic.com", is_merge=True)
    (week,) = person(three, "~3")["weeks"]
    assert (week["commitCount"], week["aiCount"]) == (3, 2)
    (week,) = person(three, "~3", Rules(merges=True))["weeks"]
    assert (week["commitCount"], week["aiCount"]) == (4, 3)


def test_ranks_of_years_are_those_of_the_boards_of_these_windows() -> None:
    draw = random.Random(15)
    for _ in range(20):
        people = 6
        commits = [
            Commit(
                draw.randrange(people),
                at("2020-01-01") + draw.randrange(5 * 365) * DAY + draw.choice([0, DAY - 1]),
                draw.random() < 0.2,
                tuple(draw.sample(range(people), draw.choice([0, 0, 1, 2]))),
            )
            for _ in range(40)
        ]
        board = MemoryBoard(
            [0, 1, 2, 3, 3, 4], ["human", "human", "bot", "human", "agent"], [commits], at("2025-01-01")
        )
        for rules in (Rules(), Rules(bots="include", co_authors=True), Rules(merges=True, names="apart", bots="only")):
            data = board.data()
            ranked = data.under(rules)
            for year in range(2020, 2025):
                window = Rules.parse(since=str(year), until=str(year))
                whole = dataclasses.replace(rules, since=window.since, until=window.until)
                order = data.under(whole).ranking.order
                found = {group: ranks_by_year(ranked, group).get(year) for group in range(5)}
                assert {group: at.rank for group, at in found.items() if at} == {
                    group: rank for rank, group in enumerate(order, start=1)
                }
                for group, at_year in found.items():
                    if at_year:
                        assert at_year.commits == data.under(whole).ranking.counted[group]
                        assert at_year.of == len(order)
