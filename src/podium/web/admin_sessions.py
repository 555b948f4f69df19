"""How a browser becomes the administrator's: the token or a link with a one-time code sets a cookie."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

from cachetools import LRUCache

COOKIE = "podium_admin"
# Seconds.
SESSION = 7 * 86_400
LINK = 600

_LONGEST_TIME = 12
_MOST_ENDED = 1_000


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
    """Cookies signed with a key that is derived from the token, and the tokens of their forms.

    They survive a restart, end with the token, and do not reveal it. One that was signed out is refused by this object.

    Args:
        clock: the time in seconds since 1970.
    """

    def __init__(self, token: str, clock: Callable[[], float] = time.time) -> None:
        self._key = hmac.digest(token.encode(), b"podium session", "sha256")
        self._clock = clock
        self._ended: LRUCache[str, None] = LRUCache(_MOST_ENDED)

    def new(self) -> str:
        """The value of a cookie."""
        session = f"{int(self._clock()) + SESSION}.{secrets.token_urlsafe(12)}"
        return f"{session}.{self._signature(session)}"

    def is_valid(self, value: str) -> bool:
        session, _, signature = value.rpartition(".")
        ends, _, _ = session.partition(".")
        if not (ends.isascii() and ends.isdecimal() and len(ends) <= _LONGEST_TIME):
            return False
        genuine = hmac.compare_digest(_digest(signature), _digest(self._signature(session)))
        return genuine and self._clock() < int(ends) and session not in self._ended

    def end(self, value: str) -> None:
        """Refuse a cookie from now on."""
        if self.is_valid(value):
            self._ended[value.rpartition(".")[0]] = None

    def form_token(self, value: str) -> str:
        """What the forms of a cookie's pages carry; no other site can know it."""
        return self._signature(f"form {value}")

    def is_form_token(self, value: str, token: str) -> bool:
        return hmac.compare_digest(_digest(token), _digest(self.form_token(value)))

    def _signature(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


def _digest(text: str) -> bytes:
    # Digests have equal lengths, so that the time of a comparison reveals nothing.
    return hashlib.sha256(text.encode()).digest()
