"""Windows of whole days, and commits whose dates cannot be right."""

from __future__ import annotations

import pytest

from podium.leaderboard.board import Document
from podium.leaderboard.export.formats import render
from tests.support.boards import at
from tests.support.small_histories import Histories, Writer


def seconds(day: str) -> bytes:
    return b"%d +0000" % at(day)


def around_midnight(write: Writer) -> None:
    write.commit("A <a@x.example>", date=b"1614556799 +0000")
    write.commit("A <a@x.example>", date=b"1614556800 +0000")
    write.commit("B <b@x.example>", date=b"1614560000 +0900")


def test_a_window_ends_with_its_last_day(histories: Histories) -> None:
    history = histories(around_midnight)
    assert history.counts(until="2021-02-28") == {"A <a@x.example>": 1}
    assert history.counts(since="2021-03-01") == {"A <a@x.example>": 1, "B <b@x.example>": 1}
    assert history.counts(since="2021-02-28", until="2021-02-28") == {"A <a@x.example>": 1}
    assert history.counts(since="2021-03-02") == history.counts(until="2021-02-27") == {}


def far_apart(write: Writer) -> None:
    for when in (
        b"1582934400 +1400",  # 2020-02-29T00:00:00Z, written on the other side of the world
        b"1583020799 -1200",  # 2020-02-29T23:59:59Z
        b"1583020800 +51800",  # 2020-03-01T00:00:00Z
        b"1609459199 +0000",  # 2020-12-31T23:59:59Z
        b"1609459200 +0000",  # 2021-01-01T00:00:00Z
    ):
        write.commit("A <a@x.example>", date=when)


@pytest.mark.parametrize(
    ("since", "until", "commits"),
    [
        ("2020-02-29", "2020-02-29", 2),
        ("2020-02-29T23:59:59Z", "2020-02-29T00:00:00Z", 2),
        # These times lie on the day before, and on the day after, in UTC.
        ("2020-03-01T00:30:00+01:00", "2020-02-29", 2),
        ("2020-03-01", "2020-12-31", 2),
        ("2020-12-31", "2021-01-01", 2),
        ("2021-01-01", None, 1),
        (None, "2020-02-28", 0),
        (None, "9999-12-31", 5),
        ("0001-01-01", None, 5),
    ],
)
def test_a_window_is_whole_days_in_utc(
    histories: Histories, since: str | None, until: str | None, commits: int
) -> None:
    assert sum(histories(far_apart).counts(since=since, until=until).values()) == commits


def test_first_and_last_are_those_of_the_window(histories: Histories) -> None:
    [row] = histories(far_apart).board(since="2020-03-01", until="2020-12-31")["top_contributors"]
    assert (row["firstCommitAt"], row["lastCommitAt"]) == ("2020-03-01T00:00:00Z", "2020-12-31T23:59:59Z")
    assert (row["isNew"], row["isBack"]) == (False, False)


def comers(write: Writer) -> None:
    for year in (2020, 2021, 2022):
        write.commit("Always <always@x.example>", date=seconds(f"{year}-06-15"))
    for person, *days in (
        ("New <new@x.example>", "2022-03-01"),
        ("Back <back@x.example>", "2020-12-31", "2022-12-31"),
        ("Gone <gone@x.example>", "2021-12-31"),
    ):
        for day in days:
            write.commit(person, date=seconds(day))


def test_who_is_new_and_who_is_back(histories: Histories) -> None:
    window = {"since": "2022-01-01", "until": "2022-12-31"}
    history = histories(comers)
    assert history.column("isNew", **window) == {"Always": False, "New": True, "Back": False}
    assert history.column("isBack", **window) == {"Always": False, "New": False, "Back": True}
    assert history.activity(**window)["figures"]["newPeople"] == 1


def test_a_board_of_new_people(histories: Histories) -> None:
    history = histories(comers)
    window = {"since": "2022-01-01", "until": "2022-12-31", "new": "only"}
    assert history.counts(**window) == {"New <new@x.example>": 1}
    board = history.board(**window)
    assert {name: count for name, count in board["commits"].items() if count} == {"total": 3, "ranked": 1, "earlier": 2}
    text = render(board, "table")
    assert "3 of 7 commits in the window: 1 ranked, 2 by contributors who are not new." in text
    assert "Ranked: only new people, whose first commit ever is in the window." in text
    assert history.counts(until="2020-12-31", new="only") == history.counts(until="2020-12-31")


