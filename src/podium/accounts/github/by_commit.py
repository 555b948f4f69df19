"""Fifty e-mails in one request: the account behind each, by a commit that names it (GraphQL; needs a token)."""

from __future__ import annotations

import dataclasses
import itertools
from collections import deque
from collections.abc import Iterator, Sequence

from podium.accounts.github.github_session import GitHubSession
from podium.accounts.github.requests import MAX_ASKS, Ask, EmailsRequest, Told
from podium.accounts.github.verdicts import Done, GiveUp, Gone, Halve, Retry, Verdict
from podium.accounts.lookup import LookupStep, PendingEmail

# How often an e-mail is asked for again by a commit that GitHub said it does not have: that may have been a stumble.
AGAIN = 3
# Pages of a hundred people that are read of one commit in search of one of them.
PAGES = 20


class UnreadableRepositoryError(Exception):
    """No token that is left can read this repository; the message says why the last one could not."""


def ask_by_commit(asking: GitHubSession, owner: str, name: str, wanted: Sequence[PendingEmail]) -> Iterator[LookupStep]:
    """Ask about ``wanted`` in as few requests as can be.

    Raises:
        UnreadableRepositoryError: the token cannot read this repository; another may.
        LimitInForceError, NoTokenLeftError, LookupFault, Interrupted: see :class:`GitHubSession`.
    """
    work = _Work(wanted)
    size = MAX_ASKS
    while request_asks := work.next(size):
        request = EmailsRequest(owner, name, request_asks)
        verdict = asking.ask(request)
        told = verdict.told
        answered = any(ask.email in told.people for ask in request.asks)
        if answered:
            asking.progressed()
        untold = work.learn(told)
        if told.people or untold:
            yield LookupStep(told.people, untold)
        size = _next_size(verdict, size, len(request.asks))
        if not answered:
            _wait_out(asking, verdict)
        _refuse(asking, verdict)


def _next_size(verdict: Verdict, size: int, asked: int) -> int:
    """Half of what was too much; twice as much again after what went well."""
    if isinstance(verdict.action, Halve):
        return max(1, (asked + 1) // 2)
    return min(MAX_ASKS, size * 2) if isinstance(verdict.action, Done) else size


def _wait_out(asking: GitHubSession, verdict: Verdict) -> None:
    if isinstance(verdict.action, Retry):
        asking.stumbled(verdict.action.after, verdict.action.reason)


def _refuse(asking: GitHubSession, verdict: Verdict) -> None:
    # All else is asked again: in smaller parts, or as soon as the budget gives another slot.
    if isinstance(verdict.action, Gone | GiveUp):
        asking.set_aside()
        raise UnreadableRepositoryError(f"{verdict.action.reason}.")


@dataclasses.dataclass(slots=True)
class _Chances:
    """The commits by which one e-mail can still be asked for."""

    others: list[str]
    again: int = AGAIN
    pages: int = PAGES


class _Work:
    """What is still to be asked."""

    def __init__(self, wanted: Sequence[PendingEmail]) -> None:
        able = [one for one in wanted if one.shas]
        self._asks = deque(Ask(one.email, one.shas[0]) for one in able)
        self._chances = {one.email: _Chances(list(one.shas[1:])) for one in able}

    def next(self, size: int) -> tuple[Ask, ...]:
        """The next asks, at most ``size``; those whose answers came with others' are done."""
        taken = itertools.islice(self._open(), size)
        return tuple(taken)

    def _open(self) -> Iterator[Ask]:
        while self._asks:
            ask = self._asks.popleft()
            if ask.email in self._chances:
                yield ask

    def learn(self, told: Told) -> frozenset[str]:
        """Take in an answer; give the e-mails of which no commit is left to ask by."""
        for email in told.people:
            self._chances.pop(email, None)
        self._asks.extendleft(told.again)
        asks = [(ask.email, self._page(ask)) for ask in told.further]
        asks += [(ask.email, self._elsewhere(ask, told)) for ask in told.elsewhere]
        self._asks.extend(ask for _, ask in asks if ask is not None)
        untold = frozenset(email for email, ask in asks if ask is None)
        for email in untold:
            del self._chances[email]
        return untold

    def _page(self, ask: Ask) -> Ask | None:
        chances = self._chances[ask.email]
        chances.pages -= 1
        return ask if chances.pages > 0 else self._other(chances, ask.email)

    def _elsewhere(self, ask: Ask, told: Told) -> Ask | None:
        chances = self._chances[ask.email]
        if ask in told.missing and chances.again:
            # It is not there, GitHub said: another one first, and then this one once more.
            chances.again -= 1
            chances.others.append(ask.oid)
        return self._other(chances, ask.email)

    @staticmethod
    def _other(chances: _Chances, email: str) -> Ask | None:
        return Ask(email, chances.others.pop(0)) if chances.others else None
