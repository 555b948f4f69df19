"""search_and_describe_boards"""

from __future__ import annotations

from urllib.parse import unquote

import sqlalchemy as sa
from alembic import op

from podium.textutil.fold import fold

revision = "3a8787e6e94e"
down_revision = "f9165e3604c7"

_ByBytes = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_IS_LISTED = sa.text("host <> '' AND parent_key IS NULL")
_STEP = 1000


def upgrade() -> None:
    op.add_column("repository", sa.Column("search_text", _ByBytes, nullable=False, server_default=sa.text("''")))
    op.add_column("repository", sa.Column("people", sa.BigInteger))
    op.add_column("repository", sa.Column("next_ordinal", sa.BigInteger, nullable=False, server_default=sa.text("0")))
    _fill_search_text()
    op.drop_index("ix_repository_created_at", "repository")
    op.create_index(
        *("ix_repository_listed", "repository"),
        ["created_at", "id", "state", "host", "parent_key", "search_text"],
        sqlite_where=_IS_LISTED,
        postgresql_where=_IS_LISTED,
    )
    op.create_index("ix_contributor_login", "contributor", ["host", sa.text("lower(username)")])


def _fill_search_text() -> None:
    connection = op.get_bind()
    select = sa.text("SELECT id, owner, name FROM repository WHERE id > :last AND host <> '' ORDER BY id LIMIT :step")
    update = sa.text("UPDATE repository SET search_text = :text WHERE id = :id")
    last = 0
    while rows := connection.execute(select, {"last": last, "step": _STEP}).all():
        last = rows[-1].id
        connection.execute(update, [{"id": row.id, "text": fold(unquote(f"{row.owner}/{row.name}"))} for row in rows])


def downgrade() -> None:
    op.drop_index("ix_contributor_login", "contributor")
    op.drop_index("ix_repository_listed", "repository")
    op.create_index("ix_repository_created_at", "repository", ["created_at"])
    op.drop_column("repository", "next_ordinal")
    op.drop_column("repository", "people")
    op.drop_column("repository", "search_text")
