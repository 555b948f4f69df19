"""A Gitea or Forgejo on loopback: ``GET /api/v1/repos/{owner}/{repo}``, and its hooks, signed in bare hex.

An old name is answered with 307 and a path. A hook carries the headers of GitHub and Gogs too, and Forgejo's its own
besides. See https://docs.gitea.com/usage/webhooks and https://forgejo.org/docs/latest/user/webhooks/.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from tests.support.delivery import Delivery, as_json, new_id, signature
from tests.support.hosted import Hosted, Hosting
from tests.support.json_host import JsonAnswer, JsonHost, Respond, serve_json

PATH = "/webhooks/gitea"
NO_COMMIT = "0" * 40


def api(hosting: Hosting) -> Respond:
    """What the API answers about repositories, by name or number."""

    def respond(target: str, headers: Mapping[str, str]) -> JsonAnswer | None:
        if not target.startswith("/api/v1/"):
            return JsonAnswer(404, b"<html>Not found</html>", {"Content-Type": "text/html"})
        match = re.fullmatch(
            r"/api/v1/(?:repositories/(\d+)|repos/([^/?]+/[^/?]+)(/branches/([^/?]+))?)(?:\?.*)?", target
        )
        if match is None:
            return None
        token = headers.get("authorization", "").removeprefix("token ")
        wanted = unquote(match[2] or "")
        found = hosting.find(wanted, token) if wanted else hosting.numbered(int(match[1]), token)
        if found is None:
            return JsonAnswer(404, {"errors": [], "message": "The target couldn't be found."})
        if wanted and found is not hosting.at(wanted):
            return JsonAnswer(307, b"", {"Location": target.replace(match[2], found.full_name, 1)})
        if match[4]:
            return _branch(found, unquote(match[4]))
        return JsonAnswer(200, _described(found))

    return respond


def serve_gitea(hosting: Hosting) -> contextlib.AbstractContextManager[JsonHost]:
    """The API alone; beside git it is ``api`` of a :class:`~tests.support.githttp.GitHost` with ``redirect`` 307."""
    return serve_json(api(hosting))


def _branch(repository: Hosted, name: str) -> JsonAnswer:
    oid = repository.real.tip(name)
    if oid is None:
        return JsonAnswer(404, {"errors": [], "message": "The target couldn't be found."})
    return JsonAnswer(200, {"name": name, "commit": {"id": oid}, "protected": False})


def _described(repository: Hosted) -> dict[str, Any]:
    name, owner = repository.full_name, repository.owner
    return {
        "id": repository.number,
        "owner": {"id": 1, "login": owner, "full_name": "", "email": f"{owner}@noreply.example", "username": owner},
        "name": repository.name,
        "full_name": name,
        "description": "",
        "empty": repository.head is None,
        "private": repository.is_private,
        "fork": False,
        "template": False,
        "mirror": False,
        "html_url": repository.page,
        "ssh_url": f"git@gitea.example:{name}.git",
        "clone_url": f"{repository.page}.git",
        "default_branch": repository.branch,
        "archived": repository.is_archived,
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2026-11-01T00:00:00Z",
        "internal": False,
    }


def push(
    repository: Hosted, secret: str, *, branch: str | None = None, after: str | None = None, forgejo: bool = False
) -> Delivery:
    """A push to a branch."""
    branch = branch or repository.branch
    after = after or repository.real.tip(branch) or NO_COMMIT
    user = {"id": 1, "login": "ada", "full_name": "", "email": "ada@noreply.example", "username": "ada"}
    payload = {
        "ref": f"refs/heads/{branch}",
        "before": NO_COMMIT,
        "after": after,
        "compare_url": "",
        "commits": [],
        "total_commits": 0,
        "head_commit": None,
        "repository": _described(repository),
        "pusher": user,
        "sender": user,
    }
    return signed("push", payload, secret, forgejo=forgejo)


def event(action: str, repository: Hosted, secret: str, *, forgejo: bool = False) -> Delivery:
    """``created`` or ``deleted``: neither host sends a repository event for a rename."""
    if action not in ("created", "deleted"):
        raise ValueError(f"the double has no payload for {action}")
    user = {"id": 1, "login": "ada", "full_name": "", "email": "ada@noreply.example", "username": "ada"}
    payload = {"action": action, "repository": _described(repository), "organization": user, "sender": user}
    return signed("repository", payload, secret, forgejo=forgejo)


def signed(event: str, payload: Mapping[str, Any], secret: str, *, forgejo: bool = False) -> Delivery:
    """Any event of Gitea's or Forgejo's."""
    body, delivery = as_json(payload), new_id()
    digest = signature(secret, body)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Go-http-client/1.1",
        "X-Hub-Signature": f"sha1={signature(secret, body, 'sha1')}",
        "X-Hub-Signature-256": f"sha256={digest}",
    }
    for name in ("GitHub", "Gitea", "Gogs", *["Forgejo"] * forgejo):
        headers |= {f"X-{name}-Delivery": delivery, f"X-{name}-Event": event, f"X-{name}-Event-Type": event}
    for name in ("Gitea", "Gogs", *["Forgejo"] * forgejo):
        headers[f"X-{name}-Signature"] = digest
    return Delivery(PATH, body, headers)
