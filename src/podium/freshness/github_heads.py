"""Ask GitHub for a hundred repositories at a time, with a token: their names, host ids and heads cost one point."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence

from podium.accounts.github.client import GitHub
from podium.accounts.github.faults import Done, GiveUp, Gone, Halve, RetryAfter
from podium.accounts.github.github_session import GitHubSession
from podium.accounts.github.requests import MAX_HEADS, HeadsRequest, RepositoryHead
from podium.accounts.github.token_pool import TokenPool
from podium.freshness.host_answer import HostAnswer
from podium.freshness.stated_addresses import StatedAddresses
from podium.repositories.model import Repository

# Faults in a row, without any answer.
_MAX_FAULTS = 3


class GitHubHeads:
    """Asks GitHub for the heads and names of many repositories with few requests, by token.

    Args:
        host: of the configured GitHub.
        stop: ends every wait when set.
    """

    def __init__(
        self, github: GitHub, tokens: TokenPool, stated: StatedAddresses, *, host: str, stop: threading.Event
    ) -> None:
        self.host = host
        self._github = github
        self._tokens = tokens
        self._stated = stated
        self._stop = stop

    def ask(self, repositories: Sequence[Repository]) -> Iterator[Mapping[int, HostAnswer]]:
        """Ask for repositories in as few requests as possible; yield answers by id.

        What GitHub does not show to the token is left out: git decides whether it can be read.

        Raises:
            LimitInForceError, NoTokenLeftError, LookupFault, Interrupted: see :class:`GitHubSession`.
        """
        session = GitHubSession(self._github, self._tokens, self._stop, max_faults=_MAX_FAULTS)
        left, size = list(repositories), MAX_HEADS
        while left:
            asked = left[:size]
            verdict = session.ask(HeadsRequest(tuple((row.owner, row.name) for row in asked)))
            heads = verdict.answer.heads
            answers = {
                row.id: answer
                for place, row in enumerate(asked)
                if (answer := self._answer(row, heads.get(place))) is not None
            }
            if answers:
                session.note_progress()
                yield answers
            unanswered = [row for place, row in enumerate(asked) if place not in heads]
            match verdict.action:
                case Done():
                    unanswered, size = [], min(MAX_HEADS, 2 * size)
                case Halve():
                    size = max(1, (len(asked) + 1) // 2)
                case RetryAfter(seconds, reason) if not answers:
                    session.note_fault(seconds, reason)
                case Gone() | GiveUp():
                    session.exclude_token()
            left[: len(asked)] = unanswered

    def _answer(self, row: Repository, found: RepositoryHead | None) -> HostAnswer | None:
        address = None if found is None or found.facts.is_private else self._stated.of_name(row, found.facts.name)
        if found is None or address is None:
            return None
        return HostAnswer(found.facts.number, address, found.head, found.facts.branch)
