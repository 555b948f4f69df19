"""The REST API of a GitLab, a Gitea or a Forgejo, without a token: the number and the name of one repository.

Which of them a host runs is found out by asking, and remembered for an hour. What cannot be read is no answer.
"""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

from podium.accounts.github.requests import RepositoryFacts, repository_facts
from podium.clones.pinned_connection import pinned_connection
from podium.errors import HistoryError
from podium.git.limits import Stop
from podium.net import origin_of
from podium.repositories.model import Repository

if TYPE_CHECKING:
    from http.client import HTTPResponse

# Bytes of an answer, seconds for each part of it, and for the whole.
MOST_BYTES = 1 << 20
_PATIENCE = 5.0
_DEADLINE = 15.0
_CHUNK = 64 << 10
_MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 307, 308)
# Seconds for which it is remembered what a host runs.
_REMEMBERED = 3600.0
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
    """Args:
    resolve: a URL's value of ``http.curloptResolve``; may raise HistoryError.
    clock: as ``time.monotonic``.
    """

    def __init__(self, resolve: Callable[[str], str | None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._resolve = resolve
        self._clock = clock
        self._lock = threading.Lock()
        # By origin: what it runs (None: neither), and until when that is believed.
        self._kinds: dict[str, tuple[_Kind | None, float]] = {}

    def ask(
        self, repository: Repository, number: str | None = None, stop: Stop | None = None
    ) -> RepositoryFacts | None:
        """Ask for a repository by its name, or by ``number``; None: the host did not say."""
        url = repository.repository_url
        origin = origin_of(url)
        known = self._known(origin)
        if known is None:
            return None
        try:
            pinned = self._resolve(url)
        except HistoryError:
            return None
        for kind in known:
            path = kind.by_name.format(quote(f"{repository.owner}/{repository.name}", safe=kind.safe))
            if number is not None:
                path = kind.by_number.format(int(number))
            facts = repository_facts(_document(url, path, pinned, stop), kind.name_field)
            if facts is not None:
                self._note(origin, kind)
                return facts
        if number is None and len(known) > 1:
            self._note(origin, None)
        return None

    def _known(self, origin: str) -> tuple[_Kind, ...] | None:
        with self._lock:
            kind, until = self._kinds.get(origin, (None, 0.0))
        if until <= self._clock():
            return (_GITLAB, _GITEA)
        return None if kind is None else (kind,)

    def _note(self, origin: str, kind: _Kind | None) -> None:
        with self._lock:
            if len(self._kinds) >= _MOST_HOSTS:
                self._kinds.clear()
            self._kinds[origin] = kind, self._clock() + _REMEMBERED


def _document(url: str, path: str, pinned: str | None, stop: Stop | None) -> Mapping[str, object]:
    """The JSON object at a path of the host of ``url``; empty: there is none."""
    from http.client import HTTPException

    ends = time.monotonic() + _DEADLINE
    for _ in range(_MOST_REDIRECTS + 1):
        connection = pinned_connection(url, pinned, _PATIENCE)
        if connection is None:
            return {}
        try:
            connection.request("GET", path, headers={"Accept": "application/json", "User-Agent": "Podium"})
            response = connection.getresponse()
            if response.status not in _REDIRECTS:
                return _object(_received(response, ends, stop)) if response.status == 200 else {}
            asked = urljoin(url, path)
            moved = urljoin(asked, response.headers.get("Location", ""))
            if origin_of(moved) != origin_of(asked) or moved == asked:
                return {}
            parts = urlsplit(moved)
            path = parts.path + (f"?{parts.query}" if parts.query else "")
        except (OSError, ValueError, HTTPException):
            return {}
        finally:
            connection.close()
    return {}


def _received(response: HTTPResponse, ends: float, stop: Stop | None) -> bytes:
    body = bytearray()
    while data := response.read1(_CHUNK):
        body += data
        if len(body) > MOST_BYTES or time.monotonic() > ends or (stop is not None and stop.is_set()):
            raise ValueError("too much, too slow, or not wanted any more")
    return bytes(body)


def _object(body: bytes) -> Mapping[str, object]:
    try:
        found = json.loads(body)
    except RecursionError:
        return {}
    return found if isinstance(found, dict) else {}
