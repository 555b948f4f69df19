"""Whole numbers as people type them: ASCII digits, and nothing that int() takes beside them."""

from __future__ import annotations

import pytest

from podium.textutil.whole_number import LARGEST, whole_number


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("42", 42), (str(LARGEST), LARGEST)])
def test_ascii_digits_are_a_number(text: str, number: int) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize("text", ["", " 1", "+1", "-1", "1_000", "1.0", "٣", "²", str(LARGEST + 1), "9" * 5000])
def test_anything_else_is_none(text: str) -> None:
    assert whole_number(text) is None


def test_bounds_are_inclusive() -> None:
    assert [whole_number(text, least=1, most=3) for text in "01234"] == [None, 1, 2, 3, None]
