"""A counted repository, written straight into the tables: people, accounts, weeks."""

from __future__ import annotations

import datetime
from typing import Any

from podium.bots.tools import BUILT_IN, Bots
from podium.leaderboard.board import Document, load_board
from podium.leaderboard.rules import Rules
from podium.repositories.store import queries
from podium.storage.session import Database

DAY = 86_400


def at(text: str) -> int:
    """Epoch seconds of an ISO time, in UTC."""
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC).timestamp())


class Counted:
    """One repository of ``db``, to which people are added; its totals follow."""

    def __init__(self, db: Database, name: str = "r", *, state: str = "completed", error: str | None = None) -> None:
        self.db = db
        with db.write() as session:
            self.id: int = session.value(
                """INSERT INTO repository (key, url, host, owner, name, state, error, head, branch, total_commits,
                    merge_commits, unique_contributors, commits_processed_at, created_at, updated_at)
                VALUES (:key, :url, 'github.com', 'o', :name, :state, :error, :head, 'main', 0, 0, 0, :at, 0, 0)
                RETURNING id""",
                key=f"github.com/o/{name}",
                url=f"https://github.com/o/{name}",
                name=name,
                state=state,
                error=error,
                head="a" * 40,
                at=at("2024-05-01 12:00:00") + 0.25,
            )

    def person(
        self,
        email: str,
        name: str = "Someone",
        commits: int = 0,
        *,
        merges: int = 0,
        co: int = 0,
        co_merges: int = 0,
        kind: str = "human",
        mapped: tuple[str, str] | None = None,
        key: str | None = None,
        mailmap: str = "",
        first: int = 1_000_000_000,
        last: int = 1_700_000_000,
        weeks: dict[int, tuple[int, int, int, int]] | None = None,
        processed: bool = True,
    ) -> None:
        """Add a row of CommitData; ``mapped`` is what the mailmap makes of it, (name, e-mail).

        ``mailmap`` says whose it is: "own", or "repository" if there is ``mapped``.
        """
        mapped_name, mapped_email = mapped or (name, email)
        with self.db.write() as session:
            number = session.value(
                """INSERT INTO commit_data (repository_id, email, name, mailmap_email, mailmap_name,
                    mailmap_identity, mailmap_source, kind,
                    commit_count, merge_count, co_authored_count, co_authored_merge_count,
                    first_commit_at, last_commit_at, first_merge_at, last_merge_at,
                    first_co_authored_at, last_co_authored_at, sample_sha, processed)
                VALUES (:repository, :email, :name, :mapped_email, :mapped_name, :key, :source, :kind,
                    :commits, :merges, :co, :co_merges, :first_c, :last_c, :first_m, :last_m, :first_co, :last_co,
                    '', :processed) RETURNING id""",
                repository=self.id,
                email=email,
                name=name,
                mapped_email=mapped_email,
                mapped_name=mapped_name,
                key=key or mapped_email,
                source=mailmap or ("repository" if mapped else ""),
                kind=kind,
                commits=commits,
                merges=merges,
                co=co,
                co_merges=co_merges,
                processed=processed,
                **_dates("c", commits, first, last),
                **_dates("m", merges, first - DAY, last + DAY),
                **_dates("co", co + co_merges, first - 2 * DAY, last + 2 * DAY),
            )
            session.executemany(
                "INSERT INTO weekly_activity VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(self.id, number, week, *counts) for week, counts in (weeks or {}).items()],
            )
            session.run(
                """UPDATE repository SET total_commits = total_commits + :commits + :merges,
                    merge_commits = merge_commits + :merges,
                    unique_contributors = (SELECT COUNT(DISTINCT email) FROM commit_data WHERE repository_id = :id
                        AND commit_count + merge_count > 0)
                WHERE id = :id""",
                id=self.id,
                commits=commits,
                merges=merges,
            )

    def account(
        self,
        account_id: int,
        username: str | None,
        *emails: str,
        host: str = "github.com",
        source: str = "host",
        name: str | None = None,
        is_bot: bool = False,
        enriched: bool = True,
        avatar_url: str | None = None,
        profile_url: str | None = None,
    ) -> None:
        """Add an account that ``emails`` are known to belong to."""
        with self.db.write() as session:
            number = session.value(
                """INSERT INTO contributor (host, account_id, username, name, avatar_url, profile_url, is_bot,
                    enriched_at, created_at, updated_at)
                VALUES (:host, :account_id, :username, :name, :avatar_url, :profile_url, :is_bot, :at, 0, 0)
                RETURNING id""",
                host=host,
                account_id=account_id,
                username=username,
                name=name,
                avatar_url=avatar_url,
                profile_url=profile_url,
                is_bot=is_bot,
                at=1.0 if enriched else None,
            )
            session.executemany(
                "INSERT INTO known_email (host, email, contributor_id, source, known_at) VALUES (?, ?, ?, ?, 0)",
                [(host, email, number, source) for email in emails],
            )

    def nobody(self, email: str) -> None:
        """Remember that ``email`` was asked for, and belongs to nobody."""
        with self.db.write() as session:
            session.run("INSERT INTO known_email VALUES ('github.com', :email, NULL, 'host', 0)", email=email)

    def board(
        self,
        rules: Rules | None = None,
        *,
        limit: int | None = None,
        offset: int = 0,
        show_emails: bool = True,
        github_url: str = "https://github.com",
        bots: Bots = BUILT_IN,
    ) -> Document:
        """The document under ``rules``."""
        with self.db.read() as session:
            row = queries.by_id(session, self.id)
            assert row is not None
            return load_board(
                session,
                row,
                rules or Rules(),
                limit=limit,
                offset=offset,
                show_emails=show_emails,
                github_url=github_url,
                bots=bots,
            )

    def rows(self, rules: Rules | None = None, **page: Any) -> list[tuple[str, int]]:
        """The board's rows: (username or e-mail, count)."""
        return [
            (entry["username"] or entry["email"], entry["commitCount"])
            for entry in self.board(rules, **page)["top_contributors"]
        ]


def _dates(kind: str, count: int, first: int, last: int) -> dict[str, int | None]:
    return {f"first_{kind}": first if count else None, f"last_{kind}": last if count else None}
