"""Accounts of Apps by their addresses, placeholder accounts, and tools whose address a user registered."""

from __future__ import annotations

import pytest

from podium.bots.tools import Bots
from podium.leaderboard.rules import Rules
from podium.storage.session import Database
from tests.support.boards import Counted

BOTS = Rules(bots="only")
NOREPLY = "users.noreply.github.com"


@pytest.fixture
def counted(db: Database) -> Counted:
    return Counted(db)


def app(counted: Counted, number: int, login: str, commits: int = 1, *, stated: str | None = None) -> None:
    """Add an App's address with its number; ``stated``: the login that the host states for the number."""
    email = f"{number}+{login}@{NOREPLY}"
    counted.person(email, login, commits, kind="bot")
    counted.account(number, stated or login, email, source="noreply", enriched=stated is not None)


def test_an_app_without_its_number_joins_the_one_with_it(counted: Counted) -> None:
    app(counted, 49699333, "dependabot[bot]", 5)
    counted.person(f"dependabot[bot]@{NOREPLY}", "dependabot[bot]", 3, kind="bot")
    app(counted, 8, "acme[bot]", 2)
    counted.person(f"acme[bot]@{NOREPLY}", "acme", 2, kind="bot")
    dependabot, acme = counted.board(BOTS)["top_contributors"]
    assert (dependabot["commitCount"], dependabot["githubId"], dependabot["username"]) == (
        8,
        49699333,
        "dependabot[bot]",
    )
    assert dependabot["profileUrl"] == "https://github.com/apps/dependabot"
    assert dependabot["avatarUrl"] == "https://avatars.githubusercontent.com/u/49699333"
    assert (acme["commitCount"], acme["githubId"], acme["username"]) == (4, 8, "acme[bot]")
    assert counted.rows() == []


def test_an_app_without_any_number_has_its_login_and_page(counted: Counted) -> None:
    counted.person(f"acme[bot]@{NOREPLY}", "acme", 2, kind="bot")
    counted.person(f"beta[bot]@{NOREPLY}", "beta", 1, kind="bot")
    acme, beta = counted.board(BOTS)["top_contributors"]
    assert (acme["username"], acme["githubId"], acme["avatarUrl"]) == ("acme[bot]", None, None)
    assert (acme["profileUrl"], beta["username"]) == ("https://github.com/apps/acme", "beta[bot]")
    assert acme["isEnriched"] is False


def test_without_identities_an_app_has_no_account(counted: Counted) -> None:
    counted.person(f"acme[bot]@{NOREPLY}", "acme", 2, kind="bot")
    assert counted.rows(Rules(bots="only", identities=False)) == [(f"acme[bot]@{NOREPLY}", 2)]


def test_numbers_that_contradict_each_other_join_nothing(counted: Counted) -> None:
    app(counted, 5, "acme[bot]", 9)
    app(counted, 6, "acme[bot]", 8)
    counted.person(f"acme[bot]@{NOREPLY}", "acme", 7, kind="bot")
    found = counted.board(BOTS)["top_contributors"]
    assert [(entry["githubId"], entry["commitCount"]) for entry in found] == [(5, 9), (6, 8), (None, 7)]


def test_of_numbers_that_contradict_each_other_the_one_that_the_host_states_counts(counted: Counted) -> None:
    app(counted, 5, "acme[bot]", 9)
    app(counted, 6, "acme[bot]", 8, stated="acme[bot]")
    counted.person(f"acme[bot]@{NOREPLY}", "acme", 7, kind="bot")
    assert [(entry["githubId"], entry["commitCount"]) for entry in counted.board(BOTS)["top_contributors"]] == [
        (6, 15),
        (5, 9),
    ]


def test_an_app_never_joins_a_person_whose_number_was_written_before_its_login(counted: Counted) -> None:
    app(counted, 5, "acme[bot]", 1, stated="ada")
    counted.person(f"acme[bot]@{NOREPLY}", "acme", 7, kind="bot")
    found = {entry["username"]: entry["commitCount"] for entry in counted.board(BOTS)["top_contributors"]}
    assert found["acme[bot]"] == 7


