"""How a browser becomes the administrator's: a link with a one-time code sets a cookie."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

COOKIE = "podium_admin"
# Seconds.
SESSION = 7 * 86_400
LINK = 600

_LONGEST_TIME = 12


class OneTimeCode:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.text = secrets.token_urlsafe(32)
        self._clock = clock
        self._ends = clock() + LINK
        self._used = False

    def use(self, text: str) -> bool:
        """Whether ``text`` is the code: once, within ten minutes."""
        same = hmac.compare_digest(_digest(text), _digest(self.text))
        valid = same and not self._used and self._clock() < self._ends
        self._used = self._used or valid
        return valid


class Sessions:
    """Cookies signed with a key that is derived from the token.

    They survive a restart, end with the token, and do not reveal it.

    Args:
        clock: the time in seconds since 1970.
    """

    def __init__(self, token: str, clock: Callable[[], float] = time.time) -> None:
        self._key = hmac.digest(token.encode(), b"podium session", "sha256")
        self._clock = clock

    def new(self) -> str:
        """The value of a cookie."""
        ends = int(self._clock()) + SESSION
        return f"{ends}.{self._signature(str(ends))}"

    def is_valid(self, value: str) -> bool:
        ends, _, signature = value.partition(".")
        if not (ends.isascii() and ends.isdecimal() and len(ends) <= _LONGEST_TIME):
            return False
        genuine = hmac.compare_digest(_digest(signature), _digest(self._signature(ends)))
        return genuine and self._clock() < int(ends)

    def _signature(self, ends: str) -> str:
        return hmac.new(self._key, ends.encode(), hashlib.sha256).hexdigest()


def _digest(text: str) -> bytes:
    # Digests have equal lengths, so that the time of a comparison reveals nothing.
    return hashlib.sha256(text.encode()).digest()
