"""Migrations: up and down, with data, several at once, and in step with the tables."""

from __future__ import annotations

import functools
import itertools
import os
import random
import subprocess
import tempfile
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from podium.app import factories
from podium.cli import main
from podium.errors import BadRule, StorageError, WrongRevision
from podium.repositories.address import parse_address, path_address
from podium.settings import Settings
from podium.storage import migrate, sqlite_schema
from podium.storage.commit_log import segments
from podium.storage.commit_log.segments import check_chain
from podium.storage.migration_engine import migration_engine
from podium.storage.migrations.coarse_log import coarse_segments
from podium.storage.sqlite import SqliteDatabase
from tests.support.cli import Podium
from tests.support.postgres import Postgres

FIRST_ROWS = (
    "INSERT INTO repository VALUES (1, 'https://github.com/Ada/Engine', 'completed', NULL, 5, 2, 1, 2, 3, 4)",
    "INSERT INTO repository VALUES (2, 'https://github.com/ada/engine', 'processing', NULL, NULL, NULL, 1, 2, 3, 4)",
    "INSERT INTO repository VALUES (3, 'https://git.example/a/b/c.git', 'failed', 'gone', NULL, NULL, 1, 2, 3, 4)",
    "INSERT INTO contributor VALUES (1, 583231, 'octocat', 'Octo', 'Octo@Example.org', 'a', 'p', 1, 2)",
    "INSERT INTO contributor VALUES (2, NULL, 'nobody', 'No', NULL, NULL, NULL, 1, 2)",
    "INSERT INTO repository_contributor VALUES (1, 1, 3)",
    "INSERT INTO repository_contributor VALUES (1, 2, 2)",
)


def new_database(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'podium.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.url(server.create())


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    return new_database(request, tmp_path)


@pytest.fixture
def filled(url: str) -> str:
    """A database of the first revision, with data."""
    start_at(url, "0001", filled=True)
    return url


@pytest.fixture
def upgraded(url: str) -> str:
    """The same at the newest revision."""
    start_at(url, migrate.HEAD, filled=True)
    return url


def start_at(url: str, revision: str, *, filled: bool = False) -> None:
    """Bring an empty database to a revision, ``filled`` with data of the first one."""
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).write_bytes(_sqlite_at(revision, filled))
        return
    if filled:
        fill(url)
    migrate.migrate(url, revision)


@functools.cache
def _sqlite_at(revision: str, filled: bool) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/podium.db"
        if filled:
            fill(url)
        migrate.migrate(url, revision)
        return Path(folder, "podium.db").read_bytes()


def fill(url: str) -> None:
    migrate.migrate(url, "0001")
    with migration_engine(url).begin() as connection:
        for row in FIRST_ROWS:
            connection.execute(text(row))


def values(url: str, sql: str) -> list[tuple[object, ...]]:
    with migration_engine(url).begin() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def test_the_revisions_of_the_code_are_those_of_the_scripts() -> None:
    scripts = ScriptDirectory.from_config(migrate.configuration("sqlite://"))
    assert [script.revision for script in scripts.walk_revisions()] == [*reversed(migrate.REVISIONS)]


def test_boards_of_before_can_be_searched(upgraded: str) -> None:
    found = values(upgraded, "SELECT search_text FROM repository WHERE host <> '' ORDER BY id")
    assert {row[0] for row in found} == {"ada/engine", "a/b/c"}


def test_an_empty_database_gets_exactly_the_tables_of_the_code(url: str) -> None:
    start_at(url, migrate.HEAD)
    migrate.check_tables(url)


def test_a_new_sqlite_database_is_what_the_migrations_make(tmp_path: Path) -> None:
    start_at(f"sqlite:///{tmp_path / 'migrated.db'}", migrate.HEAD)
    assert sqlite_schema.SCRIPT.read_text() == sqlite_schema.dump(tmp_path / "migrated.db"), "run `make schema`"
    db = SqliteDatabase(tmp_path / "new.db")
    sqlite_schema.create(db)
    sqlite_schema.create(db)
    migrate.check_revision(db)
    db.close()
    assert sqlite_schema.dump(tmp_path / "new.db") == sqlite_schema.dump(tmp_path / "migrated.db")
    migrate.check_tables(f"sqlite:///{tmp_path / 'new.db'}")


