"""The user's own mailmap in counts: it marks rows, and a changed file reaches people of earlier counts."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from podium.app import factories
from podium.clones.mailmaps.own_mailmap import read_own_mailmaps
from podium.errors import BadMailmapFile
from podium.jobs.messages.queues import NullQueues
from podium.repositories.address import path_address
from podium.repositories.model import State
from podium.repositories.store import queries
from podium.settings import Settings
from podium.storage.session import Database
from podium.submissions.submit import start_over, submit
from podium.textutil.raw_bytes import readable
from tests.support import repos

ROWS = "SELECT name, mailmap_name, mailmap_source, mailmap_identity FROM commit_data ORDER BY email, name"
AUTHORS = (b"Ann <ann@corp.example>", b"Ann <ann@home.example>", b"Bob <bob@x.example>", b"J\xf6rg <team@x.example>")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    repository = repos.make_bare(tmp_path / "r.git")
    tree = repos.write_tree(repository, {".mailmap": b"Robert <robert@x.example> <bob@x.example>\n"})
    parents: list[str] = []
    for author in AUTHORS:
        parents = [repos.commit(repository, parents, author=author + b" 1 +0000", tree=tree)]
    repos.set_branch(repository, parents[0])
    return repository


Counted = Callable[..., dict[str, tuple[str, str, str]]]


@pytest.fixture
def counted(db: Database, repository: Path) -> Counted:
    """Count with the given files, and return what the mailmaps make of each person."""

    def count(*files: Path) -> dict[str, tuple[str, str, str]]:
        settings = Settings()
        environment = {"PATH": os.environ["PATH"], "HOME": os.devnull}
        source = factories.path_source(environment, repository)
        source.own_mailmaps = factories.own_mailmaps(settings, [str(file) for file in files])
        row = submit(db, NullQueues(), path_address(repository, None), refresh_after=0).repository
        start_over(db, row.id)
        error = factories.commit_job(settings, db, source, ask=False).run(row.id, threading.Event())
        assert error is None, error
        with db.read() as session:
            return {f"{readable(row[0])} {number}": row[1:] for number, row in enumerate(session.tuples(ROWS))}

    return count


def test_a_changed_file_takes_effect_at_the_next_count_of_the_same_head(tmp_path: Path, counted: Counted) -> None:
    file = tmp_path / "own"
    without = {
        "Ann 0": ("Ann", "", "ann@corp.example"),
        "Ann 1": ("Ann", "", "ann@home.example"),
        "Bob 2": ("Robert", "repository", "robert@x.example"),
        "J\ufffdrg 3": ("J\uf7f6rg", "", "team@x.example"),
    }
    assert counted() == without
    file.write_bytes(b"Ann Lee <ann@home.example> <ann@corp.example>\nBob <bobby@x.example> <bob@x.example>\n")
    joined = without | {
        "Ann 0": ("Ann Lee", "own", "ann@home.example"),
        "Bob 2": ("Bob", "own", "bobby@x.example"),
    }
    assert counted(file) == joined
    file.write_bytes(b"Joerg <joerg@x.example> J\xf6rg <team@x.example>\n")
    renamed = without | {"J\ufffdrg 3": ("Joerg", "own", "joerg@x.example")}
    assert counted(file) == renamed
    assert counted() == without


def test_the_files_of_the_command_line_come_last(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("setting", "first", "second")]
    for file in files:
        file.write_text(f"{file.name} <bob@x.example>\n")
    found = factories.own_mailmaps(Settings(mailmap_file=str(files[0])), [str(file) for file in files[1:]])
    assert read_own_mailmaps(found) == b"".join(file.read_bytes() for file in files)


def test_a_file_that_vanished_is_tried_again_and_then_fails(sqlite: Database, repository: Path, tmp_path: Path) -> None:
    source = factories.path_source({"PATH": os.environ["PATH"], "HOME": os.devnull}, repository)
    settings = Settings(mailmap_file=str(tmp_path / "own"), max_attempts=2)
    source.own_mailmaps = factories.own_mailmaps(settings)
    row = submit(sqlite, NullQueues(), path_address(repository, None), refresh_after=0).repository
    job = factories.commit_job(settings, sqlite, source, ask=False)
    for state, code in ((State.COMMITS_PROCESSING, None), (State.FAILED, "mailmap-file")):
        error = job.run(row.id, threading.Event())
        assert isinstance(error, BadMailmapFile)
        assert str(tmp_path) not in error.message
        with sqlite.write() as session:
            found = queries.by_id(session, row.id)
            session.run("UPDATE repository SET not_before = NULL")
        assert found is not None
        assert (found.state, found.error_code) == (state, code)
