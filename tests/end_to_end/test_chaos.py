"""Everything at once: fifty repositories while processes, servers and hosts fail; every board comes out the same.

The long version is `python -m benchmarks.chaos`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import chaos

# Another one plays other faults; the long version goes through many.
SEED = int(os.environ.get("PODIUM_CHAOS_SEED", "1"))


@pytest.mark.server
@pytest.mark.long
def test_every_board_comes_out_the_same_whatever_happens(tmp_path: Path) -> None:
    with chaos.world(tmp_path, 50, SEED) as world:
        expected, _ = chaos.undisturbed(world, tmp_path / "undisturbed")
        report = chaos.disturbed(world, tmp_path / "disturbed", SEED, most=25, outage=10)
    assert report.kills >= 3
    assert sum(report.faults.values()) >= 8
    different = [view for view, board in expected.items() if report.boards[view] != board]
    assert not different
    assert report.boards.keys() == expected.keys()
