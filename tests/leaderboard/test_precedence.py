"""Who wins where mailmaps, accounts, numbers and e-mails disagree."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.leaderboard.joining.precedence import Evidence, Places, Way, identity_of, place


@dataclasses.dataclass
class Someone:
    """A person: ``to`` is the e-mail of the mailmap, ``account`` is looked up, ``number`` is in the address."""

    email: str
    to: str = ""
    account: int | None = None
    number: int | None = None
    own: bool = False
    tool: bool = False
    commits: int = 1


def placed(*people: Someone) -> Places:
    return place(
        Evidence(
            [person.to or person.email for person in people],
            [person.to in ("", person.email) for person in people],
            [person.own for person in people],
            [None if person.tool else person.account for person in people],
            [person.account if person.tool else person.number for person in people],
            [person.tool for person in people],
            [person.commits for person in people],
        )
    )


def rows(*people: Someone) -> dict[str, int | None]:
    """The e-mails of each row, and its account."""
    places = placed(*people)
    found: dict[int | str, list[str]] = {}
    for person, key in zip(people, places.keys, strict=True):
        found.setdefault(key, []).append(person.email)
    return {" ".join(emails): places.owner(key) for key, emails in found.items()}


def test_an_account_goes_before_the_repositorys_mailmap() -> None:
    people = Someone("ada@x", account=7), Someone("bob@x", to="ada@x", account=8)
    assert rows(*people) == {"ada@x": 7, "bob@x": 8}


def test_the_users_own_mailmap_goes_before_accounts() -> None:
    people = Someone("ada@x", account=7), Someone("bob@x", to="ada@x", account=8, own=True)
    assert rows(*people) == {"ada@x bob@x": 7}


def test_accounts_that_the_users_mailmap_joins_bring_all_of_their_addresses() -> None:
    people = (
        Someone("ada@x", account=7),
        Someone("work@x", to="ada@x", account=8, own=True),
        Someone("home@x", account=8),
        Someone("8+ada@users.noreply.github.com", number=8),
        Someone("old@x", to="home@x"),
    )
    assert rows(*people) == {"ada@x work@x home@x 8+ada@users.noreply.github.com old@x": 7}


def test_two_identities_of_the_users_mailmap_stay_apart_whatever_accounts_say() -> None:
    people = (
        Someone("ada@x", account=7, own=True),
        Someone("shared@x", to="bob@x", account=7, own=True, commits=9),
        Someone("bob@x"),
        Someone("7+ada@users.noreply.github.com", number=7),
    )
    # The account is hers whose own address it has.
    assert rows(*people) == {"ada@x 7+ada@users.noreply.github.com": 7, "shared@x bob@x": None}


def test_an_own_line_wins_over_the_repositorys_for_the_same_identity() -> None:
    people = (
        Someone("ada@x", account=7),
        Someone("mine@x", to="ada@x", account=8, own=True),
        # The repository's line is weaker than this account.
        Someone("theirs@x", to="ada@x", account=9),
        Someone("free@x", to="ada@x"),
    )
    assert rows(*people) == {"ada@x mine@x free@x": 7, "theirs@x": 9}


def test_the_repositorys_mailmap_goes_before_a_number() -> None:
    people = (
        Someone("bob@x", account=8),
        Someone("7+ada@users.noreply.github.com", to="bob@x", number=7),
        Someone("ada@x", account=7),
    )
    assert rows(*people) == {"bob@x 7+ada@users.noreply.github.com": 8, "ada@x": 7}
    assert placed(*people).ways == bytes((Way.ACCOUNT, Way.MAILMAP, Way.ACCOUNT))


def test_numbers_that_the_mailmap_joins_are_one_row_by_the_identitys_own_number() -> None:
    seven, eight = "7+a@users.noreply.github.com", "8+a@users.noreply.github.com"
    assert rows(Someone(seven, number=7), Someone(eight, to=seven, number=8, commits=9)) == {f"{seven} {eight}": 7}
    people = Someone(seven, to="a@x", number=7), Someone(eight, to="a@x", number=8, commits=9), Someone("a@x")
    assert rows(*people) == {f"{seven} {eight} a@x": 8}


def test_one_account_of_an_identity_has_its_other_addresses() -> None:
    people = Someone("ada@x"), Someone("old@x", to="ada@x", account=7), Someone("b@x", to="ada@x")
    assert rows(*people) == {"ada@x old@x b@x": 7}


def test_of_two_accounts_of_an_identity_a_number_chooses_and_the_rest_stays_together() -> None:
    people = (
        Someone("ada@x", account=7),
        Someone("bob@x", to="ada@x", account=8),
        Someone("8+bob@users.noreply.github.com", to="ada@x", number=8),
        Someone("old1@x", to="ada@x"),
        Someone("old2@x", to="ada@x"),
    )
    assert rows(*people) == {"ada@x": 7, "bob@x 8+bob@users.noreply.github.com": 8, "old1@x old2@x": None}


def test_a_number_joins_looked_up_addresses_of_its_account() -> None:
    people = Someone("7+ada@users.noreply.github.com", number=7), Someone("ada@x", account=7), Someone("ada@y")
    assert rows(*people) == {"7+ada@users.noreply.github.com ada@x": 7, "ada@y": None}


def test_for_bots_the_mailmap_goes_before_accounts() -> None:
    people = (
        Someone("49699333+dependabot[bot]@users.noreply.github.com", account=49699333, tool=True),
        Someone(
            "27856297+dependabot-preview[bot]@users.noreply.github.com",
            to="49699333+dependabot[bot]@users.noreply.github.com",
            account=27856297,
            tool=True,
            commits=9,
        ),
        Someone("support@dependabot.com", to="49699333+dependabot[bot]@users.noreply.github.com", tool=True),
    )
    assert rows(*people) == {" ".join(person.email for person in people): 49699333}


def test_a_bots_account_does_not_become_that_of_a_person() -> None:
    bot = Someone("noreply@github.com", to="ada@x", account=19864447, tool=True, commits=9)
    web = Someone("19864447+web-flow@users.noreply.github.com", account=19864447, tool=True)
    for own in (False, True):
        bot.own = own
        assert rows(Someone("ada@x"), bot, web) == {"ada@x noreply@github.com": None, web.email: 19864447}


def test_a_persons_account_does_not_take_what_the_mailmap_gives_to_a_bot() -> None:
    people = (
        Someone("bot@x", tool=True),
        Someone("ada@x", to="bot@x", account=7),
        Someone("8+bob@users.noreply.github.com", to="bot@x", number=8),
    )
    assert rows(*people) == {"bot@x 8+bob@users.noreply.github.com": None, "ada@x": 7}
    assert placed(*people).tools == [True, False, True]


@pytest.mark.parametrize("blank", ["", " ", "\t", "\u00a0 ", "\u2003"])
def test_blank_e_mails_are_keyed_by_name(blank: str) -> None:
    assert identity_of(blank, "Anna", blank) == identity_of("", "Anna", "Anna <>") == "Anna <>"
    assert identity_of(blank, "Bert", blank) == "Bert <>"
    assert identity_of("a@x", "Anna", "Anna <a@x>") == "Anna <a@x>"


_EMAILS = ["a@x", "b@x", "c@x", "d@x"]
_NUMBERS = st.none() | st.integers(1, 3)


@settings(max_examples=50)
@given(
    st.lists(
        st.builds(
            Someone,
            st.sampled_from(_EMAILS),
            st.sampled_from(["", *_EMAILS]),
            _NUMBERS,
            _NUMBERS,
            st.booleans(),
            st.booleans(),
            st.integers(0, 9),
        ),
        max_size=8,
    )
)
def test_some_rules_hold_for_all_evidence(people: list[Someone]) -> None:
    places = placed(*people)
    own = {person.to or person.email for person in people if person.own}
    for person, key in zip(people, places.keys, strict=True):
        if person.own:
            assert key == (person.to or person.email)
        elif person.account and not person.tool and not own:
            assert key == person.account
    without_account = [key for key in places.keys if places.owner(key) is None]
    assert all(isinstance(key, str) for key in without_account)
    # An account belongs to one row.
    owners = [places.owner(key) for key in {*places.keys}]
    assert len({*owners} - {None}) == len([owner for owner in owners if owner is not None])
