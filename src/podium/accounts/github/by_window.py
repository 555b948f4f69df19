"""Look up authors in windows of 100 commits (REST; needs no token).

GitHub answers 60 such requests an hour. Windows start at commits of the most active authors: each answers for everyone
who committed at that time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from podium.accounts.github.faults import DelayUntil, Done, GiveUp, Gone, Halve, Moved, RetryAfter, Verdict
from podium.accounts.github.github_session import GitHubSession
from podium.accounts.github.requests import RepositoryRequest, WindowRequest, moved
from podium.accounts.lookup import GitHubAccount, LookupStep, PendingEmail


class HiddenRepositoryError(Exception):
    """The message gives the reason."""


class CommitWindows:
    def __init__(self, session: GitHubSession, path: str) -> None:
        self.path = path
        self._session = session
        self._exists = False

    def look_up(self, pending: Sequence[PendingEmail]) -> Iterator[LookupStep]:
        """Look up ``pending``, in its order; co-authors cannot be looked up.

        Raises:
            HiddenRepositoryError: nothing can be learned about this repository without a token.
            LimitInForceError, NoTokenLeftError, LookupFault, Interrupted: see :class:`GitHubSession`.
        """
        known: set[str] = set()
        for one in pending:
            for sha in one.shas if one.authored else ():
                if one.email in known:
                    break
                accounts = self._window(sha)
                known |= accounts.keys()
                yield LookupStep(accounts)

    def _window(self, sha: str) -> Mapping[str, GitHubAccount | None]:
        verdict = self._send(WindowRequest(self.path, sha))
        if isinstance(verdict.action, Gone):
            # The answer is the same for an unknown commit and for an unknown repository.
            self._check_repository()
            verdict = self._send(WindowRequest(self.path, sha))
        return verdict.answer.accounts

    def _check_repository(self) -> None:
        if self._exists:
            return
        action = self._send(RepositoryRequest(self.path)).action
        if isinstance(action, Gone):
            raise HiddenRepositoryError(f"{action.reason}.")
        self._exists = True

    def _send(self, request: WindowRequest | RepositoryRequest) -> Verdict:
        while True:
            verdict = self._session.ask(request)
            match verdict.action:
                case Done() | Gone():
                    self._session.note_progress()
                    self.path = request.repository
                    return verdict
                case Moved(to):
                    request = moved(request, to)
                case GiveUp(_, reason):
                    raise HiddenRepositoryError(f"{reason}.")
                case RetryAfter(seconds, reason):
                    self._session.note_fault(seconds, reason)
                case Halve() | DelayUntil():
                    continue
