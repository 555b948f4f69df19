"""What a board says as a whole: figures, split, commits over time, movement, the small curves."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from podium.leaderboard.board_data import BoardData, cache_key
from podium.leaderboard.counts.timeline import drawn
from podium.leaderboard.figures import read_figures, sparklines
from podium.leaderboard.rules import Rules
from podium.repositories.model import State
from podium.repositories.store import queries
from podium.storage.session import Database
from podium.timeutil import WEEK
from tests.support.boards import Counted, at

# A Sunday; repositories of these tests were counted on Wednesday, 2024-05-01.
SUNDAY = at("2024-01-07")


@pytest.fixture
def counted(db: Database) -> Counted:
    return Counted(db)


def overview(counted: Counted, rules: Rules | None = None) -> dict[str, Any]:
    with counted.db.read() as session:
        row = queries.by_id(session, counted.id)
        assert row is not None
        return read_figures(BoardData(session, row, "https://github.com").under(rules or Rules()))


def test_figures_of_all_of_history(counted: Counted) -> None:
    counted.person("a@x", "Ada", 6, first=at("2020-01-01"), weeks={SUNDAY: 5})
    counted.person("b@x", "Bob", 3, first=at("2023-06-01"), weeks={SUNDAY: 2})
    counted.person("c@x", "Cy", 2, first=at("2024-01-07"), weeks={SUNDAY: 2})
    figures = overview(counted)["figures"]
    assert figures == {
        "people": 3,
        "commits": 11,
        "halfOfCommits": 1,
        "newPeople": 2,
        # 12 months before the last commit.
        "newPeopleSince": "2023-01-07",
    }


def test_figures_of_a_window(counted: Counted) -> None:
    counted.person("a@x", "Ada", 2, first=SUNDAY - WEEK, weeks={SUNDAY - WEEK: 1, SUNDAY: 1})
    counted.person("b@x", "Bob", 1, first=SUNDAY + 5, weeks={SUNDAY: 1})
    counted.person("c@x", "Cy", 1, first=SUNDAY + WEEK, weeks={SUNDAY + WEEK: 1})
    figures = overview(counted, Rules.parse(since="2024-01-07", until="2024-01-13"))["figures"]
    assert figures == {
        "people": 2,
        "commits": 2,
        "halfOfCommits": 1,
        "newPeople": 1,
        "newPeopleSince": "2024-01-07",
    }


def test_half_of_the_commits_of_an_empty_board(counted: Counted) -> None:
    document = overview(counted)
    assert document["figures"]["halfOfCommits"] == document["figures"]["people"] == 0
    assert document["weeks"] == []


def test_commits_are_split_between_people_bots_and_agents_whatever_is_ranked(counted: Counted) -> None:
    counted.person("a@x", "Ada", 3, merges=1, weeks={SUNDAY: (2, 1), SUNDAY + WEEK: 1})
    counted.person("robot[bot]@x", "Robot", 3, weeks={SUNDAY: 3})
    counted.person("noreply@anthropic.com", "Claude", 1, weeks={SUNDAY: 1})
    counted.commit("a@x", SUNDAY, "noreply@anthropic.com", times=2)
    counted.commit("a@x", SUNDAY, "noreply@anthropic.com", is_merge=True)
    for bots in ("include", "exclude", "only"):
        split = overview(counted, Rules.parse(bots=bots))["split"]
        assert split == {"human": 3, "bot": 3, "ai": 3}
    assert overview(counted, Rules(merges=True))["split"] == {"human": 4, "bot": 3, "ai": 4}
    assert overview(counted, Rules.parse(since="2024-01-14"))["split"] == {
        "human": 1,
        "bot": 0,
        "ai": 0,
    }
    assert overview(counted)["weeks"] == [
        {"week": "2024-01-07", "human": 2, "bot": 3, "ai": 3},
        {"week": "2024-01-14", "human": 1, "bot": 0, "ai": 0},
    ]


def test_an_account_that_the_host_calls_a_bot_is_one_in_the_split_too(counted: Counted) -> None:
    counted.person("robot@x", "Robot", 3, weeks={SUNDAY: 3})
    counted.account(7, "robot", "robot@x", is_bot=True)
    assert overview(counted)["split"]["bot"] == 3


def test_usual_windows_end_with_the_last_commit_but_not_after_the_count(counted: Counted) -> None:
    counted.person("a@x", "Ada", 1, weeks={SUNDAY: 1})
    presets = {"all": None, "12 months": "2023-01-07", "3 months": "2023-10-07", "1 month": "2023-12-07"}
    assert overview(counted)["presets"] == presets
    counted.person("future@x", "Wrong clock", 1, weeks={at("2024-05-02"): 1})
    assert overview(counted)["presets"]["1 month"] == "2024-04-01"


# Movement


def test_movement_is_the_rank_in_the_window_before(counted: Counted) -> None:
    counted.person("a@x", "Ada", 6, weeks={SUNDAY - WEEK: 5, SUNDAY: 1})
    counted.person("b@x", "Bob", 5, weeks={SUNDAY - WEEK: 2, SUNDAY: 3})
    counted.person("c@x", "Cy", 2, weeks={SUNDAY: 2})
    rules = Rules.parse(since="2024-01-07", until="2024-01-13")
    rows = counted.board(rules)["top_contributors"]
    assert [(row["email"], row["rank"], row["rankBefore"]) for row in rows] == [
        ("b@x", 1, 2),
        ("c@x", 2, None),
        ("a@x", 3, 1),
    ]
    assert {row["rankBefore"] for row in counted.board()["top_contributors"]} == {None}


def test_window_before_one_without_an_end_is_as_long_as_up_to_the_count(counted: Counted) -> None:
    # Counted on 2024-05-01: the window has 11 days, so has the one before, from 2024-04-10.
    since, day = at("2024-04-21"), 86_400
    counted.person("a@x", "Ada", 9, weeks={since - 12 * day: 8, since: 1})
    counted.person("b@x", "Bob", 3, weeks={since - 11 * day: 1, since: 2})
    rows = counted.board(Rules.parse(since="2024-04-21"))["top_contributors"]
    assert [(row["email"], row["rankBefore"], row["isBack"]) for row in rows] == [
        ("b@x", 1, False),
        ("a@x", None, True),
    ]


# Curves


def test_curves_share_one_scale_and_cover_the_window(counted: Counted) -> None:
    counted.person("a@x", "Ada", 9, weeks={SUNDAY: 2, SUNDAY + 3 * WEEK: 7})
    counted.person("b@x", "Bob", 1, merges=5, weeks={SUNDAY + WEEK: (1, 5)})

    def curves(rules: Rules, points: int = 32) -> dict[str, Any]:
        with counted.db.read() as session:
            row = queries.by_id(session, counted.id)
            assert row is not None
            ranked = BoardData(session, row, "https://github.com").under(rules)
            return sparklines(ranked, list(ranked.ranking.order), points)

    assert curves(Rules()) == {"peak": 7, "curves": [[2, 0, 0, 7], [0, 1, 0, 0]]}
    assert curves(Rules(), 2) == {"peak": 7, "curves": [[2, 7], [1, 0]]}
    assert curves(Rules(merges=True))["curves"][1] == [0, 6, 0, 0]
    assert curves(Rules.parse(since="2024-01-07", until="2024-01-20")) == {"peak": 2, "curves": [[2, 0], [0, 1]]}
    assert curves(Rules.parse(since="2030-01-01")) == {"peak": 0, "curves": []}


def ends(**weeks: int) -> tuple[int, int] | None:
    """The first and last week to draw of some with that many commits."""
    found = drawn([7 * int(week[1:]) for week in weeks], list(weeks.values()))
    return None if found is None else (found[0] // 7, found[1] // 7)


def test_clocks_that_were_wrong_are_not_drawn() -> None:
    assert ends() is None
    assert ends(w1=1) == (1, 1)
    assert ends(w1=1, w1000=5000, w1001=5000, w9000=1) == (1000, 1001)
    # A few that lie near are drawn, and many that lie far off are.
    assert ends(w950=1, w1000=5000, w1050=1) == (950, 1050)
    assert ends(w1=50, w1000=5000) == (1, 1000)
    assert ends(w1=1, w1000=3) == (1, 1000)


def test_one_stray_date_is_not_drawn_in_any_history() -> None:
    assert ends(w1=1, w1000=2, w1001=7) == (1000, 1001)
    assert ends(w1=2, w1001=7, w3000=1) == (1, 1001)
    assert ends(w1=1, w1000=1) == (1, 1000)


def test_odd_dates_stretch_no_chart(counted: Counted) -> None:
    counted.person("a@x", "Ada", 2, weeks={SUNDAY: 1, 9_223_372_036_854_775: 1})
    counted.person("b@x", "Bob", 3, weeks={-(2**63): 1, 0: 1, SUNDAY + WEEK: 1})
    document = overview(counted)
    assert [week["week"] for week in document["weeks"]] == ["2024-01-07", "2024-01-14"]
    assert document["oddDates"] == 3
    assert document["presets"]["1 month"] == "2023-12-14"
    assert sum(document["split"].values()) == 5


# What is kept between two readings


def test_parts_are_made_once_for_each_cache_key(counted: Counted) -> None:
    counted.person("a@x", "Ada", 1, weeks={SUNDAY: 1})
    kept: dict[tuple[object, ...], Any] = {}
    made: list[object] = []

    def keep(key: tuple[object, ...], make: Any, *, usual: bool) -> Any:
        if key not in kept:
            made.append(key[0])
            kept[key] = make()
        assert kept[key].size >= 0
        return kept[key]

    def read() -> None:
        with counted.db.read() as session:
            row = queries.by_id(session, counted.id)
            assert row is not None
            read_figures(BoardData(session, row, "https://github.com", keep).under(Rules()))

    read()
    first = len(made)
    read()
    assert len(made) == first
    with counted.db.write() as session:
        session.run("UPDATE repository SET users_processed_at = 5")
    read()
    # The counts have not changed: only the parts that depend on accounts are made again.
    of_accounts = {
        "accounts",
        "groups",
        "credits",
        "first_commits",
        "identity_order",
        "tie_break",
        "ranking",
        "timeline",
    }
    assert set(made[first:]) == of_accounts | {"presence", "bus_factors"}


def test_edition_follows_the_row(counted: Counted) -> None:
    with counted.db.read() as session:
        row = queries.by_id(session, counted.id)
    assert row is not None
    changes: list[dict[str, Any]] = [
        {"head": "b" * 40},
        {"generation": 9},
        {"state": State.FAILED},
        {"users_processed_at": 5.0},
    ]
    for change in changes:
        assert cache_key(dataclasses.replace(row, **change)) != cache_key(row)
    # How far a refresh is changes nothing on the board that is there.
    assert cache_key(dataclasses.replace(row, updated_at=5.0, progress="{}")) == cache_key(row)
    busy = dataclasses.replace(row, state=State.USERS_PROCESSING)
    assert cache_key(dataclasses.replace(busy, updated_at=5.0)) != cache_key(busy)


def test_many_people_are_read_in_pieces(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("podium.leaderboard.rows.people._CHUNK", 3)
    weeks = {SUNDAY + n * WEEK: 1 for n in range(5)}
    # Whatever order the database has for text, everybody is read once.
    names = ["Ada", "ada", "Ädä", "_", "~", "李", "ADA", "a b", "", "é"]
    for number, name in enumerate(names):
        counted.person(f"{name}@x", name, 5, weeks=weeks)
        counted.person("same@x", f"{name}{number}", 5, weeks=weeks)
    assert counted.board()["rankedCommits"] == 100
    assert counted.board(Rules.parse(since="2024-01-14"))["rankedCommits"] == 80
    assert counted.board()["total"] == 11
