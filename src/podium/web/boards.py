"""Reading one board for an answer, the same for the API and the page."""

from __future__ import annotations

import dataclasses
from typing import Any

from podium.leaderboard.board import load_board
from podium.leaderboard.rules import Rules
from podium.storage.session import Row
from podium.submissions.repositories import find
from podium.web.services import Context


@dataclasses.dataclass(frozen=True, slots=True)
class Board:
    """A repository and its board under the rules; ``document`` is None while there is none yet."""

    repository: Row
    document: dict[str, Any] | None


def read_board(context: Context, key: str, rules: Rules, *, limit: int, offset: int, show_emails: bool) -> Board | None:
    """The repository with that identity; None where it was never submitted.

    Raises:
        StorageError: the database cannot be read.
    """
    with context.services.db.read() as session:
        row = find(session, key)
        if row is None or not row["host"]:  # a path of this machine is the command line's
            return None
        if row["commits_processed_at"] is None or row["head"] is None:
            return Board(row, None)
        document = load_board(
            session,
            row,
            rules,
            limit=limit,
            offset=offset,
            show_emails=show_emails,
            github_url=context.services.settings.github_server_url,
        )
    return Board(row, document)
