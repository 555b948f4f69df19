"""The faults that the GitHub double plays, each as observed on GitHub."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

_DOCS = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"


@dataclass
class Answer:
    """A response. ``body`` is a JSON document or raw bytes."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    # send; drop: close the connection; truncate: send half the body, then close; hang: do not answer.
    manner: str = "send"
    # Seconds that the client has to wait.
    pause: int = 0
    # Whom it goes to.
    token: str = ""


Fault = Callable[[Answer, int], Answer]


def _status(status: int, message: str = "", **headers: str) -> Fault:
    return lambda _answer, _pause: Answer(status, {"message": message, "status": str(status)}, dict(headers))


def _page(status: int) -> Fault:
    html = f"<html><head><title>{status}</title></head><body>nginx</body></html>".encode()
    return lambda _answer, _pause: Answer(status, html, {"content-type": "text/html"})


def _secondary(status: int, stated: bool) -> Fault:
    message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."

    def play(answer: Answer, pause: int) -> Answer:
        body = {"message": message, "documentation_url": f"{_DOCS}#about-secondary-rate-limits"}
        headers = {"retry-after": str(pause)} if stated else {}
        return Answer(status, body, answer.headers | headers, pause=pause if stated else 60)

    return play


def _errors(kind: str | None, message: str, *, pausing: bool = False) -> Fault:
    def play(answer: Answer, pause: int) -> Answer:
        error = {"message": message} | ({"type": kind} if kind else {})
        headers = answer.headers | ({"retry-after": str(pause)} if pausing else {})
        return Answer(200, {"errors": [error]}, headers, pause=pause if pausing else 0)

    return play


def _repository_error(kind: str, message: str, **extensions: Any) -> Fault:
    error = {"type": kind, "path": ["repository"], "message": message, "extensions": extensions}
    return lambda answer, _: Answer(200, {"data": {"repository": None}, "errors": [error]}, answer.headers)


def _aliases(answer: Answer) -> tuple[dict[str, Any], list[str]]:
    """The repository of an answer, and every second of its aliases."""
    repository = ((answer.body or {}).get("data") or {}).get("repository") if isinstance(answer.body, dict) else None
    repository = repository or {}
    return repository, [alias for alias in repository if alias[:1] == "a" and alias[1:].isdigit()][::2]


def _fewer(answer: Answer, _pause: int) -> Answer:
    repository, aliases = _aliases(answer)
    for alias in aliases:
        del repository[alias]
    return answer


def _partial(kind: str | None, message: str) -> Fault:
    def play(answer: Answer, _pause: int) -> Answer:
        repository, aliases = _aliases(answer)
        for alias in aliases:
            repository[alias] = None
            error = {"path": ["repository", alias], "message": message} | ({"type": kind} if kind else {})
            answer.body.setdefault("errors", []).append(error)
        return answer

    return play


def _users_lost(answer: Answer, _pause: int) -> Answer:
    """Null users beside errors: only the errors' paths tell them from "no account"."""
    repository, aliases = _aliases(answer)
    for alias in aliases:
        for place, node in enumerate(((repository[alias] or {}).get("authors") or {}).get("nodes") or []):
            node["user"] = None
            path = ["repository", alias, "authors", "nodes", place, "user"]
            answer.body.setdefault("errors", []).append({"path": path, "message": "Timeout on resolving user"})
    return answer


def _null_objects(answer: Answer, _pause: int) -> Answer:
    repository, aliases = _aliases(answer)
    for alias in aliases:
        repository[alias] = None
    return answer


def _manner(manner: str) -> Fault:
    def play(answer: Answer, _pause: int) -> Answer:
        answer.manner = manner
        return answer

    return play


_STUMBLE = "Something went wrong while executing your query. This may be the result of a timeout, or it could be a"
_STUMBLE += " GitHub bug. Please include `0000:0000:0000` when reporting this issue."
_TOO_MUCH = "Resource limits for this query exceeded."

FAULTS: dict[str, Fault] = {
    "401": _status(401, "Bad credentials"),
    "403": _status(403, "Resource not accessible by personal access token"),
    "403-sso": _status(
        403,
        "Resource protected by organization SAML enforcement.",
        **{"x-github-sso": "required; url=…".encode("ascii", "ignore").decode()},
    ),
    "403-secondary": _secondary(403, stated=True),
    "404": _status(404, "Not Found"),
    "429": _secondary(429, stated=True),
    "429-unstated": _secondary(429, stated=False),
    "200-secondary": _secondary(200, stated=True),
    "500": _status(500, "Server Error"),
    "502": _page(502),
    "503": _page(503),
    "504": _page(504),
    "not-json": _page(200),
    "timeout": _manner("hang"),
    "drop": _manner("drop"),
    "truncate": _manner("truncate"),
    "cut-json": lambda answer, _: Answer(200, b'{"data":{"repository":{"a0":{"aut', answer.headers),
    "rate-limited": _errors("RATE_LIMITED", "API rate limit exceeded for user ID 1.", pausing=True),
    "rate-limit": _errors("RATE_LIMIT", "API rate limit already exceeded for user ID 1.", pausing=True),
    "resource-limits": _errors("RESOURCE_LIMITS_EXCEEDED", _TOO_MUCH),
    "resource-limits-partial": _partial("RESOURCE_LIMITS_EXCEEDED", _TOO_MUCH),
    "node-limit": _errors("MAX_NODE_LIMIT_EXCEEDED", "requesting up to 500,001 possible nodes"),
    "something-went-wrong": _errors(None, _STUMBLE),
    "something-went-wrong-partial": _partial(None, _STUMBLE),
    "fewer": _fewer,
    "users-lost": _users_lost,
    "null-object": _null_objects,
    "not-found": _repository_error("NOT_FOUND", "Could not resolve to a Repository with the name 'o/r'."),
    "forbidden": _repository_error("FORBIDDEN", "Resource not accessible by personal access token"),
    "sso": _repository_error("FORBIDDEN", "Resource protected by SAML enforcement.", saml_failure=True),
}

# Transient faults: a retry is answered normally.
PASSING = (
    "403-secondary", "429", "200-secondary", "500", "502", "503", "504", "not-json", "timeout", "drop", "truncate",
    "cut-json", "rate-limited", "rate-limit", "resource-limits", "resource-limits-partial", "something-went-wrong",
    "something-went-wrong-partial", "fewer", "users-lost", "null-object",
)  # fmt: skip


# Permanent if repeated.
REFUSALS = sorted(FAULTS.keys() - set(PASSING) - {"429-unstated", "node-limit"})


class Script:
    """The fault of each request: first from a list (None: no fault), then random.

    ``apart``: the minimum number of requests between two plays of the same fault.
    """

    def __init__(
        self,
        faults: Sequence[str | None] = (),
        *,
        probability: float = 0.0,
        among: Sequence[str] = PASSING,
        seed: int = 1,
        apart: int = 0,
    ) -> None:
        self._listed = list(faults)
        self._probability = probability
        self._among = among
        self._random = random.Random(seed)
        self._lately: deque[str | None] = deque(maxlen=apart)
        self._lock = threading.Lock()

    def next(self, api: str) -> str | None:
        """The fault of a request to ``api``: 'core' or 'graphql'."""
        with self._lock:
            fault = self._listed.pop(0) if self._listed else self._by_chance()
            self._lately.append(fault)
            return fault

    def _by_chance(self) -> str | None:
        if self._random.random() >= self._probability:
            return None
        return self._random.choice([fault for fault in self._among if fault not in self._lately])
