"""While the database is away, what is known is served, and says so."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from podium.app.database_watch import DatabaseWatch
from podium.errors import DatabaseAway, StorageError, WrongRevision
from podium.monitoring.readiness import Check, Stops
from podium.storage import migrate
from podium.storage.session import Database, Session
from podium.storage.sqlite import SqliteDatabase
from podium.storage.transactions import own_writes
from podium.storage.transactions.guarded_database import TRY_EVERY, GuardedDatabase
from podium.storage.transactions.time_limits import NORMAL, TimeLimit
from podium.web.cache import staleness
from podium.web.middleware.stale_answers import FRESH, MAX_COPIES, StaleAnswers
from tests.support.web import Client, Site

BOARD, BADGE, CARD = "/r/octo/hello", "/r/octo/hello/badge.svg", "/r/octo/hello/card.svg"
API = "/leaderboard?repoUrl=octo/hello"
PAGE = {"accept": "text/html"}


class Outage:
    """A database that can be away."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.error: StorageError | None = None
        self.asked = 0

    @contextlib.contextmanager
    def read(self, limit: TimeLimit = NORMAL, /) -> Iterator[Session]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        with self._db.read(limit) as session:
            yield session

    @contextlib.contextmanager
    def write(self, limit: TimeLimit = NORMAL, /) -> Iterator[Session]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        with self._db.write(limit) as session:
            yield session

    def begin(self) -> None:
        self.error = DatabaseAway("it does not answer, at db.internal")
        # What was read is not that new any more.
        own_writes.note()

    def close(self) -> None:
        """Do nothing: the fixture closes the database."""


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outage(sqlite: SqliteDatabase) -> Outage:
    return Outage(sqlite)


@pytest.fixture
def guarded(outage: Outage, clock: Clock) -> GuardedDatabase:
    return GuardedDatabase(outage, clock=clock)


@pytest.fixture
def site(tmp_path: Path, sqlite: SqliteDatabase, guarded: GuardedDatabase) -> Site:
    site = Site(tmp_path, guarded, loopback=True)
    number = site.repository("octo/hello")
    site.person(number, "Ada", "ada@example.org", 3)
    return site


@pytest.fixture
def client(site: Site) -> Client:
    return site.client()


def test_what_was_read_before_is_served_while_the_database_is_away(client: Client, outage: Outage) -> None:
    paths = (BOARD, BADGE, API, "/", "/repositories", "/repositories/1", "/r/octo")
    before = {path: client.get(path, headers=PAGE) for path in paths}
    assert {answer.status_code for answer in before.values()} == {200}
    assert not any("podium-stale" in answer.headers for answer in before.values())
    outage.begin()
    for path in paths:
        stale = client.get(path, headers=PAGE)
        assert (stale.status_code, stale.headers["podium-stale"]) == (200, "database"), path
        assert int(stale.headers["age"]) < 60
        if "text/html" in stale.headers["content-type"]:
            assert "The database does not answer" in stale.text
            assert stale.text.count("<main") == 1 and "etag" not in stale.headers
        else:
            assert stale.content == before[path].content
    outage.error = None


def test_a_returning_reader_gets_the_note(client: Client, outage: Outage) -> None:
    kept = {**PAGE, "if-none-match": client.get(BOARD, headers=PAGE).headers["etag"]}
    assert client.get(BOARD, headers=kept).status_code == 304
    outage.begin()
    stale = client.get(BOARD, headers=kept)
    assert stale.status_code == 200 and "The database does not answer" in stale.text
    outage.error = None


def test_a_list_of_an_owner_elsewhere_is_kept(site: Site, client: Client, outage: Outage) -> None:
    site.repository("https://gitlab.example/a/b")
    path = "/r/gitlab.example/a"
    assert client.get(path, headers=PAGE).status_code == 200
    outage.begin()
    stale = client.get(path, headers=PAGE)
    assert (stale.status_code, stale.headers["podium-stale"]) == (200, "database")
    outage.error = None


def test_a_person_s_page_is_kept_until_something_is_removed(
    site: Site, client: Client, guarded: GuardedDatabase, outage: Outage, clock: Clock
) -> None:
    account = site.account("ada@example.org", "ada")
    with site.db.write() as session:
        session.run("INSERT INTO repository_contributor VALUES (1, :account, 3, 0)", account=account)
    watch = DatabaseWatch(guarded, site.services.on_removal)
    stamp(site.db, migrate.HEAD)
    watch.look()
    paths = ("/people/ada", "/people/ada?offset=0")
    assert {client.get(path, headers=PAGE).status_code for path in paths} == {200}
    outage.begin()
    for path in paths:
        stale = client.get(path, headers=PAGE)
        assert (stale.status_code, stale.headers["podium-stale"]) == (200, "database")
        assert "octo/hello" in stale.text and "The database does not answer" in stale.text
    outage.error = None
    clock.now += TRY_EVERY
    site.change(1, hidden_at=1.0)
    watch.look()
    outage.begin()
    assert {client.get(path, headers=PAGE).status_code for path in paths} == {503}


