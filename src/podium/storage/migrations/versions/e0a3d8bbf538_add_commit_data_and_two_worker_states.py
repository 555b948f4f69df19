"""add_commit_data_and_two_worker_states

The first revision has no rows per person, so every repository that has not failed becomes ``pending`` and is counted
again.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa
from alembic import op

revision = "e0a3d8bbf538"
down_revision = "0001"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# An index stays valid when the system's collation changes.
_ByBytes = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

_FIRST_HOST = "github.com"
_OLD_STATES = "state IN ('pending', 'processing', 'completed', 'failed')"
_STATES = "state IN ('pending', 'commits_processing', 'users_processing', 'completed', 'failed')"

# Computed from the URL.
_NAMES: dict[str, Any] = {"key": _ByBytes, "host": _ByBytes, "owner": sa.Text(), "name": sa.Text()}

_REPOSITORY_INDEXES = (
    ("ix_repository_state_enqueued_at", ["state", "enqueued_at"], None),
    ("ix_repository_virtual_start", ["virtual_start", "id"], "state IN ('pending', 'commits_processing')"),
    ("ix_repository_client_id", ["client_id"], "client_id IS NOT NULL"),
    ("ix_repository_created_at", ["created_at"], None),
    ("ix_repository_state_created_at", ["state", "created_at", "id", "host"], "host <> ''"),
    ("ix_repository_failed", ["updated_at"], "state = 'failed'"),
)


def _count(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def _counts(*names: str) -> list[sa.Column[Any]]:
    return [_count(f"{name}_count") for name in names]


def _required(name: str, type_: Any = sa.Text) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=False)


def _repository_columns() -> list[sa.Column[Any]]:
    return [
        *(sa.Column(name, type_, nullable=False, server_default="") for name, type_ in _NAMES.items()),
        *(sa.Column(name, sa.Text) for name in ("error_code", "head", "branch", "mailmap", "lease_holder")),
        *(sa.Column(name, sa.Text) for name in ("client_id", "progress", "unresolved_reason")),
        sa.Column("merge_commits", sa.BigInteger),
        sa.Column("counting_version", sa.Integer),
        *(sa.Column(n, sa.Integer, nullable=False, server_default="0") for n in ("generation", "crashes", "attempts")),
        _count("lease_token"),
        sa.Column("virtual_start", sa.Double, nullable=False, server_default="0"),
        *(sa.Column(name, sa.Double) for name in ("lease_until", "enqueued_at", "not_before")),
        *(sa.Column(name, sa.Double) for name in ("commits_processed_at", "users_processed_at")),
    ]


def upgrade() -> None:
    _upgrade_repository()
    _upgrade_contributor()
    _create_known_email()
    _create_commit_data()
    _create_weekly_activity()
    op.create_table(
        "github_limit",
        _required("key"),
        _required("held_until", sa.Double),
        sa.PrimaryKeyConstraint("key", name="pk_github_limit"),
    )
    op.create_table(
        "worker",
        *(_required(name) for name in ("id", "host")),
        _required("pid", sa.Integer),
        *(_required(name) for name in ("version", "queues", "report")),
        *(_required(name, sa.Double) for name in ("started_at", "seen_at")),
        sa.PrimaryKeyConstraint("id", name="pk_worker"),
    )


def _upgrade_repository() -> None:
    for column in _repository_columns():
        op.add_column("repository", column)
    op.execute("UPDATE repository SET state = 'pending' WHERE state IN ('processing', 'completed')")
    _fill_names()
    with op.batch_alter_table("repository") as table:
        table.drop_constraint("ck_repository_state", type_="check")
        for name, type_ in _NAMES.items():
            table.alter_column(name, existing_type=type_, existing_nullable=False, server_default=None)
        table.alter_column("url", existing_type=sa.Text(), existing_nullable=False, type_=_ByBytes)
        table.create_unique_constraint("uq_repository_key", ["key"])
        table.create_check_constraint(op.f("ck_repository_state"), _STATES)
    for name, columns, condition in _REPOSITORY_INDEXES:
        where = None if condition is None else sa.text(condition)
        op.create_index(name, "repository", columns, sqlite_where=where, postgresql_where=where)


def _fill_names() -> None:
    connection = op.get_bind()
    update = sa.text("UPDATE repository SET key = :key, host = :host, owner = :owner, name = :name WHERE id = :id")
    taken: set[str] = set()
    for row in connection.execute(sa.text("SELECT id, url FROM repository ORDER BY id")).all():
        names = _names_of_path(row.url) if row.url.startswith("file:") else _names_of_address(row.url)
        # In the first revision two spellings of an address are two repositories: the older row keeps the key.
        if names["key"] in taken:
            names["key"] += f"#{row.id}"
        taken.add(names["key"])
        connection.execute(update, {"id": row.id, **names})


def _names_of_address(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    # Without the user name of an ssh address.
    host = parts.netloc.lower().rpartition("@")[2]
    owner, _, name = parts.path.strip("/").removesuffix(".git").rpartition("/")
    key = "/".join(part for part in (host, owner, name) if part)
    key = key.lower() if host == _FIRST_HOST else key
    revision = f"#{parts.fragment}" if parts.fragment else ""
    return {"key": key + revision, "host": host, "owner": owner, "name": name}


def _names_of_path(url: str) -> dict[str, str]:
    """A path's key is its whole URL, and its name is the folder's: a downgrade keeps nothing else of it."""
    folder = urlsplit(url).path.removesuffix("/.git").rpartition("/")[2]
    name = unquote(folder, errors="replace").removesuffix(".git")
    return {"key": url, "host": "", "owner": "", "name": name}


def _upgrade_contributor() -> None:
    with op.batch_alter_table("contributor") as table:
        table.add_column(sa.Column("host", _ByBytes, nullable=False, server_default=_FIRST_HOST))
        table.add_column(sa.Column("is_bot", sa.Boolean, nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("enriched_at", sa.Double))
        table.drop_constraint("uq_contributor_account_id", type_="unique")
        table.create_unique_constraint("uq_contributor_host_account_id", ["host", "account_id"])
    for column in _counts("merge", "co_authored"):
        op.add_column("repository_contributor", column)


def _create_known_email() -> None:
    op.create_table(
        "known_email",
        _required("host", _ByBytes),
        _required("email", _ByBytes),
        sa.Column("contributor_id", _Id),
        _required("source"),
        _required("known_at", sa.Double),
        sa.PrimaryKeyConstraint("host", "email", name="pk_known_email"),
        sa.ForeignKeyConstraint(
            ["contributor_id"], ["contributor.id"], name="fk_known_email_contributor_id_contributor", ondelete="CASCADE"
        ),
        sa.CheckConstraint("source IN ('noreply', 'host', 'no-answer')", name=op.f("ck_known_email_source")),
    )
    op.create_index("ix_known_email_contributor_id", "known_email", ["contributor_id"])
    # The first revision keeps one e-mail with each account.
    op.execute(
        """INSERT INTO known_email (host, email, contributor_id, source, known_at)
        SELECT host, LOWER(email), MIN(id), 'host', MAX(updated_at) FROM contributor
        WHERE email IS NOT NULL AND email <> '' AND account_id IS NOT NULL GROUP BY host, LOWER(email)"""
    )
    with op.batch_alter_table("contributor") as table:
        table.alter_column("host", existing_type=_ByBytes, existing_nullable=False, server_default=None)
        table.drop_column("email")


def _create_commit_data() -> None:
    times = [f"{edge}_{what}_at" for what in ("commit", "merge", "co_authored") for edge in ("first", "last")]
    op.create_table(
        "commit_data",
        sa.Column("id", _Id, nullable=False),
        _required("repository_id", _Id),
        *(_required(name, _ByBytes) for name in ("email", "name", "mailmap_email", "mailmap_name", "mailmap_identity")),
        sa.Column("kind", sa.Text, nullable=False, server_default="human"),
        *_counts("commit", "merge", "co_authored", "co_authored_merge"),
        *(sa.Column(name, sa.BigInteger) for name in times),
        _count("odd_dates"),
        _required("sample_sha"),
        sa.Column("sample_co_authors", sa.Integer, nullable=False, server_default="0"),
        sa.Column("other_sha", sa.Text),
        sa.Column("processed", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("batch", sa.Integer),
        sa.Column("claim_token", sa.Text),
        sa.Column("claim_until", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_commit_data"),
        sa.UniqueConstraint("repository_id", "email", "name", name="uq_commit_data_repository_id_email_name"),
        sa.ForeignKeyConstraint(
            ["repository_id"], ["repository.id"], name="fk_commit_data_repository_id_repository", ondelete="CASCADE"
        ),
        sa.CheckConstraint("kind IN ('human', 'bot', 'agent')", name=op.f("ck_commit_data_kind")),
    )
    unprocessed = sa.text("NOT processed")
    op.create_index(
        *("ix_commit_data_unprocessed", "commit_data", ["repository_id", "batch"]),
        sqlite_where=unprocessed,
        postgresql_where=unprocessed,
    )
    op.create_index("ix_commit_data_email", "commit_data", ["email"])


def _create_weekly_activity() -> None:
    op.create_table(
        "weekly_activity",
        _required("repository_id", _Id),
        _required("commit_data_id", sa.BigInteger),
        _required("week", sa.BigInteger),
        *_counts("commit", "merge", "co_authored", "co_authored_merge"),
        sa.PrimaryKeyConstraint("repository_id", "commit_data_id", "week", name="pk_weekly_activity"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Contributors and totals stay; commit data, weeks and the new states are lost."""
    for table in ("worker", "github_limit", "weekly_activity", "commit_data"):
        op.drop_table(table)
    _downgrade_contributor()
    _downgrade_repository()


