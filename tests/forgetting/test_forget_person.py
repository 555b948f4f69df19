"""A forgotten person is on no surface and in no row, and stays away through every later count and look-up."""

from __future__ import annotations

import functools
import json
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from podium.accounts.lookup import GitHubAccount, LookupStep
from podium.accounts.repository_emails import classify_emails
from podium.accounts.stale import MaxAges
from podium.accounts.user_job import UserJob
from podium.audit import audit_log
from podium.blocks import forgotten_people
from podium.clones.path_source import PathSource
from podium.counting.commit_job import CommitJob
from podium.counting.live_ranking import LiveRanking
from podium.errors import BadRule, LeaseLost, NotFound
from podium.forgetting.forget_person import forget_person, remember_person, sweep
from podium.git.command import Git
from podium.history.totals import Tally
from podium.jobs import batches, lease
from podium.jobs.messages.queues import NullQueues
from podium.repositories.address import parse_address
from podium.repositories.model import State
from podium.repositories.store import queries
from podium.repositories.store.log_check import check_log
from podium.repositories.store.queue import due_work
from podium.storage.postgresql.postgres import PostgresDatabase
from podium.storage.session import Database
from podium.storage.tables import metadata
from podium.submissions.submit import start_over, submit
from tests.counting.test_saving import save, save_first, submit_again, take, tally_of
from tests.support import repos
from tests.support.rows import add_repository, is_any_transaction_blocked, leased
from tests.support.web import Site, open_site

GIT = Git.for_person({"PATH": os.environ["PATH"], "HOME": os.devnull})
AGES = MaxAges(account=1e9, email=1e9, unknown_email=1e9)
HOST = "github.com"

MAILMAP = b"Ada Lovelace <ada@example.org> <ada@work.example>\nBob <bob@example.org> <bob@old.example>\n"
ADA = (
    b"Ada Lovelace <ada@example.org>",
    b"A. Lovelace <ADA@work.example>",
    b"Ada Lovelace <ada@home.example>",
    b"lady <7+ada@users.noreply.github.com>",
    b"countess <secret@private.example>",
)
BOB = b"Bob Stone <bob@example.org>"
CAROL = b"Carol King <carol@example.org>"
ACCOUNTS = {
    "secret@private.example": GitHubAccount(7, "ada", "Countess", "https://avatars.githubusercontent.com/u/7"),
    "ada@example.org": GitHubAccount(7, "ada", "Countess", "https://avatars.githubusercontent.com/u/7"),
    "bob@example.org": GitHubAccount(8, "bobby", "Bob Stone"),
}
NEEDLES = ("ada@", "lovelace", "7+ada", "lady", "countess", "private.example", "/u/7", '"ada"', "/ada")


class Answers:
    def find(self, _: Any, pending: Sequence[Any], __: threading.Event, /) -> Iterator[LookupStep]:
        yield LookupStep(
            accounts={one.email: ACCOUNTS[one.email] for one in pending if one.email in ACCOUNTS},
            unanswered=frozenset(one.email for one in pending if one.email not in ACCOUNTS),
        )

    def close(self) -> None: ...


