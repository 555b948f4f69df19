"""heal_and_forget"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from podium.storage.migrations import online

revision = "db231556a330"
down_revision = "3a8787e6e94e"

_ByBytes = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ZERO = sa.text("0")
_WAITS = sa.text("waiting_code IS NOT NULL")
_IS_TRIED_AGAIN = sa.text("state = 'completed' AND not_before IS NOT NULL")
_IS_HIDDEN = sa.text("hidden_at IS NOT NULL")
_IS_LISTED = sa.text("host <> '' AND parent_key IS NULL")
_IS_UNRESOLVED = sa.text(
    "unresolved_reason IS NOT NULL AND coalesce(unresolved_code, '') <> 'final' AND state = 'completed' AND host <> ''"
)
# As in podium.storage.due_times.
_IS_UNFINISHED = sa.text("host <> '' AND state <> 'completed' AND state <> 'failed'")
_QUEUED_NOW = sa.text(f"{_IS_UNFINISHED} AND state <> 'users_processing' AND not_before IS NULL")
_QUEUED_UNTIL = sa.text(f"{_IS_UNFINISHED} AND state <> 'users_processing' AND not_before IS NOT NULL")
_DUE_AT = sa.text("""(
CASE
    WHEN enqueued_at IS NULL OR enqueued_at < lease_until OR enqueued_at < not_before THEN
    CASE
        WHEN COALESCE(lease_until, 0) > COALESCE(not_before, 0) THEN COALESCE(lease_until, 0)
        ELSE COALESCE(not_before, 0)
    END
    WHEN updated_at >= enqueued_at THEN updated_at + 30
    WHEN (enqueued_at - updated_at) < 30 THEN enqueued_at + 30
    WHEN (enqueued_at - updated_at) < 3600 THEN enqueued_at + (enqueued_at - updated_at)
    ELSE enqueued_at + 3600
END)""")
_QUIET_SINCE = sa.text("""(
CASE
    WHEN COALESCE(lease_until, 0) >= COALESCE(not_before, 0) AND COALESCE(lease_until, 0) >= COALESCE(enqueued_at, 0) \
AND COALESCE(lease_until, 0) >= updated_at THEN COALESCE(lease_until, 0)
    WHEN COALESCE(not_before, 0) >= COALESCE(enqueued_at, 0) AND COALESCE(not_before, 0) >= updated_at \
THEN COALESCE(not_before, 0)
    WHEN COALESCE(enqueued_at, 0) >= updated_at THEN COALESCE(enqueued_at, 0)
    ELSE updated_at
END)""")
# name, columns, predicate
_INDEXES = (
    ("ix_repository_due_at", (_DUE_AT, "id"), _IS_UNFINISHED),
    ("ix_repository_quiet_since", ("state", _QUIET_SINCE, "id"), _IS_UNFINISHED),
    ("ix_repository_queued_now", ("virtual_start", "id"), _QUEUED_NOW),
    ("ix_repository_queued_until", ("not_before",), _QUEUED_UNTIL),
    ("ix_repository_waiting", ("host",), _WAITS),
    ("ix_repository_tried_again", ("state", "not_before"), _IS_TRIED_AGAIN),
    ("ix_repository_accounts_again_at", ("accounts_again_at",), _IS_UNRESOLVED),
    ("ix_repository_hidden_at", ("hidden_at",), _IS_HIDDEN),
    ("ix_repository_read", ("created_at", "id", "state", "host", "parent_key", "search_text", "hidden_at"), _IS_LISTED),
    ("ix_repository_state_read", ("state", "created_at", "id", "host", "parent_key", "hidden_at"), _IS_LISTED),
)
# Those that two of the new ones replace, also for the version before this migration.
_REPLACED = (
    ("ix_repository_listed", ("created_at", "id", "state", "host", "parent_key", "search_text"), _IS_LISTED),
    ("ix_repository_state_created_at", ("state", "created_at", "id", "host", "parent_key"), _IS_LISTED),
)

# Each is nullable or has a default: the version before this migration reads and writes beside it.
_OF_REPOSITORY = {
    "waiting_reason": sa.Text,
    "waiting_code": sa.Text,
    "gone_since": sa.Double,
    "gone_checked_at": sa.Double,
    "gone_code": sa.Text,
    "hidden_at": sa.Double,
    "forgotten_at": sa.Double,
    "unresolved_code": sa.Text,
    "accounts_again_at": sa.Double,
}
_COUNTS = ("transient_attempts", "accounts_tries")


# The versions of Podium that may work with this database, by their revisions.
_COMPATIBLE = ("3a8787e6e94e", revision)


def upgrade() -> None:
    online.add_columns(
        "repository",
        *(sa.Column(name, kind) for name, kind in _OF_REPOSITORY.items()),
        *(sa.Column(name, sa.Integer, nullable=False, server_default=_ZERO) for name in _COUNTS),
    )
    for name, columns, predicate in _INDEXES:
        online.create_index(name, "repository", columns, where=predicate)
    for name, *_ in _REPLACED:
        online.drop_index(name, "repository")
    online.create_table(
        "git_host",
        sa.Column("host", _ByBytes, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False, server_default=_ZERO),
        sa.Column("down_since", sa.Double),
        sa.Column("next_try_at", sa.Double),
        sa.Column("message", sa.Text),
        sa.Column("failed_repository_id", sa.BigInteger),
        sa.Column("probe_repository_id", sa.BigInteger),
    )
    online.create_table(
        "worker_fault",
        sa.Column("repository_id", _Id, sa.ForeignKey("repository.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("worker_id", sa.Text, primary_key=True),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("try_again_at", sa.Double),
    )
    online.create_table(
        "audit_log",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.Text),
    )
    online.create_table(
        "instance_secret",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    online.create_table(
        "block",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("value", _ByBytes, primary_key=True),
        sa.Column("subject", _ByBytes),
        sa.Column("swept_to", sa.BigInteger),
        sa.Column("reason", sa.Text),
        sa.Column("at", sa.Double, nullable=False),
        sa.CheckConstraint("kind IN ('repository', 'owner', 'address', 'person')", name="kind"),
    )
    online.create_table("compatible_revision", sa.Column("revision", sa.Text, primary_key=True))
    with online.step():
        for each in _COMPATIBLE:
            op.execute(f"INSERT INTO compatible_revision VALUES ('{each}') ON CONFLICT DO NOTHING")


def downgrade() -> None:
    for table in ("compatible_revision", "block", "instance_secret", "audit_log", "worker_fault", "git_host"):
        online.drop_table(table)
    for name, columns, predicate in _REPLACED:
        online.create_index(name, "repository", columns, where=predicate)
    for name, *_ in _INDEXES:
        online.drop_index(name, "repository")
    online.drop_columns("repository", *_COUNTS, *_OF_REPOSITORY)
