"""rank_a_branch_or_tag

The downgrade deletes the boards of branches and tags at an address: the version before would count the default branch
in their place. Those of paths keep their keys, from which the upgrade reads the revision.
"""

from __future__ import annotations

from urllib.parse import unquote

import sqlalchemy as sa
from alembic import op

revision = "f9165e3604c7"
down_revision = "1fdaba60ed02"

_ByBytes = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

_LISTED = "ix_repository_state_created_at"
_LISTED_COLUMNS = ["state", "created_at", "id", "host"]
_BASE_COUNTS = ("base_commit_count", "base_merge_count")
_IS_REVISION = sa.text("parent_key IS NOT NULL")


def upgrade() -> None:
    op.add_column("repository", sa.Column("revision", sa.Text))
    op.add_column("repository", sa.Column("parent_key", _ByBytes))
    op.add_column("repository", sa.Column("last_read_at", sa.Double))
    op.add_column("repository", sa.Column("base", sa.Text))
    for name in _BASE_COUNTS:
        op.add_column("commit_data", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("commit_data", sa.Column("base_named", sa.Boolean, nullable=False, server_default=sa.false()))
    _name_revisions_of_paths()
    # No URL of the first revision has a branch: its second spelling must not have the key of one.
    op.execute("UPDATE repository SET key = key || '/' WHERE host <> '' AND key LIKE '%#%' AND key NOT LIKE '%/'")
    op.create_index(
        *("ix_repository_parent_key", "repository", ["parent_key"]),
        sqlite_where=_IS_REVISION,
        postgresql_where=_IS_REVISION,
    )
    _index_listed("host <> '' AND parent_key IS NULL", *_LISTED_COLUMNS, "parent_key")


def _name_revisions_of_paths() -> None:
    connection = op.get_bind()
    update = sa.text("UPDATE repository SET revision = :revision, parent_key = :parent_key WHERE id = :id")
    found = connection.execute(sa.text("SELECT id, key FROM repository WHERE host = '' AND key LIKE '%#%'")).all()
    for row in found:
        parent_key, _, quoted = row.key.partition("#")
        connection.execute(update, {"id": row.id, "revision": unquote(quoted), "parent_key": parent_key})


def _index_listed(condition: str, *columns: str) -> None:
    where = sa.text(condition)
    op.drop_index(_LISTED, "repository")
    op.create_index(_LISTED, "repository", [*columns], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    revisions = "SELECT id FROM repository WHERE parent_key IS NOT NULL AND host <> ''"
    # SQLite's foreign keys are off while it migrates.
    for table in ("repository_contributor", "commit_data", "hidden_count", "commit_log"):
        op.execute(f"DELETE FROM {table} WHERE repository_id IN ({revisions})")  # constants
    op.execute(f"DELETE FROM repository WHERE id IN ({revisions})")  # constants
    _index_listed("host <> ''", *_LISTED_COLUMNS)
    op.drop_index("ix_repository_parent_key", "repository")
    for name in ("base_named", *_BASE_COUNTS):
        op.drop_column("commit_data", name)
    for name in ("base", "last_read_at", "parent_key", "revision"):
        op.drop_column("repository", name)
