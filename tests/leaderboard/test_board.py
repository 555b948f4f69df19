"""The board: who is a row, what counts, in which order."""

from __future__ import annotations

import random
from typing import Any

import pytest

from podium.bots.tools import Bots
from podium.errors import BadCommitLog, BadRule
from podium.leaderboard.board import read_board
from podium.leaderboard.board_data import BoardData
from podium.leaderboard.counts.row_roles import ROLES, add_roles
from podium.leaderboard.export.summary import footnotes
from podium.leaderboard.rules import Rules
from podium.repositories.store import queries
from podium.storage.session import Database
from podium.timeutil import DAY, WEEK, iso_time
from tests.support.boards import Counted, at
from tests.support.commit_logs import Commit, save_log, save_log_of_people
from tests.support.growth import growth

SUNDAY = at("2024-01-07")
ALL = Rules(merges=True, bots="include")


@pytest.fixture
def counted(db: Database) -> Counted:
    return Counted(db)


@pytest.mark.parametrize(
    ("when", "shown"),
    [
        (at("2024-04-30 12:00:00"), "2024-04-30T12:00:00Z"),
        (DAY - 1, None),
        (at("2024-05-02 11:00:00"), "2024-05-02T11:00:00Z"),
        (at("2024-05-02 13:00:00"), None),
    ],
)
def test_an_odd_date_of_the_head_is_not_shown(counted: Counted, when: int, shown: str | None) -> None:
    with counted.db.write() as session:
        session.run("UPDATE repository SET head_committed_at = :when", when=when)
    assert counted.board()["headCommittedAt"] == shown


def test_the_document_has_the_agreed_members(counted: Counted) -> None:
    counted.person("a@x", "Ada", 8, merges=2)
    counted.person("b@x", "Bob", 1)
    counted.commit("b@x", at("2023-12-01"), "a@x")
    counted.account(7, "ada", "a@x", name="Ada L.")
    assert counted.board(limit=1) == {
        "repository": {
            "id": counted.id,
            "url": "https://github.com/o/r",
            "path": None,
            "host": "github.com",
            "owner": "o",
            "name": "r",
            "branch": "main",
            "revision": None,
        },
        "state": "completed",
        "base": None,
        "head": "a" * 40,
        "headCommittedAt": None,
        "asOf": "2024-05-01T12:00:00Z",
        "rules": Rules().as_dict(),
        "totalCommits": 12,
        "mergeCommits": 2,
        "trimmedCommits": 0,
        "uniqueContributors": 2,
        "isPartial": False,
        "unresolved": 1,
        "unresolvedReason": None,
        "refreshError": None,
        "commits": {
            "total": 12,
            "ranked": 10,
            "merges": 2,
            "bots": 0,
            "agents": 0,
            "people": 0,
            "earlier": 0,
            "removed": 0,
        },
        "botCommits": 0,
        "aiCommits": 0,
        "agents": [],
        "oddDates": 0,
        "isCoarse": False,
        "roleOnlyPeople": 0,
        "rankedCommits": 10,
        "removedCommits": 0,
        "total": 2,
        "joinedByName": 0,
        "limit": 1,
        "offset": 0,
        "top_contributors": [
            {
                "rank": 1,
                "person": "ada",
                "username": "ada",
                "githubId": 7,
                "name": "Ada L.",
                "email": "a@x",
                "profileUrl": "https://github.com/ada",
                "avatarUrl": "https://avatars.githubusercontent.com/u/7",
                "commitCount": 8,
                "share": 0.8,
                "mergeCount": 2,
                "coAuthoredCount": 1,
                "aiCount": 0,
                "firstCommitAt": "2001-09-09T01:46:40Z",
                "lastCommitAt": "2023-11-14T22:13:20Z",
                "oddDates": 0,
                "isBot": False,
                "joinedByName": False,
                "isEnriched": True,
                "isNew": False,
                "isBack": False,
                "rankBefore": None,
            }
        ],
    }


def test_an_empty_board_is_a_board(counted: Counted) -> None:
    document = counted.board()
    assert (document["total"], document["rankedCommits"], document["top_contributors"]) == (0, 0, [])


def test_other_repositories_are_not_counted(counted: Counted) -> None:
    counted.person("a@x", "Ada", 1)
    Counted(counted.db, "other").person("a@x", "Ada", 100)
    assert counted.rows() == [("a@x", 1)]


