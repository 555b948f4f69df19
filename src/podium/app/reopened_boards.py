"""Boards whose accounts GitHub did not answer for, in a user worker."""

from __future__ import annotations

import functools
import logging
import time

from podium.accounts.github.token_check import GitHubState, TokenCheck
from podium.accounts.stale import MOST_STALE
from podium.accounts.unresolved_boards import INTERVAL, UnresolvedBoards
from podium.app import factories
from podium.jobs.messages.queues import Queues
from podium.jobs.periodic import Periodic
from podium.repositories.store.queue import unresolved
from podium.repositories.store.queue.unresolved import WhyUnresolved
from podium.settings import Settings
from podium.storage.session import Database
from podium.submissions.refresh import StaleRows, resolve_again
from podium.telemetry.outage_log import OutageLog

log = logging.getLogger(__name__)

_MORE = f"Podium looks up {MOST_STALE:,} e-mails at a time: the others follow."


def unresolved_boards(settings: Settings, db: Database, queues: Queues, check: TokenCheck) -> Periodic:
    def ask(is_any: bool) -> GitHubState:
        return check.run(time.time(), is_needed=is_any)

    boards = UnresolvedBoards(
        db,
        ask,
        functools.partial(reopen, db, queues, factories.stale_rows(settings)),
        has_tokens=bool(settings.github_tokens),
    )
    outage_log = OutageLog(log, "unresolved boards wait", "unresolved boards go on")
    return Periodic("unresolved-boards", INTERVAL, boards.run, outage_log=outage_log)


def reopen(db: Database, queues: Queues, stale_rows: StaleRows, repository_id: int) -> bool:
    """Look up a board's e-mails again; return False if none is left to look up."""
    rows = resolve_again(db, queues, repository_id, stale_rows)
    if rows >= MOST_STALE:
        with db.write() as session:
            unresolved.explain(session, repository_id, _MORE, WhyUnresolved("more"))
    return bool(rows)