class History:
    """A repository that is pushed to and counted."""

    def __init__(self, db: Database, folder: Path) -> None:
        self.db = db
        self.path = repos.make_bare(folder / "history.git")
        self.head: str | None = None
        self.made = 0

    def push(self, *authors: bytes, trailer: bytes = b"", mailmap: bytes = MAILMAP) -> None:
        tree = repos.write_tree(self.path, {".mailmap": mailmap})
        for author in authors:
            self.made += 1
            message = b"t\n\n" + trailer + b"\n" if trailer else b"t\n"
            line = b"%b %d +0000" % (author, 1_600_000_000 + 86_400 * self.made)
            parents = [self.head] if self.head else []
            self.head = repos.commit(self.path, parents, author=line, message=message, tree=tree)
        assert self.head
        repos.set_branch(self.path, self.head)

    def count(self, *, look_up: bool = True) -> int:
        classify = functools.partial(classify_emails, github_host=HOST, ages=AGES)
        job = CommitJob(self.db, PathSource(GIT, self.path), classify, lease_seconds=30, max_crashes=5, max_attempts=1)
        row = submit(self.db, NullQueues(), parse_address("octo/hello"), refresh_after=0).repository
        start_over(self.db, row.id)
        assert job.run(row.id, threading.Event()) is None
        if look_up:
            self.look_up(row.id)
        return row.id

    def look_up(self, number: int) -> None:
        job = UserJob(self.db, Answers(), HOST, AGES, 5, 5)
        for _ in range(5):
            with self.db.read() as session:
                row = queries.by_id(session, number)
                assert row is not None
                numbers = batches.unclaimed(session, number)
            if row.state == State.COMPLETED:
                return
            for batch in numbers or [0]:
                job.run(number, row.generation, batch, threading.Event())
        raise AssertionError("it was not completed")


@pytest.fixture
def history(db: Database, tmp_path: Path) -> History:
    found = History(db, tmp_path)
    found.push(*ADA, *ADA, BOB, BOB, CAROL)
    found.push(
        BOB,
        trailer=b"Co-authored-by: Ada Lovelace <ada@example.org>\n"
        b"Co-authored-by: lady <7+ada@users.noreply.github.com>",
    )
    found.push(CAROL, trailer=b"Reviewed-by: A. Lovelace <ada@work.example>")
    found.push(ADA[2], trailer=b"Co-authored-by: Bob Stone <bob@example.org>")
    return found


def everything(db: Database) -> str:
    """All that the database has."""
    with db.read() as session:
        return "\n".join(repr(list(session.tuples(f"SELECT * FROM {name}"))) for name in metadata.tables).lower()


def found_in(text: str) -> list[str]:
    return [needle for needle in NEEDLES if needle in text.lower()]


def check_absent(db: Database) -> None:
    assert not found_in(everything(db))
    with db.read() as session:
        for row in session.all("SELECT id FROM repository WHERE head IS NOT NULL"):
            now = queries.by_id(session, row["id"])
            assert now is not None
            check_log(session, now)


SWITCHES = (
    "",
    "&coAuthors=include",
    "&names=apart",
    "&mailmap=ignore",
    "&bots=include&merges=include",
    "&roles=include",
    "&since=2020-01-01&new=only",
)


def surfaces(number: int) -> list[str]:
    of, page = "repoUrl=octo/hello", "/r/octo/hello"
    return [
        *(f"/leaderboard?{of}{switch}" for switch in SWITCHES),
        *(f"{page}?{switch.lstrip('&')}" for switch in SWITCHES),
        *(f"{page}/board.{end}" for end in ("csv", "json", "md")),
        f"/leaderboard/activity?{of}",
        f"/leaderboard/find?{of}&q=lovelace",
        f"/leaderboard/find?{of}&q=ad",
        f"{page}/badge.svg",
        f"{page}/card.svg",
        "/compare?repo=octo/hello&repo=octo/hello",
        f"/chart/{number}",
        f"/repositories/{number}",
        "/repositories",
        "/",
    ]


def documents(site: Site) -> dict[str, dict[str, Any]]:
    return {switch: site.client().get(f"/leaderboard?repoUrl=octo/hello{switch}").json() for switch in SWITCHES}


def without_places(document: dict[str, Any]) -> list[dict[str, Any]]:
    kept = ("name", "username", "commitCount", "mergeCount", "coAuthoredCount", "firstCommitAt", "lastCommitAt")
    return [
        {name: row[name] for name in kept}
        for row in document["top_contributors"]
        if "Bob" in row["name"] or "Carol" in row["name"]
    ]


