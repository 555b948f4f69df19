"""A refresh adds what is new to exactly what was counted, whatever was pushed, and leaves what a count anew would."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podium.clones.mailmaps import mailmap
from podium.clones.path_source import PathSource
from podium.counting.commit_job import CommitJob
from podium.counting.removed_people import removed_people
from podium.errors import StorageError
from podium.git.command import Git
from podium.history.trailers.mentions import MOST_NAMED
from podium.jobs.messages.queues import NullQueues
from podium.repositories.address import path_address
from podium.repositories.store import queries
from podium.repositories.store.log_check import check_log
from podium.storage.session import Database, Session
from podium.storage.sqlite import SqliteDatabase
from podium.storage.transactions import retry_transaction
from podium.storage.transactions.steps import Step
from podium.submissions.submit import start_over, submit
from tests.support import repos
from tests.support.hostile import co_authors
from tests.support.log_rows import logged_commits
from tests.support.sqlite_database import open_or_create

GIT = Git.for_person({"PATH": os.environ["PATH"], "HOME": os.devnull})

# Whatever does not depend on how often was counted between.
ROWS = """
SELECT email, name, mailmap_email, mailmap_name, mailmap_identity, commit_count, merge_count, sample_co_authors,
    role_only, kind
FROM commit_data ORDER BY email, name
"""
SUMS = """
SELECT head, head_committed_at, total_commits, merge_commits, trimmed_commits, unique_contributors, mailmap
FROM repository
"""


class Strangers:
    """Nobody is known, and nobody asked."""

    kinds: ClassVar[dict[str, str]] = {}
    can_look_up = False

    def __init__(self, emails: Collection[str] = ()) -> None:
        self._emails = emails

    def humans(self) -> Collection[str]:
        return self._emails

    def link_steps(self) -> Iterator[Step]:
        return iter(())

    def known_rows(self, session: Session, repository_id: int, count_id: int) -> list[int]:
        return []

    def stale_rows(self, session: Session, repository_id: int, count_id: int) -> list[int]:
        return []


def classify_emails(host: str, emails: Collection[str]) -> Strangers:
    return Strangers(emails)


def count(db: Database, repository: Path) -> tuple[Any, ...]:
    """Count a repository of this machine as it is now, after whatever was counted of it before."""
    source = PathSource(GIT, repository)
    job = CommitJob(db, source, classify_emails, lease_seconds=30, max_crashes=5, max_attempts=1)
    row = submit(db, NullQueues(), path_address(source.repository.path, None), refresh_after=0).repository
    start_over(db, row.id)
    assert job.run(row.id, threading.Event()) is None
    with db.read() as session:
        now = queries.by_id(session, row.id)
        assert now is not None
        check_log(session, now)
        return *(session.all(sql) for sql in (ROWS, SUMS)), logged_commits(session, row.id)


def new_database(folder: Path) -> SqliteDatabase:
    return open_or_create(folder / "podium.db")


MAILMAPS = (
    None,
    b"Proper Alice <alice@example.org> <old@example.org>\n",
    b"<new@example.org> <alice@example.org>\n",
    b"One <one@example.org> one <shared@example.org>\nTwo <one@example.org> two <shared@example.org>\n",
)
AUTHORS = (
    b"Alice <alice@example.org>",
    b"ALICE <Alice@Example.org>",
    b"Alice A. <old@example.org>",
    b"one <shared@example.org>",
    b"two <shared@example.org>",
    b"three <shared@example.org>",
)
_COMMIT = st.tuples(
    st.sampled_from(AUTHORS),
    st.integers(0, 2_000_000_000),
    st.booleans(),
    st.sampled_from((None, *AUTHORS)),
    st.sampled_from((b"Co-authored-by", b"Reviewed-by", b"Signed-off-by")),
)
_PUSH = st.tuples(
    st.sampled_from(("add", "add", "add", "rewrite", "nothing")),
    st.lists(_COMMIT, min_size=1, max_size=5),
    st.sampled_from(MAILMAPS),
)


def pushed(repository: Path, head: str | None, push: Any) -> str | None:
    """Push some commits, upon the head or instead of it."""
    kind, commits, files = push
    if kind == "nothing" and head:
        return head
    tree = repos.write_tree(repository, {} if files is None else {".mailmap": files})
    parents = [head] if head and kind == "add" else []
    for author, when, is_merge, named, key in commits:
        message = b"t\n" if named is None else b"t\n\n" + key + b": " + named + b"\n"
        twice = parents * 2 if is_merge else parents
        line = b"%b %d +0000" % (author, when)
        parents = [repos.commit(repository, twice, author=line, message=message, tree=tree)]
    repos.set_branch(repository, parents[0])
    return parents[0]


@settings(max_examples=8, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(pushes=st.lists(_PUSH, min_size=2, max_size=4))
def test_whatever_was_pushed_a_refresh_equals_a_new_count(
    tmp_path_factory: pytest.TempPathFactory, pushes: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("refresh")
    repository = repos.make_bare(folder / "r.git")
    db = new_database(folder)
    head = None
    for push in pushes:
        head = pushed(repository, head, push)
        refreshed = count(db, repository)
    db.close()
    afresh = new_database(tmp_path_factory.mktemp("afresh"))
    assert refreshed == count(afresh, repository)
    afresh.close()


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM commit_log WHERE segment = 1",
        "UPDATE commit_log SET commits = commits + 1 WHERE segment = 2",
        "UPDATE commit_log SET base_oid = 'x' WHERE segment = 2",
        "UPDATE commit_log SET dates = authors WHERE segment = 1",
        "UPDATE commit_data SET commit_count = commit_count + 1",
        "UPDATE commit_data SET ordinal = ordinal + 1",
    ],
)
def test_a_refresh_of_a_damaged_log_counts_the_whole_history(tmp_path: Path, db: Database, damage: str) -> None:
    repository = repos.make_bare(tmp_path / "r.git")
    head = None
    for number in range(20):
        head = repos.commit(repository, [head] if head else [], author=b"P <p%d@example.org> 5 +0000" % (number % 3))
        if number >= 17:
            repos.set_branch(repository, head)
            found = count(db, repository)
    with db.write() as session:
        session.run(damage)
    assert head is not None
    repos.set_branch(repository, repos.commit(repository, [head], author=b"P <p0@example.org> 9 +0000"))
    repaired = count(db, repository)
    assert [len(found[2]), len(repaired[2])] == [20, 21]
    assert [row["commit_count"] for row in repaired[0]] == [8, 7, 6]


def test_a_refresh_adds_to_the_trimmed_commits(tmp_path: Path) -> None:
    repository, db = repos.make_bare(tmp_path / "r.git"), new_database(tmp_path)
    trimmed = b"t\n\n" + co_authors(MOST_NAMED + 1)
    first = repos.commit(repository, message=trimmed)
    second = repos.commit(repository, [repos.commit(repository, [first])], message=trimmed)
    for head, number in ((first, 1), (second, 2), (repos.commit(repository), 0)):
        repos.set_branch(repository, head)
        _, sums, _ = count(db, repository)
        assert [row["trimmed_commits"] for row in sums] == [number]
        assert [(row["head"], row["head_committed_at"]) for row in sums] == [(head, 1_700_000_000)]
    db.close()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Of how many people each count asked what the mailmap makes of them."""
    numbers: list[int] = []
    real = mailmap.identities

    def identities(git: Git, repository: Path, mailmaps: mailmap.Mailmaps, pairs: Any, **rest: Any) -> Any:
        wanted = list(pairs)
        numbers.append(len(wanted))
        return real(git, repository, mailmaps, wanted, **rest)

    monkeypatch.setattr("podium.clones.source.identities", identities)
    yield numbers


