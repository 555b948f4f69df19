"""A worker takes no repositories while its machine cannot count, and goes on by itself."""

from __future__ import annotations

import pytest

from podium.errors import StorageError
from podium.workers.commit_gate import CommitGate


def test_the_gate_closes_with_a_problem_and_opens_without_one() -> None:
    problems: list[str | None] = [None, "full", "full", None]
    opened: list[int] = []
    gate = CommitGate(lambda: problems.pop(0), lambda: opened.append(1))
    seen = []
    while problems:
        gate.look()
        seen.append((gate.closed.is_set(), gate.problem))
    assert seen == [(False, None), (True, "full"), (True, "full"), (False, None)]
    assert opened == [1]


def test_the_gate_stays_closed_until_its_faults_are_forgotten() -> None:
    def fail() -> None:
        raise StorageError("away")

    problems: list[str | None] = ["full", None]
    gate = CommitGate(lambda: problems.pop(0), fail)
    gate.look()
    with pytest.raises(StorageError):
        gate.look()
    assert gate.closed.is_set()
