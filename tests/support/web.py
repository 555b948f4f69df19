"""A web application over a real database, spoken to over ASGI; and rows to fill that database with."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import httpx
from fastapi import FastAPI

from podium.app import factories, ready_checks
from podium.avatars.loader import AvatarLoader
from podium.monitoring.inspector import Inspector
from podium.monitoring.readiness import Check, Readiness
from podium.repositories.address import parse_address
from podium.repositories.model import COUNTING_VERSION
from podium.settings import Settings
from podium.storage.session import Database
from podium.web.admin_sessions import OneTimeCode
from podium.web.application import Services, create_app
from tests.support.cli import ADMIN, ADMIN_TOKEN
from tests.support.commit_logs import Commit, add_segment
from tests.support.rows import RecordingQueues
from tests.support.sqlite_database import open_or_create

# httpx looks for it in all folders of modules at each request, to see whether trio runs.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]

HEAD = "0123456789abcdef0123456789abcdef01234567"
# 2024-05-01 12:30:00 UTC, a Wednesday.
NOW = 1_714_566_600
# A loop for each request would double what the request costs.
_loop = asyncio.Runner()


class Client:
    """An HTTP client of one ASGI application."""

    def __init__(
        self, app: FastAPI, *, host: str, address: str = "127.0.0.1", headers: Mapping[str, str] | None = None
    ) -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 50000))
        # Builds requests. To send them it would need twice the time, and it would keep cookies.
        self._http = httpx.AsyncClient(transport=self._transport, base_url=f"http://{host}", headers=headers)

    def request(self, method: str, url: str, *, follow_redirects: bool = False, **options: Any) -> httpx.Response:
        request = self._http.build_request(method, url, **options)

        async def ask() -> httpx.Response:
            answer = await self._transport.handle_async_request(request)
            answer.request = request
            await answer.aread()
            return answer

        answer = _loop.run(ask())
        if follow_redirects and answer.has_redirect_location:
            return self.get(answer.headers["location"], follow_redirects=True)
        return answer

    def get(self, url: str, **options: Any) -> httpx.Response:
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> httpx.Response:
        return self.request("POST", url, **options)


class Site:
    """One application with its database and its ring."""

    def __init__(
        self,
        folder: Path,
        db: Database,
        *,
        loopback: bool,
        checks: Sequence[Check] = (),
        code: OneTimeCode | None = None,
        **settings: Any,
    ) -> None:
        self.db = db
        self.queues = RecordingQueues()
        chosen = Settings(**({"data_dir": str(folder), "admin_token": ADMIN_TOKEN} | settings))
        self.avatars = AvatarLoader(chosen)
        self.services = Services(
            chosen,
            self.db,
            self.queues,
            loopback,
            Readiness([*ready_checks.database_checks(db)[:2], *checks]),
            factories.stale_rows(chosen),
            self.avatars,
            Inspector(self.db),
            code=code,
        )
        self.app = create_app(self.services)
        self._ids = itertools.count(1)

    def client(self, host: str = "localhost:3000", address: str = "127.0.0.1") -> Client:
        return Client(self.app, host=host, address=address)

    def administrator(self, host: str = "localhost:3000", address: str = "127.0.0.1") -> Client:
        return Client(self.app, host=host, address=address, headers=ADMIN)

    def repository(
        self, text: str = "octo/hello", state: str = "completed", *, rev: str | None = None, **columns: Any
    ) -> int:
        """Save a repository, or a branch or tag of one; with a ``head`` if it has a board."""
        address = parse_address(text)
        address = address if rev is None else address.at_revision(rev)
        counted = state in ("completed", "users_processing") or "head" in columns
        row: dict[str, Any] = {
            "id": next(self._ids),
            "key": address.key,
            "url": address.url,
            "host": address.host,
            "owner": address.owner,
            "name": address.name,
            "search_text": address.search_text,
            "revision": address.revision,
            "parent_key": address.parent_key,
            "state": state,
            "created_at": NOW,
            "updated_at": NOW,
        }
        if counted:
            row |= {
                "head": HEAD,
                "head_committed_at": NOW - 86_400,
                "branch": "main",
                "counting_version": COUNTING_VERSION,
                "generation": 1,
                "total_commits": 0,
                "merge_commits": 0,
                "unique_contributors": 2,
                "commits_processed_at": NOW,
            }
        if state == "completed":
            # Long from now: a board that is never old enough to be refreshed.
            row |= {"users_processed_at": NOW, "last_processed_at": 4e9}
        self._insert("repository", row | columns)
        return int(row["id"])

    def change(self, repository_id: int, **columns: Any) -> None:
        """Change columns of a repository's row."""
        changes = ", ".join(f"{name} = :{name}" for name in columns)
        with self.db.write() as session:
            session.run(f"UPDATE repository SET {changes} WHERE id = :id", id=repository_id, **columns)

    def person(
        self,
        repository_id: int,
        name: str,
        email: str,
        commits: int = 1,
        *,
        when: int = NOW,
        co_authors: Sequence[int] = (),
        roles: Sequence[tuple[int, int]] = (),
        **columns: Any,
    ) -> int:
        """Save a person whose commits are all of one time and name the same co-authors, by their ids; return the id.

        roles: pairs (id, role) that each of the commits names too.
        """
        identity = next(self._ids)
        row = {
            "id": identity,
            "ordinal": identity,
            "repository_id": repository_id,
            "email": email,
            "name": name,
            "mailmap_email": email,
            "mailmap_name": name,
            "mailmap_identity": email,
            "commit_count": commits,
            "sample_sha": HEAD,
            "processed": True,
        }
        self._insert("commit_data", row | columns)
        merges = columns.get("merge_count", 0)
        added = [Commit(identity, when, False, tuple(co_authors), tuple(roles))] * commits
        added += [Commit(identity, when, True, tuple(co_authors))] * merges
        with self.db.write() as session:
            add_segment(session, repository_id, added)
            # As each count does that saves anything.
            session.run(
                """UPDATE repository SET generation = generation + 1,
                    total_commits = coalesce(total_commits, 0) + :total,
                    merge_commits = coalesce(merge_commits, 0) + :merges
                WHERE id = :id""",
                id=repository_id,
                total=len(added),
                merges=merges,
            )
        return identity

    def people(self, repository_id: int, number: int, commits: int = 1) -> None:
        """Save many at once: P0 with the e-mail p0@example.com, P1 and so on, each a second after the one before."""
        first = next(self._ids)
        self._ids = itertools.count(first + number)
        names = ("name", "mailmap_name", "email", "mailmap_email", "mailmap_identity")
        rows = [
            (first + n, first + n, repository_id, *[f"P{n}"] * 2, *[f"p{n}@example.com"] * 3, commits, HEAD, True)
            for n in range(number)
        ]
        with self.db.write() as session:
            session.copy(
                "commit_data",
                ("id", "ordinal", "repository_id", *names, "commit_count", "sample_sha", "processed"),
                rows,
            )
            add_segment(
                session,
                repository_id,
                [Commit(first + n, NOW + n) for n in range(number) for _ in range(commits)],
            )
            session.run(
                "UPDATE repository SET generation = generation + 1, total_commits = :total WHERE id = :id",
                id=repository_id,
                total=number * commits,
            )

    def account(self, email: str, login: str, **columns: Any) -> int:
        """Save that an account at GitHub stands behind an e-mail; give its number there."""
        identity = next(self._ids)
        self._insert(
            "contributor",
            {
                "id": identity,
                "host": "github.com",
                "account_id": identity,
                "username": login,
                "profile_url": f"https://github.com/{login}",
                # Long from now: never old enough to be asked for again.
                "enriched_at": 4e9,
                "created_at": NOW,
                "updated_at": NOW,
            }
            | columns,
        )
        self._insert(
            "known_email",
            {"host": "github.com", "email": email, "contributor_id": identity, "source": "host", "known_at": 4e9},
        )
        return int(columns.get("account_id", identity))

    def _insert(self, table: str, row: dict[str, Any]) -> None:
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        with self.db.write() as session:
            session.run(f"INSERT INTO {table} ({names}) VALUES ({values})", **row)


@contextlib.contextmanager
def open_site(
    folder: Path,
    db: Database | None = None,
    *,
    loopback: bool = True,
    checks: Sequence[Check] = (),
    **settings: Any,
) -> Iterator[Site]:
    """A site over ``db``, which is closed in the end, or over a new database in ``folder``."""
    site = Site(folder, db or open_or_create(folder / "podium.db"), loopback=loopback, checks=checks, **settings)
    try:
        yield site
    finally:
        # What a reader left behind must not read and write the rows of the next test.
        boards = site.app.state.context.boards
        for executor in (boards._threads._executor, boards._people._thread):
            executor.shutdown()
        site.avatars.close()
        site.db.close()


class Open(Protocol):
    """Opens a site with settings."""

    def __call__(self, *, loopback: bool = True, **settings: Any) -> Site: ...


def is_problem(answer: httpx.Response, status: int, *words: str) -> bool:
    """Whether ``answer`` is a problem document of that status whose detail contains ``words``."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert body["status"] == status
    assert body["detail"] == body["error"]
    assert "\n" not in body["detail"]
    for word in words:
        assert word in body["detail"], body["detail"]
    return True
