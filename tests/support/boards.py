"""A counted repository, written straight into the tables: people, accounts, commits."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping
from typing import Any

from podium.bots.tools import BUILT_IN, Bots
from podium.leaderboard.board import Document, load_board
from podium.leaderboard.counts.row_roles import ROLES
from podium.leaderboard.rules import Rules
from podium.repositories.store import queries
from podium.storage.session import Database
from tests.support.commit_logs import Commit, save_log

DAY = 86_400


def at(text: str) -> int:
    """Epoch seconds of an ISO time, in UTC."""
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC).timestamp())


class Counted:
    """One repository of ``db``, to which people are added; its totals follow."""

    def __init__(self, db: Database, name: str = "r", *, state: str = "completed", error: str | None = None) -> None:
        self.db = db
        self._commits: list[Commit] = []
        self._ordinals: dict[str, int] = {}
        self._number = 0
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
        kind: str = "human",
        mapped: tuple[str, str] | None = None,
        key: str | None = None,
        mailmap: str = "",
        first: int = 1_000_000_000,
        last: int = 1_700_000_000,
        weeks: Mapping[int, int | tuple[int, int]] | None = None,
        processed: bool = True,
    ) -> None:
        """Add a row of CommitData and its commits.

        Args:
            mapped: what the mailmap makes of it, (name, e-mail).
            mailmap: says whose it is: "own", or "repository" if there is ``mapped``.
            weeks: how many commits, or commits and merges, it has at these times. The first of the other commits is at
                ``first``, the rest at ``last``.
        """
        mapped_name, mapped_email = mapped or (name, email)
        self._number += 1
        self._ordinals[email] = ordinal = self._number
        with self.db.write() as session:
            session.run(
                """INSERT INTO commit_data (repository_id, email, name, mailmap_email, mailmap_name,
                    mailmap_identity, mailmap_source, kind, ordinal, sample_sha, processed)
                VALUES (:repository, :email, :name, :mapped_email, :mapped_name, :key, :source, :kind, :ordinal, '',
                    :processed)
                """,
                repository=self.id,
                email=email,
                name=name,
                mapped_email=mapped_email,
                mapped_name=mapped_name,
                key=key or mapped_email,
                source=mailmap or ("repository" if mapped else ""),
                kind=kind,
                ordinal=ordinal,
                processed=processed,
            )
        dated = {when: (counts, 0) if isinstance(counts, int) else counts for when, counts in (weeks or {}).items()}
        added = []
        for is_merge, number in ((False, commits), (True, merges)):
            times = [when for when, counts in dated.items() for _ in range(counts[is_merge])]
            times += [first, *[last] * number][: number - len(times)]
            added += [Commit(ordinal, when, is_merge) for when in times]
        self._save(added)

    def commit(
        self,
        author: str,
        when: int,
        *names: str,
        is_merge: bool = False,
        times: int = 1,
        roles: dict[str, list[str]] | None = None,
    ) -> None:
        """Add commits of a person who is already there.

        Args:
            names: the e-mails of co-authors and agents.
            roles: e-mails, and their roles as in documents.
        """
        given = [(self._ordinals[email], ROLES.index(role)) for email, those in (roles or {}).items() for role in those]
        named = tuple(self._ordinals[email] for email in names)
        self._save([Commit(self._ordinals[author], when, is_merge, named, tuple(given))] * times)

    def _save(self, commits: list[Commit]) -> None:
        self._commits += commits
        added = Counter((commit.author, commit.is_merge) for commit in commits)
        with self.db.write() as session:
            for (ordinal, is_merge), number in added.items():
                column = "merge_count" if is_merge else "commit_count"
                session.run(
                    f"UPDATE commit_data SET {column} = {column} + :number WHERE repository_id = :id AND ordinal = :n",
                    id=self.id,
                    n=ordinal,
                    number=number,
                )
            did = {person for commit in self._commits for person in (commit.author, *commit.named)}
            for ordinal in {person for commit in commits for person, _ in commit.roles}:
                session.run(
                    "UPDATE commit_data SET role_only = :only WHERE repository_id = :id AND ordinal = :n",
                    id=self.id,
                    n=ordinal,
                    only=ordinal not in did,
                )
            session.run(
                """UPDATE repository SET total_commits = :total, merge_commits = :merges,
                    unique_contributors = (SELECT COUNT(DISTINCT email) FROM commit_data WHERE repository_id = :id
                        AND commit_count + merge_count > 0)
                WHERE id = :id""",
                id=self.id,
                total=len(self._commits),
                merges=sum(commit.is_merge for commit in self._commits),
            )
            save_log(session, self.id, self._commits)

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