# --- What counts


@pytest.mark.parametrize(
    ("merges", "co_authors", "count"), [(False, False, 1), (True, False, 11), (False, True, 101), (True, True, 1111)]
)
def test_merges_and_co_authored_commits_count_when_asked_for(
    counted: Counted, merges: bool, co_authors: bool, count: int
) -> None:
    counted.person("a@x", "Ada", 1, merges=10)
    counted.person("helped[bot]@x", "Helped")
    counted.commit("helped[bot]@x", SUNDAY, "a@x", times=100)
    counted.commit("helped[bot]@x", SUNDAY, "a@x", is_merge=True, times=1000)
    rules = Rules(merges=merges, co_authors=co_authors)
    [entry] = counted.board(rules)["top_contributors"]
    assert (entry["commitCount"], entry["mergeCount"], entry["coAuthoredCount"]) == (count, 10, 1100)
    assert counted.board(rules)["rankedCommits"] == count


def test_people_without_commits_that_count_are_not_on_the_board(counted: Counted) -> None:
    counted.person("merger@x", merges=3)
    counted.person("helper@x")
    counted.person("merge-helper@x")
    counted.person("helped[bot]@x")
    counted.commit("helped[bot]@x", SUNDAY, "helper@x", times=2)
    counted.commit("helped[bot]@x", SUNDAY, "merge-helper@x", is_merge=True)
    assert counted.rows() == []
    assert counted.rows(Rules(merges=True)) == [("merger@x", 3)]
    assert counted.rows(Rules(co_authors=True)) == [("helper@x", 2)]
    assert counted.rows(Rules(merges=True, co_authors=True)) == [
        ("merger@x", 3),
        ("helper@x", 2),
        ("merge-helper@x", 1),
    ]


def test_first_and_last_are_of_what_counts(counted: Counted) -> None:
    day, first, last = 86_400, at("2020-03-01"), at("2021-03-01")
    counted.person("a@x", "Ada", 2, merges=2, weeks=dict.fromkeys((first, last), 1), first=first - day, last=last + day)
    counted.person("b@x", "Bob")
    for when in (first - 2 * day, last + 2 * day):
        counted.commit("b@x", when, "a@x")

    def dates(rules: Rules) -> tuple[str, str]:
        entry = next(row for row in counted.board(rules)["top_contributors"] if row["email"] == "a@x")
        return entry["firstCommitAt"], entry["lastCommitAt"]

    assert dates(Rules()) == (iso_time(first), iso_time(last))
    assert dates(Rules(merges=True)) == (iso_time(first - day), iso_time(last + day))
    assert dates(Rules(co_authors=True)) == (iso_time(first - 2 * day), iso_time(last + 2 * day))
    assert dates(Rules(co_authors=True, merges=True)) == (iso_time(first - 2 * day), iso_time(last + 2 * day))


# --- Who is a row


def test_several_e_mails_of_one_account_are_one_row(counted: Counted) -> None:
    counted.person("work@x", "Ada", 2, first=at("2020-01-01"), last=at("2020-02-01"))
    counted.person("home@x", "A. Lovelace", 5, first=at("2019-01-01"), last=at("2019-02-01"))
    counted.person("other@x", "Ada", 6)
    counted.account(7, "ada", "work@x", "home@x")
    [ada, other] = counted.board()["top_contributors"]
    assert (ada["commitCount"], ada["email"], ada["name"]) == (7, "home@x", "A. Lovelace")
    assert (ada["firstCommitAt"], ada["lastCommitAt"]) == ("2019-01-01T00:00:00Z", "2020-02-01T00:00:00Z")
    assert (other["email"], other["username"], other["githubId"]) == ("other@x", None, None)


def test_one_e_mail_under_two_names_is_one_row_by_its_commoner_name(counted: Counted) -> None:
    counted.person("a@x", "ada", 1)
    counted.person("a@x", "Ada Lovelace", 3)
    for rules in (Rules(), Rules(mailmap=False), Rules(identities=False)):
        assert counted.rows(rules) == [("a@x", 4)]
        assert counted.board(rules)["top_contributors"][0]["name"] == "Ada Lovelace"


