"""Text compared without case and accents."""

from __future__ import annotations

import pytest

from podium.textutil.fold import fold, parted


@pytest.mark.parametrize(
    ("text", "part", "pieces"),
    [
        ("Ada Lovelace", "love", ("Ada ", "Love", "lace")),
        ("Rafael França", "franca", ("Rafael ", "França", "")),
        # The accent is a character of its own, after its letter.
        ("Franc\u0327a", "franc", ("", "Franc\u0327", "a")),
        # One character becomes two, of which one matches.
        ("Æon", "e", ("", "Æ", "on")),
        ("Weiß", "iss", ("We", "iß", "")),
        ("Ada", "b", ("Ada", "", "")),
        ("Ada", "", ("Ada", "", "")),
        ("", "a", ("", "", "")),
    ],
)
def test_the_part_that_matches_is_found_in_the_text_itself(text: str, part: str, pieces: tuple[str, str, str]) -> None:
    assert parted(text, part) == pieces
    assert "".join(pieces) == text
    assert part in fold(pieces[1]) or not pieces[1]
