"""What processes ask the database while there is nothing to do."""

from __future__ import annotations

from podium.freshness.hooks.hook_checks import HookChecks
from podium.jobs.messages.memory_broker import MemoryBackend
from podium.jobs.reconciler import LeadingReconciler
from podium.storage.session import Database
from tests.support.plans import Explained
from tests.support.rows import RecordingQueues, add_repository


def test_a_pass_with_nothing_to_do_is_one_statement(db: Database) -> None:
    add_repository(db, state="completed")
    explained, queues = Explained(db), RecordingQueues()
    reconcile = LeadingReconciler(explained, queues, MemoryBackend(), 3.0)
    hooks = HookChecks(explained, queues, lambda: True, lambda _row: None)
    # The first pass also looks for what is rare.
    reconcile()
    before = len(explained.statements)
    reconcile()
    hooks.run()
    hooks.stop()
    assert len(explained.statements) - before == 2


def test_what_hooks_planned_is_met_when_it_is_due(db: Database) -> None:
    number = add_repository(db, state="completed")
    queues = RecordingQueues()
    hooks = HookChecks(db, queues, lambda: True, lambda _row: None)
    for seconds, is_counted in ((0.2, False), (-0.1, True)):
        with db.write() as session:
            session.run(
                "UPDATE repository SET head = 'h', commits_processed_at = 1, hook_due_at = {now} + :s WHERE id = :id",
                id=number,
                s=seconds,
            )
        assert hooks.run() < 1
        assert bool(queues.enqueued) == is_counted
    hooks.stop()
