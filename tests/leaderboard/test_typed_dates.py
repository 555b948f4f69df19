"""Dates as people type them."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.errors import BadRule
from podium.leaderboard.dates import depends_on_today, first_day, last_day
from podium.leaderboard.rules import Rules
from podium.timeutil import DAY, iso_day
from tests.support.boards import at

# A Friday at the end of a month, in a leap year.
TODAY = at("2024-05-31") // DAY


def span(text: str, today: int = TODAY) -> str:
    first, last = (iso_day(read(text, today) * DAY) for read in (first_day, last_day))
    return first if first == last else f"{first} {last}"


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2024", "2024-01-01 2024-12-31"),
        ("2024-01", "2024-01-01 2024-01-31"),
        ("2024-02", "2024-02-01 2024-02-29"),
        ("2023-02", "2023-02-01 2023-02-28"),
        ("2024-Q1", "2024-01-01 2024-03-31"),
        ("2024-q4", "2024-10-01 2024-12-31"),
        ("2024Q2", "2024-04-01 2024-06-30"),
        ("2024 q3", "2024-07-01 2024-09-30"),
        ("2024-01-05", "2024-01-05"),
        ("2024-1-5", "2024-01-05"),
        ("2024/01/05", "2024-01-05"),
        ("2024.01.05", "2024-01-05"),
        ("  2024-02-29\t", "2024-02-29"),
        ("0001", "0001-01-01 0001-12-31"),
        ("9999", "9999-01-01 9999-12-31"),
    ],
)
def test_a_written_span_is_the_same_on_every_day(text: str, days: str) -> None:
    assert {span(text, today) for today in (TODAY, 0, -700_000)} == {days}
    assert not depends_on_today(text)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-01-07T01:00:00+02:00", "2024-01-06"),
        ("2024-01-07 23:30:00 -0100", "2024-01-08"),
        ("2024-01-07T23:30:00.123456Z", "2024-01-07"),
        ("2024-01-07 23:30", "2024-01-07"),
        ("2024-01-07T233000", "2024-01-07"),
    ],
)
def test_a_time_is_its_day_in_utc(text: str, day: str) -> None:
    assert span(text) == day
    assert not depends_on_today(text)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("now", "2024-05-31"),
        ("today", "2024-05-31"),
        ("Yesterday", "2024-05-30"),
        ("last day", "2024-05-30"),
        ("last week", "2024-05-19 2024-05-25"),
        ("this week", "2024-05-26 2024-06-01"),
        ("last month", "2024-04-01 2024-04-30"),
        ("LAST.MONTH", "2024-04-01 2024-04-30"),
        ("last-month", "2024-04-01 2024-04-30"),
        ("last_month", "2024-04-01 2024-04-30"),
        ("this month", "2024-05-01 2024-05-31"),
        ("last quarter", "2024-01-01 2024-03-31"),
        ("this quarter", "2024-04-01 2024-06-30"),
        ("last year", "2023-01-01 2023-12-31"),
        ("this  year", "2024-01-01 2024-12-31"),
        ("last 90 days", "2024-03-02 2024-05-31"),
        ("last 3 months", "2024-02-29 2024-05-31"),
        ("0 days", "2024-05-31"),
        ("1 day", "2024-05-30"),
        ("10 days ago", "2024-05-21"),
        ("2.weeks", "2024-05-17"),
        ("2.weeks.ago", "2024-05-17"),
        ("2weeks", "2024-05-17"),
        ("a week ago", "2024-05-24"),
        ("two weeks ago", "2024-05-17"),
        ("3 months", "2024-02-29"),
        ("3 months ago", "2024-02-29"),
        ("6 month", "2023-11-30"),
        ("1 quarter ago", "2024-02-29"),
        ("1 year ago", "2023-05-31"),
        ("2024 months", "1855-09-30"),
        ("2023 years", "0001-05-31"),
    ],
)
def test_other_spans_are_counted_back_from_today(text: str, days: str) -> None:
    assert span(text) == days
    assert depends_on_today(text)


@pytest.mark.parametrize(
    ("today", "text", "days"),
    [
        ("2024-01-15", "last month", "2023-12-01 2023-12-31"),
        ("2024-01-15", "last quarter", "2023-10-01 2023-12-31"),
        ("2024-03-31", "last month", "2024-02-01 2024-02-29"),
        ("2024-03-31", "1 month", "2024-02-29"),
        ("2023-03-31", "1 month", "2023-02-28"),
        ("2024-12-31", "1 month", "2024-11-30"),
        ("2024-01-15", "3 months", "2023-10-15"),
        ("2024-02-29", "12 months", "2023-02-28"),
        ("2024-02-29", "4 years ago", "2020-02-29"),
        ("2024-05-26", "this week", "2024-05-26 2024-06-01"),
        ("2024-05-25", "this week", "2024-05-19 2024-05-25"),
        ("1970-01-01", "yesterday", "1969-12-31"),
        ("1969-12-31", "last year", "1968-01-01 1968-12-31"),
    ],
)
def test_months_and_weeks_are_those_of_the_calendar(today: str, text: str, days: str) -> None:
    assert span(text, at(today) // DAY) == days


NO_DATES = [
    *("", "  ", "yes", "monday", "last", "last friday", "month", "months ago", "never", "tomorrow", "noon"),
    *("2 hours", "in 3 months", "-3 months", "+1 day", "1.5 years", "3 monthss", "last month ago"),
    *("24", "10000", "20240131", "2024-W05", "2024-W05-3", "2024-01/05", "2024-001", "2024-Q1-05", "31.12.2024"),
    # Digits, a space and a letter that are not ASCII.
    *("\u0662\u0660\u0662\u0664", "\u0663 months", "\uff12024", "last\u00a0month", "ye\u017fterday"),
    *("2024-01-05 ago", "2024-01-01\x1b[31m", "9999999999 days", "1" * 10**6),
]


@pytest.mark.parametrize("text", NO_DATES)
def test_anything_else_is_an_error_that_shows_what_to_write(text: str) -> None:
    for read in (first_day, last_day):
        with pytest.raises(BadRule) as caught:
            read(text, TODAY)
        message = caught.value.message
        assert "names no day" in message
        for form in ("YYYY-MM-DD", "2024-Q1", "3 months ago"):
            assert form in message
        assert message.isprintable()
        assert len(message) < 250


@pytest.mark.parametrize(
    "text",
    [
        *("2024-02-30", "2023-02-29", "1900-02-29", "2024-13", "2024-00", "2024-01-00", "2024-Q0", "2024-Q5", "0000"),
        *("2024-01-31T25:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
        *("99999999 years", "2024 years", "999999999 weeks", "999999999 days ago", "last 99999 quarters"),
    ],
)
def test_days_that_do_not_exist_are_an_error(text: str) -> None:
    with pytest.raises(BadRule, match="is not in the calendar"):
        first_day(text, TODAY)


@settings(max_examples=30)
@given(st.dates(min_value=datetime.date(2, 1, 1)), st.sampled_from(["day", "week", "month", "quarter", "year"]))
def test_the_last_span_ends_where_this_one_begins(today: datetime.date, unit: str) -> None:
    day = today.toordinal() - datetime.date(1970, 1, 1).toordinal()
    if (today.year, unit) == (9999, "week"):
        return
    assert first_day(f"this {unit}", day) <= day <= last_day(f"this {unit}", day)
    assert last_day(f"last {unit}", day) + 1 == first_day(f"this {unit}", day)


@settings(max_examples=30)
@given(st.text(max_size=30))
def test_no_text_makes_another_error(text: str) -> None:
    try:
        assert first_day(text, TODAY) <= last_day(text, TODAY)
    except BadRule as error:
        assert error.message.isprintable()


def test_a_window_starts_with_the_first_day_of_since_and_ends_with_the_last_of_until() -> None:
    rules = Rules.parse(since="last month", until="last month", today=TODAY)
    assert (rules.as_dict()["since"], rules.as_dict()["until"]) == ("2024-04-01", "2024-04-30")
    rules = Rules.parse(since="2023-Q4", until="this year", today=TODAY)
    assert (rules.as_dict()["since"], rules.as_dict()["until"]) == ("2023-10-01", "2024-12-31")
    assert Rules.parse(since="2030", today=TODAY) == Rules(since=at("2030-01-01"))


def test_a_window_that_ends_before_it_starts_names_both_days() -> None:
    with pytest.raises(BadRule, match="since 2024-05-30 is after until 2024-04-30"):
        Rules.parse(since="yesterday", until="last month", today=TODAY)