def test_a_filled_database_of_the_first_revision_keeps_its_data(upgraded: str) -> None:
    migrate.check_tables(upgraded)
    assert values(upgraded, "SELECT id, key, host, owner, name, state, total_commits FROM repository ORDER BY id") == [
        (1, "github.com/ada/engine", "github.com", "Ada", "Engine", "pending", 5),
        (2, "github.com/ada/engine#2/", "github.com", "ada", "engine", "pending", None),
        (3, "git.example/a/b/c", "git.example", "a/b", "c", "failed", None),
    ]
    assert values(upgraded, "SELECT host, account_id, username FROM contributor ORDER BY id") == [
        ("github.com", 583231, "octocat"),
        ("github.com", None, "nobody"),
    ]
    assert values(upgraded, "SELECT host, email, contributor_id, source FROM known_email") == [
        ("github.com", "octo@example.org", 1, "host")
    ]
    assert values(upgraded, "SELECT * FROM repository_contributor") == [(1, 1, 3, 0), (1, 2, 2, 0)]


def test_down_again_keeps_what_the_first_revision_knew(upgraded: str) -> None:
    migrate.migrate(upgraded, "0001")
    assert values(upgraded, "SELECT id, url, state, total_commits FROM repository ORDER BY id") == [
        (1, "https://github.com/Ada/Engine", "pending", 5),
        (2, "https://github.com/ada/engine", "pending", None),
        (3, "https://git.example/a/b/c.git", "failed", None),
    ]
    assert values(upgraded, "SELECT id, account_id, email FROM contributor ORDER BY id") == [
        (1, 583231, "octo@example.org"),
        (2, None, None),
    ]
    assert values(upgraded, "SELECT repository_id, contributor_id, commit_count FROM repository_contributor") == [
        (1, 1, 3),
        (1, 2, 2),
    ]
    migrate.migrate(upgraded, "base")
    with migration_engine(upgraded).begin() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]


@pytest.mark.parametrize("revision", [migrate.REVISIONS[0], migrate.REVISIONS[-2]])
def test_down_and_up_again_every_board_keeps_its_title_and_key(url: str, revision: str) -> None:
    addresses = [
        *(
            path_address(Path(path))
            for path in ("/home/jo/a b/.git", "/srv/git/x.git", "/.git", "/r/ü#1?/.git", "/a.git")
        ),
        *(path_address(Path("/srv/git/x.git"), name) for name in ("v1.0", "topic/a#b")),
        path_address(Path(os.fsdecode(b"/home/\xff/.git"))),
        path_address(Path("/home/jo/repo/.git/worktrees/tree")),
        *(
            parse_address(text)
            for text in ("Ada/Engine", "git@git.example:a/b/c.git", "https://git.example:8443/x.git")
        ),
    ]
    start_at(url, migrate.HEAD)
    add = text(
        """INSERT INTO repository (key, url, host, owner, name, revision, parent_key, state, created_at, updated_at)
        VALUES (:key, :url, :host, :owner, :name, :revision, :parent_key, 'completed', 1, 1)"""
    )
    with migration_engine(url).begin() as connection:
        for address in addresses:
            names = ("key", "url", "host", "owner", "name", "revision", "parent_key")
            shown = {name: getattr(address, name) for name in names}
            connection.execute(add, shown)
    kept = "SELECT id, key, url, host, owner, name, revision, parent_key FROM repository ORDER BY id"
    before = values(url, kept)
    migrate.migrate(url, revision)
    migrate.migrate(url)
    migrate.check_tables(url)
    assert values(url, kept) == before


COUNTED_ROWS = (
    """INSERT INTO repository (id, key, url, host, owner, name, state, head, total_commits, commits_processed_at,
        counting_version, created_at, updated_at)
    VALUES (1, 'h/o/n', 'https://h/o/n', 'h', 'o', 'n', 'completed', 'abc', 11, 9, 3, 1, 1)""",
    """INSERT INTO repository (id, key, url, host, owner, name, state, created_at, updated_at)
    VALUES (2, 'h/o/m', 'https://h/o/m', 'h', 'o', 'm', 'pending', 1, 1)""",
    *(
        f"""INSERT INTO commit_data (id, repository_id, email, name, mailmap_email, mailmap_name, mailmap_identity,
            commit_count, merge_count, co_authored_count, sample_sha, processed)
        VALUES ({number}, 1, '{name}@h', '{name}', '{name}@h', '{name}', '{name}@h', {counts}, 'abc', true)"""
        for number, name, counts in ((7, "b", "5, 2, 1"), (5, "a", "4, 0, 3"), (9, "c", "0, 0, 2"))
    ),
    *(
        f"INSERT INTO weekly_activity VALUES (1, {values})"
        for values in ("5, -345600, 1, 0, 0, 0", "5, 259200, 3, 0, 3, 0", "7, 259200, 4, 1, 1, 0")
    ),
    *(
        f"INSERT INTO weekly_activity VALUES (1, {values})"
        for values in ("7, 864000, 1, 1, 0, 0", "9, 259200, 0, 0, 1, 1")
    ),
)


