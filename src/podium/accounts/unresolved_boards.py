"""Look up the accounts that could not be looked up when their board was completed."""

from __future__ import annotations

import logging
from collections.abc import Callable

from podium.accounts.github.token_check import GitHubState
from podium.repositories.store.queue import unresolved
from podium.repositories.store.queue.unresolved import UnresolvedCode
from podium.storage.session import Database
from podium.textutil.plural import plural

log = logging.getLogger(__name__)

# Seconds between two passes.
INTERVAL = 45.0
# Repositories in look-up beyond which no board is added: new ones come first, and their budget is the same.
AT_ONCE = 20
# Without a token GitHub answers sixty requests an hour.
AT_ONCE_WITHOUT_TOKEN = 1

_WITH_TOKEN: tuple[UnresolvedCode, ...] = ("token", "limit", "denied", "away", "more")
_WITHOUT_TOKEN: tuple[UnresolvedCode, ...] = ("limit", "denied", "away", "more")
# A token makes the end of the limit without one irrelevant.
_AT_ONCE_WITH_TOKEN: tuple[UnresolvedCode, ...] = ("limit",)


class UnresolvedBoards:
    """Boards that were completed without some of their accounts, because GitHub was away or refused the tokens.

    Args:
        check: asks GitHub; its argument says whether any board waits.
        reopen: enqueues a board's e-mails; returns False if none is left to look up.
        has_tokens: whether there are tokens; while GitHub refuses all of them, boards wait.
    """

    def __init__(
        self,
        db: Database,
        check: Callable[[bool], GitHubState],
        reopen: Callable[[int], bool],
        *,
        has_tokens: bool,
    ) -> None:
        self._db = db
        self._check = check
        self._reopen = reopen
        self._has_tokens = has_tokens

    def run(self) -> int:
        """Look up again what can be looked up now; return the number of boards.

        Raises:
            StorageError, QueueError: the database or the queue did not answer; the next pass continues.
        """
        with self._db.read() as session:
            is_any = unresolved.is_any_waiting(session)
        github = self._check(is_any)
        if not is_any or not github.answers or (self._has_tokens and not github.has_token):
            return 0
        most = AT_ONCE if github.has_token else AT_ONCE_WITHOUT_TOKEN
        with self._db.read() as session:
            room = most - unresolved.in_look_up(session, most)
        if room <= 0:
            return 0
        with self._db.write() as session:
            found = unresolved.take(
                session,
                _WITH_TOKEN if github.has_token else _WITHOUT_TOKEN,
                at_once=_AT_ONCE_WITH_TOKEN if github.has_token else (),
                limit=room,
            )
        reopened = sum(map(self._reopen_one, found))
        if reopened:
            log.info("the accounts of %s are looked up, which GitHub did not answer before", plural(reopened, "board"))
        return reopened

    def _reopen_one(self, repository_id: int) -> bool:
        if self._reopen(repository_id):
            return True
        with self._db.write() as session:
            unresolved.settle(session, repository_id)
        return False