def test_a_person_without_a_number_joins_no_one(counted: Counted) -> None:
    counted.person(f"5+ada@{NOREPLY}", "Ada", 2)
    counted.account(5, "ada", f"5+ada@{NOREPLY}", source="noreply", enriched=False)
    counted.person(f"ada@{NOREPLY}", "A.", 1)
    assert len(counted.rows()) == 2


def test_apps_of_enterprise_server_are_found_at_its_own_addresses(counted: Counted) -> None:
    email = "acme[bot]@users.noreply.ghe.example.com"
    counted.person(email, "acme", 2, kind="bot")
    counted.person(f"9+{email}", "acme", 3, kind="bot")
    counted.account(9, "acme[bot]", f"9+{email}", host="ghe.example.com", source="noreply", enriched=False)
    counted.person(f"acme[bot]@{NOREPLY}", "acme at github.com", 1, kind="bot")
    ours, theirs = counted.board(BOTS, github_url="https://ghe.example.com")["top_contributors"]
    assert (ours["commitCount"], ours["profileUrl"]) == (5, "https://ghe.example.com/github-apps/acme")
    assert (theirs["commitCount"], theirs["username"], theirs["profileUrl"]) == (1, None, None)


@pytest.mark.parametrize("login", ["invalid-email-address", "ghost", "Ghost"])
def test_addresses_of_a_placeholder_account_stay_apart(counted: Counted, login: str) -> None:
    counted.person("ada@localhost", "Ada", 2)
    counted.person("bob@localhost", "Bob", 1)
    counted.account(148100, login, "ada@localhost", "bob@localhost")
    assert counted.rows() == [("ada@localhost", 2), ("bob@localhost", 1)]
    assert counted.board()["unresolved"] == 2


def test_a_placeholders_login_in_an_address_proves_nothing(counted: Counted) -> None:
    counted.person(f"7+ghost@{NOREPLY}", "Ada", 2)
    counted.person("ada@example.com", "A.", 1)
    counted.account(7, "ghost", f"7+ghost@{NOREPLY}", "ada@example.com", source="noreply", enriched=False)
    assert counted.rows() == [("ghost", 3)]


@pytest.mark.parametrize("kind", ["bot", "agent"])
def test_a_tools_address_that_a_stranger_registered_stays_the_tools(counted: Counted, kind: str) -> None:
    email = {"bot": "support@dependabot.com", "agent": "noreply@opencode.ai"}[kind]
    counted.person("eve@example.com", "Eve", 2)
    counted.person(email, "Tool", 50, kind=kind)
    counted.account(7, "eve", "eve@example.com", email)
    assert counted.rows() == [("eve", 2)]
    assert counted.rows(BOTS) == [(email, 50)]


def test_a_stranger_who_registered_a_users_own_bot_gets_none_of_its_commits(counted: Counted) -> None:
    counted.person("eve@example.com", "Eve", 2)
    counted.person("release@example.com", "Release", 50)
    counted.account(7, "eve", "eve@example.com", "release@example.com")
    assert counted.rows() == [("eve", 52)]
    ours = Bots(added=frozenset({"release@example.com"}))
    assert counted.rows(bots=ours) == [("eve", 2)]
    assert counted.rows(BOTS, bots=ours) == [("release@example.com", 50)]
    # If the file has the login, the account itself is the bot's.
    both = Bots(added=frozenset({"release@example.com", "eve"}))
    assert counted.rows(BOTS, bots=both) == [("eve", 52)]


def test_an_address_that_the_user_removed_from_the_list_is_a_persons_again(counted: Counted) -> None:
    counted.person("noreply@opencode.ai", "Ada", 2, kind="agent")
    counted.account(7, "ada", "noreply@opencode.ai")
    assert counted.rows(bots=Bots(removed=frozenset({"noreply@opencode.ai"}))) == [("ada", 2)]


def test_a_bot_with_an_ordinary_account_keeps_it_if_its_number_names_it(counted: Counted) -> None:
    email = f"20407524+k8s-ci-robot@{NOREPLY}"
    counted.person(email, "Kubernetes Prow Robot", 3, kind="bot")
    counted.account(20407524, "k8s-ci-robot", email)
    assert counted.rows(BOTS) == [("k8s-ci-robot", 3)]
