"""Who sends a request: the administrator, a scraper of the metrics, or a stranger.

The administrator sends the token, or the cookie that a one-time link or the form at ``/admin`` has set. Nothing else
makes an administrator: behind a proxy on this machine every request comes from loopback.
"""

from __future__ import annotations

import dataclasses
import enum
import hmac
import logging
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from podium.errors import Forbidden
from podium.settings import Settings
from podium.web.admin_sessions import COOKIE, EndedSessions, OneTimeCode, Sessions, digest
from podium.web.clients import ClientNetwork, client_of
from podium.web.wrong_tokens import WrongTokens, too_many_wrong

log = logging.getLogger(__name__)

_CALLER = "podium.caller"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Role(enum.Enum):
    STRANGER = enum.auto()
    SCRAPER = enum.auto()
    ADMINISTRATOR = enum.auto()


@dataclasses.dataclass(frozen=True, slots=True)
class Caller:
    """``wait``: seconds until a token of this client is compared again."""

    role: Role = Role.STRANGER
    wait: int = 0


_STRANGER = Caller()


def caller_of(scope: Scope) -> Caller:
    """The caller that :func:`note_caller` has noted."""
    caller: Caller = scope.get(_CALLER, _STRANGER)
    return caller


def note_caller(scope: Scope, caller: Caller) -> None:
    scope[_CALLER] = caller


def is_administrator(scope: Scope) -> bool:
    return caller_of(scope).role is Role.ADMINISTRATOR


class Credentials:
    """The tokens of one server. For one event loop.

    Args:
        code: of the link that was printed.
        ended: sessions that were signed out.
    """

    def __init__(self, settings: Settings, code: OneTimeCode | None = None, ended: EndedSessions | None = None) -> None:
        self._admin = digest(settings.admin_token.encode()) if settings.admin_token else None
        self._metrics = digest(settings.metrics_token.encode()) if settings.metrics_token else None
        self._sessions = Sessions(settings.admin_token, ended=ended) if settings.admin_token else None
        self._code = code
        self._wrong = WrongTokens()

    def identify(self, scope: Scope) -> Caller:
        """The caller of a request; a wrong token is counted and logged."""
        token = next((_bearer(value) for name, value in scope["headers"] if name == b"authorization"), None)
        session = session_of(scope)
        if session and self._sessions and self._sessions.is_valid(session) and _is_own_page(scope):
            return Caller(Role.ADMINISTRATOR)
        return _STRANGER if token is None else self._compare(client_of(scope), token)

    def _compare(self, client: ClientNetwork, token: bytes) -> Caller:
        if wait := self._wrong.wait(client):
            return Caller(wait=wait)
        given = digest(token)
        if self._admin is not None and hmac.compare_digest(given, self._admin):
            return Caller(Role.ADMINISTRATOR)
        if self._metrics is not None and hmac.compare_digest(given, self._metrics):
            return Caller(Role.SCRAPER)
        self._note_wrong(client, "token")
        return Caller(wait=self._wrong.wait(client))

    def begin_session(self, scope: Scope, code: str) -> str:
        """Exchange the code of the link for the value of the cookie.

        Raises:
            Forbidden: the code is wrong, used or too old.
            TooManyRequests: this client has sent too many wrong ones.
        """
        client = client_of(scope)
        if wait := self._wrong.wait(client):
            raise too_many_wrong(wait)
        if self._sessions is None or self._code is None or not self._code.use(code):
            self._note_wrong(client, "code")
            raise Forbidden(
                "This link was used, is older than ten minutes, or is not of this server: restart `podium serve` on a "
                "terminal for another one."
            )
        log.info("%s has used the administrator's link", client.key)
        return self._sessions.new()

    def sign_in(self, scope: Scope, token: str) -> str:
        """Exchange the token for the value of the cookie.

        Raises:
            Forbidden: the token is wrong.
            TooManyRequests: this client has sent too many wrong ones.
        """
        client = client_of(scope)
        if wait := self._wrong.wait(client):
            raise too_many_wrong(wait)
        if (
            self._sessions is None
            or self._admin is None
            or not hmac.compare_digest(digest(token.encode(errors="replace")), self._admin)
        ):
            self._note_wrong(client, "token")
            raise Forbidden("That is not the administrator's token.")
        log.info("%s has signed in as the administrator", client.key)
        return self._sessions.new()

    def sign_out(self, scope: Scope) -> None:
        """End the session of a request's cookie, in all API processes."""
        if self._sessions is not None:
            self._sessions.end(session_of(scope))

    def form_token(self, scope: Scope) -> str:
        """What the forms of a page must send back."""
        return self._sessions.form_token(session_of(scope)) if self._sessions else ""

    def is_own_form(self, scope: Scope, token: str) -> bool:
        return self._sessions is not None and self._sessions.is_form_token(session_of(scope), token)

    def _note_wrong(self, client: ClientNetwork, what: str) -> None:
        self._wrong.note(client)
        log.warning("%s sent a wrong administrator's %s", client.key, what)


def session_of(scope: Scope) -> str:
    """The cookie of the administrator's session; empty if there is none."""
    for name, value in scope["headers"]:
        if name == b"cookie":
            return cookie_parser(value.decode("latin-1")).get(COOKIE, "")
    return ""


def _bearer(value: bytes) -> bytes | None:
    scheme, _, token = value.partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else None


def _is_own_page(scope: Scope) -> bool:
    """Whether a cookie counts: a request that changes something must name this server as its origin.

    SameSite=Strict does not exclude pages of this host at another port.
    """
    if scope["method"] in _SAFE_METHODS:
        return True
    headers = Headers(scope=scope)
    try:
        origin = urlsplit(headers.get("origin", "")).netloc
    except ValueError:
        return False
    return origin != "" and origin.lower() == headers.get("host", "").strip().lower()
