"""How a browser becomes the administrator's: the token or a link with a one-time code sets a cookie."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

from cachetools import LRUCache
from limits.errors import StorageError

from podium.web.shared_state import SharedOrOwn

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
        same = _is_same(text, self.text)
        valid = same and not self._used and self._clock() < self._ends
        self._used = self._used or valid
        return valid


class EndedSessions:
    """Sessions that were signed out, of all API processes.

    Args:
        note: tells all processes of one, for so many seconds; is_noted: whether any did. Without them, and while they
            fail, each process knows only its own.
        either: for the errors of both.
    """

    def __init__(
        self,
        note: Callable[[str, int], object] | None = None,
        is_noted: Callable[[str], bool] | None = None,
        either: SharedOrOwn | None = None,
    ) -> None:
        self._own: LRUCache[str, None] = LRUCache(_MOST_ENDED)
        self._note = note
        self._is_noted = is_noted
        self._either = either or SharedOrOwn(StorageError)

    def add(self, session: str, seconds: int) -> None:
        """It may wait for Redis."""
        self._own[session] = None
        note = self._note
        if note is not None:
            self._either.ask(lambda: note(session, seconds), lambda: None)

    def __contains__(self, session: str) -> bool:
        """It may wait for Redis."""
        is_noted = self._is_noted
        return session in self._own or (
            is_noted is not None and self._either.ask(lambda: is_noted(session), lambda: False)
        )


class Sessions:
    """Cookies signed with a key that is derived from the token, and the tokens of their forms.

    They survive a restart, end with the token, and do not reveal it.

    Args:
        clock: the time in seconds since 1970.
        ended: those that were signed out.
    """

    def __init__(self, token: str, clock: Callable[[], float] = time.time, ended: EndedSessions | None = None) -> None:
        self._key = hmac.digest(token.encode(), b"podium session", "sha256")
        self._clock = clock
        self._ended = EndedSessions() if ended is None else ended

    def new(self) -> str:
        """The value of a cookie."""
        session = f"{int(self._clock()) + SESSION}.{secrets.token_urlsafe(12)}"
        return f"{session}.{self._signature(session)}"

    def is_valid(self, value: str) -> bool:
        session, _, signature = value.rpartition(".")
        ends, _, _ = session.partition(".")
        if not (ends.isascii() and ends.isdecimal() and len(ends) <= _LONGEST_TIME):
            return False
        genuine = _is_same(signature, self._signature(session))
        return genuine and self._clock() < int(ends) and session not in self._ended

    def end(self, value: str) -> None:
        """Refuse a cookie from now on."""
        if self.is_valid(value):
            self._ended.add(value.rpartition(".")[0], SESSION)

    def form_token(self, value: str) -> str:
        """What the forms of a cookie's pages carry; no other site can know it."""
        return self._signature(f"form {value}")

    def is_form_token(self, value: str, token: str) -> bool:
        return _is_same(token, self.form_token(value))

    def _signature(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


def digest(secret: bytes) -> bytes:
    """Digests have equal lengths, so that the time of a comparison reveals nothing."""
    return hashlib.sha256(secret).digest()


def _is_same(given: str, right: str) -> bool:
    return hmac.compare_digest(digest(given.encode()), digest(right.encode()))
