"""Everything that Podium does about one repository, errand by errand, through the doors of its users and queues."""

from __future__ import annotations

import contextlib
import math
import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from podium.accounts.lookup import GitHubAccount, LookupStep, PendingEmail
from podium.accounts.user_job import UserJob
from podium.app import factories
from podium.counting import progress_notes
from podium.freshness.apply_answer import Applied
from podium.freshness.hooks.hook_checks import HookChecks
from podium.freshness.hooks.hook_deliveries import deliver
from podium.freshness.hooks.hook_events import HookEvent, HookKind
from podium.jobs import batches, reconciler
from podium.jobs.messages.queues import COMMITS, USERS, NullQueues
from podium.monitoring import inspector
from podium.repositories.address import parse_address
from podium.repositories.model import Repository
from podium.repositories.store import queries, transitions
from podium.repositories.store.queue import leases
from podium.repositories.store.queue.unresolved import FINAL
from podium.settings import Settings
from podium.submissions import admin
from podium.web.cache import read_moment
from podium.workers import heartbeat
from podium.workers.drain import Drain
from tests.support.community import build, gather
from tests.support.plans import Explained
from tests.support.rows import EmptyBacklog
from tests.support.web import Site, open_site

ADDRESS = "https://github.com/octo/hello"
PEOPLE = 60
_BOARD = f"/leaderboard?repoUrl={ADDRESS}"

# What is read for people to look at, and where each switch and window asks in another way.
_READ = (
    *(_BOARD + rest for rest in ("", "&bots=include&merges=include", "&mailmap=ignore", "&since=2017-07-16")),
    *(f"/leaderboard/{what}" for what in (f"activity?repoUrl={ADDRESS}", f"find?q=user1&repoUrl={ADDRESS}")),
    f"/leaderboard/explain?rank=1&repoUrl={ADDRESS}",
    *("/r/octo/hello", "/r/octo/hello/badge.svg", "/r/octo/hello/card.svg", "/r/octo/hello/board.csv"),
    *("/repositories", "/repositories?state=completed", "/repositories?state=failed&limit=4"),
    *("/repositories?state=pending", "/repositories?offset=5&limit=5", "/"),
)


