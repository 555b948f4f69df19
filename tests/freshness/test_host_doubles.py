"""The doubles of hosts rename, transfer, hide and delete repositories, and sign hooks, as the hosts do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import jsonschema  # type: ignore[import-untyped]
import pytest

from tests.support import gitea_double, github_hooks, gitlab_double
from tests.support.delivery import Delivery, signature
from tests.support.githttp import GitHost, serve_repositories
from tests.support.github_double import GitHubDouble
from tests.support.hosted import Hosted, Hosting
from tests.support.npm import UnavailableError, fetched
from tests.support.repos import git, make_bare, set_branch

TOKEN = "token-of-a-test"
SCHEMAS = "@octokit/webhooks-schemas@7.6.1"
HEADS = "databaseId nameWithOwner isPrivate defaultBranchRef{name target{oid}}"


# One client for all: making one reads certificates, which takes longer than a test. It keeps no connection: the last
# would be open at the end of all tests.
CLIENT = httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


def heads(double: GitHubDouble, *names: str) -> Any:
    parts = (
        f'r{n}:repository(owner:"{name.split("/")[0]}",name:"{name.split("/")[1]}"){{{HEADS}}}'
        for n, name in enumerate(names)
    )
    query = "query{rateLimit{cost}" + " ".join(parts) + "}"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return CLIENT.post(double.graphql_url, json={"query": query}, headers=headers).json()


def rest(double: GitHubDouble, path: str) -> httpx.Response:
    return CLIENT.get(double.api_url + path)


def listed(git_host: GitHost, name: str) -> str:
    """What ``git ls-remote`` says of the head, and of a redirect."""
    done = CLIENT.get(f"{git_host.url}/{name}/info/refs?service=git-upload-pack")
    return f"{done.status_code} {done.headers.get('location', '')}".strip()


def test_a_hundred_heads_cost_one_point_and_a_missing_one_is_an_error_beside_the_data(
    hosting: Hosting, folder: Path, double: GitHubDouble
) -> None:
    for number in range(98):
        hosting.add(f"o/r{number}", folder)
    answer = heads(double, "o/r", *(f"o/r{number}" for number in range(98)), "o/none")
    expected = {"name": "main", "target": {"oid": git(folder, "rev-parse", "main").decode().strip()}}
    assert answer["data"]["r0"] == {
        "databaseId": 1000,
        "nameWithOwner": "o/r",
        "isPrivate": False,
        "defaultBranchRef": expected,
    }
    assert answer["data"]["r98"]["databaseId"] == 1098
    assert answer["data"]["r99"] is None
    (error,) = answer["errors"]
    assert (error["type"], error["path"]) == ("NOT_FOUND", ["r99"])
    assert answer["data"]["rateLimit"] == {"cost": 1}
    assert double.points() == 1


def test_a_renamed_repository_keeps_its_number_and_its_old_name_leads_to_it(
    hosting: Hosting, double: GitHubDouble, git_host: GitHost
) -> None:
    hosting.rename("o/r", "o/s")
    hosting.rename("o/s", "other/t")
    for old in ("o/r", "O/R", "o/s"):
        assert rest(double, f"/repos/{old}").headers["location"] == f"{double.api_url}/repositories/1000"
        assert heads(double, old)["data"]["r0"]["nameWithOwner"] == "other/t"
        assert listed(git_host, f"{old}.git") == f"301 {git_host.url}/other/t.git/info/refs?service=git-upload-pack"
    assert rest(double, "/repositories/1000").json()["full_name"] == "other/t"
    assert listed(git_host, "other/t") == "200"


def test_git_follows_the_redirect_and_names_the_new_address(hosting: Hosting, git_host: GitHost, folder: Path) -> None:
    hosting.rename("o/r", "o/s")
    head = git(folder, "rev-parse", "main").decode().strip()
    assert git(folder, "ls-remote", f"{git_host.url}/o/r", "HEAD").decode().split() == [head, "HEAD"]


def test_a_name_that_another_repository_takes_leads_nowhere_else(
    hosting: Hosting, double: GitHubDouble, git_host: GitHost, folder: Path
) -> None:
    hosting.rename("o/r", "o/s")
    hosting.add("o/r", folder)
    assert heads(double, "o/r", "o/s")["data"]["r0"]["databaseId"] == 1001
    assert rest(double, "/repos/o/r").json()["id"] == 1001
    assert listed(git_host, "o/r") == "200"


@pytest.mark.parametrize("change", ["private", "deleted"])
def test_a_private_repository_looks_like_a_deleted_one(
    hosting: Hosting, double: GitHubDouble, git_host: GitHost, change: str
) -> None:
    hosting.rename("o/r", "o/s")
    if change == "private":
        hosting["o/s"].is_private = True
    else:
        hosting.delete("o/s")
    for name in ("o/r", "o/s"):
        assert rest(double, f"/repos/{name}").status_code == 404
        assert heads(double, name)["errors"][0]["type"] == "NOT_FOUND"
        assert listed(git_host, name) == "401"
    assert rest(double, "/repositories/1000").status_code == 404


def test_a_token_with_access_sees_that_a_repository_is_private(hosting: Hosting, double: GitHubDouble) -> None:
    hosting["o/r"].is_private = True
    hosting["o/r"].readers.add(TOKEN)
    assert heads(double, "o/r")["data"]["r0"]["isPrivate"] is True
    assert rest(double, "/repos/o/r").status_code == 404


def test_the_default_branch_and_its_head_are_those_of_the_repository(
    hosting: Hosting, double: GitHubDouble, folder: Path
) -> None:
    head = git(folder, "rev-parse", "main").decode().strip()
    set_branch(folder, head, "next")
    git(folder, "symbolic-ref", "HEAD", "refs/heads/next")
    git(folder, "pack-refs", "--all")
    assert heads(double, "o/r")["data"]["r0"]["defaultBranchRef"] == {"name": "next", "target": {"oid": head}}
    assert rest(double, "/repos/o/r").json()["default_branch"] == "next"
    hosting.add("o/empty", make_bare(folder.parent / "empty.git"))
    assert heads(double, "o/empty")["data"]["r0"]["defaultBranchRef"] is None


def test_gitlab_redirects_an_old_path_to_the_number_and_serves_git_under_it(folder: Path) -> None:
    hosting = Hosting({"group/sub/r": folder})
    hosting.rename("group/sub/r", "group/s")
    with gitlab_double.serve_gitlab(hosting) as api, serve_repositories(folder.parent, hosting=hosting) as git_host:
        git_host.redirect = None
        moved = CLIENT.get(f"{api.url}/api/v4/projects/group%2Fsub%2Fr")
        assert (moved.status_code, moved.headers["location"]) == (301, f"{api.url}/api/v4/projects/1000")
        project = CLIENT.get(moved.headers["location"]).json()
        assert (project["id"], project["path_with_namespace"]) == (1000, "group/s")
        assert listed(git_host, "group/sub/r.git") == "200"


def test_gitea_redirects_an_old_name_to_the_new_one(folder: Path) -> None:
    hosting = Hosting({"o/r": folder})
    hosting.rename("o/r", "o/s")
    with gitea_double.serve_gitea(hosting) as api, serve_repositories(folder.parent, hosting=hosting) as git_host:
        git_host.redirect, git_host.api = 307, gitea_double.api(hosting)
        moved = CLIENT.get(f"{api.url}/api/v1/repos/o/r")
        assert (moved.status_code, moved.headers["location"]) == (307, "/api/v1/repos/o/s")
        assert CLIENT.get(f"{api.url}/api/v1/repos/o/s").json()["id"] == 1000
        assert CLIENT.get(f"{git_host.url}/api/v1/repositories/1000").json()["full_name"] == "o/s"
        assert listed(git_host, "o/r") == "307 /o/s/info/refs?service=git-upload-pack"


def test_what_a_double_does_not_know_fails_the_test(hosting: Hosting) -> None:
    for serve, path in ((gitlab_double.serve_gitlab, "/api/v4/version"), (gitea_double.serve_gitea, "/api/v1/version")):
        with pytest.raises(AssertionError, match="no answer"), serve(hosting) as api:
            CLIENT.get(f"{api.url}{path}")


def test_a_signature_equals_the_one_in_githubs_documentation() -> None:
    # https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
    documented = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signature("It's a Secret to Everybody", b"Hello, World!") == documented


def deliveries(hosting: Hosting) -> dict[str, Delivery]:
    repository = hosting["o/r"]
    return {
        "push$event": github_hooks.push(repository, "s"),
        "ping$event": github_hooks.ping(repository, "s"),
        "repository$renamed": github_hooks.renamed(repository, "old", "s"),
        "repository$transferred": github_hooks.transferred(repository, "old", "s"),
        "repository$edited": github_hooks.default_branch_changed(repository, "old", "s"),
        **{
            f"repository${action}": github_hooks.event(action, repository, "s")
            for action in ("created", "deleted", "archived", "unarchived", "privatized", "publicized")
        },
    }


def test_payloads_have_only_fields_that_github_publishes(hosting: Hosting) -> None:
    try:
        published = json.loads(fetched(SCHEMAS, "schema.json").read_bytes(), object_hook=without_required)
    except UnavailableError as error:
        pytest.skip(f"NOT CHECKED against GitHub's published payloads: {error}")
    for name, delivery in deliveries(hosting).items():
        schema = {"definitions": published["definitions"], "$ref": f"#/definitions/{name}"}
        wrong = [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(json.loads(delivery.body))]
        assert not wrong, f"{name}: {wrong[0][:300]}"


def without_required(document: dict[str, Any]) -> dict[str, Any]:
    """The payloads leave out what identifies nothing and never changes, such as links of the API."""
    return {name: value for name, value in document.items() if name != "required"}


def test_a_form_carries_the_same_payload_under_a_signature_of_its_own(hosting: Hosting) -> None:
    form = github_hooks.push(hosting["o/r"], "s", form=True)
    (payload,) = parse_qs(form.body.decode())["payload"]
    assert json.loads(payload) == json.loads(github_hooks.push(hosting["o/r"], "s").body)
    assert form.headers["X-Hub-Signature-256"] == f"sha256={signature('s', form.body)}"


def test_gitlab_sends_the_secret_and_gitea_a_signature_in_hex(hosting: Hosting) -> None:
    assert gitlab_double.push(hosting["o/r"], "s").headers["X-Gitlab-Token"] == "s"
    sent = gitea_double.push(hosting["o/r"], "s", forgejo=True)
    assert sent.headers["X-Gitea-Signature"] == sent.headers["X-Forgejo-Signature"] == signature("s", sent.body)


def test_no_event_is_invented(hosting: Hosting) -> None:
    makers: tuple[Callable[[str, Hosted, str], Delivery], ...] = (
        github_hooks.event,
        gitea_double.event,
        gitlab_double.system_event,
    )
    for make in makers:
        with pytest.raises(ValueError, match="no payload"):
            make("renamed", hosting["o/r"], "s")
