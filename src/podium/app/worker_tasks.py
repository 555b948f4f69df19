"""Tasks of a worker process beside its jobs, put together from several packages."""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable

from podium.accounts.github.token_check import GitHubState, TokenCheck
from podium.accounts.stale import MOST_STALE
from podium.accounts.unresolved_boards import INTERVAL, UnresolvedBoards
from podium.app import factories
from podium.freshness.apply_answer import Applied
from podium.freshness.check import Hosts, check
from podium.freshness.hooks.hook_checks import HookChecks
from podium.jobs.messages.broker import JobQueues
from podium.jobs.messages.queues import Queues
from podium.jobs.periodic import Periodic
from podium.repositories.model import Repository
from podium.repositories.store.freshness import pushes
from podium.repositories.store.queue import unresolved
from podium.repositories.store.queue.unresolved import WhyUnresolved
from podium.settings import Settings
from podium.storage.session import Database
from podium.submissions.refresh import StaleRows, resolve_again
from podium.telemetry.outage_log import OutageLog

log = logging.getLogger(__name__)

_MORE = f"Podium looks up {MOST_STALE:,} e-mails at a time: the others follow."


def hook_checks(
    db: Database, queues: JobQueues, hosts: Hosts, leads: Callable[[], bool], stop: threading.Event
) -> HookChecks:
    """Make the checks that webhooks ask for, which run in the process that runs the schedule."""

    def ask(repository: Repository) -> Applied | None:
        answer = check(db, hosts, repository.id, stop, is_push=True, asks_head=not pushes.is_unidentified(repository))
        if not isinstance(answer, Applied):
            return None
        if answer.counts:
            queues.enqueue_commits(answer.repository_id)
        return answer

    return HookChecks(db, queues, leads, ask, hosts.way_to_identify)


def unresolved_boards(settings: Settings, db: Database, queues: Queues, token_check: TokenCheck) -> Periodic:
    """Make the look-ups of accounts for which GitHub gave no answer before."""

    def ask(is_any: bool) -> GitHubState:
        return token_check.run(time.time(), is_needed=is_any)

    boards = UnresolvedBoards(
        db,
        ask,
        functools.partial(reopen, db, queues, factories.stale_rows(settings)),
        has_tokens=bool(settings.github_tokens),
    )
    outage_log = OutageLog(log, "unresolved boards wait", "unresolved boards continue")
    # A token that GitHub refuses is known from the start on.
    return Periodic("unresolved-boards", INTERVAL, boards.run, at_once=True, outage_log=outage_log)


def reopen(db: Database, queues: Queues, stale_rows: StaleRows, repository_id: int) -> bool:
    """Look up a board's e-mails again; return False if none is left to look up."""
    rows = resolve_again(db, queues, repository_id, stale_rows)
    if rows >= MOST_STALE:
        with db.write() as session:
            unresolved.explain(session, repository_id, _MORE, WhyUnresolved("more"))
    return bool(rows)
