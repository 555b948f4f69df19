"""One Podium in this process beside the double of a host: hooks come in over ASGI, and a worker's steps run here.

Repositories are at a git server that stands for GitHub, a GitLab or a Gitea, and a double answers for its API. Time
passes at will.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import httpx

from podium.accounts.lookup import NoLookup
from podium.app import factories
from podium.freshness.apply_answer import Applied
from podium.freshness.check import NoAnswer, check
from podium.freshness.hooks.hook_checks import HookChecks
from podium.jobs import reconciler
from podium.repositories.model import Repository, State
from podium.repositories.store import queries
from podium.repositories.store.freshness import pushes
from podium.storage.session import Database
from tests.support import gitea_double, gitlab_double
from tests.support.delivery import Delivery
from tests.support.githttp import GitHost, serve_repositories
from tests.support.github_double import GitHubDouble
from tests.support.hosted import Hosted, Hosting
from tests.support.repos import chain, make_bare
from tests.support.web import Site, open_site

SECRET = "a-secret-of-these-hooks"
OLD_SECRET = "the-secret-of-last-year"
TOKEN = "token-of-a-test"
Kind = Literal["github", "gitlab", "gitea"]

# What a moment is noted in: time passes for all of them.
_MOMENTS = (
    *("check_at", "checked_at", "hook_due_at", "pushed_at", "gone_since", "gone_checked_at", "hidden_at"),
    *("name_taken_at", "not_before", "updated_at", "last_attempt", "enqueued_at", "commits_processed_at"),
    *("users_processed_at", "last_processed_at", "last_read_at"),
)


class FreshPodium:
    """See the module."""

    def __init__(self, site: Site, hosting: Hosting, git: GitHost, github: GitHubDouble, folder: Path) -> None:
        self.site, self.hosting, self.git, self.github = site, hosting, git, github
        self.db = site.db
        self.settings = site.services.settings
        self.client = site.client()
        self._folder = folder
        self._stop = threading.Event()
        self.client_of_github = factories.github_client(self.settings)
        self._hosts = factories.hosts(self.settings, self.db, github=self.client_of_github)

    def host(self, name: str, authors: Sequence[str] = ("ada",)) -> Hosted:
        """Make a repository at the host, with a commit by each author."""
        folder = make_bare(self._folder / f"{len(list(self._folder.iterdir()))}.git")
        hosted = self.hosting.add(name, folder)
        self.commit(hosted, *authors)
        return hosted

    def commit(self, hosted: Hosted, *authors: str) -> str:
        """Push a commit by each author to the default branch; return the head."""
        lines = [f"{name.title()} <{name}@example.org> 1700000000 +0000".encode() for name in authors]
        return chain(hosted.real.path, lines, [hosted.head] if hosted.head else [], hosted.branch)

    def address(self, name: str) -> str:
        return f"{self.git.url}/{name}"

    def submit(self, name: str, revision: str | None = None) -> int:
        """Submit a repository, or a branch or tag, as a person, and count it; return its id."""
        params = {"repoUrl": self.address(name)} | ({"rev": revision} if revision else {})
        answer = self.client.post("/leaderboard", params=params)
        assert answer.status_code in (200, 202), answer.text
        self.count()
        found = self.row(f"{name}#{revision}" if revision else name)
        assert found is not None
        return found.id

    def work(self) -> int:
        """Do what hooks have asked for and is due, and count what waits; return how many counts that were."""
        checks = HookChecks(self.db, self.site.queues, lambda: True, self._ask)
        checks.run()
        checks.stop(wait=True)
        reconciler.try_hosts_again(self.db, self.site.queues)
        return self.count()

    def check(self, name: str) -> Applied | NoAnswer:
        """Ask the host about a repository, as the schedule does, and count what follows."""
        row = self.row(name)
        assert row is not None
        answer = check(self.db, self._hosts, row.id, self._stop, next_check_in=86_400)
        self.count()
        return answer

    @contextlib.contextmanager
    def schedule(self) -> Iterator[Callable[[], None]]:
        """The schedule of this Podium; what it gives makes a pass, and counts what follows."""
        schedule = factories.schedule(
            self.settings,
            self.db,
            self.site.queues,
            pools=factories.token_pools(self.settings, self.db),
            github=self.client_of_github,
            leads=lambda: True,
            stop=self._stop,
        )

        def pass_once() -> None:
            schedule.run()
            schedule.wait()
            self.count()

        with contextlib.closing(schedule):
            yield pass_once

    def _ask(self, repository: Repository) -> Applied | None:
        asks_head = not pushes.is_unidentified(repository)
        answer = check(self.db, self._hosts, repository.id, self._stop, is_push=True, asks_head=asks_head)
        return answer if isinstance(answer, Applied) else None

    def count(self) -> int:
        """Count what waits to be counted now; return how many repositories."""
        counted = 0
        while (number := self._next()) is not None:
            source = factories.server_source(self.settings)
            factories.commit_job(self.settings, self.db, source, ask=False).run(number, self._stop)
            self._look_up(number)
            counted += 1
        return counted

    def _look_up(self, number: int) -> None:
        """Complete a board whose people have no account."""
        row = self.by_id(number)
        if row is not None and row.state is State.USERS_PROCESSING:
            with contextlib.closing(factories.user_job(self.settings, self.db, NoLookup())) as users:
                users.run(number, row.generation, 0, self._stop)

    def _next(self) -> int | None:
        with self.db.read() as session:
            found: int | None = session.value(
                """SELECT min(id) FROM repository WHERE state = 'pending' AND lease_until IS NULL
                    AND coalesce(not_before, 0) <= {now}"""
            )
        return found

    def deliver(self, sent: Delivery) -> int:
        """Receive a delivery; return the status of the answer."""
        return self.client.post(sent.path, content=sent.body, headers=dict(sent.headers)).status_code

    def forget(self) -> None:
        """Let no repository be here or at the host."""
        for hosted in self.hosting:
            self.hosting.delete(hosted.full_name)
        self.git.faults.clear()
        with self.db.write() as session:
            for table in ("former_name", "git_host", "repository"):
                session.run(f"DELETE FROM {table}")

    def pass_time(self, seconds: float) -> None:
        """Let so much time pass for all repositories."""
        changes = ", ".join(f"{name} = {name} - :seconds" for name in _MOMENTS)
        with self.db.write() as session:
            session.run(f"UPDATE repository SET {changes}", seconds=seconds)
            session.run(
                "UPDATE git_host SET down_since = down_since - :seconds, next_try_at = next_try_at - :seconds",
                seconds=seconds,
            )

    def row(self, name: str) -> Repository | None:
        """The row that has a name now."""
        key = f"{self.git.url.removeprefix('http://')}/{name}".lower()
        with self.db.read() as session:
            return queries.by_key(session, key)

    def by_id(self, number: int) -> Repository | None:
        with self.db.read() as session:
            return queries.by_id(session, number)

    def get(self, name: str, **options: Any) -> httpx.Response:
        """What a reader of the API is answered who asks for a name."""
        return self.client.get("/leaderboard", params={"repoUrl": self.address(name)}, **options)

    def people(self, name: str) -> dict[str, int]:
        """A board as readers see it: name → commits; empty: there is none to see."""
        answer = self.get(name, follow_redirects=True)
        if answer.status_code != 200:
            return {}
        return {entry["name"].lower(): entry["commitCount"] for entry in json.loads(answer.text)["top_contributors"]}


@contextlib.contextmanager
def fresh_podium(folder: Path, db: Database, *, kind: Kind = "github", **settings: Any) -> Iterator[FreshPodium]:
    """A Podium that accepts hooks signed with :data:`SECRET` or :data:`OLD_SECRET`, beside a host of a kind."""
    hosting = Hosting()
    repositories = folder / "hosted"
    repositories.mkdir()
    (folder / "data").mkdir()
    with serve_repositories(repositories, hosting=hosting) as git, GitHubDouble(hosting) as github:
        hosting.web = git.url
        match kind:
            case "github":
                settings["github_server_url"] = git.url
            case "gitlab":
                git.redirect, git.api = None, gitlab_double.api(hosting)
            case "gitea":
                git.redirect, git.api = 307, gitea_double.api(hosting)
        with open_site(
            folder / "data",
            db,
            git_hosts=(git.url,),
            github_api_url=github.api_url,
            github_graphql_url=github.graphql_url,
            github_tokens=(TOKEN,),
            webhook_secrets=(SECRET, OLD_SECRET),
            disk_reserve_bytes=0,
            **settings,
        ) as site:
            running = FreshPodium(site, hosting, git, github, repositories)
            with contextlib.closing(running.client_of_github):
                yield running
