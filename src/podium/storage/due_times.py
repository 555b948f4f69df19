"""When an unfinished repository is due to be enqueued, as expressions that indexes hold (:mod:`podium.storage.tables`).

A query finds what is due in the order of an index, however many others wait. The expressions contain neither the clock
nor parameters: an index must not, and the database keeps it up to date for every version of Podium that writes.
"""

from __future__ import annotations

# Seconds until a waiting repository is enqueued again. The interval doubles up to LATEST, so that the queue does not
# fill with copies of one message.
AGAIN = 30
LATEST = 3600

# Without an equality: SQLite would prefer an index of states.
UNFINISHED = "host <> '' AND state <> 'completed' AND state <> 'failed'"
# The commit queue: those that wait for no time of their own and no overflow slot, slow ones, and those that wait for a
# time.
QUEUED = f"{UNFINISHED} AND state <> 'users_processing'"
QUEUED_NOW = f"{QUEUED} AND not_before IS NULL AND NOT is_slow"
QUEUED_SLOW = f"{QUEUED} AND is_slow"
QUEUED_UNTIL = f"{QUEUED} AND not_before IS NOT NULL"

# The lines are those in which PostgreSQL shows the expressions: `podium migrate --check` compares texts.

# One that was not enqueued since it was held or had to wait is due at the end of that.
DUE_AT = f"""(
CASE
    WHEN enqueued_at IS NULL OR enqueued_at < lease_until OR enqueued_at < not_before THEN
    CASE
        WHEN COALESCE(lease_until, 0) > COALESCE(not_before, 0) THEN COALESCE(lease_until, 0)
        ELSE COALESCE(not_before, 0)
    END
    WHEN updated_at >= enqueued_at THEN updated_at + {AGAIN}
    WHEN (enqueued_at - updated_at) < {AGAIN} THEN enqueued_at + {AGAIN}
    WHEN (enqueued_at - updated_at) < {LATEST} THEN enqueued_at + (enqueued_at - updated_at)
    ELSE enqueued_at + {LATEST}
END)"""

# The last moment at which it was held, had to wait, was enqueued or made progress.
QUIET_SINCE = """(
CASE
    WHEN COALESCE(lease_until, 0) >= COALESCE(not_before, 0) AND COALESCE(lease_until, 0) >= COALESCE(enqueued_at, 0) \
AND COALESCE(lease_until, 0) >= updated_at THEN COALESCE(lease_until, 0)
    WHEN COALESCE(not_before, 0) >= COALESCE(enqueued_at, 0) AND COALESCE(not_before, 0) >= updated_at \
THEN COALESCE(not_before, 0)
    WHEN COALESCE(enqueued_at, 0) >= updated_at THEN COALESCE(enqueued_at, 0)
    ELSE updated_at
END)"""

# A board that the schedule may check, and that has no time for that yet: see
# repositories/store/freshness/due_checks.py. It was wanted last at the first.
WANTED_AT = "COALESCE(last_read_at, created_at)"
MAY_BE_SCHEDULED = """host <> '' AND hidden_at IS NULL AND name_taken_at IS NULL \
AND (state = 'completed' OR state = 'failed' AND error_code IN ('empty', 'no-default-branch', 'unreachable'))"""
UNSCHEDULED = f"check_at IS NULL AND {MAY_BE_SCHEDULED}"
