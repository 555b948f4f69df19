"""search_and_describe_boards"""

from __future__ import annotations

from urllib.parse import unquote

import sqlalchemy as sa
from alembic import op

from podium.storage.migrations import online
from podium.textutil.fold import fold

revision = "3a8787e6e94e"
down_revision = "f9165e3604c7"

_ByBytes = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_IS_LISTED = sa.text("host <> '' AND parent_key IS NULL")


def upgrade() -> None:
    online.add_columns(
        "repository",
        sa.Column("search_text", _ByBytes, nullable=False, server_default=sa.text("''")),
        sa.Column("people", sa.BigInteger),
        sa.Column("next_ordinal", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    )
    _fill_search_text()
    online.drop_index("ix_repository_created_at", "repository")
    online.create_index(
        *("ix_repository_listed", "repository"),
        ["created_at", "id", "state", "host", "parent_key", "search_text"],
        where=_IS_LISTED,
    )
    online.create_index("ix_contributor_login", "contributor", ["host", sa.text("lower(username)")])


def _fill_search_text() -> None:
    select = sa.text("SELECT id, owner, name FROM repository WHERE id > :last AND host <> '' ORDER BY id LIMIT :step")
    update = sa.text("UPDATE repository SET search_text = :text WHERE id = :id")
    last = 0
    while rows := op.get_bind().execute(select, {"last": last, "step": online.STEP}).all():
        last = rows[-1].id
        texts = [{"id": row.id, "text": fold(unquote(f"{row.owner}/{row.name}"))} for row in rows]
        with online.step():
            op.get_bind().execute(update, texts)


def downgrade() -> None:
    online.drop_index("ix_contributor_login", "contributor")
    online.drop_index("ix_repository_listed", "repository")
    online.create_index("ix_repository_created_at", "repository", ["created_at"])
    online.drop_columns("repository", "next_ordinal", "people", "search_text")