def merger_first(write: Writer) -> None:
    write.commit("Author <author@x.example>", date=seconds("2020-01-01"))
    write.commit("Merger <merger@x.example>", date=seconds("2020-06-15"), merge=True)
    write.commit(
        "Author <author@x.example>", "t\n\nCo-authored-by: Pair <pair@x.example>\n", date=seconds("2020-07-01")
    )
    for person in ("Merger <merger@x.example>", "Pair <pair@x.example>", "New <new@x.example>"):
        write.commit(person, date=seconds("2022-03-01"))


def test_who_merged_before_is_not_new_and_who_paired_if_co_authors_count(histories: Histories) -> None:
    history = histories(merger_first)
    window = {"since": "2022-01-01", "new": "only"}
    assert history.column("isNew", since="2022-01-01") == {"Merger": False, "Pair": True, "New": True}
    assert history.counts(**window) == {"Pair <pair@x.example>": 1, "New <new@x.example>": 1}
    assert history.counts(**window, co_authors="include") == {"New <new@x.example>": 1}


def one_commit_in_the_future(write: Writer) -> None:
    for number in range(1, 201):
        date = b"%d +0000" % (1_700_000_000 + number * 259_260)
        write.commit(f"P{number % 7} <p{number % 7}@x.example>", date=date)
    write.commit("P1 <p1@x.example>", date=b"9223372036854775 +0000")


def months(document: Document) -> tuple[str, str]:
    weeks = [week["week"] for week in document["weeks"]]
    return weeks[0][:7], weeks[-1][:7]


def test_a_date_in_the_future_neither_stretches_the_chart_nor_is_shown(histories: Histories) -> None:
    history = histories(one_commit_in_the_future)
    assert sorted(history.column("commitCount").values()) == [28, 28, 28, 29, 29, 29, 30]
    assert months(history.activity()) == ("2023-11", "2025-07")
    assert history.drawn() == ("2023-11-17", "2025-07-07")
    assert history.board()["oddDates"] == 1
    assert history.column("oddDates") == {f"P{n}": int(n == 1) for n in range(7)}
    assert max(history.column("lastCommitAt").values()) < "2025-08"
    assert sum(history.counts(until="9999-12-31").values()) == 200
    board = history.board()
    assert board["rankedCommits"] == board["totalCommits"] == 201


@pytest.mark.parametrize("stray", ["1970-01-02", "1985-06-01", "2005-01-01"])
def test_one_stray_date_does_not_stretch_the_chart_of_ten_commits(histories: Histories, stray: str) -> None:
    def write(write: Writer) -> None:
        for day in range(1, 10):
            write.commit("Usual <usual@x.example>", date=seconds(f"2024-05-0{day}"))
        write.commit("Stray <stray@x.example>", date=seconds(stray))

    history = histories(write)
    assert history.drawn() == ("2024-05-01", "2024-05-09")
    # The date can be true, so it is shown, and a window that contains it counts it.
    assert history.column("firstCommitAt")["Stray"] == f"{stray}T00:00:00Z"
    assert history.counts(until=stray) == {"Stray <stray@x.example>": 1}


def ten_commits_with_odd_dates(write: Writer) -> None:
    for day in range(1, 6):
        write.commit("Usual <usual@x.example>", date=seconds(f"2024-05-0{day}"))
    for date in (b"0 +0000", b"86399 +0000", b"-5 +0000", b"7258118400 +0000", b"99999999999999999999 +0000"):
        write.commit("Odd <odd@x.example>", date=date)
    write.commit("Early <early@x.example>", date=b"86400 +0000")


def test_several_odd_dates_in_a_history_of_ten_commits(histories: Histories) -> None:
    history = histories(ten_commits_with_odd_dates)
    assert history.counts() == {"Usual <usual@x.example>": 5, "Odd <odd@x.example>": 5, "Early <early@x.example>": 1}
    assert history.column("oddDates") == {"Usual": 0, "Odd": 5, "Early": 0}
    assert history.column("firstCommitAt")["Odd"] is None
    assert history.column("lastCommitAt")["Odd"] is None
    assert history.board()["oddDates"] == 5
    assert history.counts(since="1900-01-01", until="9999-12-31") == {
        "Usual <usual@x.example>": 5,
        "Early <early@x.example>": 1,
    }


def test_a_history_of_odd_dates_only_has_a_board(histories: Histories) -> None:
    def write(write: Writer) -> None:
        write.commit("Odd <odd@x.example>", date=b"-1 +0000")

    history = histories(write)
    assert history.counts() == {"Odd <odd@x.example>": 1}
    assert history.counts(since="2000-01-01") == {}
    assert history.activity()["weeks"] == []
