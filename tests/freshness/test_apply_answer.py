"""What follows from a host's answer: other names, joined rows, names that another repository has, and counts."""

from __future__ import annotations

from typing import Any

from podium.blocks import block_list
from podium.blocks.block_list import BlockKind
from podium.freshness.apply_answer import Applied, apply, is_news
from podium.freshness.host_answer import HostAnswer
from podium.repositories.address import Address, parse_address
from podium.repositories.model import Repository, State
from podium.repositories.store import gone, queries
from podium.repositories.store.freshness import due_checks, names
from podium.repositories.store.queue import pauses
from podium.repositories.store.queue.pauses import PauseKind
from podium.storage.session import Database
from tests.support.rows import former_keys, repository

HEAD = "a" * 40
NEW_HEAD = "b" * 40


def at(name: str, revision: str | None = None) -> Address:
    address = parse_address(name)
    return address.at_revision(revision) if revision else address


def board(db: Database, name: str, *, revision: str | None = None, **columns: Any) -> int:
    """A completed board with a head; give its id."""
    address = at(name, revision)
    values = {"state": "completed", "head": HEAD, "commits_processed_at": 1.0, "branch": "main", **columns}
    with db.write() as session:
        number: int = session.value(
            f"""INSERT INTO repository (key, url, host, owner, name, search_text, revision, parent_key,
                {", ".join(values)}, created_at, updated_at)
            VALUES (:key, :url, :host, :owner, :repository_name, '', :revision, :parent_key,
                {", ".join(f":{column}" for column in values)}, 1, 1) RETURNING id""",
            key=address.key,
            url=address.url,
            host=address.host,
            owner=address.owner,
            repository_name=address.name,
            revision=address.revision,
            parent_key=address.parent_key,
            **values,
        )
    return number


def answered(
    db: Database, number: int, name: str | None = None, host_number: str | None = None, **answer: Any
) -> Applied:
    address = at(name) if name else None
    found = repository(db, number)
    with db.write() as session:
        return apply(session, found, HostAnswer(host_number, address, **answer), next_check_in=100.0)


def by_key(db: Database, key: str) -> Repository | None:
    with db.read() as session:
        return queries.by_key(session, key)


def leads_to(db: Database, key: str) -> str:
    with db.read() as session:
        return names.present_key(session, key)


def test_an_answer_without_news_only_notes_when_it_came(db: Database) -> None:
    number = board(db, "a/x", host_number="1")
    before = repository(db, number)
    answer = HostAnswer("1", at("a/x"), HEAD, "main")
    assert not is_news(before, answer)
    applied = answered(db, number, "a/x", "1", head=HEAD, branch="main")
    after = repository(db, number)
    assert applied == Applied(number)
    assert after.checked_at and after.check_at and after.check_at - after.checked_at == 100.0
    assert (after.updated_at, after.state) == (before.updated_at, State.COMPLETED)


def test_a_renamed_repository_keeps_its_row_with_its_branches(db: Database) -> None:
    number, branch = board(db, "a/x", host_number="1"), board(db, "a/x", revision="dev", host_number="1")
    applied = answered(db, number, "B/Y", "1")
    row, branch_row = repository(db, number), repository(db, branch)
    assert applied == Applied(number, is_renamed=True)
    assert (row.key, row.url, row.owner, row.name) == ("github.com/b/y", "https://github.com/B/Y", "B", "Y")
    assert (branch_row.key, branch_row.parent_key) == ("github.com/b/y#dev", "github.com/b/y")
    assert branch_row.url == "https://github.com/B/Y#dev"
    assert leads_to(db, "github.com/a/x") == "github.com/b/y"
    assert leads_to(db, "github.com/a/x#dev") == "github.com/b/y#dev"
    assert leads_to(db, "github.com/a/x#other") == "github.com/b/y#other"


def test_a_chain_of_names_leads_to_the_present_one_and_back(db: Database) -> None:
    number = board(db, "a/x")
    for name in ("a/y", "a/z", "a/y"):
        answered(db, number, name, "1")
    assert repository(db, number).key == "github.com/a/y"
    assert leads_to(db, "github.com/a/x") == leads_to(db, "github.com/a/z") == "github.com/a/y"
    with db.read() as session:
        assert former_keys(session, number) == ["github.com/a/z", "github.com/a/x"]