def fill_counted(url: str, revision: str) -> None:
    start_at(url, revision)
    with migration_engine(url).begin() as connection:
        for row in COUNTED_ROWS:
            connection.execute(text(row))


@pytest.mark.parametrize("revision", migrate.REVISIONS[1 : migrate.REVISIONS.index("1fdaba60ed02")])
def test_a_board_that_was_counted_by_week_gets_a_coarse_log(url: str, tmp_path: Path, revision: str) -> None:
    fill_counted(url, revision)
    migrate.migrate(url)
    migrate.check_tables(url)
    assert values(url, "SELECT email, ordinal FROM commit_data ORDER BY ordinal") == [
        ("a@h", 0),
        ("b@h", 1),
        ("c@h", 2),
    ]
    db = factories.open_database(Settings(data_dir=str(tmp_path), database_url="" if "sqlite" in url else url))
    with db.read() as session:
        [(link, segment)] = segments.load(session, 1, 0)
        assert list(segments.load(session, 2, 0)) == []
    db.close()
    check_chain([link], head="abc", total_commits=11)
    assert link.is_coarse
    assert segment.authors == [(0, 4), (2, 5), (3, 2)]
    assert list(segment.dates) == [-345600, 259200, 259200, 259200, *[259200] * 4, 864000, 259200, 864000]
    assert segment.oids == b""
    named = [segment.named_sets[number - 1] if number else () for number in segment.named]
    assert [members for members in named if members] == [(1,), (2,), (0,), (0,), (0,), (2,)]
    assert named[10] == ()
    weeks = "SELECT * FROM weekly_activity ORDER BY commit_data_id, week"
    migrate.migrate(url, revision)
    assert values(url, weeks) == [
        (1, 5, -345600, 1, 0, 0, 0),
        (1, 5, 259200, 3, 0, 3, 0),
        (1, 7, 259200, 4, 1, 1, 0),
        (1, 7, 864000, 1, 1, 0, 0),
        (1, 9, 259200, 0, 0, 1, 1),
    ]
    assert values(
        url,
        """SELECT id, co_authored_count, co_authored_merge_count, first_commit_at, last_commit_at, first_merge_at,
            last_merge_at, first_co_authored_at, last_co_authored_at, odd_dates FROM commit_data ORDER BY id""",
    ) == [
        (5, 3, 0, -345600, 259200, None, None, 259200, 259200, 1),
        (7, 1, 0, 259200, 864000, 259200, 864000, 259200, 259200, 0),
        (9, 1, 1, None, None, None, None, 259200, 259200, 0),
    ]


