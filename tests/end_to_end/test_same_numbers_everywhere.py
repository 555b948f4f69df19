"""API, page, files, badge and activity of one counted history show the same numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest

from tests.support.small_histories import CountedHistory, Writer
from tests.support.sqlite_database import open_or_create
from tests.support.web import Client, open_site

LAST_DAY = {"until": "2021-02-28"}
NEXT_DAY = {"since": "2021-03-01"}


def around_midnight(write: Writer) -> None:
    reviewed = "work\n\nCo-authored-by: Bob <bob@x.example>\nReviewed-by: Rita <rita@x.example>\n"
    write.commit("Ann <ann@x.example>", reviewed, date=b"1614556799 +0000")
    write.commit("Ann <ann@x.example>", reviewed, date=b"1614556800 +0000")
    write.commit("Bob <bob@x.example>", "work\n\nReviewed-by: Ann <ann@x.example>\n", date=b"1614560000 +0900")
    write.commit("Ann <ann@x.example>", date=b"99999999999 +0000")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("site")
    db = open_or_create(folder / "podium.db")
    CountedHistory.written(db, folder / "midnight.git", around_midnight)
    with open_site(folder, db) as site:
        yield site.client()


REPOSITORY = {"repoUrl": "https://github.com/histories/midnight"}
PAGE = "/r/github.com/histories/midnight"


@pytest.mark.parametrize(
    ("window", "rows"), [(LAST_DAY, {"Ann": 1}), (NEXT_DAY, {"Ann": 1, "Bob": 1}), ({}, {"Ann": 3, "Bob": 1})]
)
def test_a_window_is_whole_days_everywhere(client: Client, window: dict[str, str], rows: dict[str, int]) -> None:
    document = client.get("/leaderboard", params=REPOSITORY | window).json()
    assert {row["name"]: row["commitCount"] for row in document["top_contributors"]} == rows
    assert document["rules"]["until"] == window.get("until")
    assert document["rules"]["since"] == window.get("since")
    figures = client.get("/leaderboard/activity", params=REPOSITORY | window).json()["figures"]
    assert (figures["people"], figures["commits"]) == (len(rows), sum(rows.values()))
    table = csv.DictReader(io.StringIO(client.get(f"{PAGE}/board.csv", params=window).text))
    assert {row["name"]: int(row["commitCount"]) for row in table} == rows
    assert client.get(f"{PAGE}/board.json", params=window).json()["rankedCommits"] == sum(rows.values())
    badge = client.get(f"{PAGE}/badge.svg", params=window | {"show": "commits"}).text
    assert f">{sum(rows.values())}<" in badge or f">{sum(rows.values())} commit" in badge


def test_roles_obey_the_window_everywhere(client: Client) -> None:
    both = REPOSITORY | NEXT_DAY | {"roles": "include"}
    rows = {row["name"]: row["roles"] for row in client.get("/leaderboard", params=both).json()["top_contributors"]}
    assert (rows["Ann"]["reviewed"], rows["Bob"]["reviewed"]) == (1, 0)
    file = client.get(f"{PAGE}/board.json", params=NEXT_DAY | {"roles": "include"}).json()
    assert {row["name"]: row["roles"] for row in file["top_contributors"]} == rows
    document = client.get("/leaderboard", params=REPOSITORY).json()
    assert "roles" not in document["top_contributors"][0]
    # Rita is no contributor.
    assert (document["roleOnlyPeople"], document["uniqueContributors"]) == (1, 2)


def test_the_odd_date_is_told_everywhere(client: Client) -> None:
    document = client.get("/leaderboard", params=REPOSITORY).json()
    assert (document["oddDates"], document["top_contributors"][0]["oddDates"]) == (1, 1)
    table = csv.DictReader(io.StringIO(client.get(f"{PAGE}/board.csv").text))
    assert [row["oddDates"] for row in table] == ["1", "0"]
    page = client.get(PAGE).text
    assert "5138" not in page
    assert "odd date" in page