@pytest.mark.parametrize("by", [" @ADA ", "secret@private.example"])
def test_whatever_names_a_person_removes_all_of_it(history: History, tmp_path: Path, by: str) -> None:
    """A person of whom the database keeps nothing is on no surface, as the next test shows."""
    history.count()
    with open_site(tmp_path, history.db) as site:
        assert found_in(everything(history.db))
        answer = site.administrator().post("/people/forget", json={"person": by})
        assert answer.status_code == 202, answer.text
        check_absent(history.db)
        assert "Removed on request: 11 commits" in site.client().get("/r/octo/hello").text


def test_a_person_is_on_no_surface(history: History, tmp_path: Path) -> None:
    number, db = history.count(), history.db
    with open_site(tmp_path, db) as site:
        before = documents(site)
        texts = [site.client().get(url).text for url in surfaces(number)]
        assert sum(bool(found_in(text)) for text in texts) > 15
        answer = site.administrator().post("/people/forget", json={"person": "ada@example.org"})
        assert answer.status_code == 202, answer.text
        check_absent(db)
        for client in (site.client(), site.administrator()):
            for url in surfaces(number):
                # A search repeats what was searched.
                text = client.get(url).text.replace("q=lovelace", "").replace('"query":"lovelace"', "")
                assert not found_in(text), url
        for switch, document in documents(site).items():
            old = before[switch]
            assert without_places(document) == without_places(old), switch
            parts = document["commits"]
            assert parts["total"] == old["commits"]["total"]
            assert parts["total"] == sum(value for name, value in parts.items() if name != "total")
            gone = sum(
                row["commitCount"]
                for row in old["top_contributors"]
                if "Bob" not in row["name"] and "Carol" not in row["name"]
            )
            assert document["rankedCommits"] == old["rankedCommits"] - gone
            if "names" not in switch and "identities" not in switch and "mailmap" not in switch:
                # A commit of one of them with another one counts once.
                assert document["removedCommits"] == gone, switch
            assert [row["rank"] for row in document["top_contributors"]] == [*range(1, document["total"] + 1)]
        assert "Removed on request: 11 commits" in site.client().get("/r/octo/hello").text
        assert (
            site.client()
            .get("/r/octo/hello/board.csv")
            .text.splitlines()[-1]
            .startswith('"","","","Removed on request"')
        )
        find = "/leaderboard/find?repoUrl=octo/hello&q="
        admin = site.administrator()
        known, unknown = (
            admin.get(f"{find}{email}").json()["reason"] for email in ("ada@example.org", "x@example.org")
        )
        assert known == unknown
        for url in ("/people/ada", "/r/octo/hello/-/people/ada", "/r/octo/hello/-/people/~0", "/avatars/7"):
            assert site.client().get(url).status_code == 404, url
        assert admin.get("/leaderboard/explain?repoUrl=octo/hello&email=ada@example.org").status_code == 404


def test_the_person_stays_away_through_refreshes_recounts_and_mailmaps(history: History) -> None:
    db, number = history.db, history.count()
    ordinals = """SELECT ordinal, commit_count FROM commit_data
        WHERE count_id = (SELECT count_id FROM repository) ORDER BY ordinal"""
    with db.read() as session:
        before = session.tuples(ordinals)
    forgotten = forget_person(db, "ada@example.org", github_host=HOST, actor="test")
    sweep(db, HOST)
    check_absent(db)
    # A refresh adds to the same rows.
    history.push(ADA[0], ADA[2], BOB)
    history.count()
    check_absent(db)
    with db.read() as session:
        now = session.tuples(ordinals)
        assert [ordinal for ordinal, _ in now] == [ordinal for ordinal, _ in before]
        assert sum(commits for _, commits in now) == sum(commits for _, commits in before) + 3
    # A name that the person had, with a new e-mail.
    history.push(b"Ada Lovelace <new.ada@example.com>")
    history.count()
    check_absent(db)
    # A mailmap that gives the person another name and address, and the person's address to another name.
    changed = (
        MAILMAP
        + b"Grace Other <grace@lovelace.example> <ada@example.org>\nAda Lovelace <ada@example.org> <x@y.example>\n"
    )
    history.push(BOB, b"Someone Else <x@y.example>", mailmap=changed)
    history.count()
    check_absent(db)
    assert "grace" not in everything(db)
    assert "x@y.example" not in everything(db)
    # Everything is counted again.
    with db.write() as session:
        session.run("UPDATE repository SET counting_version = 0")
    history.count()
    check_absent(db)
    with db.read() as session:
        assert [ordinal for ordinal, _ in session.tuples(ordinals)][: len(before)] == [ordinal for ordinal, _ in before]
        (entry,) = audit_log.latest(session, 5)
    assert (entry.act, entry.subject) == ("forget person", forgotten.person)
    assert number