def test_the_mailmap_groups_those_without_an_account(counted: Counted) -> None:
    counted.person("old@x", "ada", 3, mapped=("Ada Lovelace", "ada@x"))
    counted.person("ada@x", "Ada Lovelace", 1)
    [entry] = counted.board()["top_contributors"]
    assert (entry["email"], entry["name"], entry["commitCount"]) == ("ada@x", "Ada Lovelace", 4)
    assert counted.rows(Rules(mailmap=False)) == [("old@x", 3), ("ada@x", 1)]
    assert counted.board(Rules(mailmap=False))["top_contributors"][0]["name"] == "ada"
    assert counted.rows(Rules(identities=False)) == [("ada@x", 4)]


def test_the_mailmap_can_split_one_e_mail_by_name(counted: Counted) -> None:
    counted.person("shared@x", "Ada", 3, mapped=("Ada", "team@x"), key="Ada <team@x>")
    counted.person("shared@x", "Bob", 2, mapped=("Bob", "team@x"), key="Bob <team@x>")
    assert [entry["name"] for entry in counted.board()["top_contributors"]] == ["Ada", "Bob"]
    assert counted.rows() == [("team@x", 3), ("team@x", 2)]
    assert counted.rows(Rules(mailmap=False)) == [("shared@x", 5)]


def test_the_mailmap_brings_rows_to_the_one_account_of_their_identity(counted: Counted) -> None:
    counted.person("ada@x", "Ada", 3)
    counted.person("old@x", "ada", 2, mapped=("Ada", "ada@x"))
    counted.account(7, "ada", "ada@x")
    assert counted.rows() == [("ada", 5)]
    assert counted.rows(Rules(mailmap=False)) == [("ada", 3), ("old@x", 2)]
    assert counted.rows(Rules(identities=False)) == [("ada@x", 5)]


def test_the_account_may_be_that_of_a_mapped_address(counted: Counted) -> None:
    counted.person("ada@x", "Ada", 3)
    counted.person("old@x", "ada", 2, mapped=("Ada", "ada@x"))
    counted.account(7, "ada", "old@x")
    assert counted.rows() == [("ada", 5)]


def test_an_account_beats_the_mailmap(counted: Counted) -> None:
    counted.person("ada@x", "Ada", 3)
    counted.person("bob@x", "Bob", 2, mapped=("Ada", "ada@x"))
    counted.account(7, "ada", "ada@x")
    counted.account(8, "bob", "bob@x")
    assert counted.rows() == [("ada", 3), ("bob", 2)]


def test_an_identity_of_two_accounts_keeps_its_other_rows_together(counted: Counted) -> None:
    counted.person("ada@x", "Ada", 5)
    counted.person("bob@x", "Bob", 4, mapped=("Ada", "ada@x"))
    counted.person("old1@x", "A", 2, mapped=("Ada", "ada@x"))
    counted.person("old2@x", "B", 1, mapped=("Ada", "ada@x"))
    counted.account(7, "ada", "ada@x")
    counted.account(8, "bob", "bob@x")
    assert counted.rows() == [("ada", 5), ("bob", 4), ("ada@x", 3)]


def test_rows_that_join_an_account_do_so_across_its_identities(counted: Counted) -> None:
    counted.person("a@x", "Ada", 1)
    counted.person("b@x", "Ada", 1)
    counted.person("c@x", "Ada", 1, mapped=("Ada", "b@x"))
    counted.account(7, "ada", "a@x", "b@x")
    assert counted.rows() == [("ada", 3)]


def test_an_e_mail_without_an_account_is_a_row_by_name(counted: Counted) -> None:
    counted.person("a@x", "Ada", 1)
    counted.nobody("a@x")
    assert counted.rows() == [("a@x", 1)]
    assert counted.board()["unresolved"] == 1


def test_accounts_are_those_of_the_configured_github(counted: Counted) -> None:
    counted.person("a@x", "Ada", 1)
    counted.account(7, "ada", "a@x", host="git.example.com")
    assert counted.rows() == [("a@x", 1)]
    [entry] = counted.board(github_url="https://git.example.com:443")["top_contributors"]
    assert (entry["username"], entry["avatarUrl"]) == ("ada", None)
    assert entry["profileUrl"] == "https://git.example.com:443/ada"


