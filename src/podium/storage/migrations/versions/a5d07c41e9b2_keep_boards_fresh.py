"""keep_boards_fresh"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from podium.storage.migrations import online

revision = "a5d07c41e9b2"
down_revision = "db231556a330"

_ByBytes = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Each is nullable or has a default: the version before this migration reads and writes beside it.
_OF_REPOSITORY = {
    "host_number": sa.Text,
    "check_at": sa.Double,
    "checked_at": sa.Double,
    "refresh_every": sa.Double,
    "pushed_at": sa.Double,
    "hook_due_at": sa.Double,
    "name_taken_at": sa.Double,
    "taken_number": sa.Text,
}
_UNSCHEDULED = """check_at IS NULL AND host <> '' AND hidden_at IS NULL AND name_taken_at IS NULL \
AND (state = 'completed' OR state = 'failed' AND error_code IN ('empty', 'no-default-branch', 'unreachable'))"""
_WANTED_AT = sa.text("COALESCE(last_read_at, created_at)")
_QUEUED = "host <> '' AND state <> 'completed' AND state <> 'failed' AND state <> 'users_processing'"
_QUEUED_NOW = f"{_QUEUED} AND not_before IS NULL"
_QUICK_NOW = sa.text(f"{_QUEUED_NOW} AND NOT is_slow")
# name, columns, predicate
_INDEXES = (
    (
        "ix_repository_unscheduled",
        ("refresh_every", _WANTED_AT),
        sa.text(_UNSCHEDULED),
    ),
    ("ix_repository_quick_now", ("virtual_start", "id"), _QUICK_NOW),
    ("ix_repository_quick_of_host", ("host", "virtual_start", "id"), _QUICK_NOW),
    ("ix_repository_slow", ("virtual_start", "id"), sa.text(f"{_QUEUED} AND is_slow")),
    ("ix_repository_held", ("host",), sa.text("lease_holder IS NOT NULL")),
    ("ix_repository_check_at", ("check_at",), sa.text("check_at IS NOT NULL")),
    ("ix_repository_host_number", ("host", "host_number"), sa.text("host_number IS NOT NULL")),
    ("ix_repository_hook_due_at", ("hook_due_at",), sa.text("hook_due_at IS NOT NULL")),
    ("ix_repository_undecided", ("name_taken_at",), sa.text("taken_number IS NOT NULL")),
)
# Only the version before this one may work with the database.
_NO_LONGER = "3a8787e6e94e"
_TABLES = ("former_name", "pause", "host_limit")


def upgrade() -> None:
    online.add_columns(
        "repository",
        *(sa.Column(name, kind) for name, kind in _OF_REPOSITORY.items()),
        sa.Column("is_scheduled", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("hook_wants_check", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    for name, columns, predicate in _INDEXES:
        online.create_index(name, "repository", columns, where=predicate)
    # The one of quick repositories replaces it.
    online.drop_index("ix_repository_queued_now", "repository")
    online.create_table(
        "former_name",
        sa.Column("key", _ByBytes, primary_key=True),
        sa.Column("repository_id", _Id, sa.ForeignKey("repository.id", ondelete="CASCADE"), nullable=False),
        sa.Column("former_id", sa.BigInteger),
        sa.Column("at", sa.Double, nullable=False),
    )
    for column in ("repository_id", "former_id"):
        online.create_index(f"ix_former_name_{column}", "former_name", (column,))
    online.create_table(
        "pause",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("name", _ByBytes, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
        sa.CheckConstraint("kind IN ('schedule', 'host', 'repository')", name="kind"),
    )
    online.create_table(
        "host_limit",
        sa.Column("host", _ByBytes, primary_key=True),
        sa.Column("at_once", sa.Integer, nullable=False),
    )
    with online.step():
        op.execute(f"INSERT INTO compatible_revision VALUES ('{revision}') ON CONFLICT DO NOTHING")
        op.execute(f"DELETE FROM compatible_revision WHERE revision = '{_NO_LONGER}'")


def downgrade() -> None:
    with online.step():
        op.execute(f"INSERT INTO compatible_revision VALUES ('{_NO_LONGER}') ON CONFLICT DO NOTHING")
        op.execute(f"DELETE FROM compatible_revision WHERE revision = '{revision}'")
    for table in _TABLES:
        online.drop_table(table)
    online.create_index("ix_repository_queued_now", "repository", ("virtual_start", "id"), where=sa.text(_QUEUED_NOW))
    for name, *_ in _INDEXES:
        online.drop_index(name, "repository")
    online.drop_columns("repository", "is_scheduled", "hook_wants_check", *_OF_REPOSITORY)
