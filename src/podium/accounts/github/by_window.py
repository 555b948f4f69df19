"""A hundred commits in one request, each with its author's account (REST; needs no token).

GitHub answers 60 such requests an hour to an address without a token. So the windows start at commits of those with
most commits first: each tells at least one of them, and whoever else wrote commits at that time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from podium.accounts.github.github_session import GitHubSession
from podium.accounts.github.requests import RepositoryRequest, WindowRequest, moved
from podium.accounts.github.verdicts import DelayUntil, Done, GiveUp, Gone, Halve, Moved, Retry, Verdict
from podium.accounts.lookup import GitHubAccount, LookupStep, PendingEmail


class HiddenRepositoryError(Exception):
    """GitHub does not show this repository, or its API is not there; the message says why."""


class Windows:
    """The windows of one repository. ``path`` is where it is, also after a rename."""

    def __init__(self, asking: GitHubSession, path: str) -> None:
        self.path = path
        self._asking = asking
        self._is_there = False

    def ask(self, wanted: Sequence[PendingEmail]) -> Iterator[LookupStep]:
        """Ask about ``wanted``, which stand in the order in which they matter; those who only co-authored cannot be.

        Raises:
            HiddenRepositoryError: nothing can be learnt about this repository without a token.
            LimitInForceError, NoTokenLeftError, LookupFault, Interrupted: see :class:`GitHubSession`.
        """
        known: set[str] = set()
        for one in wanted:
            for sha in one.shas if one.authored else ():
                if one.email in known:
                    break
                people = self._window(sha)
                known |= people.keys()
                yield LookupStep(people)

    def _window(self, sha: str) -> Mapping[str, GitHubAccount | None]:
        """Who wrote the commits from ``sha`` back; nobody where GitHub does not have it."""
        verdict = self._answered(WindowRequest(self.path, sha))
        if isinstance(verdict.action, Gone):
            # GitHub answers so for a commit that it does not have, too.
            self._must_be_there()
            verdict = self._answered(WindowRequest(self.path, sha))
        return verdict.told.people

    def _must_be_there(self) -> None:
        if self._is_there:
            return
        action = self._answered(RepositoryRequest(self.path)).action
        if isinstance(action, Gone):
            raise HiddenRepositoryError(f"{action.reason}.")
        self._is_there = True

    def _answered(self, request: WindowRequest | RepositoryRequest) -> Verdict:
        """The verdict on a request once it is :class:`Done` or :class:`Gone`."""
        while True:
            verdict = self._asking.ask(request)
            match verdict.action:
                case Done() | Gone():
                    self._asking.progressed()
                    self.path = request.repository
                    return verdict
                case Moved(to):
                    request = moved(request, to)
                case GiveUp(_, reason):
                    raise HiddenRepositoryError(f"{reason}.")
                case Retry(after, reason):
                    self._asking.stumbled(after, reason)
                case Halve() | DelayUntil():
                    # The budget says when to ask again.
                    continue