def test_an_account_known_from_an_e_mail_only_is_marked_so(counted: Counted) -> None:
    counted.person("7+ada@users.noreply.github.com", "Ada", 1)
    counted.account(7, "ada", "7+ada@users.noreply.github.com", source="noreply", enriched=False)
    [entry] = counted.board()["top_contributors"]
    assert (entry["username"], entry["isEnriched"], entry["name"]) == ("ada", False, "Ada")


def test_what_the_host_stored_is_shown(counted: Counted) -> None:
    counted.person("a@x", "Ada", 1)
    counted.account(7, "ada", "a@x", avatar_url="https://cdn.example/a.png", profile_url="https://github.com/Ada")
    [entry] = counted.board()["top_contributors"]
    assert (entry["avatarUrl"], entry["profileUrl"]) == ("https://cdn.example/a.png", "https://github.com/Ada")


# --- Bots


def test_bots_are_left_out_counted_or_alone(counted: Counted) -> None:
    counted.person("a@x", "Ada", 3)
    counted.person("49699333+dependabot[bot]@users.noreply.github.com", "dependabot[bot]", 9, kind="bot")
    counted.person("noreply@anthropic.com", "Claude", 5, kind="agent")
    counted.account(
        49699333,
        "dependabot[bot]",
        "49699333+dependabot[bot]@users.noreply.github.com",
        source="noreply",
        enriched=False,
    )
    assert counted.rows() == [("a@x", 3)]
    assert counted.rows(Rules(bots="only")) == [("dependabot[bot]", 9), ("noreply@anthropic.com", 5)]
    assert counted.rows(ALL) == [("dependabot[bot]", 9), ("noreply@anthropic.com", 5), ("a@x", 3)]
    board = counted.board(ALL)
    assert [entry["isBot"] for entry in board["top_contributors"]] == [True, True, False]
    assert board["top_contributors"][0]["profileUrl"] == "https://github.com/apps/dependabot"
    # They are no people who could not be found.
    assert board["unresolved"] == 1


def test_another_list_of_bots_changes_a_board_that_was_counted_before(counted: Counted) -> None:
    counted.person("release@example.com", "Release", 3)
    counted.person("noreply@anthropic.com", "Claude", 2, kind="agent")
    bots = Bots(frozenset({"release@example.com"}), frozenset({"noreply@anthropic.com"}))
    assert counted.rows() == [("release@example.com", 3)]
    assert counted.rows(bots=bots) == [("noreply@anthropic.com", 2)]
    assert counted.rows(Rules(bots="only"), bots=bots) == [("release@example.com", 3)]


def test_an_account_is_a_bot_where_the_host_says_so(counted: Counted) -> None:
    counted.person("robot@x", "Robot", 3)
    counted.account(7, "robot", "robot@x", is_bot=True)
    assert counted.rows() == []
    assert counted.rows(Rules(bots="only")) == [("robot", 3)]


def test_a_forged_address_makes_no_one_a_bot(counted: Counted) -> None:
    counted.person("ada@x", "Ada", 3)
    counted.person("7+evil[bot]@users.noreply.github.com", "evil", 1, kind="bot")
    counted.account(7, "ada", "ada@x", is_bot=True, enriched=False)
    with counted.db.write() as session:
        session.run(
            """INSERT INTO known_email (host, email, contributor_id, source, known_at)
            SELECT host, '7+evil[bot]@users.noreply.github.com', id, 'noreply', 0 FROM contributor"""
        )
    assert counted.rows() == [("ada", 4)]


def test_a_bots_address_registered_by_a_user_stays_the_bots(counted: Counted) -> None:
    counted.person("me@x", "Me", 2)
    counted.person("noreply@opencode.ai", "opencode", 50, kind="agent")
    counted.account(7, "me", "me@x", "noreply@opencode.ai")
    assert counted.rows() == [("me", 2)]
    assert counted.rows(Rules(bots="only")) == [("noreply@opencode.ai", 50)]


def test_a_person_stays_one_when_the_mailmap_gives_them_a_bots_address(counted: Counted) -> None:
    counted.person("ada@x", "Ada", 2)
    counted.person("noreply@github.com", "Ada", 3, kind="bot", mapped=("Ada", "ada@x"))
    assert counted.rows() == [("ada@x", 5)]
    counted.account(7, "ada", "ada@x")
    assert counted.rows() == [("ada", 5)]


