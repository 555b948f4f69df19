from __future__ import annotations

import dataclasses
import datetime
import threading
import time
from collections.abc import Callable, Collection, Generator, Iterator, Sequence

from cachetools import LRUCache, TTLCache

from podium.accounts.github.by_commit import MissingCommits, UnreadableRepositoryError, look_up_by_commit
from podium.accounts.github.by_window import CommitWindows, HiddenRepositoryError
from podium.accounts.github.client import GitHub
from podium.accounts.github.github_session import GitHubSession, LimitInForceError, NoTokenLeftError
from podium.accounts.github.requests import repository_path
from podium.accounts.github.token_pool import TokenPool
from podium.accounts.lookup import LookupStep, PendingEmail
from podium.errors import Interrupted
from podium.repositories.model import Repository
from podium.repositories.store.queue.unresolved import UnresolvedCode, WhyUnresolved

# Without a token the job waits at most these seconds for a limit.
MAX_ANONYMOUS_WAIT = 120.0
_SHA1_DIGITS = 40
_MAX_MOVED = 1000
_MISSING_SECONDS = 3600.0

# Seconds until a repository that GitHub does not show is asked for again.
_DENIED_DELAY = 900.0

_AUTHORS_ONLY = "Without a token GitHub names authors, not co-authors: set GITHUB_TOKEN."


@dataclasses.dataclass(frozen=True, slots=True)
class _WithoutToken:
    """Why no token can answer; '': there is none."""

    code: UnresolvedCode = "token"
    reason: str = ""

    def because(self, reason: str) -> str:
        return f"{self.reason} {reason}".strip()

    @property
    def unresolved(self) -> WhyUnresolved:
        return WhyUnresolved(self.code, _DENIED_DELAY if self.code == "denied" else 0.0)


class GitHubLookup:
    """Finds accounts of repositories at ``host``.

    Args:
        looked_up_recently: keeps, of a set of e-mails, those that were looked up recently.
        repo_slug: ``(owner, name)``, if the repository's row does not have it.
        max_faults, sleep: see :class:`GitHubSession`.
    """

    def __init__(
        self,
        github: GitHub,
        tokens: TokenPool | None,
        anonymous: TokenPool,
        *,
        host: str,
        looked_up_recently: Callable[[Collection[str]], Collection[str]],
        repo_slug: tuple[str, str] | None = None,
        max_faults: int = 5,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._github = github
        self._tokens = tokens
        self._anonymous = anonymous
        self._host = host
        self._looked_up_recently = looked_up_recently
        self._repo_slug = repo_slug
        self._max_faults = max_faults
        self._sleep = sleep
        self._moved: LRUCache[tuple[str, str], str] = LRUCache(_MAX_MOVED)
        self._missing: TTLCache[tuple[str, str], MissingCommits] = TTLCache(_MAX_MOVED, _MISSING_SECONDS)
        self._missing_lock = threading.Lock()
        # Also guards _moved.
        self._anonymous_lock = threading.Lock()

    def find(
        self, repository: Repository, pending: Sequence[PendingEmail], stop: threading.Event, /
    ) -> Iterator[LookupStep]:
        repo_slug = self._repo_slug
        if repo_slug is None and repository.host == self._host:
            repo_slug = repository.owner, repository.name
        if repo_slug is None:
            yield LookupStep(give_up=f"Accounts can be looked up for repositories at {self._host} only.")
            return
        if any(len(sha) > _SHA1_DIGITS for one in pending for sha in one.shas):
            yield LookupStep(give_up="GitHub has no SHA-256 repositories, so this one's accounts cannot be looked up.")
            return
        left = {one.email: one for one in pending}
        why: _WithoutToken | None = _WithoutToken()
        try:
            if self._tokens is not None:
                why = yield from self._with_tokens(self._tokens, repo_slug, left, stop)
            if why is not None:
                yield from self._without_token(repo_slug, left, stop, why)
        except LimitInForceError as limit:
            yield LookupStep(wait_until=limit.until)

    def close(self) -> None:
        self._github.close()

    def _with_tokens(
        self, tokens: TokenPool, repo_slug: tuple[str, str], left: dict[str, PendingEmail], stop: threading.Event
    ) -> Generator[LookupStep, None, _WithoutToken | None]:
        """Return why no token can answer the rest of ``left``; None: all were asked."""
        session = self._session(tokens, stop)
        why = _WithoutToken("token", "GitHub accepts none of the tokens in GITHUB_TOKEN.")
        while left:
            try:
                missing = self._missing_commits(repo_slug)
                for step in look_up_by_commit(session, *repo_slug, list(left.values()), missing):
                    for email in (*step.accounts, *step.unanswered):
                        left.pop(email, None)
                    yield step
            except UnreadableRepositoryError as error:
                why = _WithoutToken("denied", str(error))
            except NoTokenLeftError:
                return why
            else:
                break
        return None

    def _missing_commits(self, repo_slug: tuple[str, str]) -> MissingCommits:
        with self._missing_lock:
            return self._missing.setdefault(repo_slug, MissingCommits())

    def _without_token(
        self, repo_slug: tuple[str, str], left: dict[str, PendingEmail], stop: threading.Event, why: _WithoutToken
    ) -> Iterator[LookupStep]:
        # One batch at a time, or later batches (people with few commits) use up the hourly budget first.
        while not self._anonymous_lock.acquire(timeout=0.2):
            if stop.is_set():
                raise Interrupted("interrupted")
        windows = CommitWindows(
            self._session(self._anonymous, stop), self._moved.get(repo_slug) or repository_path(*repo_slug)
        )
        try:
            for email in self._looked_up_recently(left.keys()):
                del left[email]
            for step in windows.look_up(list(left.values())):
                for email in step.accounts:
                    left.pop(email, None)
                yield step
        except HiddenRepositoryError as error:
            unresolved = why.unresolved if why.reason else WhyUnresolved("denied", _DENIED_DELAY)
            yield LookupStep(give_up=why.reason or str(error), unresolved=unresolved)
        except NoTokenLeftError:
            give_up = why.reason or "GitHub answers no requests without a token: set GITHUB_TOKEN."
            yield LookupStep(give_up=give_up, unresolved=why.unresolved)
        except LimitInForceError as limit:
            delay = limit.until - time.time()
            if delay <= MAX_ANONYMOUS_WAIT:
                raise
            unresolved = WhyUnresolved("limit" if why.code == "token" else why.code, delay)
            yield LookupStep(give_up=why.because(_used_up(limit.until)), unresolved=unresolved)
        else:
            if not all(one.authored for one in left.values()):
                yield LookupStep(skipped_reason=why.because(_AUTHORS_ONLY), unresolved=why.unresolved)
        finally:
            self._remember(repo_slug, windows.path)
            self._anonymous_lock.release()

    def _session(self, pool: TokenPool, stop: threading.Event) -> GitHubSession:
        return GitHubSession(self._github, pool, stop, max_faults=self._max_faults, sleep=self._sleep)

    def _remember(self, repo_slug: tuple[str, str], path: str) -> None:
        if path != repository_path(*repo_slug):
            self._moved[repo_slug] = path


def _used_up(until: float) -> str:
    end = datetime.datetime.fromtimestamp(until, tz=datetime.UTC)
    return (
        f"Without a token GitHub answers 60 requests an hour, and they are used up until {end:%H:%M} UTC: set "
        "GITHUB_TOKEN, or refresh later."
    )
