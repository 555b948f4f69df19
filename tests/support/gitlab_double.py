"""A GitLab on loopback: ``GET /api/v4/projects/:id``, and its hooks, which carry the secret and sign nothing.

See https://docs.gitlab.com/user/project/integrations/webhook_events/ and
https://docs.gitlab.com/administration/system_hooks/.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from tests.support.delivery import Delivery, as_json, new_id
from tests.support.hosted import Hosted, Hosting
from tests.support.json_host import JsonAnswer, JsonHost, Respond, serve_json

PATH = "/webhooks/gitlab"
NO_COMMIT = "0" * 40


def api(hosting: Hosting) -> Respond:
    """What GitLab's API answers about projects, by path or number."""

    def respond(target: str, headers: Mapping[str, str]) -> JsonAnswer | None:
        if not target.startswith("/api/v4/"):
            return JsonAnswer(404, {"error": "404 Not Found"})
        match = re.fullmatch(r"/api/v4/projects/([^/?]+)(/repository/branches/([^/?]+))?(?:\?.*)?", target)
        if match is None:
            return None
        wanted, token = unquote(match[1]), headers.get("private-token", "")
        found = hosting.numbered(int(wanted), token) if wanted.isdigit() else hosting.find(wanted, token)
        if found is None:
            return JsonAnswer(404, {"message": "404 Project Not Found"})
        if not wanted.isdigit() and found is not hosting.at(wanted):
            place = f"http://{headers['host']}/api/v4/projects/{found.number}{match[2] or ''}"
            return JsonAnswer(301, {"message": "301 Moved Permanently"}, {"Location": place})
        if match[3]:
            return _branch(found, unquote(match[3]))
        return JsonAnswer(200, _described(found))

    return respond


def serve_gitlab(hosting: Hosting) -> contextlib.AbstractContextManager[JsonHost]:
    """The API alone; beside git it is ``api`` of a :class:`~tests.support.githttp.GitHost` without ``redirect``."""
    return serve_json(api(hosting))


def _branch(project: Hosted, name: str) -> JsonAnswer:
    oid = project.real.tip(name)
    if oid is None:
        return JsonAnswer(404, {"message": "404 Branch Not Found"})
    return JsonAnswer(200, {"name": name, "default": name == project.branch, "commit": {"id": oid}})


def _described(project: Hosted) -> dict[str, Any]:
    path = project.full_name
    return {
        "id": project.number,
        "description": None,
        "name": project.name,
        "name_with_namespace": path.replace("/", " / "),
        "path": project.name,
        "path_with_namespace": path,
        "created_at": "2020-01-01T00:00:00.000Z",
        # Absent from an empty project.
        "default_branch": project.branch if project.head else None,
        "ssh_url_to_repo": f"git@gitlab.example:{path}.git",
        "http_url_to_repo": f"{project.page}.git",
        "web_url": project.page,
        "visibility": "private" if project.is_private else "public",
        "archived": project.is_archived,
        "last_activity_at": "2026-11-01T00:00:00.000Z",
    }


def push(
    project: Hosted, secret: str, *, branch: str | None = None, after: str | None = None, system: bool = False
) -> Delivery:
    """A push, from a project's hook or the instance's system hook."""
    branch = branch or project.branch
    after = after or project.real.tip(branch) or NO_COMMIT
    path = project.full_name
    payload = {
        "object_kind": "push",
        "event_name": "push",
        "before": NO_COMMIT,
        "after": after,
        "ref": f"refs/heads/{branch}",
        "ref_protected": True,
        "checkout_sha": None if after == NO_COMMIT else after,
        "user_id": 4,
        "user_name": "John Smith",
        "user_username": "jsmith",
        "user_email": "john@example.com",
        "project_id": project.number,
        "project": {
            "id": project.number,
            "name": project.name,
            "description": "",
            "web_url": project.page,
            "git_ssh_url": f"git@gitlab.example:{path}.git",
            "git_http_url": f"{project.page}.git",
            "namespace": project.owner,
            "visibility_level": 0 if project.is_private else 20,
            "path_with_namespace": path,
            "default_branch": project.branch,
        },
        "repository": {"name": project.name, "homepage": project.page, "visibility_level": 20},
        "commits": [],
        "total_commits_count": 1,
    }
    return sent("System Hook" if system else "Push Hook", payload, secret, project.web)


def system_event(name: str, project: Hosted, secret: str, *, old_path: str = "") -> Delivery:
    """One of ``project_create``, ``_destroy``, ``_rename``, ``_transfer``, ``_update`` (such as its visibility)."""
    if name not in ("project_create", "project_destroy", "project_rename", "project_transfer", "project_update"):
        raise ValueError(f"the double has no payload for {name}")
    payload = {
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2026-11-01T00:00:00Z",
        "event_name": name,
        "name": project.name,
        "path": project.name,
        "path_with_namespace": project.full_name,
        "project_id": project.number,
        "owner_name": "John Smith",
        "owner_email": "johnsmith@example.com",
        "owners": [{"name": "John", "email": "user1@example.com"}],
        "project_visibility": "private" if project.is_private else "public",
    }
    return sent(
        "System Hook", payload | ({"old_path_with_namespace": old_path} if old_path else {}), secret, project.web
    )


def sent(event: str, payload: Mapping[str, Any], secret: str, instance: str) -> Delivery:
    """Any event of GitLab's."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "GitLab/18.5.0",
        "X-Gitlab-Event": event,
        "X-Gitlab-Event-UUID": new_id(),
        "X-Gitlab-Instance": instance,
        "X-Gitlab-Token": secret,
        "X-Gitlab-Webhook-UUID": new_id(),
        "Idempotency-Key": new_id(),
    }
    return Delivery(PATH, as_json(payload), headers)