def test_what_the_mailmap_gives_to_a_bot_is_a_bots(counted: Counted) -> None:
    counted.person("noreply@anthropic.com", "Claude", 3, kind="agent")
    counted.person("claude@dev.local", "claude", 2, mapped=("Claude", "noreply@anthropic.com"))
    assert counted.rows() == []
    assert counted.rows(Rules(bots="only")) == [("noreply@anthropic.com", 5)]
    # But a person's account is theirs, and does not take the bot's commits.
    counted.account(7, "ada", "claude@dev.local")
    assert counted.rows() == [("ada", 2)]
    assert counted.rows(Rules(bots="only")) == [("noreply@anthropic.com", 3)]


# --- Windows


def test_a_window_counts_its_days_only(counted: Counted) -> None:
    counted.person("a@x", "Ada", 7, merges=3, weeks={SUNDAY - WEEK: (1, 1), SUNDAY: (2, 0), SUNDAY + WEEK: (4, 2)})
    counted.person("b@x", "Bob", 3, weeks={SUNDAY - WEEK: 3})
    counted.person("helped[bot]@x")
    for when in (SUNDAY, SUNDAY + WEEK):
        counted.commit("helped[bot]@x", when, "a@x")

    def window(since: str | None, until: str | None, **words: Any) -> list[tuple[str, int]]:
        return counted.rows(Rules.parse(since=since, until=until, **words))

    assert window("2024-01-07", "2024-01-07") == [("a@x", 2)]
    assert window("2024-01-08", "2024-01-13") == []
    assert window("2024-01-08", "2024-01-14") == [("a@x", 4)]
    assert window("2024-01-07", None) == [("a@x", 6)]
    assert window(None, "2024-01-06") == [("b@x", 3), ("a@x", 1)]
    assert window(None, "2024-01-06", merges="include") == [("b@x", 3), ("a@x", 2)]
    assert window("2024-01-07", None, merges="include", co_authors="include") == [("a@x", 10)]
    assert window("2025-01-01", None) == []
    [entry] = counted.board(Rules.parse(since="2024-01-14"))["top_contributors"]
    assert (entry["commitCount"], entry["mergeCount"], entry["coAuthoredCount"], entry["share"]) == (4, 2, 1, 1.0)


def test_a_window_begins_and_ends_at_midnight(counted: Counted) -> None:
    """The last second of a day is in it, and the first second of the next day is not, wherever an author lives."""
    midnight = at("2021-03-01")
    counted.person("a@x", "A", 2, weeks={midnight - 1: 1, midnight: 1})
    counted.person("b@x", "B", 1, weeks={midnight + 3_200: 1})
    assert counted.rows(Rules.parse(until="2021-02-28")) == [("a@x", 1)]
    assert counted.rows(Rules.parse(since="2021-03-01")) == [("a@x", 1), ("b@x", 1)]
    assert counted.rows(Rules.parse(since="2021-03-01", until="2021-03-01")) == [("a@x", 1), ("b@x", 1)]
    assert counted.rows(Rules.parse(since="2021-03-02")) == []


def test_a_window_shows_its_first_and_last_commit(counted: Counted) -> None:
    counted.person("a@x", "Ada", 3, weeks={at("2010-01-01"): 1, SUNDAY + 60: 1, SUNDAY + 3_600: 1})
    counted.person("b@x", "Ada", 1, first=at("2009-01-01"))
    counted.account(7, "ada", "a@x", "b@x")

    def dates(rules: Rules) -> tuple[str, str]:
        [entry] = counted.board(rules)["top_contributors"]
        return entry["firstCommitAt"], entry["lastCommitAt"]

    assert dates(Rules.parse(since="2024-01-07")) == ("2024-01-07T00:01:00Z", "2024-01-07T01:00:00Z")
    assert dates(Rules()) == ("2009-01-01T00:00:00Z", "2024-01-07T01:00:00Z")


