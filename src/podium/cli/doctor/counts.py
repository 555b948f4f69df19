"""Check the counts: whether the commit logs of some boards agree with their totals."""

from __future__ import annotations

from collections.abc import Iterator

from podium.cli.doctor.findings import Finding, ok, problem
from podium.errors import BadCommitLog
from podium.repositories.store import log_check, queries
from podium.storage.session import Database
from podium.textutil.plural import plural
from podium.textutil.width import cut

# Bounds of one check: it takes some seconds at the most.
_MOST_BOARDS = 200
_MOST_COMMITS = 5_000_000
_WIDEST = 60


def counts(db: Database) -> Iterator[Finding]:
    """Read the newest boards, up to a number of commits."""
    with db.read() as session:
        boards = log_check.newest_boards(session, limit=_MOST_BOARDS)
    checked = damaged = commits = 0
    for board in boards:
        commits += board.total_commits or 0
        if checked and commits > _MOST_COMMITS:
            break
        checked += 1
        try:
            with db.read() as session:
                now = queries.by_id(session, board.id)
                if now is not None and now.has_board:
                    log_check.check_log(session, now)
        except BadCommitLog as error:
            damaged += 1
            yield problem(
                "counts",
                f"#{board.id} {cut(board.url, _WIDEST)}: {error.message}",
                "Its next refresh counts it again. If there are several, check the disk of the database.",
            )
    if not damaged:
        yield ok("counts", f"{plural(checked, 'commit log')} checked")
