"""Look up accounts by commits: up to 50 e-mails in one GraphQL request (needs a token).

Nearly all are answered at once. A second request for a few e-mails would double the requests of a batch, so the first
one asks for two commits of each e-mail: the best one and an old one.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from podium.accounts.github.faults import Done, GiveUp, Gone, Halve, RetryAfter, Verdict
from podium.accounts.github.github_session import GitHubSession
from podium.accounts.github.requests import MAX_ASKS, Ask, EmailsRequest, ParsedAnswer
from podium.accounts.lookup import LookupStep, PendingEmail

MAX_PAGES = 20


@dataclasses.dataclass(slots=True)
class MissingCommits:
    """What GitHub said about commits that it lacks. It may miss one that it has, so the first one is asked for again.

    The batches of one repository share it, as such commits often come together: a clone has commits that were never
    pushed, or a history of its own.
    """

    is_believed: bool = False


class UnreadableRepositoryError(Exception):
    """The message gives the reason."""


def look_up_by_commit(
    session: GitHubSession,
    owner: str,
    name: str,
    pending: Sequence[PendingEmail],
    missing: MissingCommits,
) -> Iterator[LookupStep]:
    """Look up ``pending`` in as few requests as possible.

    Raises:
        UnreadableRepositoryError: the token cannot read this repository.
        LimitInForceError, NoTokenLeftError, LookupFault, Interrupted: see :class:`GitHubSession`.
    """
    queue = _AskQueue(pending, missing)
    size = MAX_ASKS
    while asks := queue.next(size):
        # After a fault a request is small on purpose.
        others = queue.others(asks) if size == MAX_ASKS else ()
        request = EmailsRequest(owner, name, asks, others)
        verdict = session.ask(request)
        answer = verdict.answer
        has_progress = any(ask.email in answer.accounts for ask in request.asks)
        if has_progress:
            session.note_progress()
        unanswered = queue.update(answer)
        if answer.accounts or unanswered:
            yield LookupStep(answer.accounts, unanswered)
        size = _next_size(verdict, size, len(request.asks))
        if not has_progress and isinstance(verdict.action, RetryAfter):
            session.note_fault(verdict.action.seconds, verdict.action.reason)
        if isinstance(verdict.action, Gone | GiveUp):
            session.exclude_token()
            raise UnreadableRepositoryError(f"{verdict.action.reason}.")


def _next_size(verdict: Verdict, size: int, asked: int) -> int:
    if isinstance(verdict.action, Halve):
        return max(1, (asked + 1) // 2)
    return min(MAX_ASKS, size * 2) if isinstance(verdict.action, Done) else size


@dataclasses.dataclass(slots=True)
class _Remaining:
    """``asked``: the commits that are asked or queued now."""

    commits: list[str]
    asked: int = 1
    pages: int = MAX_PAGES


class _AskQueue:
    def __init__(self, pending: Sequence[PendingEmail], missing: MissingCommits) -> None:
        with_commits = [one for one in pending if one.shas]
        self._asks = deque(Ask(one.email, one.shas[0]) for one in with_commits)
        self._remaining = {one.email: _Remaining([*one.shas[1:][-1:]]) for one in with_commits}
        self._missing = missing
        self._asked_again: set[Ask] = set()

    def next(self, size: int) -> tuple[Ask, ...]:
        return tuple(itertools.islice(self._take_open(), size))

    def _take_open(self) -> Iterator[Ask]:
        while self._asks:
            ask = self._asks.popleft()
            if ask.email in self._remaining:
                yield ask

    def others(self, asks: Iterable[Ask]) -> tuple[Ask, ...]:
        """The other commits of the e-mails that are asked."""
        return tuple(self._take_others(asks))

    def _take_others(self, asks: Iterable[Ask]) -> Iterator[Ask]:
        for ask in asks:
            remaining = self._remaining[ask.email]
            if remaining.commits:
                remaining.asked += 1
                yield Ask(ask.email, remaining.commits.pop())

    def update(self, answer: ParsedAnswer) -> frozenset[str]:
        """Queue the follow-up asks; return the e-mails that have no commit left to ask by."""
        for email in answer.accounts:
            self._remaining.pop(email, None)
        self._asks.extendleft(answer.retry)
        following = [(ask.email, self._next_page(ask)) for ask in answer.next_page]
        following += [(ask.email, self._other_commit(ask, answer)) for ask in answer.other_commit]
        self._asks.extend(ask for _, ask in following if ask is not None)
        unanswered = frozenset(email for email, _ in following if not self._remaining[email].asked)
        for email in unanswered:
            del self._remaining[email]
        return unanswered

    def _next_page(self, ask: Ask) -> Ask | None:
        remaining = self._remaining[ask.email]
        remaining.pages -= 1
        return ask if remaining.pages > 0 else self._next_commit(ask.email)

    def _other_commit(self, ask: Ask, answer: ParsedAnswer) -> Ask | None:
        remaining = self._remaining[ask.email]
        if ask in answer.missing:
            if ask in self._asked_again:
                self._missing.is_believed = True
            elif not self._missing.is_believed:
                self._asked_again.add(ask)
                remaining.commits.append(ask.oid)
                if remaining.asked > 1:
                    # The e-mail's other commit is asked for as well, and takes this one along in its next request.
                    remaining.asked -= 1
                    return None
        return self._next_commit(ask.email)

    def _next_commit(self, email: str) -> Ask | None:
        remaining = self._remaining[email]
        if remaining.commits:
            return Ask(email, remaining.commits.pop(0))
        remaining.asked -= 1
        return None
