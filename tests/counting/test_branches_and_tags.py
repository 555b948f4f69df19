"""The default branch, a branch and a tag of one repository, counted from its host beside each other."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from podium.clones.mirrors import Mirrors
from podium.clones.source import MirrorSource
from podium.counting.commit_job import CommitJob
from podium.git.command import Git
from podium.git.limits import Limits
from podium.jobs.messages.queues import NullQueues
from podium.repositories.address import parse_address
from podium.repositories.model import Repository, State
from podium.repositories.store import queries
from podium.repositories.store.log_check import check_log
from podium.storage.session import Database
from podium.submissions.submit import start_over, submit
from tests.counting.test_refresh import classify_emails
from tests.support import repos
from tests.support.githttp import serve_repositories

LIMITS = Limits(timeout=60, idle_timeout=30, memory=4 << 30, repository_bytes=1 << 30, disk_reserve=1)


def test_each_is_counted_from_its_own_tip_and_from_the_beginning_after_it_was_moved(
    db: Database, tmp_path: Path
) -> None:
    git = Git.for_server(LIMITS, search_path=os.environ["PATH"], protocols=("http",))
    source = MirrorSource(git, Mirrors(tmp_path / "mirrors", git), lambda row: row.repository_url)
    job = CommitJob(db, source, classify_emails, lease_seconds=30, max_crashes=5, max_attempts=1)

    with serve_repositories(tmp_path / "repositories") as host:
        repository = repos.make_bare(host.folder / "o" / "r.git")
        address = parse_address(f"{host.url}/o/r.git")

        def count(rev: str | None) -> Repository:
            at = address if rev is None else address.at_revision(rev)
            number = submit(db, NullQueues(), at, refresh_after=0).repository.id
            start_over(db, number)
            job.run(number, threading.Event())
            with db.read() as session:
                row = queries.by_id(session, number)
                assert row is not None
                if row.has_board:
                    check_log(session, row)
            return row

        first = repos.chain(repository, [repos.ALICE, repos.BOB, repos.BOB])
        repos.git(repository, "update-ref", "refs/tags/v1", f"{first}~1")
        assert [count(rev).total_commits for rev in ("v1", None)] == [2, 3]
        default = count(None)

        # Forwards, the new commits are added to the count.
        repos.git(repository, "update-ref", "refs/tags/v1", first)
        added = count("v1")
        assert (added.total_commits, added.head) == (3, first)
        # To another history, all of it is counted.
        moved = repos.chain(repository, [repos.ALICE] * 5, branch="elsewhere")
        repos.git(repository, "update-ref", "refs/tags/v1", moved)
        again = count("v1")
        assert (again.total_commits, again.head, again.count_id != added.count_id) == (5, moved, True)
        # A tag that was deleted fails the refresh, and its board stays.
        repos.git(repository, "update-ref", "-d", "refs/tags/v1")
        gone = count("v1")
        assert "has no branch or tag v1" in ((gone.error or "") + (gone.refresh_error or ""))
        assert (gone.head, gone.total_commits) == (moved, 5)

        missing = count("v9")
        assert (missing.state, missing.error_code, missing.has_board) == (State.FAILED, "no-such-revision", False)
        now = count(None)
        assert (now.id, now.total_commits, now.count_id) == (default.id, 3, default.count_id)
        assert len([*(tmp_path / "mirrors").glob("*.git")]) == 1
