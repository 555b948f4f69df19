"""A backup has all rows of one moment, and fills either database; a bad file changes nothing."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import gzip
import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from podium import cli
from podium.app import backups, factories
from podium.audit import audit_log
from podium.backup import archive, snapshot
from podium.backup.carried_tables import NOT_CARRIED, carried_tables
from podium.errors import BadBackup, BadSetting, Conflict, OutputError, WrongRevision
from podium.forgetting.forget_person import forget_person
from podium.repositories.model import Repository
from podium.repositories.store import gone, queries
from podium.repositories.store.readers import readable
from podium.settings import Settings
from podium.storage import migrate
from podium.storage.session import Database, Session
from podium.storage.tables import metadata
from tests.support.bulk_rows import fill
from tests.support.postgres import PASSWORD, Postgres
from tests.support.rows import add_repository
from tests.support.web import open_site

KEY = b"\x00\xff" * 16
BLOCK = "INSERT INTO block (kind, value, reason, at) VALUES (:kind, :value, 'by request', 5.5)"


@dataclasses.dataclass(frozen=True)
class Installation:
    settings: Settings

    @contextlib.contextmanager
    def open(self) -> Iterator[Database]:
        with contextlib.closing(factories.open_database(self.settings)) as db:
            yield db

    def rows(self) -> dict[str, list[list[Any]]]:
        """All that is carried, but what is recorded in the audit log."""
        with self.open() as db, db.read() as session:
            return {
                table.name: [table.to_json(row) for rows in snapshot.batches(session, table) for row in rows]
                for table in carried_tables()
                if table.name != "audit_log"
            }

    def audit(self) -> list[tuple[str, str]]:
        with self.open() as db, db.read() as session:
            return [(entry.act, entry.subject) for entry in audit_log.latest(session, 10)]


@pytest.fixture
def sqlite_installation(tmp_path: Path) -> Installation:
    return Installation(Settings(data_dir=str(tmp_path / "first")))


@pytest.fixture
def postgres_installation(tmp_path: Path, postgres: Postgres) -> Installation:
    return Installation(Settings(data_dir=str(tmp_path / "second"), database_url=postgres.url(postgres.create())))


@pytest.fixture
def filled(sqlite_installation: Installation) -> Installation:
    with sqlite_installation.open() as db:
        fill_all(db)
    return sqlite_installation


def fill_all(db: Database) -> None:
    fill(db, repositories=8, people=12)
    with db.write() as session:
        session.run("UPDATE commit_data SET name = :name WHERE id = 3", name="Zoë 🦀 \u202e\\ \"'\t李")
        session.run("INSERT INTO instance_secret (name, value) VALUES ('key', :key)", key=KEY)
        session.run(BLOCK, kind="person", value="ab12")
        session.run(
            """INSERT INTO worker_fault (repository_id, worker_id, code, message, at)
            VALUES (1, 'w', 'disk', 'full', 1.5)"""
        )
        audit_log.record(session, audit_log.API, "block", "ab12")
        for kind, name in (("schedule", ""), ("host", "git.example"), ("repository", "3")):
            session.run("INSERT INTO pause (kind, name, at) VALUES (:kind, :name, 5.5)", kind=kind, name=name)
        session.run("INSERT INTO host_limit (host, at_once) VALUES ('git.example', 2)")
        # A worker holds a repository and a batch.
        session.run("UPDATE repository SET lease_holder = 'w', lease_until = 5.5, lease_token = 7 WHERE id = 2")
        session.run("UPDATE commit_data SET claim_token = 'c', claim_until = 6.5 WHERE id = 4")


def save(installation: Installation, path: Path) -> Path:
    backups.backup(installation.settings, str(path), force=False)
    return path


# What is saved comes back


def test_every_table_is_carried_or_named_as_left_out() -> None:
    assert {table.name for table in carried_tables()} | NOT_CARRIED == set(metadata.tables)
    names = [table.name for table in carried_tables()]
    for table in metadata.tables.values():
        for key in table.foreign_keys:
            if table.name not in NOT_CARRIED:
                assert names.index(key.column.table.name) < names.index(table.name)


def test_a_backup_of_sqlite_fills_postgresql_and_comes_back(
    filled: Installation, postgres_installation: Installation, tmp_path: Path
) -> None:
    before = filled.rows()
    assert before["commit_log"]
    assert before["repository_contributor"]
    assert len(before["pause"]) == 3 and before["host_limit"] == [["git.example", 2]]
    file = save(filled, tmp_path / "podium.gz")
    assert file.stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("*.part"))

    backups.restore(postgres_installation.settings, str(file), force=False)
    assert postgres_installation.rows() == before
    assert [act for act, _ in postgres_installation.audit()] == ["restore", "block"]
    with postgres_installation.open() as db:
        # The sequences continue after the ids that were restored.
        assert add_repository(db, "github.com/new/one") == 9
        with db.read() as session:
            held = "lease_holder IS NOT NULL OR lease_until IS NOT NULL"
            assert session.value(f"SELECT count(*) FROM repository WHERE {held}") == 0
            assert session.value("SELECT lease_token FROM repository WHERE id = 2") == 7
            assert session.value("SELECT count(*) FROM commit_data WHERE claim_token IS NOT NULL") == 0
            assert session.value("SELECT count(*) FROM worker_fault") == 0

    third = Installation(Settings(data_dir=str(tmp_path / "third")))
    backups.restore(third.settings, str(save(postgres_installation, tmp_path / "again.gz")), force=False)
    assert third.rows() == postgres_installation.rows()


def test_a_copy_goes_from_sqlite_to_postgresql_and_back(
    filled: Installation,
    postgres_installation: Installation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PODIUM_DATA_DIR", filled.settings.data_dir)
    monkeypatch.setenv("PODIUM_COPY_TO", postgres_installation.settings.database_url)
    assert cli.main(["copy"]) == 0
    assert postgres_installation.rows() == filled.rows()
    assert filled.audit()[0] == ("copy", "to PostgreSQL")
    assert postgres_installation.audit()[0] == ("copy", "from SQLite")
    # It is not empty any more.
    assert cli.main(["copy"]) == 2
    written = "".join(capsys.readouterr())
    assert "--force" in written
    assert PASSWORD not in written
    assert PASSWORD.encode().hex() not in written

    third = Installation(Settings(data_dir=str(tmp_path / "third"), database_url=f"sqlite:///{tmp_path}/third.db"))
    back = dataclasses.replace(postgres_installation.settings, copy_to=third.settings.database_url)
    backups.copy(back, force=False)
    assert third.rows() == postgres_installation.rows()


def test_a_copy_needs_another_database(filled: Installation, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="PODIUM_COPY_TO is not set"):
        backups.copy(filled.settings, force=True)
    itself = f"sqlite:///{filled.settings.sqlite_path()}"
    with pytest.raises(BadSetting, match="the database that would be copied"):
        backups.copy(dataclasses.replace(filled.settings, copy_to=itself), force=True)
    with pytest.raises(BadSetting, match="PODIUM_COPY_TO cannot be read") as caught:
        backups.copy(dataclasses.replace(filled.settings, copy_to="postgresql://u:se/cret@h/d"), force=True)
    assert "cret" not in str(caught.value)


def test_a_file_is_one_snapshot(filled: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written while the file is written is not in it."""
    file = io.BytesIO()
    read = snapshot.batches

    def and_write(session: Any, table: Any) -> Iterator[Any]:
        if table.name == "repository":
            add_repository(db, "github.com/late/one")
        yield from read(session, table)

    monkeypatch.setattr(archive, "batches", and_write)
    with filled.open() as db, db.read() as session:
        assert archive.write(session, file)["repository"] == 8


