"""Small git histories, and their boards as one process makes them: count, save, read. No account is looked up."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from podium.app import factories
from podium.jobs.messages.queues import NullQueues
from podium.leaderboard.board import Document, load_board
from podium.leaderboard.board_data import BoardData, Ranked
from podium.leaderboard.figures import read_figures
from podium.leaderboard.rules import Rules
from podium.leaderboard.search import find
from podium.repositories.address import parse_address
from podium.repositories.model import Repository
from podium.repositories.store import queries
from podium.settings import Settings
from podium.storage.session import Database, Session
from podium.submissions.submit import start_over, submit
from podium.timeutil import DAY, iso_day
from tests.support import repos

GITHUB = "https://github.com"


class Writer:
    """Writes commits, one upon the other, a minute apart unless they say when."""

    def __init__(self, path: Path) -> None:
        self.path = repos.make_bare(path)
        self.head: str | None = None
        self.at = 1_700_000_000
        self._tree = repos.write_tree(self.path)

    def commit(
        self,
        person: bytes | str,
        message: bytes | str = b"work\n",
        *,
        date: bytes | None = None,
        headers: Iterable[bytes] = (),
        mailmap: bytes | None = None,
        merge: bool = False,
        committed: int = 1_700_000_000,
    ) -> None:
        """Add a commit by ``person``, ``Name <e-mail>``.

        date: seconds and zone. committed: the committer's seconds.
        mailmap: the new content of the ``.mailmap``. merge: it has a second parent.
        """
        self.at += 60
        if mailmap is not None:
            self._tree = repos.write_tree(self.path, {".mailmap": mailmap})
        author = _bytes(person) + b" " + (date or b"%d +0000" % self.at)
        parents = [self.head] if self.head else []
        if merge and self.head:
            parents.append(repos.commit(self.path, parents, author=b"Side <side@merged.example> 1600000000 +0000"))
        self.head = repos.commit(
            self.path,
            parents,
            author=author,
            message=_bytes(message),
            tree=self._tree,
            headers=headers,
            committed=committed,
        )
        # Without a process for each commit.
        (self.path / "refs" / "heads" / "main").write_text(f"{self.head}\n")


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


class CountedHistory:
    """A history at ``path``, counted into ``db`` as if it came from ``address``."""

    def __init__(self, db: Database, path: Path) -> None:
        self.path = path
        self.address = f"https://github.com/histories/{path.stem}"
        self._db = db
        self.count()

    @classmethod
    def written(cls, db: Database, path: Path, write: Callable[[Writer], None]) -> CountedHistory:
        """The history that ``write`` writes at ``path``."""
        writer = Writer(path)
        write(writer)
        return cls(db, writer.path)

    def count(self) -> None:
        """Count what is new."""
        row = submit(self._db, NullQueues(), parse_address(self.address), refresh_after=0).repository
        start_over(self._db, row.id)
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
        job = factories.commit_job(Settings(), self._db, factories.path_source(environment, self.path), ask=False)
        error = job.run(row.id, threading.Event())
        assert error is None, error
        self.id = row.id

    def board(self, **rules: Any) -> Document:
        """The document under ``rules``, written as the arguments of :meth:`Rules.parse`."""
        with self._db.read() as session:
            return load_board(
                session,
                self.repository(session),
                Rules.parse(**rules),
                limit=None,
                offset=0,
                show_emails=True,
                github_url=GITHUB,
            )

    def counts(self, **rules: Any) -> dict[str, int]:
        """``Name <e-mail>`` → commits; every row must have another name or e-mail."""
        rows = self.board(**rules)["top_contributors"]
        found = {f"{row['name']} <{row['email']}>": row["commitCount"] for row in rows}
        assert len(found) == len(rows)
        return found

    def column(self, field: str, **rules: Any) -> dict[str, Any]:
        """Name → a field of its row."""
        return {row["name"]: row[field] for row in self.board(**rules)["top_contributors"]}

    def search(self, text: str, **rules: Any) -> list[str]:
        """The names of the rows that a search finds."""
        found: Document = self._ask(rules, lambda ranked: find(ranked, text, show_emails=True))
        return [row["name"] for row in found["matches"]]

    def activity(self, **rules: Any) -> Document:
        """The document of the board's figures."""
        return self._ask(rules, read_figures)

    def drawn(self) -> tuple[str, str]:
        """The first and the last day of the chart."""
        days: list[int] = []

        def ends(ranked: Ranked) -> Document:
            days.extend(ranked.timeline.ends or ())
            return {}

        self._ask({}, ends)
        first, last = (iso_day(day * DAY) for day in days)
        return first, last

    def _ask(self, rules: dict[str, Any], question: Callable[[Ranked], Document]) -> Document:
        with self._db.read() as session:
            return question(BoardData(session, self.repository(session), GITHUB).under(Rules.parse(**rules)))

    def repository(self, session: Session) -> Repository:
        """The row of the repository."""
        repository = queries.by_id(session, self.id)
        assert repository is not None
        return repository


Histories = Callable[[Callable[[Writer], None]], CountedHistory]


def shortlog(history: CountedHistory) -> dict[str, int]:
    """What git counts under HEAD's mailmap, e-mails in ASCII lower case; a byte that is not UTF-8 is U+FFFD."""
    answer = repos.git(history.path, "-c", "mailmap.blob=HEAD:.mailmap", "shortlog", "-sne", "HEAD")
    found = {}
    for line in answer.split(b"\n")[:-1]:
        number, _, person = line.partition(b"\t")
        name, _, email = person.partition(b" <")
        found[(name + b" <" + email.lower()).decode("utf-8", "replace")] = int(number)
    return found
