"""A forgotten repository leaves nothing, whatever happens meanwhile."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from podium.app import factories
from podium.audit import audit_log
from podium.cli import main
from podium.clones.mirrors import mirror_path
from podium.errors import LeaseLost
from podium.forgetting.cleanup import Cleanup, Disk
from podium.forgetting.forget_repository import Kept, forget_repository, mark_repository, remove_marked
from podium.jobs.reconciler import LeadingReconciler
from podium.repositories.store.deletion import removal
from podium.settings import Settings
from podium.storage import sqlite_schema
from podium.storage.session import Database
from podium.storage.sqlite import SqliteDatabase
from tests.counting.test_saving import save, save_first, submit_again, take, tally_of
from tests.support.repos import commit, make_bare, set_branch
from tests.support.rows import EmptyBacklog, RecordingQueues, add_repository, leased
from tests.support.web import Site, is_problem, open_site

TABLES = (
    "repository",
    "commit_data",
    "commit_log",
    "repository_contributor",
    "hidden_count",
    "known_email",
    "contributor",
)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("podium.repositories.store.deletion.removal._ROWS", 20)


def sizes(db: Database) -> dict[str, int]:
    with db.read() as session:
        return {table: session.value(f"SELECT count(*) FROM {table}") for table in TABLES}


def two_sites_of_ada(site: Site) -> tuple[int, int]:
    """Ada is on both boards, with her account; Bob only on the first."""
    first, second = site.repository("octo/hello"), site.repository("octo/other")
    for repository in (first, second):
        site.person(repository, "Ada", "ada@example.org", 3)
    site.person(first, "Bob", "bob@example.org", 2)
    site.account("ada@example.org", "ada", avatar_url="https://avatars.githubusercontent.com/u/1")
    site.account("bob@example.org", "bob", avatar_url="https://avatars.githubusercontent.com/u/2")
    return first, second


def test_an_operator_deletes_a_repository_in_the_api(tmp_path: Path, db: Database) -> None:
    with open_site(tmp_path, db) as site:
        first, _ = two_sites_of_ada(site)
        site.repository("octo/hello", rev="next", parent_key="github.com/octo/hello")
        admin, stranger = site.administrator(), site.client()
        pages = (
            "/leaderboard?repoUrl=octo/hello",
            "/r/octo/hello/badge.svg",
            f"/repositories/{first}",
            "/r/octo/hello/board.csv",
        )
        assert [stranger.get(url).status_code for url in pages] == [200] * 4
        assert stranger.request("DELETE", f"/repositories/{first}").status_code == 401
        assert admin.request("DELETE", f"/repositories/{first}").status_code == 204
        assert is_problem(admin.request("DELETE", f"/repositories/{first}"), 404)
        assert [stranger.get(url).status_code for url in pages] == [404] * 4
        assert [each["url"] for each in stranger.get("/repositories").json()] == ["https://github.com/octo/other"]
        assert stranger.get("/leaderboard?repoUrl=octo/hello&rev=next").status_code == 404
        assert sizes(db) == dict(zip(TABLES, (1, 1, 1, 0, 0, 1, 1), strict=True))
        assert stranger.get("/people/bob").status_code == 404
        with db.read() as session:
            (entry,) = audit_log.latest(session, 10)
        assert (entry.actor, entry.act, entry.subject) == ("api", "forget", "https://github.com/octo/hello")
        # It may come back, as a new repository.
        assert stranger.post("/leaderboard?repoUrl=octo/hello").status_code == 202


def test_a_blocked_one_is_refused_in_each_spelling(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        number = site.repository("octo/hello")
        assert site.administrator().request("DELETE", f"/repositories/{number}?block=true").status_code == 204
        for url in ("octo/hello", "https://github.com/OCTO/Hello.git", "octo/hello&rev=v1"):
            assert is_problem(site.client().post(f"/leaderboard?repoUrl={url}"), 403, "blocked")
        page = site.client().post(
            "/submit",
            data={"repoUrl": "octo/hello"},
            headers={"accept": "text/html", "origin": "http://localhost:3000"},
        )
        assert page.status_code in (403, 404, 405)
        assert site.client().post("/leaderboard?repoUrl=octo/hello2").status_code == 202


def test_its_pictures_go_unless_another_board_has_them(tmp_path: Path) -> None:
    dropped: list[str] = []
    with open_site(tmp_path) as site:
        first, second = two_sites_of_ada(site)
        kept = Kept(lambda _: None, dropped.extend)
        forget_repository(site.db, first, actor="test", kept=kept)
        assert dropped == ["https://avatars.githubusercontent.com/u/2"]
        forget_repository(site.db, second, actor="test", kept=kept)
        assert dropped[1:] == ["https://avatars.githubusercontent.com/u/1"]


def test_a_count_that_runs_meanwhile_saves_nothing(db: Database) -> None:
    number = add_repository(db)
    held = take(db, number)
    assert forget_repository(db, number, actor="test")
    with pytest.raises(LeaseLost):
        save(db, held, tally_of(30))
    assert sizes(db) == dict.fromkeys(TABLES, 0)


def test_a_refresh_that_runs_meanwhile_saves_nothing(db: Database) -> None:
    number = save_first(db, 30)
    held = take(db, number)
    assert forget_repository(db, number, actor="test")
    with pytest.raises(LeaseLost):
        save(db, held, tally_of(1, first=30), since="old")
    assert not forget_repository(db, number, actor="test")
    assert sizes(db) == dict.fromkeys(TABLES, 0)


def test_the_reconciler_finishes_what_was_interrupted(db: Database) -> None:
    number = save_first(db, 90)
    with db.write() as session:
        assert mark_repository(session, number, actor="test")
    # It may be submitted at once.
    again = add_repository(db, "github.com/o/r90")
    with leased(db, again) as held:
        save(db, held, tally_of(3), head="old")
    assert remove_marked(db, steps=2)
    backlog = EmptyBacklog()
    backlog.note_filled()
    for _ in range(3):
        LeadingReconciler(db, RecordingQueues(), backlog, 1.0)()
    assert sizes(db) == dict(zip(TABLES, (1, 3, 1, 0, 0, 0, 0), strict=True))


@pytest.mark.parametrize("people", [60, 120])
def test_no_transaction_grows_with_the_repository(db: Database, people: int, monkeypatch: pytest.MonkeyPatch) -> None:
    number = save_first(db, people)
    rows: list[int] = []
    remove_some = removal.remove_some

    def counting(session: Any, repository_id: int) -> Any:
        before = session.value("SELECT count(*) FROM commit_data")
        found = remove_some(session, repository_id)
        rows.append(before - session.value("SELECT count(*) FROM commit_data"))
        return found

    monkeypatch.setattr(removal, "remove_some", counting)
    forget_repository(db, number, actor="test")
    assert max(rows) == 20
    assert sum(rows) == people


def test_the_command_forgets_a_path_and_an_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path))
    created = SqliteDatabase(tmp_path / "podium.db")
    sqlite_schema.create(created)
    with open_site(tmp_path, created) as site:
        site.repository("octo/hello")
    mirror = tmp_path / "mirrors" / _mirror_name(tmp_path)
    mirror.mkdir(parents=True)
    assert main(["forget", "https://github.com/octo/hello.git", "--block"]) == 0
    assert "https://github.com/octo/hello is forgotten. It is refused from now on." in capsys.readouterr().out
    assert not mirror.exists()
    assert main(["forget", "octo/hello"]) == 2
    assert "podium list" in capsys.readouterr().err
    assert main(["block", "list"]) == 0
    assert "github.com/octo/hello" in capsys.readouterr().out
    assert main(["block", "remove", "repository", "octo/hello"]) == 0
    assert main(["block", "remove", "repository", "octo/hello"]) == 2


@pytest.mark.parametrize("sign", ["", "#"])
def test_the_command_forgets_one_revision_of_a_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, sign: str
) -> None:
    monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    created = SqliteDatabase(tmp_path / "podium.db")
    sqlite_schema.create(created)
    with open_site(tmp_path, created) as site:
        number = site.repository("octo/hello")
        branch = site.repository("octo/hello", rev="a branch", parent_key="github.com/octo/hello")

    def are_here() -> set[int]:
        with contextlib.closing(SqliteDatabase(tmp_path / "podium.db")) as db, db.read() as session:
            return {row["id"] for row in session.all("SELECT id FROM repository")}

    assert main(["forget", f"{sign}{number}", "--rev", "dev"]) == 2
    assert f"No board of {sign}{number} at dev is here" in capsys.readouterr().err
    assert main(["forget", f"{sign}{branch}", "--rev", "dev"]) == 2
    assert are_here() == {number, branch}
    assert main(["forget", f"{sign}{number}", "--rev", "a branch"]) == 0
    assert "octo/hello#a%20branch is forgotten.\n" in capsys.readouterr().out
    assert are_here() == {number}
    assert main(["forget", f"{sign}{number + 100}"]) == 2
    (tmp_path / str(number)).mkdir()
    assert main(["forget", str(number)]) == 2
    assert f"write ./{number} or '#{number}'" in capsys.readouterr().err
    assert main(["forget", f"#{number}"]) == 0
    assert not are_here()


@pytest.fixture
def ranked_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository on this machine that has a board; it is the current folder."""
    monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path / "data"))
    folder = make_bare(tmp_path / "project")
    set_branch(folder, commit(folder))
    monkeypatch.chdir(folder)
    (tmp_path / "data").mkdir()
    with contextlib.closing(SqliteDatabase(tmp_path / "data" / "podium.db")) as db:
        sqlite_schema.create(db)
        add_repository(db, folder.as_uri(), host="")
    return folder