def test_memory_does_not_grow_with_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "STEP_ROWS", 20)
    carried_tables()
    peaks = []
    for repositories in (8, 32):
        installation = Installation(Settings(data_dir=str(tmp_path / str(repositories))))
        with installation.open() as db:
            fill(db, repositories=repositories, people=20)
        other = f"sqlite:///{tmp_path}/copy-{repositories}.db"
        to = dataclasses.replace(installation.settings, copy_to=other)
        tracemalloc.start()
        save(installation, tmp_path / f"{repositories}.gz")
        backups.copy(to, force=False)
        backups.restore(dataclasses.replace(to, database_url=other), str(tmp_path / f"{repositories}.gz"), force=True)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # The larger one has four times as many rows.
    assert peaks[1] < 1.5 * peaks[0]


# What is refused


def test_a_file_is_not_overwritten_without_force(filled: Installation, tmp_path: Path) -> None:
    path = tmp_path / "podium.gz"
    path.write_text("mine")
    with pytest.raises(OutputError, match="--force"):
        backups.backup(filled.settings, str(path), force=False)
    assert path.read_text() == "mine"
    backups.backup(filled.settings, str(path), force=True)
    assert path.read_bytes().startswith(b"\x1f\x8b")


def test_an_interrupted_backup_leaves_no_file(
    filled: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(archive, "batches", interrupted)
    with pytest.raises(KeyboardInterrupt):
        backups.backup(filled.settings, str(tmp_path / "podium.gz"), force=False)
    assert not list(tmp_path.glob("podium*"))


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_a_backup_follows_no_link_of_another_user(filled: Installation, tmp_path: Path, link: str) -> None:
    target = tmp_path / "target"
    target.write_text("kept")
    getattr(tmp_path / "podium.gz.part", link)(target)
    with pytest.raises(OutputError, match=r"podium\.gz\.part is a link"):
        backups.backup(filled.settings, str(tmp_path / "podium.gz"), force=True)
    assert target.read_text() == "kept"


def test_a_backup_takes_the_place_of_one_that_was_killed(filled: Installation, tmp_path: Path) -> None:
    part = tmp_path / "podium.gz.part"
    part.write_bytes(b"the beginning of a backup" * 100_000)
    part.chmod(0o644)
    counts = backups.backup(filled.settings, str(tmp_path / "podium.gz"), force=False)
    assert not part.exists()
    assert (tmp_path / "podium.gz").stat().st_mode & 0o777 == 0o600
    with (tmp_path / "podium.gz").open("rb") as file:
        assert sum(1 for _ in archive.read(file)) == sum(counts.values())


def test_two_backups_do_not_write_one_file(filled: Installation, tmp_path: Path) -> None:
    path = tmp_path / "podium.gz"
    with archive.new_file(path, replace=False) as file:
        file.write(b"first")
        with pytest.raises(OutputError, match="Another backup is being written"), archive.new_file(path, replace=False):
            pass
    assert path.read_bytes() == b"first"
    assert [found.name for found in tmp_path.glob("podium.gz*")] == ["podium.gz"]


def test_a_folder_that_is_missing_is_named(filled: Installation, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="its folder does not exist"):
        backups.backup(filled.settings, str(tmp_path / "missing" / "podium.gz"), force=False)
    with pytest.raises(OutputError, match="No such file"):
        backups.restore(filled.settings, str(tmp_path / "missing.gz"), force=False)


@pytest.mark.parametrize("path", ["", ".", "..", "/", "/dev/full"])
def test_what_is_not_a_file_is_not_replaced_by_force(filled: Installation, path: str) -> None:
    with pytest.raises(OutputError, match="is not a file"):
        backups.backup(filled.settings, path, force=True)


def test_a_closed_stream_is_neither_written_nor_read(
    filled: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{name}", None)
    with pytest.raises(OutputError, match="Standard output is closed"):
        backups.backup(filled.settings, "-", force=False)
    with pytest.raises(OutputError, match="Standard input is closed"):
        backups.restore(Settings(data_dir=str(tmp_path / "empty")), "-", force=False)


def test_a_board_that_was_hidden_since_the_backup_stays_hidden(
    filled: Installation, postgres_installation: Installation, tmp_path: Path
) -> None:
    path = save(filled, tmp_path / "podium.gz")
    for installation in (filled, postgres_installation):
        backups.restore(installation.settings, str(path), force=installation is filled)
        with installation.open() as db, db.write() as session:
            row = queries.by_id(session, 3)
            assert row is not None
            gone.note(session, row, code="missing", after=0.0)
        backups.restore(installation.settings, str(path), force=True)
        with installation.open() as db, db.read() as session:
            assert [repository.id for repository in readable_rows(session)] == [1, 2, 4, 5, 6, 7, 8]
            found = queries.by_id(session, 3)
        # Its host is asked at once, also where nothing is scheduled.
        assert found is not None and None not in (found.hidden_at, found.gone_since, found.check_at)


def readable_rows(session: Session) -> list[Repository]:
    found = (readable.by_id(session, number) for number in range(1, 9))
    return [repository for repository in found if repository is not None]


def test_a_database_with_rows_is_replaced_only_by_force(filled: Installation, tmp_path: Path) -> None:
    file = save(filled, tmp_path / "podium.gz")
    before = filled.rows()
    with filled.open() as db:
        add_repository(db, "github.com/late/one")
    with pytest.raises(Conflict, match="--force"):
        backups.restore(filled.settings, str(file), force=False)
    backups.restore(filled.settings, str(file), force=True)
    assert filled.rows() == before


def test_a_database_in_use_is_not_filled(filled: Installation, tmp_path: Path) -> None:
    file = save(filled, tmp_path / "podium.gz")
    with filled.open() as db, db.write() as session:
        session.run("INSERT INTO worker VALUES ('w', 'h', 1, '1', 'commits', '{}', {now}, {now})")
    with pytest.raises(Conflict, match="stop all of them"):
        backups.restore(filled.settings, str(file), force=True)


def test_blocks_of_both_stay(filled: Installation, tmp_path: Path) -> None:
    file = save(filled, tmp_path / "podium.gz")
    with filled.open() as db, db.write() as session:
        # What was forgotten after the backup.
        session.run(BLOCK, kind="person", value="cd34")
    backups.restore(filled.settings, str(file), force=True)
    assert [row[1] for row in filled.rows()["block"]] == ["ab12", "cd34"]

    elsewhere = Installation(Settings(data_dir=str(tmp_path / "elsewhere")))
    with elsewhere.open() as db, db.write() as session:
        session.run(BLOCK, kind="owner", value="github.com/spam")
        session.run("INSERT INTO instance_secret (name, value) VALUES ('key', :key)", key=b"another")
    backups.restore(elsewhere.settings, str(file), force=False)
    assert [row[1] for row in elsewhere.rows()["block"]] == ["github.com/spam", "ab12"]
    assert elsewhere.rows()["instance_secret"] == [["key", base64.b64encode(KEY).decode()]]


def test_a_person_forgotten_after_the_backup_is_not_on_the_restored_board(
    sqlite_installation: Installation, tmp_path: Path
) -> None:
    settings = sqlite_installation.settings
    with open_site(tmp_path, factories.open_database(settings)) as site:
        board = site.repository("octo/hello")
        site.person(board, "Ada Lovelace", "ada@example.org", 3)
        site.person(board, "Bob Stone", "bob@example.org", 2)
        site.account("ada@example.org", "countess")
    file = save(sqlite_installation, tmp_path / "podium.gz")
    other = Settings(data_dir=str(tmp_path / "other"), database_url=f"sqlite:///{tmp_path}/other.db")
    with sqlite_installation.open() as db:
        forget_person(db, "countess", github_host="github.com", actor="test")
    # Restored over what forgot the person, and copied from it.
    backups.restore(settings, str(file), force=True)
    backups.copy(dataclasses.replace(settings, copy_to=other.database_url), force=False)
    for found in (settings, other):
        with open_site(tmp_path, factories.open_database(found)) as site:
            client = site.client()
            document = client.get("/leaderboard?repoUrl=octo/hello").json()
            assert [row["name"] for row in document["top_contributors"]] == ["Bob Stone"]
            assert document["removedCommits"] == 3
            assert client.get("/people/countess").status_code == 404
            pages = [client.get(path).text for path in ("/r/octo/hello", "/people/countess", "/?search=countess")]
            assert "Lovelace" not in "".join(pages)
            with site.db.read() as session:
                assert not session.all("SELECT id FROM commit_data WHERE email = 'ada@example.org'")
                assert not session.all("SELECT email FROM known_email")


def test_hashes_of_another_key_are_not_lost(filled: Installation, tmp_path: Path) -> None:
    file = save(filled, tmp_path / "podium.gz")
    with filled.open() as db, db.write() as session:
        session.run("UPDATE instance_secret SET value = :key", key=b"another")
    with pytest.raises(Conflict, match="another key"):
        backups.restore(filled.settings, str(file), force=True)


def test_a_database_of_another_revision_is_not_saved(filled: Installation, tmp_path: Path) -> None:
    with filled.open() as db:
        with db.write() as session:
            session.run("UPDATE alembic_version SET version_num = 'newer'")
        with pytest.raises(WrongRevision):
            backups.backup(filled.settings, str(tmp_path / "podium.gz"), force=False)


# Files that are no good


Lines = list[bytes]


def changed(change: Callable[[dict[str, Any]], object]) -> Callable[[Lines], Lines]:
    def damage(lines: Lines) -> Lines:
        header = json.loads(lines[0])
        change(header)
        return [json.dumps(header).encode() + b"\n", *lines[1:]]

    return damage


def in_row(column: str, value: object) -> Callable[[Lines], Lines]:
    """Another value in the first row of table ``repository``."""

    def damage(lines: Lines) -> Lines:
        start = next(number for number, line in enumerate(lines) if b'"table":"repository"' in line)
        columns = json.loads(lines[start])["columns"]
        row = json.loads(lines[start + 1])
        row[columns.index(column)] = value
        return [*lines[: start + 1], json.dumps(row).encode() + b"\n", *lines[start + 2 :]]

    return damage


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file that is as it should be."""
    installation = Installation(Settings(data_dir=str(tmp_path_factory.mktemp("whole"))))
    with installation.open() as db:
        fill_all(db)
    return saved_file(installation).read_bytes()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda lines: lines[:-1], "its end is missing"),
        (lambda lines: [*lines, b"[]\n"], "before or after"),
        (lambda lines: [*lines[:-2], lines[-1]], "before or after"),
        (lambda lines: [lines[0], *lines[2:]], "line 2"),
        (lambda lines: [line.replace(b'"owner"', b'"password"') for line in lines], "another table"),
        (lambda lines: [line.replace(b'"table":"block"', b'"table":"pg_shadow"') for line in lines], "another table"),
        (lambda lines: [*lines[:2], b"[" * 100_000 + b"\n"], "not JSON"),
        (lambda lines: [*lines[:2], b"\xff\n"], "not JSON"),
        (lambda lines: [b"{}\n"], "not a Podium backup"),
        (lambda lines: [b"[]\n"], "not a Podium backup"),
        (lambda lines: [b"Ada\n"], "not a Podium backup"),
        (in_row("owner", 5), "no str in repository.owner"),
        (in_row("owner", None), "no str in repository.owner"),
        (in_row("owner", "a\0b"), "broken text in repository.owner"),
        (in_row("owner", "\ud800"), "broken text in repository.owner"),
        (in_row("lease_token", True), "no int in repository.lease_token"),
        (in_row("lease_token", 2**63), "a number that is too large"),
        (in_row("owner", "another"), "before or after"),
        (changed(lambda header: header.update(formatVersion=2)), "update Podium"),
        (changed(lambda header: header.update(revision="ffffffffffff")), "a newer one made it"),
        (changed(lambda header: header.update(revision=[1])), "a newer one made it"),
        (changed(lambda header: header.update(revision=migrate.REVISIONS[-2])), "with that version"),
    ],
)
def test_a_bad_file_changes_nothing(
    whole: bytes, tmp_path: Path, damage: Callable[[Lines], Lines], message: str
) -> None:
    lines = gzip.decompress(whole).splitlines(keepends=True)
    path = tmp_path / "bad.gz"
    path.write_bytes(gzip.compress(b"".join(damage(lines)), 1))
    elsewhere = Settings(data_dir=str(tmp_path / "elsewhere"))
    with pytest.raises(BadBackup, match=message):
        backups.restore(elsewhere, str(path), force=False)
    with Installation(elsewhere).open() as db, db.read() as session:
        assert not session.all("SELECT id FROM repository")
        assert not session.all("SELECT value FROM block")


def saved_file(installation: Installation) -> Path:
    return save(installation, Path(installation.settings.data_dir) / "podium.gz")


def test_a_damaged_file_is_no_traceback(whole: bytes, tmp_path: Path) -> None:
    for content in (b"", b"no gzip", whole[:2000], whole[:200] + b"\0" * 50 + whole[250:], whole + b"more"):
        (tmp_path / "bad.gz").write_bytes(content)
        with pytest.raises(BadBackup, match="damaged"):
            backups.restore(Settings(data_dir=str(tmp_path / "e")), str(tmp_path / "bad.gz"), force=False)


def test_a_line_has_a_limit(whole: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "podium.gz").write_bytes(whole)
    monkeypatch.setattr(archive, "LONGEST_LINE", 200)
    with pytest.raises(BadBackup, match="longer than 200 bytes"):
        backups.restore(Settings(data_dir=str(tmp_path / "e")), str(tmp_path / "podium.gz"), force=False)


def test_standard_output_is_a_file_too(
    filled: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("PODIUM_DATA_DIR", filled.settings.data_dir)
    assert cli.main(["backup", "-"]) == 0
    written, said = capfdbinary.readouterr()
    assert b"Saved 8 repositories" in said
    (tmp_path / "podium.gz").write_bytes(written)
    monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path / "elsewhere"))
    assert cli.main(["restore", str(tmp_path / "podium.gz")]) == 0
    assert capfdbinary.readouterr()[0].startswith(b"Restored ")
