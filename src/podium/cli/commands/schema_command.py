"""``podium schema``: the JSON Schema of a board."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from podium.cli import output
from podium.leaderboard.export.schema import board_schema


def run(_options: argparse.Namespace, _environment: Mapping[str, str]) -> int:
    output.write(board_schema())
    return 0