def test_the_host_changed_the_case_of_a_name(db: Database) -> None:
    number = board(db, "a/x")
    answered(db, number, "A/X", "1")
    row = repository(db, number)
    assert (row.key, row.url, row.name) == ("github.com/a/x", "https://github.com/A/X", "X")
    with db.read() as session:
        assert not former_keys(session, number)


def test_a_second_row_of_one_repository_is_joined_to_the_older_one(db: Database) -> None:
    older, newer = board(db, "a/x", host_number="1"), board(db, "a/y")
    old_branch, new_branch = board(db, "a/x", revision="dev"), board(db, "a/y", revision="dev")
    only = board(db, "a/y", revision="v1")
    applied = answered(db, newer, "a/y", "1")
    assert applied == Applied(older, is_joined=True)
    row = by_key(db, "github.com/a/y")
    assert row is not None and row.id == older
    assert leads_to(db, "github.com/a/x") == "github.com/a/y"
    with db.read() as session:
        assert names.present_id(session, newer) == older
        assert names.present_id(session, new_branch) == old_branch
        assert queries.by_id(session, newer) is None
    assert repository(db, only).key == "github.com/a/y#v1"


def test_a_number_that_differs_leaves_the_board_as_it_was(db: Database) -> None:
    number, branch = board(db, "a/x", host_number="1"), board(db, "a/x", revision="dev")
    applied = answered(db, number, "a/x", "2", head=NEW_HEAD)
    row = repository(db, number)
    assert applied == Applied(number, is_taken=True)
    assert row.name_taken_at and repository(db, branch).name_taken_at
    assert (row.state, row.head, row.host_number) == (State.COMPLETED, HEAD, "1")


def test_the_old_one_is_found_by_its_number_and_leaves_its_name(db: Database) -> None:
    number = board(db, "a/x", host_number="1")
    answered(db, number, "a/x", "2")
    answered(db, number, "a/old", "1")
    row = repository(db, number)
    assert (row.key, row.name_taken_at) == ("github.com/a/old", None)
    # The name is free for a board of its own.
    assert leads_to(db, "github.com/a/x") == "github.com/a/x"


def test_two_repositories_that_exchange_their_names_exchange_them_here(db: Database) -> None:
    one, two = board(db, "a/x", host_number="1"), board(db, "a/y", host_number="2")
    answered(db, one, "a/x", "2")
    answered(db, one, "a/y", "1")
    assert [(repository(db, number).key, repository(db, number).name_taken_at) for number in (one, two)] == [
        ("github.com/a/y", None),
        ("github.com/a/x", None),
    ]
    assert leads_to(db, "github.com/a/x") == "github.com/a/x"


def test_a_name_that_another_row_still_has_is_taken_when_that_has_left(db: Database) -> None:
    first, second = board(db, "a/x", host_number="1"), board(db, "a/y", host_number="2")
    answered(db, first, "a/y", "1")
    assert repository(db, first).key == "github.com/a/x"
    waiting = repository(db, second)
    assert waiting.name_taken_at and waiting.check_at is not None
    answered(db, second, "a/z", "2")
    answered(db, first, "a/y", "1")
    assert repository(db, first).key == "github.com/a/y"
    assert repository(db, second).key == "github.com/a/z"
    assert leads_to(db, "github.com/a/x") == "github.com/a/y"


def test_a_repository_whose_new_name_a_dead_row_has_is_counted_and_not_asked_about_all_the_time(db: Database) -> None:
    first, dead = board(db, "a/x", host_number="1"), board(db, "a/y", host_number="2")
    assert answered(db, first, "a/y", "1", head=NEW_HEAD).counts
    row = repository(db, first)
    assert row.check_at and row.checked_at and row.check_at - row.checked_at < 100
    assert repository(db, dead).name_taken_at
    with db.write() as session:
        session.run("UPDATE repository SET check_at = NULL, state = 'completed', updated_at = 1")
    applied = answered(db, first, "a/y", "1", head=NEW_HEAD)
    assert applied.counts and not applied.is_taken
    row, after = repository(db, first), repository(db, dead)
    assert row.check_at and row.checked_at and row.check_at - row.checked_at == 100
    assert (after.check_at, after.updated_at) == (None, 1)
    with db.write() as session:
        session.run("UPDATE repository SET updated_at = 1")
    answered(db, first, "a/y", "1")
    assert repository(db, first).updated_at == 1


