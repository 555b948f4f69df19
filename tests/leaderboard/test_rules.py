"""The counting rules: words and windows."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.errors import BadRule
from podium.leaderboard.rules import Rules
from podium.timeutil import DAY, WEEK, week_of
from tests.support.boards import at


def test_the_defaults_are_githubs() -> None:
    assert Rules.parse() == Rules()
    assert Rules().as_dict() == {
        "merges": "exclude",
        "bots": "exclude",
        "coAuthors": "exclude",
        "mailmap": "use",
        "identities": "use",
        "names": "join",
        "new": "any",
        "since": None,
        "until": None,
    }


def test_every_switch_can_be_turned() -> None:
    rules = Rules.parse(
        merges="include", bots="only", co_authors="include", mailmap="ignore", identities=False, names="apart"
    )
    assert rules == Rules(merges=True, bots="only", co_authors=True, mailmap=False, identities=False, names="apart")
    assert rules.as_dict() == {
        "merges": "include",
        "bots": "only",
        "coAuthors": "include",
        "mailmap": "ignore",
        "identities": "ignore",
        "names": "apart",
        "new": "any",
        "since": None,
        "until": None,
    }


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"merges": "yes"}, ("merges", "include or exclude")),
        ({"merges": ""}, ("merges", "include or exclude")),
        ({"merges": "only"}, ("merges", "include or exclude")),
        ({"bots": "Include"}, ("bots", "include, exclude or only")),
        ({"co_authors": "1"}, ("coAuthors", "include or exclude")),
        ({"mailmap": "include"}, ("mailmap", "use or ignore")),
        ({"names": "include"}, ("names", "join or apart")),
        ({"new": "yes"}, ("new", "only or any")),
        ({"new": "only"}, ("new=only", "since or until")),
        ({"since": "20240131"}, ("since", "YYYY-MM-DD")),
        ({"until": "2024-02-30"}, ("until", "not in the calendar")),
        ({"since": "2024-02-01", "until": "2024-01-31"}, ("2024-02-01", "2024-01-31")),
    ],
)
def test_the_error_of_a_bad_rule_says_what_is_allowed(words: dict[str, Any], told: tuple[str, str]) -> None:
    with pytest.raises(BadRule) as caught:
        Rules.parse(**words)
    for part in told:
        assert part in caught.value.message
    assert caught.value.message.isprintable()
    assert caught.value.status == 400


def test_new_people_need_a_window_or_a_range() -> None:
    for window in ({"since": "2024-01-31"}, {"until": "2024-01-31"}, {"is_bounded": True}):
        rules = Rules.parse(new="only", **window)
        assert (rules.new, rules.as_dict()["new"]) == (True, "only")


def test_a_huge_word_is_not_repeated_in_full() -> None:
    with pytest.raises(BadRule) as caught:
        Rules.parse(merges="x" * 100_000)
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("since", "until", "first", "last"),
    [
        ("2024-01-08", "2024-01-14", "2024-01-08", "2024-01-14"),
        ("2024-01-13", "2024-01-13", "2024-01-13", "2024-01-13"),
        ("1969-12-31", "1970-01-01", "1969-12-31", "1970-01-01"),
        ("0001-01-01", "9999-12-31", "0001-01-01", "9999-12-31"),
        # A time is of its day in UTC.
        ("2024-01-07T01:00:00+02:00", "2024-01-13T23:30:00-01:00", "2024-01-06", "2024-01-14"),
        ("2024-01-07T01:00:00Z", "2024-01-13T23:30:00", "2024-01-07", "2024-01-13"),
    ],
)
def test_a_window_is_the_days_that_were_typed(since: str, until: str, first: str, last: str) -> None:
    rules = Rules.parse(since=since, until=until)
    assert (rules.as_dict()["since"], rules.as_dict()["until"]) == (first, last)
    assert rules.windowed


def test_a_window_may_be_open_on_either_side() -> None:
    assert Rules.parse(since="2024-01-08") == Rules(since=at("2024-01-08"))
    assert Rules.parse(until="2024-01-08") == Rules(until=at("2024-01-09"))
    assert not Rules().windowed


@given(st.dates(min_value=datetime.date(1, 1, 1)))
def test_a_window_of_one_day_holds_its_seconds(day: datetime.date) -> None:
    rules = Rules.parse(since=day.isoformat(), until=day.isoformat())
    seconds = (day.toordinal() - datetime.date(1970, 1, 1).toordinal()) * DAY
    assert (rules.since, rules.until) == (seconds, seconds + DAY)


@given(st.integers(-62_135_596_800, 253_402_300_799))
def test_the_week_of_a_time_starts_on_the_sunday_before(seconds: int) -> None:
    week = week_of(seconds)
    assert week <= seconds < week + WEEK
    assert week % DAY == 0