def test_a_comparison_is_kept_as_a_page_and_as_json(site: Site, client: Client, outage: Outage) -> None:
    site.person(site.repository("octo/two"), "Ada", "ada@example.org", 2)
    path = "/compare?repo=octo/hello&repo=octo/two"
    kinds = ("text/html", "application/json")
    for kind in kinds:
        assert client.get(path, headers={"accept": kind}).headers["content-type"].startswith(kind)
    outage.begin()
    for kind in kinds:
        stale = client.get(path, headers={"accept": kind})
        assert (stale.status_code, stale.headers["podium-stale"]) == (200, "database")
        assert stale.headers["content-type"].startswith(kind)


def test_pages_of_people_push_no_other_copy_out() -> None:
    answers = StaleAnswers()
    home = ("/", b"", "http://localhost", False, True)
    answers.keep(home, {}, b"home")
    for number in range(2 * MAX_COPIES):
        answers.keep((f"/people/{number}", b"", "http://localhost", False, True), {}, b"person")
    assert answers.find(home) is not None


def test_caches_keep_a_stale_answer_for_seconds(client: Client, outage: Outage) -> None:
    assert "max-age=300" in client.get(BADGE).headers["cache-control"]
    outage.begin()
    badge = client.get(BADGE)
    assert badge.headers["cache-control"] == f"public, max-age={int(badge.headers['age']) + FRESH}"
    assert client.get(BADGE, headers={"if-none-match": badge.headers["etag"]}).status_code == 304


def test_what_is_not_kept_is_a_503_that_says_when_to_ask_again(client: Client, outage: Outage) -> None:
    outage.begin()
    for path in (BOARD, CARD, API, "/", "/repositories", "/r/octo"):
        answer = client.get(path, headers=PAGE)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5"), path
        assert "does not answer" in answer.text and "db.internal" not in answer.text
    assert client.post("/leaderboard?repoUrl=octo/new").status_code == 503


def test_the_administrator_gets_no_copy(site: Site, outage: Outage) -> None:
    assert site.client().get("/").status_code == 200
    outage.begin()
    answer = site.administrator().get("/", headers=PAGE)
    assert answer.status_code == 503 and "podium-stale" not in answer.headers


def test_after_the_first_failure_the_database_is_tried_by_one_at_intervals(
    client: Client, outage: Outage, clock: Clock
) -> None:
    assert client.get("/").status_code == 200
    outage.begin()
    client.get("/")
    asked = outage.asked
    for _ in range(5):
        assert client.get("/").headers["podium-stale"] == "database"
    assert outage.asked == asked
    clock.now += TRY_EVERY
    for _ in range(5):
        client.get("/")
    assert outage.asked == asked + 1
    outage.error = None
    clock.now += TRY_EVERY
    assert "podium-stale" not in client.get("/").headers


def test_a_server_that_has_boards_is_ready_to_serve_them(tmp_path: Path, sqlite: SqliteDatabase) -> None:
    away = Check("database", "The database cannot be read", Stops.READS, lambda: "it does not answer")
    site = Site(tmp_path, sqlite, loopback=True, checks=[away])
    site.repository("octo/hello")
    client = site.client()
    assert client.get("/ready").status_code == 503
    assert client.get(BADGE).status_code == 200
    degraded = client.get("/ready")
    assert (degraded.status_code, degraded.json()["status"]) == (200, "degraded")
    assert client.get("/ready?for=write").status_code == 503


def test_another_error_is_not_an_outage(guarded: GuardedDatabase, outage: Outage) -> None:
    outage.error = StorageError("a deadlock")
    for expected in (1, 2):
        with pytest.raises(StorageError, match="deadlock"), guarded.read():
            pass
        assert outage.asked == expected


def test_a_board_that_was_removed_does_not_come_back(site: Site, outage: Outage) -> None:
    client = site.client()
    for path in (BOARD, BADGE, "/repositories/1"):
        assert client.get(path).status_code == 200
    site.change(1, hidden_at=1.0)
    for path in (BOARD, "/repositories/1"):
        assert client.get(path).status_code == 404
    outage.begin()
    assert {client.get(path).status_code for path in (BOARD, BADGE, API)} == {503}