def test_an_account_that_is_found_later_is_the_persons(history: History) -> None:
    db = history.db
    # Before anything is known of the account, by a login.
    forget_person(db, "ada", github_host=HOST, actor="test")
    number = history.count(look_up=False)
    assert "secret@private.example" in everything(db)
    history.look_up(number)
    sweep(db, HOST)
    assert not [
        needle for needle in ("secret@", "countess", "/u/7", "ada@example.org", "lovelace") if needle in everything(db)
    ]
    # The account has another login now, and its old one belongs to another person.
    with db.read() as session:
        found = forgotten_people.load(session, HOST)
    assert found.of_account(7, "renamed")
    assert not found.of_account(99, "ada")


def test_forgetting_twice_and_undoing(history: History) -> None:
    db, _ = history.db, history.count()
    first = forget_person(db, "ada@example.org", github_host=HOST, actor="test")
    second = forget_person(db, "ada@example.org", github_host=HOST, actor="test")
    assert first.person == second.person
    sweep(db, HOST)
    assert remember_person(db, "ADA@example.org", github_host=HOST, actor="test") == 1
    with pytest.raises(NotFound):
        remember_person(db, "ada@example.org", github_host=HOST, actor="test")
    history.count()
    assert {"lovelace", "countess"} <= set(found_in(everything(db)))
    with db.read() as session:
        assert not session.all("SELECT * FROM block")


@pytest.mark.parametrize("text", ["", "  ", "a b", "x" * 501, "https://github.com/ada", "a\nb"])
def test_what_is_no_person(db: Database, text: str) -> None:
    with pytest.raises(BadRule):
        forget_person(db, text, github_host=HOST, actor="test")


def test_a_namesake_with_an_account_stays(tmp_path: Path, db: Database) -> None:
    with open_site(tmp_path, db) as site:
        board = site.repository()
        site.person(board, "Ada Lovelace", "ada@example.org", 3)
        site.person(board, "Ada Lovelace", "other@example.org", 2)
        site.account("other@example.org", "otherada")
        forget_person(db, "ada@example.org", github_host=HOST, actor="test")
        (row,) = site.client().get("/leaderboard?repoUrl=octo/hello").json()["top_contributors"]
        assert (row["username"], row["commitCount"]) == ("otherada", 2)


def test_a_count_that_is_being_saved_is_void(db: Database) -> None:
    refreshed, number = save_first(db, 20), add_repository(db)
    submit_again(db, refreshed)
    held = take(db, number)
    forget_person(db, "p0001@example.org", github_host=HOST, actor="test")
    with pytest.raises(LeaseLost):
        save(db, held, tally_of(30))
    with leased(db, refreshed) as lease:
        forget_person(db, "p0002@example.org", github_host=HOST, actor="test")
        with pytest.raises(LeaseLost):
            save(db, lease, tally_of(1, first=2), since="old")


