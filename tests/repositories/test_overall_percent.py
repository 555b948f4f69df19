"""One percentage over all phases, that never goes back."""

from __future__ import annotations

import json

import pytest

from podium.repositories.overall_percent import CountPercent, counted_percent, look_up_percent, saved_percent


def test_it_grows_through_all_phases_up_to_the_look_up() -> None:
    percent, seen = CountPercent(0.0, look_up=True), [0.0]
    for phase in ("preparing", "receiving", "resolving", "counting", "saving"):
        for share in (0.0, 0.5, 1.0):
            percent.note(phase, share)
            seen.append(percent.percent)
    assert seen == sorted(seen)
    assert len(set(seen)) == 12
    assert seen[-1] == 60.0


def test_without_a_look_up_counting_is_nearly_all() -> None:
    percent = CountPercent(0.0, look_up=False)
    percent.note("saving", 1.0)
    assert percent.percent == 98.0


def test_commits_that_are_counted_while_they_arrive_move_it_too() -> None:
    percent = CountPercent(0.0, look_up=True)
    percent.note("receiving", 0.5)
    before = percent.percent
    percent.note_counted(0.4)
    assert percent.percent > before
    counted = percent.percent
    # Received completely, and counted half.
    percent.note("receiving", 1.0)
    percent.note_counted(0.5)
    percent.note("counting", 0.5)
    assert percent.percent > counted


def test_a_worker_that_begins_again_does_not_take_it_back() -> None:
    percent = CountPercent(41.5, look_up=True)
    percent.note("receiving", 0.1)
    assert percent.percent == 41.5
    # The share of the work itself begins again: it is what the remaining time is taken from.
    assert percent.share < 0.1
    percent.note("saving", 0.9)
    assert percent.percent > 41.5


def test_look_ups_take_it_from_there_to_the_end() -> None:
    progress = {"overallPercent": 60.0, "done": 0, "total": 600}
    for done in range(50, 601, 50):
        progress |= {"overallPercent": look_up_percent(progress, done), "done": done}
        assert progress["overallPercent"] == pytest.approx(min(99.9, 60 + 40 * done / 600), abs=0.01)
    # More than were expected.
    assert look_up_percent(progress, 700) == 99.9


def test_a_count_that_saved_none_is_as_far_as_any_other() -> None:
    assert counted_percent(None) == counted_percent(json.dumps({"overallPercent": 12.5})) == 60.0
    assert counted_percent(json.dumps({"overallPercent": 71.5})) == 71.5


def test_a_progress_without_it_begins_at_zero() -> None:
    assert saved_percent(None) == 0
    assert saved_percent(json.dumps({"stage": "commits"})) == 0
    assert look_up_percent({"stage": "users"}, 3) == 0
