"""The JSON Schema (2020-12) of a board's document."""

from __future__ import annotations

from pathlib import Path

FILE = Path(__file__).with_name("board.schema.json")


def board_schema() -> str:
    return FILE.read_text(encoding="utf-8")
