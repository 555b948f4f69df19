"""Webhooks of the GitHub double: the events that Podium follows, with the fields of GitHub's published payloads.

See https://docs.github.com/webhooks/webhook-events-and-payloads and, for the signature,
https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.support.delivery import Delivery, as_form, as_json, new_id, signature
from tests.support.github_rest import described
from tests.support.hosted import Hosted

PATH = "/webhooks/github"
NO_COMMIT = "0" * 40
# What each action leaves behind.
_ACTIONS: dict[str, dict[str, Any]] = {
    "created": {},
    "deleted": {},
    "archived": {"archived": True},
    "unarchived": {"archived": False},
    "privatized": {"private": True, "visibility": "private"},
    "publicized": {"private": False, "visibility": "public"},
}
_SENDER = {"login": "octocat", "id": 583231, "type": "User", "html_url": "https://github.com/octocat"}


def signed(event: str, payload: Mapping[str, Any], secret: str, *, form: bool = False) -> Delivery:
    """A delivery of any event; ``form``: in the content type that GitHub chooses unless its user chooses JSON."""
    body = as_form(payload) if form else as_json(payload)
    headers = {
        "Accept": "*/*",
        "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Delivery": new_id(),
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": "292430182",
        "X-GitHub-Hook-Installation-Target-ID": "79929171",
        "X-GitHub-Hook-Installation-Target-Type": "repository",
        "X-Hub-Signature": f"sha1={signature(secret, body, 'sha1')}",
        "X-Hub-Signature-256": f"sha256={signature(secret, body)}",
    }
    return Delivery(PATH, body, headers)


def push(
    repository: Hosted,
    secret: str,
    *,
    branch: str | None = None,
    before: str = NO_COMMIT,
    after: str | None = None,
    forced: bool = False,
    form: bool = False,
) -> Delivery:
    """A push to the default branch or another; ``after=NO_COMMIT`` deletes the branch."""
    branch = branch or repository.branch
    after = after or repository.real.tip(branch) or NO_COMMIT
    described_here = described(repository) | {
        # Of push events alone: see GitHub's example.
        "created_at": 1_577_836_800,
        "pushed_at": 1_793_491_200,
        "master_branch": repository.branch,
        "url": repository.page,
    }
    described_here["owner"] = described_here["owner"] | {"name": repository.owner, "email": None}
    commit = {
        "id": after,
        "tree_id": after,
        "distinct": True,
        "message": "Change",
        "timestamp": "2026-11-01T00:00:00Z",
        "url": f"{repository.page}/commit/{after}",
        "author": {"name": "Ada", "email": "ada@example.org"},
        "committer": {"name": "Ada", "email": "ada@example.org"},
        "added": [],
        "removed": [],
        "modified": ["file"],
    }
    payload = {
        "ref": f"refs/heads/{branch}",
        "before": before,
        "after": after,
        "created": before == NO_COMMIT,
        "deleted": after == NO_COMMIT,
        "forced": forced,
        "base_ref": None,
        "compare": f"{repository.page}/compare/{before[:12]}...{after[:12]}",
        "commits": [] if after == NO_COMMIT else [commit],
        "head_commit": None if after == NO_COMMIT else commit,
        "repository": described_here,
        "pusher": {"name": "octocat", "email": "octocat@github.com"},
        "sender": _SENDER,
    }
    return signed("push", payload, secret, form=form)


def tag_push(repository: Hosted, secret: str, tag: str = "v1") -> Delivery:
    """A push of a tag, which leaves the default branch as it is."""
    payload = {
        "ref": f"refs/tags/{tag}",
        "before": NO_COMMIT,
        "after": repository.head,
        "created": True,
        "deleted": False,
        "forced": False,
        "repository": described(repository),
        "sender": _SENDER,
    }
    return signed("push", payload, secret)


def renamed(repository: Hosted, old_name: str, secret: str) -> Delivery:
    """The repository's owner renamed it; ``old_name`` is without its owner."""
    return _repository("renamed", repository, secret, changes={"repository": {"name": {"from": old_name}}})


def transferred(repository: Hosted, old_owner: str, secret: str) -> Delivery:
    user = {"login": old_owner, "id": 1, "type": "User"}
    return _repository("transferred", repository, secret, changes={"owner": {"from": {"user": user}}})


def default_branch_changed(repository: Hosted, old_branch: str, secret: str) -> Delivery:
    return _repository("edited", repository, secret, changes={"default_branch": {"from": old_branch}})


def event(action: str, repository: Hosted, secret: str) -> Delivery:
    """One of the actions without changes, as of the moment of the action, whatever happened to it since."""
    if action not in _ACTIONS:
        raise ValueError(f"the double has no payload for {action}")
    return _repository(action, repository, secret, state=_ACTIONS[action])


def ping(repository: Hosted, secret: str) -> Delivery:
    """What GitHub sends when a hook is made."""
    hook = {
        "type": "Repository",
        "id": 292430182,
        "name": "web",
        "active": True,
        "events": ["push", "repository"],
        "config": {"content_type": "json", "insecure_ssl": "0", "url": f"https://podium.example{PATH}"},
    }
    payload = {
        "zen": "Keep it logically awesome.",
        "hook_id": 292430182,
        "hook": hook,
        "repository": described(repository),
        "sender": _SENDER,
    }
    return signed("ping", payload, secret)


def _repository(
    action: str,
    repository: Hosted,
    secret: str,
    *,
    changes: Mapping[str, Any] | None = None,
    state: dict[str, Any] | None = None,
) -> Delivery:
    payload = {"action": action} | ({"changes": changes} if changes else {})
    payload |= {"repository": described(repository) | (state or {}), "sender": _SENDER}
    return signed("repository", payload, secret)