@pytest.mark.parametrize("seed", range(5))
def test_a_coarse_log_names_people_as_often_as_the_weeks_say(seed: int) -> None:
    dice = random.Random(seed)
    runs = [(key, week, dice.randrange(1, 6)) for key in range(9) for week in range(3) if dice.random() < 0.8]
    mentions: dict[tuple[int, bool], dict[int, int]] = {}
    for key, week, commits in runs:
        for ordinal in {*range(7)} - {key // 2}:
            named = mentions.setdefault((week, bool(key % 2)), {})
            named[ordinal] = named.get(ordinal, 0) + dice.randrange(commits + 1)
    expected = sum(sum(named.values()) for named in mentions.values())
    made = list(coarse_segments(runs, mentions))
    assert sum(segment.commits for segment in made) == sum(commits for _, _, commits in runs)
    found = 0
    for segment in made:
        named_of = iter(segment.named)
        for key, commits in segment.authors:
            for number in itertools.islice(named_of, commits):
                members = segment.named_sets[number - 1] if number else ()
                assert key // 2 not in members and len(members) == len({*members})
                found += len(members)
    assert found == expected
    assert not any(any(named.values()) for named in mentions.values())


REVISION_ROWS = """
INSERT INTO repository (id, key, url, host, owner, name, state, created_at, updated_at) VALUES
    (1, 'file:///a%20b/.git', 'file:///a%20b/.git', '', '', 'a b', 'completed', 1, 1),
    (2, 'file:///a%20b/.git#v1%2B', 'file:///a%20b/.git#v1%2B', '', '', 'a b', 'completed', 1, 1)
"""

ADDRESS_ROWS = """
INSERT INTO repository (id, key, url, host, owner, name, revision, parent_key, state, created_at, updated_at) VALUES
    (3, 'h/o/n', 'https://h/o/n', 'h', 'o', 'n', NULL, NULL, 'completed', 1, 1),
    (4, 'h/o/n#v1', 'https://h/o/n#v1', 'h', 'o', 'n', 'v1', 'h/o/n', 'completed', 1, 1)
"""


def test_revisions_of_paths_are_known_after_down_and_up_and_those_of_addresses_leave(url: str) -> None:
    start_at(url, "1fdaba60ed02")
    values_of = "SELECT id, revision, parent_key, name FROM repository ORDER BY id"
    with migration_engine(url).begin() as connection:
        connection.execute(text(REVISION_ROWS))
    migrate.migrate(url)
    paths: list[tuple[object, ...]] = [(1, None, None, "a b"), (2, "v1+", "file:///a%20b/.git", "a b")]
    assert values(url, values_of) == paths
    with migration_engine(url).begin() as connection:
        connection.execute(text(ADDRESS_ROWS))
        connection.execute(text("INSERT INTO hidden_count VALUES (4, 1), (3, 1)"))
    migrate.migrate(url, "1fdaba60ed02")
    assert values(url, "SELECT repository_id FROM hidden_count") == [(3,)]
    migrate.migrate(url)
    assert values(url, values_of) == [*paths, (3, None, None, "n")]
    migrate.check_tables(url)


def test_several_that_start_at_once_migrate_once(tmp_path: Path, filled: str) -> None:
    podium = Podium(tmp_path)
    variables = {} if filled.startswith("sqlite") else {"DATABASE_URL": filled}
    started = [podium.start("migrate", stderr=subprocess.PIPE, **variables) for _ in range(2)]
    for process in started:
        _, complaint = process.communicate(timeout=60)
        assert (process.returncode, complaint) == (0, "")
    migrate.check_tables(filled)
    assert values(filled, "SELECT count(*) FROM repository") == [(3,)]


def test_the_command_says_which_revision_the_database_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path))
    url, before = f"sqlite:///{tmp_path / 'podium.db'}", migrate.REVISIONS[-2]
    start_at(url, before)
    for words, line in (
        ([], f"The database has revision {migrate.HEAD}."),
        (["--to", before], f"The database has revision {before}."),
    ):
        assert main(["migrate", *words]) == 0
        assert capsys.readouterr() == (f"{line}\n", "")
    start_at(url, "0001")
    assert main(["migrate", "--to", "base"]) == 0
    assert capsys.readouterr() == ("The database has no tables of Podium.\n", "")


def test_the_embedded_default_migrates_itself(tmp_path: Path) -> None:
    start_at(f"sqlite:///{tmp_path / 'podium.db'}", migrate.REVISIONS[-2])
    db = factories.open_database(Settings(data_dir=str(tmp_path)))
    migrate.check_revision(db)
    db.close()


def test_an_older_database_named_in_the_settings_is_refused_with_what_to_run(tmp_path: Path, filled: str) -> None:
    with pytest.raises(WrongRevision, match="podium migrate"):
        factories.open_database(Settings(data_dir=str(tmp_path), database_url=filled))


def test_an_empty_postgresql_database_may_be_the_wrong_one_and_is_left_alone(
    tmp_path: Path, postgres: Postgres
) -> None:
    url = postgres.url(postgres.create())
    with pytest.raises(WrongRevision, match="podium migrate"):
        factories.open_database(Settings(data_dir=str(tmp_path), database_url=url))
    with migration_engine(url).begin() as connection:
        assert inspect(connection).get_table_names() == []


REMOVED = sorted(migrate.REMOVED)


