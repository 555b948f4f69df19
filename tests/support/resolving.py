"""The whole way from a repository to its resolved board in one process: database, commit job, user job, double."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from podium.accounts.github.budget import ANONYMOUS
from podium.accounts.github.client import GitHub
from podium.accounts.github.github_lookup import GitHubLookup
from podium.accounts.github.held_limits import HeldLimits
from podium.accounts.github.token_pool import MemoryBudgetStore, TokenPool
from podium.accounts.user_job import UserJob
from podium.app import factories
from podium.jobs import batches
from podium.jobs.messages.queues import NullQueues
from podium.leaderboard.board import Document, load_board
from podium.leaderboard.rules import Rules
from podium.repositories.address import parse_address
from podium.repositories.model import Repository
from podium.repositories.store import queries
from podium.settings import Settings
from podium.storage.session import Database
from podium.submissions.refresh import resolve_again
from podium.submissions.submit import submit
from tests.support.skipping_clock import SkippingClock

TOKEN = "token-of-a-test"
EVERYTHING = Rules.parse(merges="include", bots="include", co_authors="include", names="apart")


class Addresses(Protocol):
    """Where a double of GitHub answers."""

    @property
    def api_url(self) -> str: ...

    @property
    def graphql_url(self) -> str: ...


@dataclasses.dataclass
class Desk:
    """One Podium: a database, and the jobs that work on it, asking a double of GitHub."""

    db: Database
    settings: Settings
    users: UserJob
    stop: threading.Event
    github: GitHub
    # With tokens (None: there are none), and without.
    pools: tuple[TokenPool | None, TokenPool]
    clock: SkippingClock
    # Every different 'waitingUntil' that was shown, and the most faults in a row that were noted.
    waits: set[str] = dataclasses.field(default_factory=set)
    most_attempts: int = 0

    def count(self, folder: Path, address: str = "o/r") -> int:
        """Count a repository from its folder; give its number."""
        row = submit(self.db, NullQueues(), parse_address(address), refresh_after=-1).repository
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
        job = factories.commit_job(self.settings, self.db, factories.path_source(environment, folder))
        error = job.run(row.id, self.stop)
        assert error is None, error
        return int(row.id)

    def resolve(self, repository_id: int, *, workers: int = 4) -> Repository:
        """Work its batches off as the queue would have them worked off, until nothing is left; give its row."""
        with ThreadPoolExecutor(workers) as pool:
            while (row := self.row(repository_id)).state == "users_processing":
                self._note(row)
                with self.db.read() as session:
                    numbers = batches.unclaimed(session, repository_id)
                generation = row.generation
                for done in [
                    pool.submit(self.users.run, repository_id, generation, number, self.stop) for number in numbers
                ]:
                    done.result()
                with self.db.read() as session:
                    wait = session.value("SELECT not_before - {now} FROM repository WHERE id = :id", id=repository_id)
                self._note(self.row(repository_id))
                self._skip(repository_id, max(0.0, wait or 0.0))
        return self.row(repository_id)

    def _skip(self, repository_id: int, seconds: float) -> None:
        """Wait so long, by the clock of this process and by that of the database."""
        self.clock.sleep_until(self.clock.time() + seconds)
        with self.db.write() as session:
            session.run(
                "UPDATE repository SET not_before = not_before - :seconds WHERE id = :id",
                id=repository_id,
                seconds=seconds,
            )

    def _note(self, row: Repository) -> None:
        self.most_attempts = max(self.most_attempts, row.attempts)
        progress = json.loads(row.progress or "{}")
        if progress.get("waitingUntil"):
            self.waits.add(progress["waitingUntil"])

    def again(self, repository_id: int) -> bool:
        """What POST /refresh does."""
        return bool(resolve_again(self.db, NullQueues(), repository_id, factories.stale_rows(self.settings)))

    def row(self, repository_id: int) -> Repository:
        with self.db.read() as session:
            row = queries.by_id(session, repository_id)
        assert row is not None
        return row

    def board(self, repository_id: int, rules: Rules = EVERYTHING) -> Document:
        row = self.row(repository_id)
        with self.db.read() as session:
            return load_board(
                session, row, rules, limit=None, offset=0, show_emails=True, github_url="https://github.com"
            )

    def rows(self, repository_id: int, rules: Rules = EVERYTHING) -> dict[str, int]:
        """``@login`` or e-mail → commits."""
        entries = self.board(repository_id, rules)["top_contributors"]
        rows = {f"@{e['username']}" if e["username"] else e["email"]: e["commitCount"] for e in entries}
        assert len(rows) == len(entries)
        return rows

    def age(self, seconds: float) -> None:
        """As if so much time had gone by since all that is known was told."""
        with self.db.write() as session:
            session.run("UPDATE known_email SET known_at = known_at - :s", s=seconds)
            session.run(
                "UPDATE contributor SET enriched_at = enriched_at - :s, created_at = created_at - :s", s=seconds
            )


@contextlib.contextmanager
def desk(
    db: Database,
    double: Addresses,
    *,
    tokens: tuple[str, ...] = (TOKEN,),
    timeout: float = 5.0,
    max_faults: int = 5,
    speedup: float = 50.0,
    **settings: Any,
) -> Iterator[Desk]:
    """A Podium on ``db`` that asks ``double``: waits for limits are skipped, after faults ``speedup`` times shorter."""
    chosen = Settings(
        github_tokens=tokens, github_api_url=double.api_url, github_graphql_url=double.graphql_url, **settings
    )
    stop = threading.Event()
    github = GitHub(double.api_url, double.graphql_url, tokens, timeout=timeout, deadline=10, trust_env=False)
    store, memory = MemoryBudgetStore(), HeldLimits(db)
    pools = TokenPool(github.keys, store, memory) if tokens else None, TokenPool([ANONYMOUS], store, memory)
    lookup = GitHubLookup(
        github,
        *pools,
        host="github.com",
        looked_up_recently=factories.looked_up_recently(chosen, db),
        max_faults=max_faults,
        sleep=lambda seconds: stop.wait(seconds / speedup),
    )
    clock = SkippingClock()
    with clock.shown(), contextlib.closing(factories.user_job(chosen, db, lookup)) as users:
        yield Desk(db, chosen, users, stop, github, pools, clock)