def _downgrade_contributor() -> None:
    with op.batch_alter_table("repository_contributor") as table:
        for column in _counts("merge", "co_authored"):
            table.drop_column(column.name)
    op.add_column("contributor", sa.Column("email", sa.Text))
    op.execute(
        "UPDATE contributor SET email = (SELECT MIN(email) FROM known_email k WHERE k.contributor_id = contributor.id)"
    )
    op.drop_table("known_email")
    # The first revision knows one host.
    others = f"SELECT id FROM contributor WHERE host <> '{_FIRST_HOST}'"
    op.execute(f"DELETE FROM repository_contributor WHERE contributor_id IN ({others})")
    op.execute(f"DELETE FROM contributor WHERE host <> '{_FIRST_HOST}'")
    with op.batch_alter_table("contributor") as table:
        table.drop_constraint("uq_contributor_host_account_id", type_="unique")
        for name in ("host", "is_bot", "enriched_at"):
            table.drop_column(name)
        table.create_unique_constraint("uq_contributor_account_id", ["account_id"])


def _downgrade_repository() -> None:
    for name, _, _ in _REPOSITORY_INDEXES:
        op.drop_index(name, "repository")
    with op.batch_alter_table("repository") as table:
        table.drop_constraint(op.f("ck_repository_state"), type_="check")
        table.drop_constraint("uq_repository_key", type_="unique")
        table.alter_column("url", existing_type=_ByBytes, existing_nullable=False, type_=sa.Text())
        for column in _repository_columns():
            table.drop_column(column.name)
    op.execute("UPDATE repository SET state = 'processing' WHERE state IN ('commits_processing', 'users_processing')")
    with op.batch_alter_table("repository") as table:
        table.create_check_constraint("ck_repository_state", _OLD_STATES)