def stamp(url: str, revision: str) -> None:
    with migration_engine(url).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
        connection.execute(text("DELETE FROM compatible_revision"))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def current(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database of each kind at the newest revision."""
    url = new_database(request, tmp_path_factory.mktemp("current"))
    start_at(url, migrate.HEAD)
    return url


@pytest.fixture
def stamped(request: pytest.FixtureRequest, current: str) -> str:
    """The same, stamped with another revision."""
    stamp(current, request.param)
    return current


def test_no_revision_has_a_removed_id() -> None:
    assert not migrate.REMOVED & set(migrate.REVISIONS)


# The next test looks at all of them.
@pytest.mark.parametrize("stamped", [REMOVED[0], REMOVED[-1]], indirect=True)
def test_a_database_of_a_removed_revision_is_refused_with_what_to_do(
    tmp_path: Path, stamped: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    start_again = "start with a new data folder"
    settings = Settings(data_dir=str(tmp_path), database_url=stamped)
    for refused in (
        lambda: factories.open_database(settings),
        lambda: migrate.migrate(stamped),
        lambda: migrate.migrate(stamped, "0001"),
        lambda: migrate.check_tables(stamped),
    ):
        with pytest.raises(WrongRevision, match=start_again):
            refused()
    monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", stamped)
    for words in (["migrate"], ["migrate", "--check"], ["migrate", "--to", "base"], ["queue"], ["queue", "retry"]):
        assert main(words) == 2
        complaint = capsys.readouterr().err
        assert start_again in complaint
        assert complaint.count("\n") == 1
    assert main(["doctor", "--offline", "--wait", "60"]) == 1
    assert start_again in capsys.readouterr().out.lower()


def stamp_data_folder(folder: Path, revision: str) -> str:
    db = SqliteDatabase(folder / "podium.db")
    sqlite_schema.create(db)
    db.close()
    url = f"sqlite:///{folder / 'podium.db'}"
    stamp(url, revision)
    return url


@pytest.mark.parametrize("revision", REMOVED)
def test_a_data_folder_of_a_removed_revision_is_refused_and_left_alone(tmp_path: Path, revision: str) -> None:
    url = stamp_data_folder(tmp_path, revision)
    with pytest.raises(WrongRevision, match="start with a new data folder"):
        factories.open_database(Settings(data_dir=str(tmp_path)))
    assert values(url, "SELECT version_num FROM alembic_version") == [(revision,)]


@pytest.mark.parametrize("words", [["rank", str(Path(__file__).parent)], ["serve", "--port", "0"]])
def test_a_command_that_opens_a_data_folder_of_a_removed_revision_ends(tmp_path: Path, words: list[str]) -> None:
    stamp_data_folder(tmp_path, "0008")
    done = Podium(tmp_path).run(*words)
    assert done.returncode == 2
    assert "start with a new data folder" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("stamped", ["9999", "ffffffffffff", "0000"], indirect=True)
def test_a_database_of_an_unknown_revision_was_made_by_a_newer_podium(tmp_path: Path, stamped: str) -> None:
    for refused in (
        lambda: factories.open_database(Settings(data_dir=str(tmp_path), database_url=stamped)),
        lambda: migrate.migrate(stamped),
        lambda: migrate.check_tables(stamped),
    ):
        with pytest.raises(WrongRevision, match="newer Podium"):
            refused()


@pytest.mark.parametrize("to", ["0005", "9999", "+1", "nonsense"])
def test_a_revision_that_does_not_exist_is_no_target(url: str, to: str) -> None:
    with pytest.raises(BadRule, match="choose one of base, 0001"):
        migrate.migrate(url, to)


def test_a_database_that_cannot_be_reached_is_one_line_without_the_password(postgres: Postgres) -> None:
    wrong = postgres.url().replace(str(postgres.port), "1")
    with pytest.raises(StorageError, match=r"cannot be reached.*refused") as error:
        migrate.migrate(wrong)
    assert "\n" not in error.value.message
    assert "tests" not in error.value.message


def test_a_file_that_is_no_database_is_recognised_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "podium.db"
    path.write_text("precious notes, and no database\n" * 100)
    with pytest.raises(StorageError, match="restore a backup") as error:
        factories.open_database(Settings(data_dir=str(tmp_path)))
    # The error's frames still hold the connection, which must be closed.
    assert error.value.__traceback__
    assert not [link for link in Path("/proc/self/fd").glob("*") if link.resolve() == path]
    assert path.read_text().startswith("precious")


def test_a_data_folder_that_cannot_be_made_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="PODIUM_DATA_DIR"):
        factories.open_database(Settings(data_dir=str(tmp_path / "file" / "data")))
