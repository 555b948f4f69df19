"""How far a count is, as it reaches the database: phase, commits, how many in a second, how much is left."""

from __future__ import annotations

import json
from typing import Any

from podium.counting.progress_notes import CountProgress
from podium.storage.session import Database
from tests.support.rows import add_repository, leased, repository

Steps = list[tuple[float, tuple[Any, ...]]]


def progress_of(db: Database, steps: Steps) -> list[dict[str, Any]]:
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


def test_counting_says_its_rate_and_the_time_left(db: Database) -> None:
    seen = progress_of(db, [(n, ("counting", 1000 * n, 10_000)) for n in range(6)])
    assert seen[0] == {
        "stage": "commits",
        "phase": "counting",
        "overallPercent": 30.5,
        "commits": 0,
        "total": 10_000,
    }
    # Saving takes its part of the time, too.
    left = seen[-1].pop("secondsLeft")
    assert 5 <= left <= 10
    assert seen[-1] == {
        "stage": "commits",
        "phase": "counting",
        "overallPercent": 40.83,
        "commits": 5000,
        "total": 10_000,
        "commitsPerSecond": 1000,
    }


def test_commits_that_are_counted_while_they_arrive_stand_beside_the_percentage(db: Database) -> None:
    steps: Steps = [(0, ("receiving", 0))]
    for second in range(1, 5):
        steps += [(second, ("arrived", 500 * second, 10_000)), (second, ("receiving", 10 * second))]
    last = progress_of(db, steps)[-1]
    assert (last["phase"], last["percent"], last["commits"]) == ("receiving", 40, 2000)
    assert last["commitsPerSecond"] == 500


def test_commits_that_are_counted_after_the_last_word_of_git_move_it_on(db: Database) -> None:
    steps: Steps = [(0, ("receiving", 100)), *((n, ("arrived", 1000 * n, 10_000)) for n in range(1, 11))]
    seen = progress_of(db, steps)
    # The first second may only be a pause of git.
    assert [each["phase"] for each in seen] == ["receiving"] * 2 + ["counting"] * 9
    assert [each.get("commits") for each in seen[2:]] == [1000 * n for n in range(2, 11)]
    percents = [each["overallPercent"] for each in seen[1:]]
    assert percents == sorted(set(percents))


def test_without_an_estimate_the_objects_that_are_there_say_how_far_it_is(db: Database) -> None:
    steps: Steps = [(0, ("arrived", 0, 10_000)), *((n, ("counting", 1000 * n)) for n in range(1, 11))]
    seen = progress_of(db, steps)[1:]
    percents = [each["overallPercent"] for each in seen]
    assert percents == sorted(set(percents))
    assert percents[-1] == 51.15
    # It is no number of commits.
    assert not [each for each in seen if "total" in each]


def test_progress_is_saved_twice_a_second_at_most_and_for_each_phase(db: Database) -> None:
    seen = progress_of(db, [(n / 100, ("counting", n)) for n in range(100)] + [(1.0, ("saving", 100))])
    assert len({json.dumps(one) for one in seen}) <= 4
    assert {**seen[-1], "overallPercent": 0} == {
        "stage": "commits",
        "phase": "saving",
        "overallPercent": 0,
        "commits": 100,
    }


def test_a_new_worker_does_not_take_the_percentage_back(db: Database) -> None:
    number = add_repository(db)
    for percents in ((40, 41), (3, 42)):
        with leased(db, number) as held:
            note = CountProgress(db, held.repository, None)
            for percent in percents:
                note("receiving", percent)
        # What is left of a killed worker.
        seen = json.loads(repository(db, number).progress or "")["overallPercent"]
        assert seen >= 10.9
