"""Rows that names join, rows without an e-mail, and what is said of them."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from podium.leaderboard.board_data import BoardData
from podium.leaderboard.rows.explain import read_explanation
from podium.leaderboard.rules import Rules
from podium.leaderboard.search import find, row_of
from podium.repositories.store import queries
from podium.storage.session import Database
from podium.timeutil import DAY
from tests.support.boards import Counted, at

SUNDAY = at("2024-01-07")


@pytest.fixture
def counted(sqlite: Database) -> Counted:
    return Counted(sqlite)


def search(counted: Counted, text: str, rules: Rules | None = None) -> dict[str, Any]:
    with counted.db.read() as session:
        repository = queries.by_id(session, counted.id)
        assert repository is not None
        ranked = BoardData(session, repository, "https://github.com").under(rules or Rules())
        return find(ranked, text, show_emails=True)


def reasons(counted: Counted, rules: Rules | None = None, **who: Any) -> dict[str, str]:
    """Why each e-mail is in a row."""
    with counted.db.read() as session:
        repository = queries.by_id(session, counted.id)
        assert repository is not None
        ranked = BoardData(session, repository, "https://github.com").under(rules or Rules())
        group = row_of(ranked, **who)
        assert group is not None
        emails = read_explanation(ranked, group, show_emails=True)["emails"]
        return {entry["email"]: entry["foundBy"] for entry in emails}


def test_rows_of_one_full_name_are_one_row(counted: Counted) -> None:
    counted.person("a@x", "Zoë Kim", 2)
    counted.person("b@x", "ZOE  KIM", 5)
    counted.person("c@x", "Zoe", 4)
    counted.person("d@x", "Zoe", 3)
    board = counted.board()
    assert [(row["name"], row["commitCount"], row["joinedByName"]) for row in board["top_contributors"]] == [
        ("ZOE  KIM", 7, True),
        ("Zoe", 4, False),
        ("Zoe", 3, False),
    ]
    assert (board["joinedByName"], board["total"]) == (1, 3)
    apart = counted.board(Rules(names="apart"))
    assert (apart["joinedByName"], apart["total"]) == (0, 4)
    assert apart["rules"]["names"] == "apart"
    assert not any(row["joinedByName"] for row in apart["top_contributors"])
    assert reasons(counted, rank=1) == {
        "b@x": "No account is known yet.",
        "a@x": "No account is known yet. The full name Zoë Kim joins it.",
    }


def test_only_rows_that_would_be_on_the_board_are_said_to_be_joined(counted: Counted) -> None:
    counted.person("a@x", "Zoe Kim", 2)
    counted.person("b@x", "Zoe Kim", merges=1)
    for rules, joined in ((Rules(), 0), (Rules(merges=True), 1)):
        board = counted.board(rules)
        assert (board["joinedByName"], board["total"]) == (joined, 1)
        apart = counted.board(Rules(merges=rules.merges, names="apart"))
        assert apart["total"] == board["total"] + joined


def test_the_mark_of_a_row_and_the_number_of_joined_rows_obey_the_window(counted: Counted) -> None:
    counted.person("a@x", "Zoe Kim")
    counted.person("b@x", "Zoe Kim")
    counted.commit("a@x", SUNDAY)
    counted.commit("b@x", SUNDAY)
    counted.commit("b@x", SUNDAY + 7 * DAY)
    for rules, joined in ((Rules(), 1), (Rules(since=SUNDAY + DAY), 0)):
        board = counted.board(rules)
        assert (board["joinedByName"], board["total"]) == (joined, 1)
        assert board["top_contributors"][0]["joinedByName"] is bool(joined)


def test_rows_that_only_namesakes_credit_count_as_joined(counted: Counted) -> None:
    counted.person("a@x", "Zoe Kim", 2)
    counted.person("b@x", "Zoe Kim")
    counted.person("c@x", "Bob", 1)
    counted.commit("a@x", SUNDAY, "b@x")
    for rules, joined, total in ((Rules(), 0, 2), (Rules(co_authors=True), 1, 2)):
        board = counted.board(rules)
        assert (board["joinedByName"], board["total"]) == (joined, total)
        assert counted.board(dataclasses.replace(rules, names="apart"))["total"] == total + joined
    assert counted.board(Rules(co_authors=True))["top_contributors"][0]["commitCount"] == 3


def test_the_mailmaps_names_are_compared_if_it_is_used(counted: Counted) -> None:
    counted.person("a@x", "zkim", 2, mapped=("Zoe Kim", "a@x"))
    counted.person("b@x", "Zoe Kim", 1)
    counted.person("c@x", "Old Name", 1, mapped=("Zoe Kim", "a@x"))
    assert counted.rows() == [("a@x", 4)]
    assert counted.rows(Rules(identities=False)) == [("a@x", 4)]
    assert counted.rows(Rules(mailmap=False)) == [("a@x", 2), ("b@x", 1), ("c@x", 1)]
    assert counted.rows(Rules(names="apart")) == [("a@x", 3), ("b@x", 1)]
    assert counted.rows(Rules(names="apart", mailmap=False, identities=False)) == [("a@x", 2), ("b@x", 1), ("c@x", 1)]


def test_the_name_is_that_of_the_whole_history_and_names_do_not_chain(counted: Counted) -> None:
    counted.person("shared@x", "Ada Lovelace", 9)
    counted.person("shared@x", "Zoe Kim", 8, merges=5)
    counted.person("zoe@x", "Zoe Kim", 3)
    counted.person("ada@x", "Ada Lovelace", 1)
    for rules in (Rules(), Rules(merges=True)):
        assert [row["commitCount"] for row in counted.board(rules)["top_contributors"]] == [
            23 if rules.merges else 18,
            3,
        ]


def test_rows_without_an_account_join_the_account_of_their_name(counted: Counted) -> None:
    counted.person("a@x", "ada", 5)
    counted.person("b@x", "Ada King", 1)
    counted.person("c@x", "Ada Lovelace", 2)
    counted.person("d@x", "Ada King", 3)
    counted.account(7, "ada", "a@x", "b@x", name="Ada Lovelace")
    # The account's name, and a name that its rows would show without it.
    assert counted.rows() == [("ada", 11)]
    assert counted.board()["joinedByName"] == 2
    assert counted.rows(Rules(names="apart")) == [("ada", 6), ("d@x", 3), ("c@x", 2)]
    assert counted.rows(Rules(identities=False)) == [("a@x", 5), ("d@x", 4), ("c@x", 2)]
    assert reasons(counted, login="ada")["d@x"] == "No account is known yet. The full name Ada King joins it."


def test_two_accounts_of_one_name_stay_two_and_the_others_are_a_third(counted: Counted) -> None:
    counted.person("a@x", "John Smith", 5)
    counted.person("b@x", "John Smith", 4)
    counted.person("c@x", "John Smith", 2)
    counted.person("d@x", "John Smith", 1)
    counted.account(7, "john", "a@x")
    counted.account(8, "smith", "b@x")
    assert counted.rows() == [("john", 5), ("smith", 4), ("c@x", 3)]
    both = "No account is known yet."
    several = "2 accounts bear its full name, so it joins none of them."
    assert reasons(counted, rank=3) == {
        "c@x": f"{both} {several}",
        "d@x": f"{both} The full name John Smith joins it. {several}",
    }
    assert counted.rows(Rules(identities=False)) == [("a@x", 12)]


def test_people_and_bots_of_one_name_stay_apart(counted: Counted) -> None:
    counted.person("a@x", "Renovate Bot", 3)
    counted.person("bot@renovateapp.com", "Renovate Bot", 2, kind="bot")
    counted.person("renovate@whitesourcesoftware.com", "Renovate Bot", 1, kind="bot")
    counted.person("noreply@anthropic.com", "Renovate Bot", 1, kind="agent")
    assert counted.rows() == [("a@x", 3)]
    assert counted.rows(Rules(bots="only")) == [("bot@renovateapp.com", 3), ("noreply@anthropic.com", 1)]


@pytest.mark.parametrize("rules", [Rules(), Rules(mailmap=False), Rules(identities=False), Rules(names="apart")])
def test_people_without_an_e_mail_are_rows_by_name(counted: Counted, rules: Rules) -> None:
    counted.person("", "Anna", 3)
    counted.person("", "Bert", 2)
    counted.person(" ", "Bert", 1)
    counted.person("\u00a0", "Dora", 1)
    counted.person("carl@x", "Carl", 1)
    board = counted.board(rules)
    assert sorted((row["name"], row["commitCount"]) for row in board["top_contributors"]) == [
        ("Anna", 3),
        ("Bert", 3),
        ("Carl", 1),
        ("Dora", 1),
    ]
    found = search(counted, "Bert", rules)
    assert [row["name"] for row in found["matches"]] == ["Bert"]
    for blank in ("", " ", "<>", "\u00a0"):
        assert search(counted, blank, rules)["matches"] == []
    assert reasons(counted, rules, rank=1)[""] == "It has no e-mail, so it counts by its name."


def test_names_that_lost_bytes_join_no_rows_without_an_e_mail(counted: Counted) -> None:
    # In Latin-1 an u and an o with two dots.
    for name, commits in (("M\uf7fcller", 2), ("M\uf7f6ller", 1)):
        counted.person("", name, commits)
    assert [(row["name"], row["commitCount"]) for row in counted.board()["top_contributors"]] == [
        ("M\ufffdller", 2),
        ("M\ufffdller", 1),
    ]


def test_nothing_known_of_a_blank_e_mail_counts(counted: Counted) -> None:
    counted.person("", "Anna", 3)
    counted.person("", "Bert", 2)
    counted.account(7, "ada", "")
    board = counted.board()
    assert [row["name"] for row in board["top_contributors"]] == ["Anna", "Bert"]
    assert board["unresolved"] == 0


def test_a_blank_e_mail_of_several_names_has_all_reasons(counted: Counted) -> None:
    counted.person("", "Anna Lee", 3)
    counted.person("", "ANNA LEE", 2)
    assert reasons(counted, rank=1) == {
        "": "It has no e-mail, so it counts by its name. The full name ANNA LEE joins it.",
    }


def test_the_mailmap_may_name_people_without_an_e_mail(counted: Counted) -> None:
    counted.person("", "Anna", 3, mapped=("Anna", "anna@x"))
    counted.person("", "Bert", 2)
    counted.person("carl@x", "Carl", 1, mapped=("Carl", ""))
    counted.person("carla@x", "Carla", 1, mapped=("Carla", ""))
    assert [row["name"] for row in counted.board()["top_contributors"]] == ["Anna", "Bert", "Carl", "Carla"]
    assert reasons(counted, email="anna@x") == {"": "The repository's .mailmap joins it."}


def test_an_e_mail_of_several_rows_finds_all_of_them(counted: Counted) -> None:
    counted.person("shared@x", "Ada", 3, mapped=("Ada", "team@x"), key="Ada <team@x>")
    counted.person("shared@x", "Bob", 2, mapped=("Bob", "team@x"), key="Bob <team@x>")
    for email in ("shared@x", "TEAM@x"):
        assert [row["name"] for row in search(counted, email)["matches"]] == ["Ada", "Bob"]
    with counted.db.read() as session:
        repository = queries.by_id(session, counted.id)
        assert repository is not None
        ranked = BoardData(session, repository, "https://github.com").under(Rules())
        assert row_of(ranked, email="shared@x") == row_of(ranked, rank=1)
        for blank in ("", " "):
            assert row_of(ranked, email=blank) is None


def test_a_search_for_an_e_mail_never_finds_one_that_only_looks_alike(counted: Counted) -> None:
    counted.person("m\u00fcller@x", "M", 3)
    counted.person("muller@x", "N", 2)
    counted.person("\u212aim@x", "Kelvin", 1)
    for email, name in (("muller@x", "N"), ("M\u00fcLLER@X", "M"), ("\u212aIM@x", "Kelvin")):
        assert [row["name"] for row in search(counted, email)["matches"]] == [name]


def test_an_account_that_overrules_the_mailmap_says_so(counted: Counted) -> None:
    counted.person("ada@x", "Ada", 3)
    counted.person("bob@x", "Bob", 2, mapped=("Ada", "ada@x"))
    counted.person("old@x", "A", 1, mapped=("Ada", "ada@x"))
    counted.account(7, "ada", "ada@x")
    counted.account(8, "bob", "bob@x", name="Bob B.")
    asked = "GitHub says so (asked on 1970-01-01)."
    assert reasons(counted, login="bob") == {
        "bob@x": f"{asked} The .mailmap joins it to ada, but an account that GitHub names takes precedence."
    }
    [old] = reasons(counted, email="old@x").values()
    assert old == (
        "The repository's .mailmap joins it. "
        "The .mailmap joins it to the accounts of ada and Bob B.: two accounts stay apart, and it joins neither."
    )


def test_the_users_own_mailmap_says_what_it_overrules(counted: Counted) -> None:
    counted.person("ada@x", "Ada", 3)
    counted.person("work@x", "Ada", 2, mapped=("Ada", "ada@x"), mailmap="own")
    counted.person("home@x", "Ada", 1)
    counted.account(7, "ada", "ada@x")
    counted.account(8, "ada-work", "work@x", "home@x")
    assert counted.rows() == [("ada", 6)]
    assert counted.rows(Rules(mailmap=False)) == [("ada", 3), ("ada-work", 3)]
    assert reasons(counted, login="ada-work") == {
        "ada@x": "A mailmap file given to Podium joins it.",
        "work@x": (
            "A mailmap file given to Podium joins it. GitHub names another account for it. That file takes precedence."
        ),
        "home@x": "GitHub says so (asked on 1970-01-01).",
    }
    assert [row["username"] for row in search(counted, "ada-work")["matches"]] == ["ada"]


def test_an_account_that_the_mailmap_gives_to_a_bot_says_so(counted: Counted) -> None:
    counted.person("noreply@anthropic.com", "Claude", 3, kind="agent")
    counted.person("ada@x", "ada", 2, mapped=("Claude", "noreply@anthropic.com"))
    counted.account(7, "ada", "ada@x")
    [reason] = reasons(counted, login="ada").values()
    assert "The .mailmap joins it to Claude, but an account that GitHub names takes precedence." in reason
    assert list(reasons(counted, email="noreply@anthropic.com").values()) == ["A known address of an AI agent."]


def test_a_number_that_the_mailmap_overrules_says_so(counted: Counted) -> None:
    counted.person("bob@x", "Bob", 3)
    counted.person("7+ada@users.noreply.github.com", "Ada", 2, mapped=("Bob", "bob@x"))
    counted.account(7, "ada", "7+ada@users.noreply.github.com", source="noreply")
    counted.account(8, "bob", "bob@x")
    assert counted.rows() == [("bob", 5)]
    assert reasons(counted, login="bob")["7+ada@users.noreply.github.com"] == (
        "The repository's .mailmap joins it to the account. Its number names another account. "
        "The .mailmap takes precedence."
    )


def test_a_strangers_claim_on_a_bots_address_is_said_not_to_count(counted: Counted) -> None:
    counted.person("noreply@opencode.ai", "opencode", 50, kind="agent")
    counted.account(7, "me", "noreply@opencode.ai")
    assert reasons(counted, email="noreply@opencode.ai") == {
        "noreply@opencode.ai": (
            "A known address of an AI agent. GitHub names another account for it. "
            "GitHub does not mark that account as a bot, so it does not count."
        )
    }