def test_odd_dates_count_in_all_of_history_and_in_no_window(counted: Counted) -> None:
    # Counted on 2024-05-01 at noon.
    fine, odd = (86_400, at("2024-05-02 12:00:00")), (-(2**63), -1, 0, 86_399, at("2024-05-02 12:00:01"), 2**63 - 1)
    counted.person("a@x", "Ada", 8, weeks=dict.fromkeys((*fine, *odd), 1))
    counted.person("b@x", "Bob", 1, first=0)
    [ada, bob] = counted.board()["top_contributors"]
    assert (ada["commitCount"], ada["oddDates"]) == (8, 6)
    assert (ada["firstCommitAt"], ada["lastCommitAt"]) == ("1970-01-02T00:00:00Z", "2024-05-02T12:00:00Z")
    assert (bob["commitCount"], bob["oddDates"], bob["firstCommitAt"], bob["lastCommitAt"]) == (1, 1, None, None)
    assert counted.board()["oddDates"] == 7
    assert counted.rows(Rules.parse(since="0001-01-01", until="9999-12-31")) == [("a@x", 2)]
    assert (
        counted.rows(Rules.parse(until="1970-01-02")) == counted.rows(Rules.parse(since="2024-05-02")) == [("a@x", 1)]
    )


def test_people_are_new_in_a_window_or_back(counted: Counted) -> None:
    january, february, march = (at(f"2024-0{month}-10") for month in (1, 2, 3))
    counted.person("new@x", commits=5, weeks={march: 5})
    counted.person("back@x", commits=5, weeks={january: 1, march: 4})
    counted.person("there@x", commits=5, weeks={january: 1, february: 1, march: 3})
    counted.person("second@x", commits=3, weeks={february: 1, march: 2})
    rows = counted.board(Rules.parse(since="2024-03-01", until="2024-03-31"))["top_contributors"]
    assert [(row["email"], row["isNew"], row["isBack"]) for row in rows] == [
        ("new@x", True, False),
        ("back@x", False, True),
        ("there@x", False, False),
        ("second@x", False, False),
    ]


# --- Co-authors, AI, roles


def test_a_person_is_credited_once_and_never_for_own_commits(counted: Counted) -> None:
    """Forges' squash merges name the other addresses of a commit's author."""
    counted.person("ann@home", "Ann Lee")
    counted.person("ann@corp", "Ann Lee", mapped=("Ann Lee", "ann@home"))
    counted.person("bob@x", "Bob")
    counted.person("m@corp", "Maintainer", 1)
    counted.commit("ann@home", SUNDAY, "ann@corp", times=3)
    counted.commit("bob@x", SUNDAY, "ann@home", "ann@corp")
    rows = {row["email"]: row for row in counted.board()["top_contributors"]}
    assert {email: (row["commitCount"], row["coAuthoredCount"]) for email, row in rows.items()} == {
        "ann@home": (3, 1),
        "m@corp": (1, 0),
        "bob@x": (1, 0),
    }
    with_credits = counted.rows(Rules(co_authors=True))
    assert sorted(with_credits) == [("ann@home", 4), ("bob@x", 1), ("m@corp", 1)]
    assert max(count for _, count in with_credits) <= counted.board()["totalCommits"]


def test_a_commit_that_names_three_agents_is_one_commit(counted: Counted) -> None:
    agents = {
        "noreply@anthropic.com": "Claude",
        "175728472+copilot@users.noreply.github.com": "Copilot",
        "cursoragent@cursor.com": "Cursor",
    }
    counted.person("a@x", "A", 1)
    for email, name in agents.items():
        counted.person(email, name)
    counted.commit("a@x", SUNDAY, *agents, times=2)
    document = counted.board()
    [row] = document["top_contributors"]
    assert (row["commitCount"], row["aiCount"], document["aiCommits"]) == (3, 2, 2)
    assert document["agents"] == [{"name": name, "commitCount": 2} for name in agents.values()]


def test_an_agents_address_that_the_mailmap_gives_to_a_person_is_no_agents(counted: Counted) -> None:
    counted.person("a@x", "A", 1)
    counted.person("b@x", "B", 1)
    counted.person("noreply@anthropic.com", "Claude", mapped=("B", "b@x"))
    counted.commit("a@x", SUNDAY, "noreply@anthropic.com")
    assert (counted.board()["aiCommits"], counted.board(Rules(mailmap=False))["aiCommits"]) == (0, 1)


def parts(**some: int) -> dict[str, int]:
    return dict.fromkeys(("total", "ranked", "merges", "bots", "agents", "people", "earlier", "removed"), 0) | some