def test_a_board_neither_of_whose_names_is_its_own_is_not_counted(db: Database) -> None:
    first, second = board(db, "a/x", host_number="1"), board(db, "a/y", host_number="2")
    answered(db, first, "a/x", "3")
    for _ in range(2):
        assert answered(db, first, "a/y", "1", head=NEW_HEAD) == Applied(first, is_taken=True)
    assert repository(db, first).name_taken_at and repository(db, second).name_taken_at


def test_what_waited_under_a_joined_name_waits_under_the_other_one(db: Database) -> None:
    old = board(db, "a/x", host_number="1")
    new = board(db, "a/y", state="pending", head=None, commits_processed_at=None, virtual_start=7.0, hook_due_at=5.0)
    with db.write() as session:
        pauses.pause(session, PauseKind.REPOSITORY, str(new))
    applied = answered(db, new, "a/y", "1", head=HEAD)
    assert applied == Applied(old, counts=True, is_joined=True)
    row = repository(db, old)
    assert (row.key, row.state, row.virtual_start, row.hook_due_at) == ("github.com/a/y", State.PENDING, 7.0, 5.0)
    assert row.enqueued_at is None and not row.is_scheduled
    with db.read() as session:
        assert pauses.names(session) == {("repository", str(old))}


def test_a_branch_or_tag_is_asked_about_again_and_not_counted(db: Database) -> None:
    branch = board(db, "a/x", revision="dev", check_at=1.0)
    applied = answered(db, branch, "a/y", head="c" * 40, branch="main")
    row = repository(db, branch)
    assert applied.is_renamed and not applied.counts and row.state is State.COMPLETED
    assert row.check_at is not None and row.check_at > 1.0


def test_a_name_that_waits_for_a_branch_has_that_asked_about(db: Database) -> None:
    number, branch = board(db, "a/x", host_number="1"), board(db, "a/y", revision="dev", host_number="2")
    answered(db, number, "a/y", "1")
    row = repository(db, branch)
    assert row.name_taken_at is not None and row.check_at is not None


def test_a_blocked_repository_does_not_come_back_under_the_name_of_another_row(db: Database) -> None:
    board(db, "a/x", host_number="1")
    new = board(db, "a/z", state="pending", head=None, commits_processed_at=None)
    with db.write() as session:
        block_list.add(session, BlockKind.REPOSITORY, "github.com/a/x")
        assert block_list.is_any_numbered(session, "github.com")
        assert not block_list.is_any_numbered(session, "github.co")
    assert answered(db, new, "a/z", "1").hides
    assert by_key(db, "github.com/a/x") is None and by_key(db, "github.com/a/z") is None
    # Its number is not known, but its name is.
    other = board(db, "b/z", state="pending", head=None, commits_processed_at=None)
    with db.write() as session:
        block_list.add(session, BlockKind.REPOSITORY, "github.com/b/x")
    assert answered(db, other, "b/x").hides
    assert by_key(db, "github.com/b/x") is None


def test_a_redirect_without_numbers_joins_rows_of_one_history_only(db: Database) -> None:
    old, new, other = board(db, "a/x", roots="1 2"), board(db, "a/y", roots="2"), board(db, "a/z", roots="3")
    assert answered(db, new, "a/x").repository_id == old
    answered(db, old, "a/z")
    assert repository(db, old).key == "github.com/a/x"
    assert repository(db, other).name_taken_at
    # The number of the other repository does not become its own.
    answered(db, old, "a/z", "1")
    answered(db, other, "a/z", "1")
    assert repository(db, other).host_number is None


def test_another_head_is_counted_after_people_and_a_push_at_once(db: Database) -> None:
    number = board(db, "a/x", host_number="1")
    assert answered(db, number, "a/x", "1", head=NEW_HEAD).counts
    row = repository(db, number)
    assert (row.state, row.is_scheduled, row.head) == (State.PENDING, True, HEAD)
    assert not answered(db, number, "a/x", "1", head=NEW_HEAD).counts
    assert not answered(db, board(db, "a/y", state="failed", error_code="too-large"), head=NEW_HEAD).counts
    assert answered(db, board(db, "a/z", state="failed", error_code="missing"), head=NEW_HEAD).counts


