"""The commit log of a count that has only weekly rows, until counts write their log."""

from __future__ import annotations

from collections.abc import Iterator

from podium.leaderboard.people import People
from podium.storage.commit_log.segment import Segment
from podium.storage.session import Session

_WEEKS = """
SELECT commit_data_id, week, commit_count, merge_count, co_authored_count, co_authored_merge_count
FROM weekly_activity WHERE repository_id = :repository ORDER BY commit_data_id, week"""


def weekly_segments(session: Session, repository_id: int, people: People) -> Iterator[Segment]:
    """Segments as the migration makes them: each commit is dated on the Sunday of its week."""
    # It needs SQLAlchemy.
    from podium.storage.migrations.coarse_log import Mentions, Run, coarse_segments

    ordinal_of = dict(zip(people.ids, people.ordinals, strict=True))
    runs: list[Run] = []
    mentions: Mentions = {}
    for identity, week, commits, merges, named, in_merges in session.tuples(_WEEKS, repository=repository_id):
        ordinal = ordinal_of.get(identity)
        if ordinal is None:
            continue
        for is_merge, authored, mentioned in ((False, commits, named), (True, merges, in_merges)):
            if authored:
                runs.append((2 * ordinal + is_merge, week, authored))
            if mentioned:
                mentions.setdefault((week, is_merge), {})[ordinal] = mentioned
    yield from coarse_segments(sorted(runs), mentions)