def test_each_commit_is_of_ai_or_of_a_bot_or_of_a_person(counted: Counted) -> None:
    counted.person("a@x", "A", 4, merges=1)
    counted.person("robot[bot]@x", "Robot", 3)
    counted.person("noreply@anthropic.com", "Claude", 2)
    for author in ("a@x", "robot[bot]@x"):
        counted.commit(author, SUNDAY, "noreply@anthropic.com")
    document = counted.board()
    assert document["commits"] == parts(total=12, ranked=5, merges=1, bots=4, agents=2)
    assert (document["totalCommits"], document["botCommits"], document["aiCommits"]) == (12, 6, 4)
    only = counted.board(Rules(bots="only", merges=True))
    assert only["commits"] == parts(total=12, ranked=6, people=6)


def test_roles_are_of_rows_and_are_not_ranked(counted: Counted) -> None:
    counted.person("a@x", "Ada", 1)
    counted.person("ada@home", "Ada", mapped=("Ada", "a@x"))
    counted.person("r@x", "Reviewer")
    counted.commit("a@x", SUNDAY, roles={"a@x": ["reviewed", "signedOff"], "ada@home": ["reviewed"], "r@x": ["tested"]})
    counted.commit("a@x", SUNDAY + WEEK, is_merge=True, roles={"r@x": ["acked"]})
    with counted.db.read() as session:
        row = queries.by_id(session, counted.id)
        assert row is not None
        ranked = BoardData(session, row, "https://github.com").under(Rules())
        document = read_board(ranked, limit=None, offset=0, show_emails=True)
        add_roles(ranked, document)
    assert [entry["email"] for entry in document["top_contributors"]] == ["a@x"]
    assert document["top_contributors"][0]["roles"] == dict.fromkeys(ROLES, 0) | {"reviewed": 1, "signedOff": 1}
    assert (document["roleOnlyPeople"], document["unresolved"]) == (1, 1)


def test_a_board_that_was_counted_by_week_says_so(counted: Counted) -> None:
    counted.person("a@x", "Ada", 1)
    with counted.db.write() as session:
        session.run("UPDATE commit_log SET is_coarse = TRUE")
    document = counted.board()
    assert document["isCoarse"]
    assert any("Sundays" in line for line in footnotes(document))


def test_a_log_that_lacks_commits_is_no_board(counted: Counted) -> None:
    counted.person("a@x", "Ada", 2)
    counted.person("b@x", "Bob", 1)
    log = [Commit(1, SUNDAY), Commit(1, SUNDAY), Commit(2, SUNDAY)]
    for wrong in (
        log[:2],
        [*log[:2], Commit(1, SUNDAY)],
        [*log[:2], Commit(9, SUNDAY)],
        [*log[:2], Commit(2, 5, True)],
    ):
        with counted.db.write() as session:
            save_log(session, counted.id, wrong)
        with pytest.raises(BadCommitLog):
            counted.board()


def test_groups_do_not_depend_on_the_window(counted: Counted) -> None:
    counted.person("ada@x", "Ada", 1, weeks={SUNDAY - 10 * WEEK: 1})
    counted.person("old@x", "Ada", 1, mapped=("Ada", "ada@x"), weeks={SUNDAY: 1})
    counted.account(7, "ada", "ada@x")
    assert counted.rows(Rules.parse(since="2024-01-07")) == [("ada", 1)]


# --- Order and pages


def test_ties_go_to_the_earlier_first_commit_then_to_the_e_mail(counted: Counted) -> None:
    counted.person("d@x", "D", 5, first=at("2020-01-01"))
    counted.person("c@x", "C", 5, first=at("2020-01-01"))
    counted.person("b@x", "B", 5, first=at("2019-01-01"))
    counted.person("a@x", "A", 4, first=at("2001-01-01"))
    assert [email for email, _ in counted.rows()] == ["b@x", "c@x", "d@x", "a@x"]


def test_ties_of_accounts_go_by_their_number(counted: Counted) -> None:
    for email in ("a@x", "b@x", "c@x"):
        counted.person(email, email, 5)
    counted.account(9, "nine", "a@x")
    counted.account(8, "eight", "b@x")
    assert [who for who, _ in counted.rows()] == ["eight", "nine", "c@x"]
    assert [who for page in range(3) for who, _ in counted.rows(limit=1, offset=page)] == ["eight", "nine", "c@x"]


