"""The REST API of a GitLab, a Gitea or a Forgejo, without a token: the host id and name of one repository.

Which of them a host runs is found out by asking, and remembered for an hour. What cannot be read is not an answer. That
one repository is missing says nothing about the host, and neither does a fault.
"""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections.abc import Callable, Mapping
from urllib.parse import quote, urljoin, urlsplit

from podium.accounts.github.requests import RepositoryFacts, repository_facts
from podium.clones.pinned_connection import pinned_connection
from podium.errors import HistoryError
from podium.freshness.host_answer import Unseen
from podium.git.limits import Stop
from podium.net import origin_of
from podium.repositories.model import Repository

# Bytes of an answer, seconds for each part of it, and for the whole.
MOST_BYTES = 1 << 20
_PATIENCE = 5.0
_DEADLINE = 15.0
_MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 307, 308)
_OK, _MISSING = 200, 404
_FAULTS = (0, 429, *range(500, 600))
# Seconds for which it is remembered what a host runs, and that it did not answer.
_REMEMBERED, _SILENT = 3600.0, 60.0
_MOST_HOSTS = 1_000


@dataclasses.dataclass(frozen=True, slots=True)
class _Kind:
    """Paths of an API. by_name: a slash in a name separates its parts, or is escaped."""

    by_name: str
    by_number: str
    safe: str
    name_field: str


_GITLAB = _Kind("/api/v4/projects/{}", "/api/v4/projects/{}", "", "path_with_namespace")
# Gitea and Forgejo.
_GITEA = _Kind("/api/v1/repos/{}", "/api/v1/repositories/{}", "/", "full_name")


class HostApis:
    """Asks the REST APIs of GitLab, Gitea and Forgejo hosts which repository it is; remembers what each host runs.

    Args:
        resolve: a URL's value of ``http.curloptResolve``; may raise HistoryError.
        clock: as ``time.monotonic``.
    """

    def __init__(self, resolve: Callable[[str], str | None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._resolve = resolve
        self._clock = clock
        self._lock = threading.Lock()
        # By origin: what it runs (None: neither; SILENT: it did not answer), and until when that is believed.
        self._kinds: dict[str, tuple[_Kind | Unseen | None, float]] = {}

    def ask(
        self, repository: Repository, number: str | None = None, stop: Stop | None = None
    ) -> RepositoryFacts | Unseen:
        """Ask for a repository by its name, or by ``number``."""
        url = repository.repository_url
        origin = origin_of(url)
        known = self._known(origin)
        if isinstance(known, Unseen):
            return known
        try:
            pinned = self._resolve(url)
        except HistoryError:
            return Unseen.SILENT
        answers = []
        for kind in known:
            path = kind.by_name.format(quote(f"{repository.owner}/{repository.name}", safe=kind.safe))
            if number is not None:
                path = kind.by_number.format(int(number))
            status, document = _document(url, path, pinned, stop)
            facts = repository_facts(document, kind.name_field) if status == _OK else None
            if facts is not None:
                self._note(origin, kind, _REMEMBERED)
                return facts
            answers.append((status, document))
        missing = [_is_refusal(document) or len(known) == 1 for status, document in answers if status == _MISSING]
        if any(missing):
            return Unseen.MISSING
        is_fault = any(status in _FAULTS or _is_refusal(document) for status, document in answers)
        if len(known) > 1:
            self._note(origin, Unseen.SILENT if is_fault else None, _SILENT if is_fault else _REMEMBERED)
        return Unseen.SILENT if is_fault or len(known) == 1 else Unseen.NO_API

    def is_without(self, repository: Repository) -> bool:
        """Whether it is remembered that the host of a repository has no API."""
        return self._known(origin_of(repository.repository_url)) is Unseen.NO_API

    def _known(self, origin: str) -> tuple[_Kind, ...] | Unseen:
        with self._lock:
            kind, until = self._kinds.get(origin, (None, 0.0))
        if until <= self._clock():
            return (_GITLAB, _GITEA)
        if isinstance(kind, Unseen):
            return kind
        return Unseen.NO_API if kind is None else (kind,)

    def _note(self, origin: str, kind: _Kind | Unseen | None, seconds: float) -> None:
        with self._lock:
            if len(self._kinds) >= _MOST_HOSTS:
                self._kinds.clear()
            self._kinds[origin] = kind, self._clock() + seconds


def _is_refusal(document: Mapping[str, object]) -> bool:
    """Whether it is an API of this kind that refuses, and not a server that knows no such path."""
    return isinstance(document.get("message"), str)


def _document(url: str, path: str, pinned: str | None, stop: Stop | None) -> tuple[int, Mapping[str, object]]:
    """The status and the JSON object at a path of the host of ``url``; 0: no answer, or a part of one."""
    from http.client import HTTPException

    ends = time.monotonic() + _DEADLINE

    def check() -> float:
        left = ends - time.monotonic()
        if left <= 0 or (stop is not None and stop.is_set()):
            raise TimeoutError
        return left

    for _ in range(_MOST_REDIRECTS + 1):
        connection = pinned_connection(url, pinned, _PATIENCE, check=check)
        if connection is None:
            return 0, {}
        try:
            connection.request("GET", path, headers={"Accept": "application/json", "User-Agent": "Podium"})
            response = connection.getresponse()
            if response.status not in _REDIRECTS:
                body = response.read(MOST_BYTES + 1)
                return 0 if response.length else response.status, _object(body)
            asked = urljoin(url, path)
            moved = urljoin(asked, response.headers.get("Location", ""))
            if origin_of(moved) != origin_of(asked) or moved == asked:
                return response.status, {}
            parts = urlsplit(moved)
            path = parts.path + (f"?{parts.query}" if parts.query else "")
        except (OSError, ValueError, HTTPException):
            return 0, {}
        finally:
            connection.close()
    return 0, {}


def _object(body: bytes) -> Mapping[str, object]:
    """Empty: the answer is too large, or no JSON object."""
    try:
        found = json.loads(body) if len(body) <= MOST_BYTES else None
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
