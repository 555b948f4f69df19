"""Text from outside is redacted, masked and cleaned in time in proportion to its length."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from podium.telemetry.redaction import redact
from podium.textutil.mask import without_emails, without_user_info
from podium.textutil.sanitize import blank_controls, clean, escape_controls
from tests.support.growth import growth

_WORDS = ("a", "a@", "a.", "://", "://a:", "bearer ", "ghp_", "@", "a@b.", "<", "\x1b", "\u0301")


def _redact(text: str) -> str:
    return redact(text, ["secret"])


@pytest.mark.parametrize(
    "read",
    [_redact, without_emails, without_user_info, clean, blank_controls, escape_controls],
    ids=lambda f: f.__name__,
)
def test_hostile_text_takes_time_in_proportion_to_its_length(read: Callable[[str], str]) -> None:
    def all_words(size: int) -> None:
        for word in _WORDS:
            read(word * (size // len(word)))

    assert growth(all_words, 2_000) < 3
