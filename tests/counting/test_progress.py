"""How far a count is, as it reaches the database: phase, commits, how many in a second, how much is left."""

from __future__ import annotations

import json
from typing import Any

from podium.counting.progress_notes import CountProgress
from podium.storage.session import Database
from tests.support.rows import add_repository, leased, repository


def told(db: Database, steps: list[tuple[float, tuple[Any, ...]]]) -> list[dict[str, Any]]:
    """What stands in the repository's row after each step (second, arguments)."""
    number, now, also = add_repository(db), [0.0], []
    seen = []
    with leased(db, number) as held:
        note = CountProgress(db, held.repository, lambda *arguments: also.append(arguments), lambda: now[0])
        for second, arguments in steps:
            now[0] = 100.0 + second
            note(*arguments)
            seen.append(json.loads(repository(db, number).progress or ""))
    assert len(also) == len(steps)
    return seen


def test_counting_tells_its_pace_and_what_is_left(db: Database) -> None:
    seen = told(db, [(n, ("counting", 1000 * n, 10_000)) for n in range(5)])
    assert seen[0] == {"stage": "commits", "phase": "counting", "commits": 0, "total": 10_000}
    assert seen[-1] == {
        "stage": "commits",
        "phase": "counting",
        "commits": 4000,
        "total": 10_000,
        "commitsPerSecond": 1000,
        "secondsLeft": 6,
    }


def test_commits_that_are_counted_while_they_arrive_stand_beside_the_percentage(db: Database) -> None:
    steps: list[tuple[float, tuple[Any, ...]]] = [(0, ("receiving", 0))]
    for second in range(1, 5):
        steps += [(second, ("arrived", 500 * second)), (second, ("receiving", 10 * second))]
    last = told(db, steps)[-1]
    assert (last["phase"], last["percent"], last["commits"]) == ("receiving", 40, 2000)
    assert (last["commitsPerSecond"], last["secondsLeft"]) == (500, 6)


def test_progress_is_saved_twice_a_second_at_most_and_for_each_phase(db: Database) -> None:
    seen = told(db, [(n / 100, ("counting", n)) for n in range(100)] + [(1.0, ("saving", 100))])
    assert len({json.dumps(one) for one in seen}) <= 4
    assert seen[-1] == {"stage": "commits", "phase": "saving", "commits": 100}
