"""Search on a board, and the explanation of its rows."""

from __future__ import annotations

from typing import Any

import pytest

from podium.leaderboard.board_data import BoardData
from podium.leaderboard.rows.explain import read_explanation
from podium.leaderboard.rules import Rules
from podium.leaderboard.search import find, row_of
from podium.repositories.store import queries
from podium.storage.session import Database
from podium.timeutil import WEEK
from tests.support.boards import Counted, at

SUNDAY = at("2024-01-07")


@pytest.fixture
def counted(db: Database) -> Counted:
    return Counted(db)


def search(counted: Counted, text: str, rules: Rules | None = None, *, show_emails: bool = False) -> dict[str, Any]:
    with counted.db.read() as session:
        row = queries.by_id(session, counted.id)
        assert row is not None
        ranked = BoardData(session, row, "https://github.com").under(rules or Rules())
        return find(ranked, text, show_emails=show_emails)


def ranks(found: dict[str, Any]) -> list[int]:
    return [row["rank"] for row in found["matches"]]


def test_a_part_of_a_name_matches_without_case_and_accents(counted: Counted) -> None:
    counted.person("a@x", "Rafael Mendonça França", 9)
    counted.person("b@x", "RAFAEL Smith", 5)
    counted.person("c@x", "Ada", 4)
    assert ranks(search(counted, "rafael")) == [1, 2]
    assert ranks(search(counted, "mendonca")) == [1]
    assert ranks(search(counted, " FRANÇA ")) == [1]
    assert search(counted, "rafael")["total"] == 2


def test_logins_and_older_names_match(counted: Counted) -> None:
    counted.person("a@x", "Ada", 2)
    counted.person("b@x", "Augusta King", 1)
    counted.account(7, "Countess", "a@x", "b@x", name="Ada Lovelace")
    for text in ("@countess", "countess", "lovelace", "augusta"):
        assert ranks(search(counted, text)) == [1], text


def test_each_match_says_what_matched(counted: Counted) -> None:
    counted.person("a@example.com", "Ada", 2)
    counted.person("b@x", "Augusta King", 1)
    counted.account(7, "Countess", "a@example.com", "b@x", name="Ada Lovelace")

    def matched(text: str, *, show_emails: bool = False) -> tuple[str, str | None]:
        [row] = search(counted, text, show_emails=show_emails)["matches"]
        return row["matchedBy"], row["matchedText"]

    assert matched("LOVE") == ("name", "Ada Lovelace")
    assert matched("@countess") == ("login", "Countess")
    assert matched("king") == ("otherName", "Augusta King")
    assert matched("A@example.com") == ("email", None)
    assert matched("example", show_emails=True) == ("email", "a@example.com")


def test_whole_e_mails_find_and_parts_of_them_only_where_they_are_shown(counted: Counted) -> None:
    counted.person("ada@example.com", "Ada", 2, mapped=("Ada", "ada@home.example"))
    assert ranks(search(counted, "Ada@Example.com")) == [1]
    assert ranks(search(counted, "ada@home.example")) == [1]
    assert ranks(search(counted, "example.co")) == []
    assert ranks(search(counted, "example.co", show_emails=True)) == [1]


def test_names_that_are_e_mails_are_not_found_by_what_is_not_shown(counted: Counted) -> None:
    counted.person("ada@example.com", "ada@example.com", 2)
    assert ranks(search(counted, "example")) == []
    assert ranks(search(counted, "ada")) == []


def test_as_many_as_asked_for_are_given_and_all_are_counted(counted: Counted) -> None:
    for number in range(30):
        counted.person(f"{number}@x", f"Ada {number}", 40 - number)
    found = search(counted, "ada")
    assert ranks(found) == list(range(1, 21))
    assert found["total"] == 30
    assert search(counted, "")["matches"] == []
    assert search(counted, "@")["matches"] == []
    assert search(counted, "x" * 10_000)["total"] == 0


@pytest.mark.parametrize(
    ("rules", "email", "person", "words"),
    [
        (Rules(), "me[bot]@x.org", {"commits": 2}, "This is a bot"),
        (Rules(), "noreply@anthropic.com", {"commits": 2}, "an AI agent"),
        (Rules(bots="only"), "me@x.org", {"commits": 2}, "bots and AI agents only"),
        (Rules(), "me@x.org", {"merges": 3}, "only merges (3)"),
        (Rules.parse(since="2024-01-14"), "me@x.org", {"commits": 2, "weeks": {SUNDAY: 2}}, "in this window"),
    ],
)
def test_the_reason_says_why_a_person_is_not_ranked(
    counted: Counted, rules: Rules, email: str, person: dict[str, Any], words: str
) -> None:
    counted.person(email, "Me", **person)
    found = search(counted, email, rules)
    assert (found["total"], found["matches"]) == (0, [])
    assert words in found["reason"]


def test_the_reason_says_that_a_person_is_only_named(counted: Counted) -> None:
    for email in ("ada@x.org", "helper@x.org", "reviewer@x.org"):
        counted.person(email)
    counted.commit("ada@x.org", SUNDAY, "helper@x.org", times=3, roles={"reviewer@x.org": ["reviewed"]})
    counted.commit("ada@x.org", SUNDAY, "helper@x.org", is_merge=True)
    assert "only named as co-author (of 4 commits)" in search(counted, "helper@x.org")["reason"]
    assert "only have roles" in search(counted, "reviewer@x.org")["reason"]


