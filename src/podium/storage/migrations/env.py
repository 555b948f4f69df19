"""Alembic's environment: one transaction, which excludes all other migrations."""

from __future__ import annotations

from alembic import context

from podium.storage.migration_engine import migration_engine
from podium.storage.tables import metadata


def run() -> None:
    with migration_engine(context.config.attributes["url"]).begin() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            transactional_ddl=True,
            render_as_batch=True,
            compare_server_default=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