@pytest.mark.parametrize("since", ["old", None])
def test_a_count_that_is_saved_meanwhile_is_waited_for(
    postgresql: PostgresDatabase, monkeypatch: pytest.MonkeyPatch, since: str | None
) -> None:
    number = save_first(postgresql, 20) if since else add_repository(postgresql)
    is_checked, may_end = threading.Event(), threading.Event()
    is_changed = forgotten_people.is_changed

    def check(*arguments: Any) -> bool:
        found = is_changed(*arguments)
        is_checked.set()
        may_end.wait()
        return found

    def forget() -> None:
        is_checked.wait()
        forget_person(postgresql, "p0030@example.org", github_host=HOST, actor="test")
        sweep(postgresql, HOST)

    monkeypatch.setattr(forgotten_people, "is_changed", check)
    with ThreadPoolExecutor(2) as pool, leased(postgresql, number) as held:
        saved = pool.submit(save, postgresql, held, tally_of(2, first=30), since=since)
        forgotten = pool.submit(forget)
        while not (forgotten.done() or is_any_transaction_blocked(postgresql)):
            pass
        may_end.set()
        saved.result()
        forgotten.result()
    assert "p0030" not in everything(postgresql)
    assert "p0031" in everything(postgresql)


def test_a_worker_goes_on_where_a_sweep_ended(db: Database) -> None:
    for place in range(3):
        save_first(db, 20 + place)
    with db.write() as session:
        found = forgotten_people.with_key(session, HOST)
        value = found.email_hash("p0003@example.org")
        forgotten_people.add(session, value, {value})
    assert sweep(db, HOST, most=1)
    with db.read() as session:
        assert session.value("SELECT count(*) FROM commit_data WHERE email = 'p0003@example.org'") == 2
    assert not sweep(db, HOST)
    assert "p0003" not in everything(db)


def test_nobody_leads_while_commits_are_counted() -> None:
    now = [0.0]
    live = LiveRanking(
        lambda emails: emails,
        lambda: now[0],
        forgotten=lambda emails: emails & {"ada@example.org"} if isinstance(emails, set) else (),
    )
    tally = Tally()
    authors = [
        ("Ada Lovelace", "ada@example.org"),
        ("Ada Lovelace", "ada@home.example"),
        ("Bob Stone", "bob@example.org"),
    ]
    for place, author in enumerate(authors):
        tally.add([b"%040x" % place], [(author, place, False, (), (), b"", False)])
    now[0] = 10.0
    live.note(tally)
    assert live.people == [{"name": "Bob Stone", "commits": 1}]


def test_hashes_depend_on_the_key_and_say_nothing(db: Database) -> None:
    with db.write() as session:
        one = forgotten_people.with_key(session, HOST)
        assert forgotten_people.with_key(session, HOST).key == one.key
        session.run("DELETE FROM instance_secret")
        other = forgotten_people.with_key(session, HOST)
    assert one.email_hash("ada@example.org") == one.email_hash(" Ada@Example.org ")
    assert one.email_hash("ada@example.org") != other.email_hash("ada@example.org")
    stored = one.stored("ada@example.org", "Ada Lovelace", mailmap_name="Ada Lovelace", identity="ada@example.org")
    # A hash may have the letters of "ada".
    assert not [word for word in ("lovelace", "ada@", "example") if word in repr(stored).lower()]


def test_a_count_that_shows_leaders_ends_when_a_person_is_forgotten(db: Database) -> None:
    number = add_repository(db, "github.com/o/r", state="commits_processing")
    progress = {"stage": "commits", "phase": "saving", "overallPercent": 40.0, "leaders": [{"name": "Ada Lovelace"}]}
    with leased(db, number) as held:
        lease.save_progress(db, held.repository, json.dumps(progress))
        forget_person(db, "ada@example.org", github_host=HOST, actor="test")
        # It would be void when it is saved, and knows the person until then.
        lease.save_progress(db, held.repository, json.dumps(progress))
        with pytest.raises(LeaseLost), held.fence():
            pass
    with db.read() as session:
        row = queries.by_id(session, number)
    assert row is not None and row.crashes == 0
    # The bar does not move backwards.
    assert json.loads(row.progress or "") == {key: progress[key] for key in progress if key != "leaders"}
    with db.write() as session:
        assert [found.id for found in due_work.take_due(session, limit=10)] == [number]