def test_a_refresh_asks_only_about_those_for_whom_the_mailmap_may_say_something_new(
    tmp_path: Path, db: Database, asked: list[int]
) -> None:
    repository = repos.make_bare(tmp_path / "r.git")
    tree = repos.write_tree(repository, {".mailmap": MAILMAPS[3] or b""})
    many = [repos.commit(repository, author=b"P%d <p%d@example.org> 1 +0000" % (n, n), tree=tree) for n in range(30)]
    one = repos.commit(repository, many, author=b"one <shared@example.org> 5 +0000", tree=tree)
    repos.set_branch(repository, one)
    count(db, repository)
    # Nobody new, somebody new, and a second name of an e-mail that the mailmap gives to two.
    for author in (b"P3 <p3@example.org>", b"Q <q@example.org>", b"two <shared@example.org>"):
        one = repos.commit(repository, [one], author=author + b" 6 +0000", tree=tree)
        repos.set_branch(repository, one)
        rows = count(db, repository)[0]
    assert asked == [31, 1, 1, 1, 2]
    keys = {row["name"]: row["mailmap_identity"] for row in rows if row["email"] == "shared@example.org"}
    assert keys == {"one": "One <one@example.org>", "two": "Two <one@example.org>"}
    # A mailmap that changed is asked about everybody.
    tree = repos.write_tree(repository, {".mailmap": b"<all@example.org> <p7@example.org>\n"})
    repos.set_branch(repository, repos.commit(repository, [one], author=b"P3 <p3@example.org> 7 +0000", tree=tree))
    rows = count(db, repository)[0]
    assert asked[-1] == 33
    assert {row["mailmap_email"] for row in rows if row["name"] in ("P7", "one")} == {
        *("all@example.org", "shared@example.org")
    }


def test_more_people_than_are_asked_for_one_by_one(
    tmp_path: Path, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = repos.make_bare(tmp_path / "r.git")
    tree = repos.write_tree(repository, {".mailmap": MAILMAPS[1] or b""})
    head = repos.commit(repository, tree=tree)
    repos.set_branch(repository, head)
    monkeypatch.setattr("podium.counting.count_rows.EMAILS_PER_QUERY", 3)
    count(db, repository)
    for number in range(6):
        head = repos.commit(repository, [head], author=b"P <p%d@example.org> 5 +0000" % number, tree=tree)
    repos.set_branch(repository, head)
    assert len(count(db, repository)[0]) == 7


def test_a_count_outlasts_a_database_that_is_away_before_it_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = repos.make_bare(tmp_path / "r.git")
    repos.chain(repository, [repos.ALICE, repos.BOB])
    faults = [StorageError("It is away."), StorageError("It is away.")]

    def found(*arguments: Any, **words: Any) -> Any:
        if faults:
            raise faults.pop()
        return removed_people(*arguments, **words)

    monkeypatch.setattr("podium.counting.commit_job.removed_people", found)
    monkeypatch.setattr(retry_transaction, "FIRST_PAUSE", 0.001)
    with contextlib.closing(new_database(tmp_path)) as db:
        _, [sums], _ = count(db, repository)
    assert sums["total_commits"] == 2 and not faults