def test_what_another_process_removes_is_dropped_within_seconds(
    site: Site, guarded: GuardedDatabase, outage: Outage
) -> None:
    client = site.client()
    watch = DatabaseWatch(guarded, site.services.on_removal)
    stamp(site.db, migrate.HEAD)
    watch.look()
    paths = (BOARD, BADGE, "/", "/repositories")
    for path in paths:
        assert client.get(path).status_code == 200
    site.change(1, hidden_at=1.0)
    watch.look()
    outage.begin()
    assert {client.get(path).status_code for path in paths} == {503}


@pytest.mark.parametrize("forgets", ["repository", "person"])
def test_what_this_process_forgets_is_dropped_at_once(site: Site, client: Client, outage: Outage, forgets: str) -> None:
    paths = (BOARD, BADGE, "/", "/repositories")
    for path in paths:
        assert client.get(path).status_code == 200
    if forgets == "repository":
        assert site.administrator().request("DELETE", "/repositories/1").status_code == 204
    else:
        done = site.administrator().post("/people/forget", json={"person": "ada@example.org"})
        assert done.status_code == 202
    outage.begin()
    assert {client.get(path).status_code for path in paths} == {503}


def test_each_step_of_a_sweep_drops_what_is_kept(site: Site, guarded: GuardedDatabase) -> None:
    dropped: list[int] = []
    watch = DatabaseWatch(guarded, [lambda: dropped.append(1)])
    stamp(site.db, migrate.HEAD)
    watch.look()
    for swept in ("0", "1", "NULL"):
        with site.db.write() as session:
            session.run(
                f"""INSERT INTO block (kind, value, swept_to, at) VALUES ('person', 'hash', {swept}, 0)
                ON CONFLICT (kind, value) DO UPDATE SET swept_to = {swept}"""
            )
        watch.look()
        watch.look()
    assert len(dropped) == 3


def test_a_copy_is_served_for_hours_at_most(client: Client, outage: Outage, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (BOARD, "/"):
        assert client.get(path).status_code == 200
    outage.begin()
    monkeypatch.setattr(staleness, "MAX_STALE", -1.0)
    assert {client.get(path).status_code for path in (BOARD, "/")} == {503}


def test_waiting_threads_are_not_all_held_by_a_database_that_hangs(guarded: GuardedDatabase, outage: Outage) -> None:
    outage.begin()
    with pytest.raises(DatabaseAway), guarded.read():
        pass
    asked, failed = outage.asked, []

    def ask() -> None:
        try:
            with guarded.write():
                pass
        except DatabaseAway as error:
            failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(failed) == 20
    assert outage.asked == asked


def stamp(db: Database, revision: str, *compatible: str) -> None:
    with db.write() as session:
        # The fixture of SQLite has none.
        session.run("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) PRIMARY KEY)")
        session.run("DELETE FROM alembic_version")
        session.run("INSERT INTO alembic_version VALUES (:revision)", revision=revision)
        session.run("DELETE FROM compatible_revision")
        session.executemany("INSERT INTO compatible_revision VALUES (?)", [(each,) for each in compatible])


def test_a_version_works_beside_the_next_revision_and_says_so(db: Database, caplog: pytest.LogCaptureFixture) -> None:
    stamp(db, migrate.HEAD)
    guarded = GuardedDatabase(db)
    watch = DatabaseWatch(guarded)
    try:
        watch.look()
        assert migrate.check_revision(db) is None
        stamp(db, "ffffffffffff", "eeeeeeeeeeee", migrate.HEAD)
        watch.look()
        watch.look()
        assert "newer Podium" in str(migrate.check_revision(db))
        assert caplog.text.count("works beside it") == 1
        with guarded.read() as session:
            assert session.value("SELECT 1") == 1
        stamp(db, "ffffffffffff", "eeeeeeeeeeee")
        with pytest.raises(WrongRevision, match="update Podium"):
            migrate.check_revision(db)
        for begin in (guarded.read, guarded.write):
            with pytest.raises(WrongRevision, match="newer Podium"):
                watch.look()
            with pytest.raises(WrongRevision, match="update Podium"), begin():
                pass
        stamp(db, migrate.HEAD)
        watch.look()
        with guarded.write() as session:
            assert session.value("SELECT 1") == 1
    finally:
        stamp(db, migrate.HEAD)
