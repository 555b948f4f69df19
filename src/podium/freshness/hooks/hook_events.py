"""What a delivery of a host's webhook means, in the words of no host. No I/O.

A delivery names a repository and says what happened to it. Only what changes a board, or may hide it, is an event here.
None of it is taken for the truth: it is a reason to count, or to ask the host.

Sources of the fields: https://docs.github.com/en/webhooks/webhook-events-and-payloads,
https://docs.gitlab.com/user/project/integrations/webhook_events/, https://docs.gitlab.com/administration/system_hooks/,
https://docs.gitea.com/usage/webhooks, https://forgejo.org/docs/latest/user/webhooks/.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any

from podium.errors import BadAddress, BadDelivery
from podium.repositories.address import Address, parse_address

_BRANCH = "refs/heads/"
_LARGEST_NUMBER = 2**63 - 1
# Refs of one delivery that are compared.
_MOST_REFS = 100

# Actions of the event `repository` of GitHub, Gitea and Forgejo. `edited` is only read for another default branch.
_CHANGES = frozenset({"created", "renamed", "transferred", "publicized", "archived", "unarchived"})
_HIDES = frozenset({"deleted", "privatized"})
# Events of GitLab's system hooks.
_PROJECT_CHANGES = frozenset({"project_create", "project_rename", "project_transfer", "project_update"})
_PROJECT_PUSHES = frozenset({"push", "repository_update"})


class HookHost(enum.StrEnum):
    """The hosts whose deliveries are understood; the last part of the route."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GITEA = "gitea"
    FORGEJO = "forgejo"

    @property
    def words(self) -> str:
        return {"github": "GitHub", "gitlab": "GitLab", "gitea": "Gitea", "forgejo": "Forgejo"}[self.value]

    @property
    def event_headers(self) -> tuple[str, ...]:
        """The headers that may name the event."""
        match self:
            case HookHost.GITHUB:
                return ("X-GitHub-Event",)
            case HookHost.GITLAB:
                return ("X-Gitlab-Event",)
        return ("X-Forgejo-Event", "X-Gitea-Event")


class HookKind(enum.Enum):
    """What follows: a count, a question to the host, or a question while the board is hidden."""

    PUSH = enum.auto()
    CHANGED = enum.auto()
    HIDDEN = enum.auto()


@dataclasses.dataclass(frozen=True, slots=True)
class HookEvent:
    """An event of a repository.

    address: where the delivery says that the repository is.
    number: its host id; None: not said.
    former: where it was before a rename or transfer.
    branches: those that a push has changed.
    default_branch: None: not said.
    """

    kind: HookKind
    address: Address
    number: str | None
    former: Address | None = None
    branches: tuple[str, ...] = ()
    default_branch: str | None = None


def read_event(
    host: HookHost, name: str | None, payload: object, *, github_url: str, instance: str | None = None
) -> HookEvent | None:
    """Read a delivery.

    Args:
        name: the event, as a header of :attr:`HookHost.event_headers` names it.
        payload: the decoded JSON.
        github_url: the configured GitHub's web address.
        instance: the web address of the GitLab that sent it, because its system hooks do not name it.

    Returns:
        None: it concerns no board, such as ``ping``.

    Raises:
        BadDelivery: the payload is not the host's.
    """
    if name is None:
        raise BadDelivery(f"The request has no header {host.event_headers[-1]}: let {host.words} send it.")
    if not isinstance(payload, dict):
        raise BadDelivery("The payload is not a JSON object.")
    if host is HookHost.GITLAB:
        return _of_gitlab(payload, github_url, instance)
    return _of_github(name, payload, github_url)


# --- GitHub, Gitea, Forgejo


def _of_github(name: str, payload: dict[str, Any], github_url: str) -> HookEvent | None:
    action = _optional_text(payload.get("action"))
    if name == "push":
        kind = HookKind.PUSH
    elif name == "public" or (name == "repository" and action in _CHANGES):
        kind = HookKind.CHANGED
    elif name == "repository" and action in _HIDES:
        kind = HookKind.HIDDEN
    elif name == "repository" and action == "edited" and _part(payload, "changes", "default_branch") is not None:
        kind = HookKind.CHANGED
    else:
        return None
    repository = _object(payload, "repository")
    address = _address(repository, ("html_url", "clone_url"), "repository", github_url)
    return HookEvent(
        kind,
        address,
        _number(repository.get("id"), "repository.id"),
        former=_former_of_github(payload, address, github_url),
        branches=_branches([_text(payload, "ref")]) if kind is HookKind.PUSH else (),
        default_branch=_optional_text(repository.get("default_branch")),
    )