def test_the_reason_says_what_to_try_when_nothing_matches(counted: Counted) -> None:
    counted.person("a@x", "Ada", 1)
    assert "No commit of this history has that e-mail" in search(counted, "me@x.org")["reason"]
    assert "1 e-mail of this history has no known account" in search(counted, "octocat")["reason"]
    counted.account(7, "ada", "a@x")
    assert "whole e-mail" in search(counted, "octocat")["reason"]


def explain(counted: Counted, rules: Rules | None = None, *, show_emails: bool = True, **who: Any) -> dict[str, Any]:
    rules = rules or Rules()
    with counted.db.read() as session:
        row = queries.by_id(session, counted.id)
        assert row is not None
        ranked = BoardData(session, row, "https://github.com").under(rules)
        number = row_of(ranked, **who)
        assert number is not None
        return read_explanation(ranked, number, show_emails=show_emails)


def test_a_row_explains_its_number(counted: Counted) -> None:
    counted.person("ada@x.org", "Ada", 7, merges=2, weeks={SUNDAY: (4, 2), SUNDAY - 60 * WEEK: 3})
    counted.person("7+ada@users.noreply.github.com", "ada", 2, weeks={SUNDAY: 2})
    counted.person("old@x.org", "Ada L.", 1, mapped=("Ada", "ada@x.org"), weeks={SUNDAY: 1})
    counted.person("bob@x.org", "Bob")
    counted.commit("bob@x.org", SUNDAY, "ada@x.org", "old@x.org")
    counted.account(7, "ada", "ada@x.org")
    with counted.db.write() as session:
        session.run(
            """INSERT INTO known_email (host, email, contributor_id, source, known_at)
            SELECT 'github.com', '7+ada@users.noreply.github.com', id, 'noreply', 0 FROM contributor"""
        )
    found = explain(counted, rank=1)
    assert found["row"]["commitCount"] == sum(entry["commitCount"] for entry in found["emails"]) == 10
    assert [entry["coAuthoredCount"] for entry in found["emails"]] == [1, 0, 1]
    assert [(entry["email"], entry["names"], entry["commitCount"], entry["foundBy"]) for entry in found["emails"]] == [
        ("ada@x.org", ["Ada"], 7, "GitHub says so (asked on 1970-01-01)."),
        ("7+ada@users.noreply.github.com", ["ada"], 2, "The e-mail itself names the account."),
        ("old@x.org", ["Ada L."], 1, "The repository's .mailmap joins it to the account."),
    ]
    assert found["years"] == [
        {"year": 2022, "commitCount": 3, "mergeCount": 0, "coAuthoredCount": 0},
        {"year": 2024, "commitCount": 7, "mergeCount": 2, "coAuthoredCount": 1},
    ]
    assert (found["outside"], found["notRanked"]) == (0, None)
    assert found["commitsUrl"] == "https://github.com/o/r/commits/main?author=ada"
    assert explain(counted, login="@ADA") == found
    assert explain(counted, email="Old@x.org") == explain(counted, email="ada@x.org") == found


def test_explanation_of_a_window_says_what_lies_outside(counted: Counted) -> None:
    counted.person("a@x", "Ada", 5, weeks={SUNDAY: 2, SUNDAY + WEEK: 3})
    found = explain(counted, Rules.parse(since="2024-01-07", until="2024-01-13"), rank=1)
    assert (found["row"]["commitCount"], found["outside"]) == (2, 3)
    assert found["commitsUrl"] == ("https://github.com/o/r/commits/main?author=a%40x&since=2024-01-07&until=2024-01-13")


def test_explanation_hides_e_mails(counted: Counted) -> None:
    counted.person("ada@example.com", "ada@example.com", 5)
    counted.nobody("ada@example.com")
    found = explain(counted, show_emails=False, rank=1)
    assert "example" not in str(found)
    assert "ada" not in str(found)
    assert found["emails"][0]["email"] is None
    assert found["emails"][0]["foundBy"] == "No account at GitHub has it (asked on 1970-01-01)."
    assert found["commitsUrl"] is None


def test_a_person_who_is_not_ranked_can_be_explained(counted: Counted) -> None:
    counted.person("my[bot]@x", "Bot", 5)
    found = explain(counted, email="my[bot]@x")
    assert found["row"]["rank"] is None
    assert "bot" in found["notRanked"]
    assert found["emails"][0]["foundBy"] == "A known address of a bot."


def test_rows_that_are_not_there_are_none(counted: Counted) -> None:
    counted.person("a@x", "Ada", 5)
    with counted.db.read() as session:
        row = queries.by_id(session, counted.id)
        assert row is not None
        ranked = BoardData(session, row, "https://github.com").under(Rules())
        for who in ({"rank": 0}, {"rank": 2}, {"rank": -1}, {"login": "x"}, {"email": "b@x"}, {"person": 99}):
            assert row_of(ranked, **who) is None
        assert row_of(ranked, person=ranked.people.ids[0]) == 0
