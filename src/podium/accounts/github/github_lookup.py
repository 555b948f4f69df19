"""The look-up at GitHub: fifty e-mails in one request with a token, windows of a hundred commits without one."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Callable, Collection, Generator, Iterator, Sequence

from podium.accounts.github.by_commit import UnreadableRepositoryError, ask_by_commit
from podium.accounts.github.by_window import HiddenRepositoryError, Windows
from podium.accounts.github.client import GitHub
from podium.accounts.github.github_session import GitHubSession, LimitInForceError, NoTokenLeftError
from podium.accounts.github.requests import repository_path
from podium.accounts.github.token_pool import TokenPool
from podium.accounts.lookup import LookupStep, PendingEmail
from podium.errors import Interrupted
from podium.storage.session import Row

# Without a token the hour's budget is small: a limit that ends sooner than this (seconds) is waited for, a longer one
# ends the look-up.
WORTH_WAITING = 120.0
# Digits of an object's name, where it is no longer one.
_SHA_1 = 40
# How many renamed repositories are remembered.
_MOST_MOVED = 1000


class GitHubLookup:
    """Finds accounts at one GitHub.

    Args:
        github: the transport.
        tokens: the tokens and their budgets; None where there is none.
        anonymous: the budget of those without a token.
        host: of that GitHub, as addresses write it: repositories elsewhere cannot be asked about.
        looked_up_recently: those of some e-mails of which something was learnt lately, by whoever asked.
        repo_slug: ``(owner, name)`` of what is asked about, where the repository's row does not say it.
        max_faults: faults in a row that are waited out before the work is handed back.
        sleep: see :class:`GitHubSession`.
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
        self._moved: dict[tuple[str, str], str] = {}
        self._turn = threading.Lock()

    def find(self, repository: Row, wanted: Sequence[PendingEmail], stop: threading.Event, /) -> Iterator[LookupStep]:
        """See :meth:`podium.accounts.lookup.Lookup.find`."""
        repo_slug = self._repo_slug
        if repo_slug is None and repository["host"] == self._host:
            repo_slug = repository["owner"], repository["name"]
        if repo_slug is None:
            yield LookupStep(give_up=f"Accounts can be asked for repositories at {self._host} only.")
            return
        if any(len(sha) > _SHA_1 for one in wanted for sha in one.shas):
            yield LookupStep(
                give_up="GitHub has no SHA-256 repositories, so accounts cannot be looked up for this one."
            )
            return
        left = {one.email: one for one in wanted}
        why: str | None = ""
        try:
            if self._tokens is not None:
                why = yield from self._with_tokens(self._tokens, repo_slug, left, stop)
            if why is not None:
                yield from self._without(repo_slug, left, stop, why)
        except LimitInForceError as limit:
            yield LookupStep(wait_until=limit.until)

    def close(self) -> None:
        """Close the connections."""
        self._github.close()

    def _with_tokens(
        self, tokens: TokenPool, repo_slug: tuple[str, str], left: dict[str, PendingEmail], stop: threading.Event
    ) -> Generator[LookupStep, None, str | None]:
        """Take out of ``left`` what is told; returns why no token is of use for the rest, None: all were asked for."""
        asking = self._asking(tokens, stop)
        why = "GitHub accepts none of the tokens in GITHUB_TOKEN."
        while left:
            try:
                for found in ask_by_commit(asking, *repo_slug, list(left.values())):
                    for email in (*found.people, *found.unanswered):
                        left.pop(email, None)
                    yield found
            except UnreadableRepositoryError as useless:
                why = str(useless)
            except NoTokenLeftError:
                return why
            else:
                break
        return None

    def _without(
        self, repo_slug: tuple[str, str], left: dict[str, PendingEmail], stop: threading.Event, why: str
    ) -> Iterator[LookupStep]:
        # One batch after the other: side by side they would spend the hour's budget on people of few commits, while
        # those of the first batch are still to be asked for.
        while not self._turn.acquire(timeout=0.2):
            if stop.is_set():
                raise Interrupted("interrupted")
        windows = Windows(
            self._asking(self._anonymous, stop), self._moved.get(repo_slug) or repository_path(*repo_slug)
        )
        try:
            # The windows of the batches before may have told of these people, too.
            for email in self._looked_up_recently(left.keys()):
                del left[email]
            for found in windows.ask(list(left.values())):
                for email in found.people:
                    left.pop(email, None)
                yield found
        except HiddenRepositoryError as error:
            yield LookupStep(give_up=why or str(error))
        except NoTokenLeftError:
            yield LookupStep(give_up=why or "GitHub answers nobody without a token: set GITHUB_TOKEN.")
        except LimitInForceError as limit:
            if limit.until - time.time() <= WORTH_WAITING:
                raise
            yield LookupStep(give_up=f"{why} {_used_up(limit.until)}".strip())
        else:
            if not all(one.authored for one in left.values()):
                yield LookupStep(skipped_reason=f"{why} {_AUTHORS_ONLY}".strip())
        finally:
            self._turn.release()
            self._remember(repo_slug, windows.path)

    def _asking(self, pool: TokenPool, stop: threading.Event) -> GitHubSession:
        return GitHubSession(self._github, pool, stop, max_faults=self._max_faults, sleep=self._sleep)

    def _remember(self, repo_slug: tuple[str, str], path: str) -> None:
        if path != repository_path(*repo_slug) and len(self._moved) < _MOST_MOVED:
            self._moved[repo_slug] = path


_AUTHORS_ONLY = "Without a token GitHub tells of authors, not of co-authors: set GITHUB_TOKEN."


def _used_up(until: float) -> str:
    ends = datetime.datetime.fromtimestamp(until, tz=datetime.UTC)
    return (
        f"Without a token GitHub answers 60 requests an hour, and they are used up until {ends:%H:%M} UTC: set "
        "GITHUB_TOKEN, or refresh later."
    )