class RepositoryLife:
    """One repository of sixty people, and everything that is done for it. May be run once."""

    def __init__(self, db: Explained, folder: Path) -> None:
        self.db = db
        self._folder = folder / "repository.git"
        self._settings = Settings(data_dir=str(folder), github_tokens=("a-token",), submissions_per_minute=0)
        self._stop = threading.Event()
        self._queues = NullQueues()
        self._id = 0

    def run(self) -> None:
        """All of them."""
        settings: dict[str, Any] = {
            "github_tokens": self._settings.github_tokens,
            "submissions_per_minute": 0,
            "refresh_after": 0,
        }
        # The speed of the machine decides neither whether a reader is shown what another one was shown just before, nor
        # whether progress is saved.
        unshared = mock.patch.object(read_moment, "FRESH", 0.0)
        silent = mock.patch.object(progress_notes, "QUIET", math.inf)
        with unshared, silent, open_site(self._folder.parent, self.db, **settings) as site:
            self._submit(site)
            self._count(site)
            self._find_accounts()
            self._read(site)
            self._do_again(site)
            self._keep_house()
            self._hook()

    @contextlib.contextmanager
    def _errand(self, name: str) -> Iterator[None]:
        with self.db.errand(name):
            yield

    def _submit(self, site: Site) -> None:
        # The turns of an IPv6 client depend on its network, too.
        client = site.client(address="2001:db8::1")
        with self._errand("POST /leaderboard, new"):
            self._id = client.post(_BOARD).json()["id"]
        with self._errand("POST /leaderboard, known"):
            assert client.post(_BOARD).status_code in (200, 202)

    def _count(self, site: Site) -> None:
        community = gather(PEOPLE)
        build(self._folder, community)
        with self._errand("commit job, first count"):
            self._run_commit_job()
        with self._errand("ringing for batches"):
            assert reconciler.enqueue_next(self.db, self._queues, self._id) == "users_processing"

    def _run_commit_job(self) -> None:
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
        source = factories.path_source(environment, self._folder)
        error = factories.commit_job(self._settings, self.db, source).run(self._id, self._stop)
        assert error is None, error

    def _find_accounts(self) -> None:
        with contextlib.closing(factories.user_job(self._settings, self.db, _Everybody())) as users:
            row = self._row()
            with self._errand("user job, a batch"):
                assert users.run(self._id, row.generation, 0, self._stop)
            with self._errand("ringing for the next batch"):
                reconciler.enqueue_following_batch(self.db, self._queues, self._id, row.generation, 0)
            with self._errand("user job, the last batch"):
                self._finish(users)

    def _finish(self, users: UserJob) -> None:
        with self.db.errand(""), self.db.read() as session:
            left = batches.unclaimed(session, self._id)
        for number in left:
            assert users.run(self._id, self._row().generation, number, self._stop)
        assert self._row().state == "completed"

    def _row(self) -> Repository:
        with self.db.errand(""), self.db.read() as session:
            row = queries.by_id(session, self._id)
        assert row is not None
        return row

    def _read(self, site: Site) -> None:
        client = site.client()
        for path in (*_READ, "/repositories/{id}", "/status/{id}"):
            with self._errand(f"GET {path.replace(f'repoUrl={ADDRESS}', '…')}"):
                answer = client.get(path.format(id=self._id))
                assert answer.status_code == 200, answer.text
        with self._errand("GET /avatars/{id}"):
            account = client.get(_BOARD).json()["top_contributors"][0]["githubId"]
            assert client.get(f"/avatars/{account}").status_code == 200

    def _do_again(self, site: Site) -> None:
        """New commits, accounts that have grown old, an e-mail that moved to another account, a fault."""
        client = site.administrator()
        with self._errand("POST /leaderboard, refresh"):
            assert client.post(_BOARD).status_code in (200, 202)
        assert self._row().state == "pending"
        _commit(self._folder)
        with self._errand("commit job, new commits"):
            self._run_commit_job()
        with contextlib.closing(factories.user_job(self._settings, self.db, _Everybody(moved=1))) as users:
            self._finish(users)
            self._age()
            with self._errand("POST /refresh"):
                assert client.post(f"/refresh?repoUrl={ADDRESS}").json()["repositories"] == 1
            with self._errand("user job, e-mails that moved"):
                self._finish(users)
            self._age()
            client.post(f"/refresh?repoUrl={ADDRESS}")
            with self._errand("user job, given up"):
                users.give_up(self._id, "No host was asked.", FINAL)

    def _hook(self) -> None:
        """Deliver a push and what hides the board, and look for what is due."""
        address = parse_address(ADDRESS)
        for kind in (HookKind.PUSH, HookKind.HIDDEN, HookKind.CHANGED):
            with self._errand(f"webhook, {kind.name}"):
                deliver(self.db, NullQueues(), HookEvent(kind, address, "7", branches=("main",)))
        checks = HookChecks(self.db, NullQueues(), lambda: True, lambda row: Applied(row.id))
        with self._errand("what hooks asked for"):
            checks.run()
            checks.stop(wait=True)

    def _age(self) -> None:
        with self.db.errand(""), self.db.write() as session:
            session.run("UPDATE contributor SET enriched_at = 1 WHERE account_id < 1000000")

    def _keep_house(self) -> None:
        backlog = EmptyBacklog()
        with self._errand("reconciler, after a loss"):
            reconciler.LeadingReconciler(self.db, self._queues, backlog, 1.0)()
        with self._errand("reconciler"):
            reconciler.LeadingReconciler(self.db, self._queues, backlog, 1.0)()
        with self._errand("completion check"), self.db.write() as session:
            transitions.complete(session, self._id)
        with self._errand("renewing lease and claim"), self.db.write() as session:
            leases.renew(session, self._id, 1, seconds=30)
            session.run(batches._RENEW, id=self._id, batch=0, token="", seconds=30)
        with self._errand("worker that drains"):
            drain = Drain(self.db, (COMMITS, USERS))
            drain.is_done()
            drain.failed()
        with self._errand("heartbeat"):
            heartbeat.Heartbeat(self.db, (COMMITS,), dict).beat()
        with self._errand("podium queue retry"):
            admin.retry(self.db, [self._failed()], actor="test")
        with self._errand("podium queue drop"):
            admin.drop(self.db, self._failed(), actor="test")

    def _failed(self) -> int:
        """The same number each time: what is retried is then dropped."""
        with self.db.errand(""), self.db.read() as session:
            number: int = session.value("SELECT MIN(id) FROM repository WHERE error_code = 'gone' OR state = 'pending'")
        return number

    def look(self) -> None:
        """What an operator asks of the whole installation, which grows with it."""
        with self._errand("podium queue"):
            inspector.Inspector(self.db).overview()


class _Everybody:
    """Tells an account for every e-mail, its own; ``moved``: of that many accounts later."""

    def __init__(self, moved: int = 0) -> None:
        self._moved = moved

    def find(
        self, _repository: Repository, wanted: Sequence[PendingEmail], _stop: threading.Event, /
    ) -> Iterator[LookupStep]:
        yield LookupStep({one.email: self._account(one.email) for one in wanted})

    def _account(self, email: str) -> GitHubAccount:
        number = 2_000 + self._moved + sum(email.encode())
        return GitHubAccount(number, f"user{number}")

    def close(self) -> None:
        """Nothing is open."""


def _commit(folder: Path) -> None:
    """One more commit, by somebody new."""
    stream = (
        "commit refs/heads/main\ncommitter New <new@example.org> 1700000000 +0000\ndata 3\nnew\n"
        "from refs/heads/main^0\n\n"
    )
    subprocess.run(["git", "-C", str(folder), "fast-import", "--quiet"], input=stream.encode(), check=True)