def _boards(folder: Path) -> Any:
    with contextlib.closing(SqliteDatabase(folder / "data" / "podium.db")) as db, db.read() as session:
        return session.value("SELECT count(*) FROM repository")


@pytest.mark.parametrize("words", [[".", "--rev", ""], [".", "--rev="], [""]])
def test_an_empty_word_forgets_nothing(ranked_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(["forget", *words]) == 2
    assert ("--rev: it is empty" if words[0] else "No address given") in capsys.readouterr().err
    assert _boards(ranked_path.parent) == 1


@pytest.mark.parametrize("word", ["./project", "../{name}/project", "{link}/project"])
def test_a_deleted_path_is_found_as_it_was_typed(ranked_path: Path, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    parent = ranked_path.parent
    link = parent / "link"
    link.symlink_to(parent)
    monkeypatch.chdir(parent)
    shutil.rmtree(ranked_path)
    assert main(["forget", word.format(name=parent.name, link=link)]) == 0
    assert _boards(parent) == 0


def _mirror_name(folder: Path) -> str:
    return mirror_path(folder, "github.com", "octo", "hello", "github.com/octo/hello").name


# --- cleanup


def test_boards_that_are_not_read_are_forgotten(db: Database, tmp_path: Path) -> None:
    hour = 3600.0
    with open_site(tmp_path, db) as site:
        old: dict[str, Any] = {"last_processed_at": 1.0, "last_read_at": 1.0}
        # The schedule and pushes count it, however long ago it was read.
        unread, demo = (
            site.repository("octo/unread", **old | {"last_processed_at": 4e9}),
            site.repository("octo/demo", **old),
        )
        site.person(unread, "Ada", "ada@example.org")
        with_branch = site.repository("octo/branch", **old)
        site.repository("octo/branch", rev="next", last_processed_at=1.0, last_read_at=4e9)
        others = [
            site.repository("octo/read", last_processed_at=1.0, last_read_at=4e9),
            site.repository("octo/unknown", last_processed_at=1.0),
            site.repository("octo/new"),
            site.repository("octo/waits", "pending", **old),
            site.repository("octo/held", lease_holder="w", lease_until=4e9, **old),
        ]
        Cleanup(db, unread_max_age=0.0).step()
        assert sizes(db)["repository"] == 9
        Cleanup(db, unread_max_age=24 * hour, leads=lambda: False).step()
        assert sizes(db)["repository"] == 9
        Cleanup(db, unread_max_age=24 * hour, always_kept=["github.com/octo/demo"]).step()
        with db.read() as session:
            left = [number for (number,) in session.tuples("SELECT id FROM repository ORDER BY id")]
        assert unread not in left
        assert {demo, with_branch, *others} < set(left)
        assert sizes(db)["commit_data"] == 0


def test_known_emails_that_no_repository_has_are_dropped(db: Database, tmp_path: Path) -> None:
    with open_site(tmp_path, db) as site:
        site.person(site.repository(), "Ada", "ada@example.org")
        site.account("ada@example.org", "ada")
        for number in range(5):
            site.account(f"gone{number}@example.org", f"gone{number}")
        with db.write() as session:
            session.run("UPDATE known_email SET known_at = 1")
        Cleanup(db).step()
        assert sizes(db)["known_email"] == sizes(db)["contributor"] == 1


def test_mirrors_and_pictures_without_a_row_are_deleted(db: Database, tmp_path: Path) -> None:
    names: list[set[str]] = []
    now = 0.0

    def note(known: Collection[str]) -> int:
        names.append(set(known))
        return 0

    with open_site(tmp_path, db) as site:
        site.repository("octo/hello")
        site.repository("octo/hello", rev="next")
        site.account("ada@example.org", "ada", avatar_url="https://a.example/1")
        disk = Disk(
            lambda *words: " ".join(words),
            lambda known, _: note(known),
            lambda known, _: note(known),
        )
        cleanup = Cleanup(db, disk=disk, clock=lambda: now)
        cleanup.step()
        assert not names
        now = 1000.0
        cleanup.step()
        cleanup.step()
        assert names == [{"github.com octo hello github.com/octo/hello"}, {"https://a.example/1"}]


def test_a_mirror_of_an_unknown_repository_goes_when_it_is_not_used(tmp_path: Path) -> None:
    mirrors = factories._mirrors_to_delete(Settings(data_dir=str(tmp_path)))
    folder = tmp_path / "mirrors"
    for name in ("mirror+a.git", "mirror+b.git", "mirror+new.git"):
        (folder / name).mkdir(parents=True)
    for name in ("mirror+a.git", "mirror+b.git"):
        os.utime(folder / name, (1, 1))
    assert mirrors.remove_unknown({"mirror+a.git"}, age=60) == 1
    assert sorted(path.name for path in folder.glob("*.git")) == ["mirror+a.git", "mirror+new.git"]


def test_submitting_again_counts_from_the_beginning(db: Database) -> None:
    number = save_first(db, 3)
    submit_again(db, number)
    forget_repository(db, number, actor="test")
    again = add_repository(db, "github.com/o/r3")
    with leased(db, again) as held:
        save(db, held, tally_of(2))
    assert sizes(db)["commit_data"] == 2