def _former_of_github(payload: Mapping[str, Any], address: Address, github_url: str) -> Address | None:
    name = _optional_text(_part(payload, "changes", "repository", "name", "from"))
    before = _part(payload, "changes", "owner", "from")
    owners = [_optional_text(_part(before, kind, "login")) for kind in ("user", "organization")]
    owner = next((login for login in owners if login), None)
    if not (name or owner):
        return None
    return _moved(address, f"{owner or address.owner}/{name or address.name}", github_url)


# --- GitLab


def _of_gitlab(payload: dict[str, Any], github_url: str, instance: str | None) -> HookEvent | None:
    name = payload.get("event_name") or payload.get("object_kind")
    if not isinstance(name, str):
        raise BadDelivery("The payload has neither object_kind nor event_name: let GitLab send it.")
    if name in _PROJECT_PUSHES:
        return _pushed_at_gitlab(name, payload, github_url)
    if name == "project_destroy":
        kind = HookKind.HIDDEN
    elif name in _PROJECT_CHANGES:
        kind = HookKind.CHANGED if payload.get("project_visibility") in (None, "public") else HookKind.HIDDEN
    else:
        return None
    path = _text(payload, "path_with_namespace")
    if not instance:
        raise BadDelivery("The request has no header X-Gitlab-Instance, which names the GitLab: let GitLab send it.")
    address = _parsed(f"{instance.rstrip('/')}/{path}", "path_with_namespace", github_url)
    before = _optional_text(payload.get("old_path_with_namespace"))
    former = _parsed(f"{instance.rstrip('/')}/{before}", "old_path_with_namespace", github_url) if before else None
    return HookEvent(kind, address, _number(payload.get("project_id"), "project_id"), former=former)


def _pushed_at_gitlab(name: str, payload: dict[str, Any], github_url: str) -> HookEvent:
    project = _object(payload, "project")
    if name == "push":
        refs: list[Any] = [_text(payload, "ref")]
    else:
        refs = payload.get("refs") or []
        if not isinstance(refs, list):
            raise BadDelivery("refs of the payload is not a list.")
    return HookEvent(
        HookKind.PUSH,
        _address(project, ("git_http_url", "http_url", "web_url"), "project", github_url),
        _number(payload.get("project_id", project.get("id")), "project_id"),
        branches=_branches(refs[:_MOST_REFS]),
        default_branch=_optional_text(project.get("default_branch")),
    )


# --- fields


def _branches(refs: list[Any]) -> tuple[str, ...]:
    return tuple(ref.removeprefix(_BRANCH) for ref in refs if isinstance(ref, str) and ref.startswith(_BRANCH))


def _part(payload: object, *path: str) -> object:
    """A part of a payload; None: there is none."""
    for name in path:
        if not isinstance(payload, dict):
            return None
        payload = payload.get(name)
    return payload


def _object(payload: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = payload.get(name)
    if not isinstance(found, dict):
        raise BadDelivery(f"{name} of the payload is not an object.")
    return found


def _text(payload: Mapping[str, Any], name: str) -> str:
    found = _optional_text(payload.get(name))
    if not found:
        raise BadDelivery(f"{name} of the payload is not a text.")
    return found


def _optional_text(found: object) -> str | None:
    return found if isinstance(found, str) and found else None


def _number(found: object, name: str) -> str | None:
    if found is None:
        return None
    # A bool is an int.
    if type(found) is not int or not 0 < found <= _LARGEST_NUMBER:
        raise BadDelivery(f"{name} of the payload is not the id of a repository.")
    return str(found)


def _address(repository: Mapping[str, Any], names: tuple[str, ...], whose: str, github_url: str) -> Address:
    for name in names:
        if (url := _optional_text(repository.get(name))) is not None:
            return _parsed(url, f"{whose}.{name}", github_url)
    raise BadDelivery(f"{whose} of the payload has no {' and no '.join(names)}.")


def _parsed(url: str, name: str, github_url: str) -> Address:
    # Without a scheme it could be a path at GitHub.
    if "://" not in url:
        raise BadDelivery(f"{name} of the payload is not a URL.")
    try:
        return parse_address(url, github_url)
    except BadAddress as error:
        raise BadDelivery(f"{name} of the payload names no repository. {error.message}") from None


def _moved(address: Address, path: str, github_url: str) -> Address | None:
    """The repository ``path`` (owner and name) on the same host; None: no such name is possible."""
    own = address.url.removesuffix(".git").removesuffix(f"/{address.owner}/{address.name}")
    try:
        return parse_address(f"{own}/{path}", github_url)
    except BadAddress:
        return None