def test_pages_are_pieces_of_one_board(counted: Counted) -> None:
    for number in range(1, 8):
        counted.person(f"{number}@x", f"P{number}", number)
    whole = counted.board()["top_contributors"]
    assert [entry["rank"] for entry in whole] == [1, 2, 3, 4, 5, 6, 7]
    pieces = [counted.board(limit=3, offset=offset) for offset in (0, 3, 6, 9)]
    assert [entry for piece in pieces for entry in piece["top_contributors"]] == whole
    assert [len(piece["top_contributors"]) for piece in pieces] == [3, 3, 1, 0]
    for piece in pieces:
        assert (piece["total"], piece["rankedCommits"], piece["limit"]) == (7, 28, 3)
    assert counted.board(limit=0)["top_contributors"] == []
    assert sum(entry["share"] for entry in whole) == pytest.approx(1.0)


@pytest.mark.parametrize(("limit", "offset"), [(-1, 0), (10, -1), (2**63, 0), (1, 2**63)])
def test_a_page_that_cannot_be_is_refused(counted: Counted, limit: int, offset: int) -> None:
    with pytest.raises(BadRule, match="limit and offset"):
        counted.board(limit=limit, offset=offset)


# --- What the board says about itself


def test_a_board_is_partial_until_all_are_looked_up(counted: Counted) -> None:
    counted.person("a@x", "Ada", 1, processed=False)
    assert counted.board()["isPartial"]
    assert not counted.board(Rules(identities=False))["isPartial"]
    assert Counted(counted.db, "waiting", state="users_processing").board()["isPartial"]
    # A refresh changes nothing before it has a count.
    for state in ("pending", "commits_processing", "failed"):
        assert not Counted(counted.db, state, state=state).board()["isPartial"]


def test_a_failed_repository_says_why(counted: Counted) -> None:
    assert "error" not in counted.board()
    failed = Counted(counted.db, "failed", state="failed", error="Nothing there: check the address.")
    assert failed.board()["error"] == "Nothing there: check the address."


def test_unresolved_are_the_people_whose_e_mails_have_no_account(counted: Counted) -> None:
    counted.person("a@x", "Ada", 1)
    counted.person("b@x", "Bob", 1)
    counted.person("b@x", "Robert", 1)
    counted.person("c@x", "Only a co-author")
    counted.commit("a@x", SUNDAY, "c@x")
    counted.person("noreply@github.com", "GitHub", 1, kind="bot")
    counted.account(7, "ada", "a@x")
    assert counted.board()["unresolved"] == 1


def test_e_mails_can_be_kept_back_in_names_too(counted: Counted) -> None:
    counted.person("a@x.org", "a@x.org", 3)
    counted.person("b@x", "Bob @home", 2)
    document = counted.board(show_emails=False)
    assert [(entry["name"], entry["email"]) for entry in document["top_contributors"]] == [
        ("…@…", None),
        ("Bob @home", None),
    ]
    assert "x.org" not in str(document)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (-62_135_596_800, "0001-01-01T00:00:00Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
        (None, None),
    ],
)
def test_times_are_written_for_every_year_there_is(seconds: int | None, text: str | None) -> None:
    assert iso_time(seconds) == text


def test_the_whole_board_of_many_people_does_not_take_the_square_of_their_number(sqlite: Database) -> None:
    boards = {1_000: Counted(sqlite, "half"), 2_000: Counted(sqlite)}
    dice = random.Random(1)
    total = 0
    for size, board in boards.items():
        people = [(board.id, f"p{n}@x", f"P{n}", dice.randrange(1, 50)) for n in range(size)]
        total = sum(person[3] for person in people)
        names = ("name", "mailmap_name", "commit_count")
        with sqlite.write() as session:
            session.copy(
                "commit_data",
                ("repository_id", "email", "mailmap_email", "mailmap_identity", *names, "sample_sha", "ordinal"),
                [
                    (number, *[email] * 3, *[name] * 2, count, "", ordinal)
                    for ordinal, (number, email, name, count) in enumerate(people)
                ],
            )
            save_log_of_people(session, board.id, SUNDAY)
    assert growth(lambda size: boards[size].board(), 1_000) < 3
    document = boards[2_000].board()
    assert len(document["top_contributors"]) == document["total"] == 2_000
    assert document["rankedCommits"] == total
