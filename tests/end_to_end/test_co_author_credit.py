"""Who is credited for a commit that names several addresses of one person."""

from __future__ import annotations

import pytest

from tests.support.small_histories import Histories, Writer


def squash_merges(write: Writer) -> None:
    for number in range(3):
        own = "\n* one\n\n* two\n\n---------\n\nCo-authored-by: Ann Lee <ann@corp.example>\n"
        write.commit("Ann Lee <ann@home.example>", f"feat {number}\n{own}")
    both = "Co-authored-by: Ann Lee <ann@home.example>\nCo-authored-by: Ann Lee <ann@corp.example>\n"
    write.commit("Bob <bob@x.example>", "feat\n\n" + both)
    write.commit("Maintainer <m@corp.example>", mailmap=b"Ann Lee <ann@home.example> <ann@corp.example>\n")


def test_squash_merges_credit_a_person_once_and_never_for_their_own_commits(histories: Histories) -> None:
    history = histories(squash_merges)
    own = {"Ann Lee <ann@home.example>": 3, "Bob <bob@x.example>": 1, "Maintainer <m@corp.example>": 1}
    for names in ("join", "apart"):
        assert history.counts(names=names) == own
        assert history.counts(names=names, co_authors="include") == own | {"Ann Lee <ann@home.example>": 4}
        assert history.column("coAuthoredCount", names=names) == {"Ann Lee": 1, "Bob": 0, "Maintainer": 0}


def test_without_the_mailmap_a_full_name_joins_the_addresses(histories: Histories) -> None:
    history = histories(squash_merges)
    assert history.column("coAuthoredCount", mailmap="ignore") == {"Ann Lee": 1, "Bob": 0, "Maintainer": 0}
    apart = history.board(mailmap="ignore", names="apart", co_authors="include")["top_contributors"]
    assert {row["email"]: (row["commitCount"], row["coAuthoredCount"]) for row in apart} == {
        "ann@home.example": (4, 1),
        "ann@corp.example": (4, 4),
        "bob@x.example": (1, 0),
        "m@corp.example": (1, 0),
    }


def joined_in_every_way(write: Writer) -> None:
    """Dan has three addresses: one mapped, one that names his account, one with his name only."""
    dan = ("dan@a.example", "dan@b.example", "7+dan@users.noreply.github.com", "8+dan@users.noreply.github.com")
    named = "".join(f"Co-authored-by: Dan Doe <{email}>\n" for email in dan)
    for email in dan:
        write.commit(f"Dan Doe <{email}>", "own\n\n" + named, merge=email == dan[0])
    write.commit("Eve <eve@x.example>", "pair\n\n" + named + "Co-authored-by: Eve <EVE@x.example>\n", merge=True)
    for email in dan:
        write.commit(
            "Eve <eve@x.example>", f"pair\n\nCo-authored-by: D. <{email}>\nCo-authored-by: E. <eve@y.example>\n"
        )
    write.commit(
        "Eve <eve@x.example>", mailmap=b"<dan@a.example> <dan@b.example>\nEve <eve@x.example> <eve@y.example>\n"
    )


@pytest.mark.parametrize("names", ["join", "apart"])
@pytest.mark.parametrize("mailmap", ["use", "ignore"])
@pytest.mark.parametrize("merges", ["include", "exclude"])
def test_no_row_has_more_commits_than_its_history(histories: Histories, names: str, mailmap: str, merges: str) -> None:
    history = histories(joined_in_every_way)
    board = history.board(names=names, mailmap=mailmap, merges=merges, co_authors="include")
    most = board["totalCommits"] - (board["mergeCommits"] if merges == "exclude" else 0)
    assert all(row["commitCount"] <= most for row in board["top_contributors"])
    eve = next(row for row in board["top_contributors"] if row["email"] == "eve@x.example")
    assert eve["commitCount"] == 6 - (merges == "exclude") and eve["coAuthoredCount"] == 0


def test_a_co_author_of_three_joined_addresses_is_credited_once_for_each_commit(histories: Histories) -> None:
    history = histories(joined_in_every_way)
    rows = history.board(merges="include", co_authors="include")["top_contributors"]
    [joined] = [row for row in rows if row["githubId"] is None and row["name"] == "Dan Doe"]
    # Two accounts bear the name, so the two addresses without an account stay a row of their own: two commits of its
    # own, two of the accounts, and of Eve's five with a trailer those that name either.
    assert (joined["commitCount"], joined["coAuthoredCount"]) == (2 + 2 + 3, 5)
    assert {row["githubId"]: row["coAuthoredCount"] for row in rows if row["githubId"]} == {7: 3 + 2, 8: 3 + 2}


def test_a_window_credits_co_authors_by_the_date_of_the_commit(histories: Histories) -> None:
    def write(write: Writer) -> None:
        write.commit("Ann <a@x.example>", "one\n\nCo-authored-by: Bob <b@x.example>\n", date=b"1614556799 +0000")
        write.commit("Ann <a@x.example>", "two\n\nCo-authored-by: Bob <b@x.example>\n", date=b"1614556800 +0000")
        write.commit("Bob <b@x.example>", date=b"1614556800 +0000")

    history = histories(write)
    assert history.counts(until="2021-02-28", co_authors="include") == {"Ann <a@x.example>": 1, "Bob <b@x.example>": 1}
    assert history.counts(since="2021-03-01", co_authors="include") == {"Ann <a@x.example>": 1, "Bob <b@x.example>": 2}


@pytest.mark.parametrize("names", ["join", "apart"])
def test_the_parts_of_the_total_add_up(histories: Histories, names: str) -> None:
    board = histories(joined_in_every_way).board(names=names)
    assert board["rankedCommits"] + board["mergeCommits"] == board["totalCommits"]
