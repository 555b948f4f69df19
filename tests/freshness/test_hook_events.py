"""What deliveries mean: the payloads of each host, in any order of fields and with anything wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podium.errors import BadDelivery
from podium.freshness.hooks.hook_events import HookEvent, HookHost, HookKind, read_event

GITHUB = "https://github.com"
FORGES = [HookHost.GITHUB, HookHost.GITEA, HookHost.FORGEJO]


def repository(host: str = "github.com", name: str = "octo/hello", **fields: Any) -> dict[str, Any]:
    return {
        "id": 1296269,
        "full_name": name,
        "html_url": f"https://{host}/{name}",
        "clone_url": f"https://{host}/{name}.git",
        "default_branch": "main",
        **fields,
    }


def read(host: HookHost, name: str | None, payload: object) -> HookEvent | None:
    return read_event(host, name, payload, github_url=GITHUB, instance="https://gitlab.example")


def read_some(host: HookHost, name: str, payload: object) -> HookEvent:
    event = read(host, name, payload)
    assert event is not None
    return event


@pytest.mark.parametrize("host", FORGES)
def test_a_push_names_its_branch_and_the_repository(host: HookHost) -> None:
    place = "github.com" if host is HookHost.GITHUB else "git.example.org"
    event = read_some(host, "push", {"ref": "refs/heads/a/b", "repository": repository(place)})
    assert (event.kind, event.address.key, event.number) == (HookKind.PUSH, f"{place}/octo/hello", "1296269")
    assert (event.branches, event.default_branch, event.former) == (("a/b",), "main", None)
    tag = read_some(host, "push", {"ref": "refs/tags/v1", "repository": repository(place)})
    assert tag.branches == ()


@pytest.mark.parametrize("host", FORGES)
@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("deleted", HookKind.HIDDEN),
        ("privatized", HookKind.HIDDEN),
        ("publicized", HookKind.CHANGED),
        ("archived", HookKind.CHANGED),
        ("created", HookKind.CHANGED),
    ],
)
def test_actions_of_repositories(host: HookHost, action: str, kind: HookKind) -> None:
    assert read_some(host, "repository", {"action": action, "repository": repository()}).kind is kind


def test_a_rename_and_a_transfer_name_the_place_before() -> None:
    changes: dict[str, Any] = {"repository": {"name": {"from": "hallo"}}}
    payload = {"action": "renamed", "changes": changes, "repository": repository()}
    event = read_some(HookHost.GITHUB, "repository", payload)
    assert event.kind is HookKind.CHANGED and event.former is not None
    assert (event.address.key, event.former.key) == ("github.com/octo/hello", "github.com/octo/hallo")
    for who in ("user", "organization"):
        payload["changes"] = {"owner": {"from": {who: {"login": "cat"}}}}
        former = read_some(HookHost.GITHUB, "repository", payload | {"action": "transferred"}).former
        assert former is not None and former.key == "github.com/cat/hello"
    # Names that no host has lead nowhere.
    for name in ("../..", "", 7, None, {"a": 1}, "x" * 5000):
        payload["changes"] = {"repository": {"name": {"from": name}}}
        assert read_some(HookHost.GITHUB, "repository", payload).former is None
    there = payload | {
        "repository": repository("git.example.org", "a/b"),
        "changes": {"repository": {"name": {"from": "c"}}},
    }
    former = read_some(HookHost.GITEA, "repository", there).former
    assert former is not None and former.key == "git.example.org/a/c"


def test_an_edit_matters_if_it_changes_the_default_branch() -> None:
    payload = {"action": "edited", "changes": {"description": {"from": "x"}}, "repository": repository()}
    assert read(HookHost.GITHUB, "repository", payload) is None
    payload["changes"] = {"default_branch": {"from": "master"}}
    assert read_some(HookHost.GITHUB, "repository", payload).kind is HookKind.CHANGED


@pytest.mark.parametrize("name", ["ping", "star", "issues", "installation", "meta", ""])
def test_other_events_concern_no_board(name: str) -> None:
    assert read(HookHost.GITHUB, name, {"zen": "Keep it logically awesome."}) is None


PROJECT = {
    "id": 15,
    "web_url": "https://gitlab.example/group/sub/app",
    "git_http_url": "https://gitlab.example/group/sub/app.git",
    "path_with_namespace": "group/sub/app",
    "default_branch": "main",
}


@pytest.mark.parametrize("header", ["Push Hook", "System Hook"])
def test_a_push_at_gitlab(header: str) -> None:
    payload = {"object_kind": "push", "ref": "refs/heads/main", "project_id": 15, "project": PROJECT}
    event = read_some(HookHost.GITLAB, header, payload)
    assert (event.kind, event.address.key, event.number) == (HookKind.PUSH, "gitlab.example/group/sub/app", "15")
    assert (event.branches, event.default_branch) == (("main",), "main")
    payload["project"] = PROJECT | {"default_branch": None}
    assert read_some(HookHost.GITLAB, header, payload).default_branch is None
    assert read(HookHost.GITLAB, "Tag Push Hook", payload | {"object_kind": "tag_push"}) is None


def test_a_push_to_several_branches_at_gitlab() -> None:
    refs = ["refs/heads/a", "refs/tags/v1", "refs/heads/main", 7]
    payload = {"event_name": "repository_update", "project_id": 15, "project": PROJECT, "refs": refs}
    assert read_some(HookHost.GITLAB, "System Hook", payload).branches == ("a", "main")


@pytest.mark.parametrize(
    ("name", "visibility", "kind"),
    [
        ("project_destroy", "public", HookKind.HIDDEN),
        ("project_update", "private", HookKind.HIDDEN),
        ("project_update", "internal", HookKind.HIDDEN),
        ("project_update", "public", HookKind.CHANGED),
        ("project_rename", "public", HookKind.CHANGED),
        ("project_transfer", "public", HookKind.CHANGED),
    ],
)
def test_system_hooks_of_gitlab_take_the_host_from_a_header(name: str, visibility: str, kind: HookKind) -> None:
    payload = {
        "event_name": name,
        "path_with_namespace": "scores/underscore",
        "old_path_with_namespace": "jsmith/overscore",
        "project_id": 73,
        "project_visibility": visibility,
    }
    event = read_some(HookHost.GITLAB, "System Hook", payload)
    assert (event.kind, event.address.key, event.number) == (kind, "gitlab.example/scores/underscore", "73")
    assert event.former is not None and event.former.key == "gitlab.example/jsmith/overscore"
    with pytest.raises(BadDelivery, match="X-Gitlab-Instance"):
        read_event(HookHost.GITLAB, "System Hook", payload, github_url=GITHUB)


WRONG: list[Any] = [None, True, 7, -1, 1.5, "", "x", [], [1], {}, {"a": None}, 2**70, "https://evil example/a", "\x00"]


@pytest.mark.parametrize("host", list(HookHost))
def test_whatever_is_wrong_in_a_payload_is_refused_or_ignored(host: HookHost) -> None:
    whole: dict[str, Any] = {
        "action": "renamed",
        "object_kind": "push",
        "ref": "refs/heads/main",
        "refs": ["refs/heads/main"],
        "project_id": 15,
        "project": PROJECT,
        "repository": repository(),
        "changes": {"repository": {"name": {"from": "a"}}, "owner": {"from": {"user": {"login": "b"}}}},
        "path_with_namespace": "a/b",
        "old_path_with_namespace": "c/d",
    }
    places = [[name] for name in whole] + [[a, b] for a in ("project", "repository", "changes") for b in whole[a]]
    for place in places:
        for wrong in WRONG:
            changed = json.loads(json.dumps(whole))
            *parents, last = place
            inner = changed
            for name in parents:
                inner = inner[name]
            inner[last] = wrong
            for name in ("push", "repository"):
                try:
                    read(host, name, changed)
                except BadDelivery as error:
                    assert "\n" not in error.message and len(error.message) < 400
    for payload in WRONG:
        if not isinstance(payload, dict):
            with pytest.raises(BadDelivery):
                read(host, "push", payload)
    with pytest.raises(BadDelivery, match=host.event_headers[-1]):
        read(host, None, whole)
