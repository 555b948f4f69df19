"""What hooks have asked for, in the process that reconciles."""

from __future__ import annotations

import threading

from podium.freshness.apply_answer import Applied
from podium.freshness.check import Hosts, check
from podium.freshness.hooks.hook_checks import HookChecks
from podium.jobs.messages.broker import JobQueues
from podium.jobs.reconciler import lead_seconds
from podium.repositories.model import Repository
from podium.settings import Settings
from podium.storage.session import Database


def hook_checks(settings: Settings, db: Database, queues: JobQueues, hosts: Hosts, stop: threading.Event) -> HookChecks:
    def ask(repository: Repository) -> Applied | None:
        answer = check(db, hosts, repository.id, stop, is_push=True)
        if not isinstance(answer, Applied):
            return None
        if answer.counts:
            queues.enqueue_commits(answer.repository_id)
        return answer

    seconds = lead_seconds(settings.reconcile_seconds)
    return HookChecks(db, queues, lambda: queues.backend.leads(seconds), ask)