def test_an_answer_about_a_name_that_it_had_before_only_makes_it_due(db: Database) -> None:
    number = board(db, "a/x", host_number="1")
    stale = repository(db, number)
    answered(db, number, "a/y", "1")
    with db.write() as session:
        apply(session, stale, HostAnswer("1", at("a/z"), NEW_HEAD), next_check_in=1e6)
    row = repository(db, number)
    assert (row.key, row.state) == ("github.com/a/y", State.COMPLETED)
    assert row.check_at and row.checked_at and row.check_at - row.checked_at < 100


def test_denials_hide_and_an_answer_shows_again(db: Database) -> None:
    number = board(db, "a/x")
    assert not answered(db, number, gone_code="missing").hides
    with db.write() as session:
        session.run("UPDATE repository SET gone_since = gone_since - 3600")
    assert answered(db, number, gone_code="missing").hides
    assert repository(db, number).hidden_at
    # An API may see what others do not.
    answered(db, number, "a/x", "1")
    assert repository(db, number).hidden_at
    answered(db, number, "a/x", "1", head=HEAD, is_readable=True)
    assert repository(db, number).hidden_at is None


def test_an_answer_of_before_a_hook_hid_a_board_does_not_show_it(db: Database) -> None:
    number = board(db, "a/x", host_number="1")
    asked = repository(db, number)
    with db.write() as session:
        gone.note(session, asked, code="missing", after=0.0)
        apply(session, asked, HostAnswer("1", at("a/x"), NEW_HEAD, is_readable=True), next_check_in=1e6)
    row = repository(db, number)
    assert row.hidden_at and row.gone_since and (row.state, row.head) == (State.COMPLETED, HEAD)
    assert row.check_at and row.checked_at and row.check_at - row.checked_at < 100
    answered(db, number, "a/x", "1", head=HEAD, is_readable=True)
    assert repository(db, number).hidden_at is None


def test_a_board_that_is_not_found_under_its_name_is_looked_for_every_day_until_that_is_decided(db: Database) -> None:
    number = board(db, "a/x", host_number="1")

    def look() -> Repository:
        with db.write() as session:
            apply(session, repository(db, number), HostAnswer(gone_code="missing"))
        return repository(db, number)

    answered(db, number, "a/x", "2")
    row = look()
    assert row.check_at and row.checked_at and row.check_at - row.checked_at == 86_400
    with db.write() as session:
        due_checks.settle_late(session, every=3600.0)
    assert repository(db, number).check_at
    with db.write() as session:
        names.keep_as_it_is(session, "github.com/a/x")
    assert look().check_at is None


def test_a_former_name_that_is_free_leads_nowhere_with_its_branches(db: Database) -> None:
    number = board(db, "a/x")
    board(db, "a/x", revision="dev")
    answered(db, number, "a/y", "1")
    with db.write() as session:
        names.ask_about_name(session, "github.com/a/x", "github.com/a/y")
        assert not names.unconfirmed(session, [number])
        session.run("UPDATE former_name SET at = at - 7200")
        names.ask_about_name(session, "github.com/a/x", "github.com/a/y")
        assert names.unconfirmed(session, [number]) == {number}
        assert names.unconfirmed_keys(session, number, limit=5) == ["github.com/a/x"]
        names.free_name(session, "github.com/a/x")
        names.confirm(session, number, ["github.com/a/x"])
        assert not names.unconfirmed(session, [number])
    assert leads_to(db, "github.com/a/x") == "github.com/a/x"
    assert leads_to(db, "github.com/a/x#dev") == "github.com/a/x#dev"


def test_a_long_look_up_of_accounts_is_asked_about_seldom(db: Database) -> None:
    number = board(db, "a/x", state="users_processing")
    with db.write() as session:
        session.run("UPDATE repository SET commits_processed_at = {now} - 5000 WHERE id = :id", id=number)
    assert not answered(db, number, head=NEW_HEAD).counts
    with db.read() as session:
        assert session.value("SELECT check_at - {now} FROM repository WHERE id = :id", id=number) > 4000
