"""docs/fresh.md: its addresses and answers are those of the server, for the hosts' own payloads."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podium.web.webhooks import webhook_routes
from tests.support import gitea_double, github_hooks, gitlab_double
from tests.support.delivery import Delivery
from tests.support.hosted import Hosted
from tests.support.web import Site, open_site

TEXT = (Path(__file__).parents[2] / "docs" / "fresh.md").read_text()
SECRET = "0123456789abcdef0123456789abcdef0123456789abcdef"


@dataclasses.dataclass
class Branch:
    """A repository of one branch, whose commits do not matter."""

    def branch(self) -> str:
        return "main"

    def tip(self, _branch: str) -> str:
        return "c" * 40


def hosted(place: str) -> Hosted:
    web, _, name = place.partition("/")
    real: Any = Branch()
    return Hosted(1000, name, real, f"https://{web}")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    hosts = ("https://gitlab.example", "https://gitea.example")
    settings: dict[str, Any] = {"webhook_secrets": (SECRET,), "git_hosts": hosts}
    with pytest.MonkeyPatch.context() as patch, open_site(tmp_path_factory.mktemp("fresh"), **settings) as opened:
        patch.setattr(webhook_routes, "_REFUSAL_DELAY", 0.0)
        opened.repository("octo/hello", branch="main")
        opened.repository("https://gitlab.example/octo/hello.git", branch="main")
        opened.repository("https://gitea.example/octo/hello.git", branch="main")
        yield opened


def section(title: str) -> str:
    return TEXT.split(f"### {title}\n")[1].split("\n### ")[0]


HERE, ELSEWHERE = hosted("github.com/octo/hello"), hosted("github.com/octo/other")
PROJECT, OTHER_PROJECT = hosted("gitlab.example/octo/hello"), hosted("gitlab.example/octo/other")
AT_GITEA, OTHER_AT_GITEA = hosted("gitea.example/octo/hello"), hosted("gitea.example/octo/other")
OF_GITHUB = [
    (github_hooks.ping(HERE, SECRET), 204),
    (github_hooks.push(HERE, SECRET), 202),
    (github_hooks.push(HERE, SECRET, form=True), 202),
    (github_hooks.tag_push(HERE, SECRET), 202),
    (github_hooks.push(ELSEWHERE, SECRET), 204),
    *(
        (github_hooks.event(action, HERE, SECRET), 202)
        for action in ("deleted", "privatized", "publicized", "archived")
    ),
    (github_hooks.renamed(ELSEWHERE, "hello", SECRET), 202),
    (github_hooks.transferred(hosted("github.com/cat/hello"), "octo", SECRET), 202),
    (github_hooks.default_branch_changed(HERE, "master", SECRET), 202),
    (github_hooks.push(HERE, "another"), 401),
]
OF_GITLAB = [
    (gitlab_double.push(PROJECT, SECRET), 202),
    (gitlab_double.push(PROJECT, SECRET, system=True), 202),
    (gitlab_double.push(OTHER_PROJECT, SECRET), 204),
    *(
        (gitlab_double.system_event(name, OTHER_PROJECT, SECRET, old_path="octo/hello"), 202)
        for name in ("project_rename", "project_transfer")
    ),
    (gitlab_double.system_event("project_destroy", PROJECT, SECRET), 202),
    (gitlab_double.push(PROJECT, "another"), 401),
]
OF_GITEA = [
    *((gitea_double.push(AT_GITEA, SECRET, forgejo=forgejo), 202) for forgejo in (False, True)),
    *(
        (gitea_double.event(action, AT_GITEA, SECRET, forgejo=forgejo), 202)
        for action, forgejo in (("created", False), ("deleted", True))
    ),
    (gitea_double.push(OTHER_AT_GITEA, SECRET), 204),
    (gitea_double.push(AT_GITEA, "another"), 401),
]


@pytest.mark.parametrize(
    ("title", "number", "deliveries"),
    [("GitHub", 1, OF_GITHUB), ("GitLab", 2, OF_GITLAB), ("Gitea and Forgejo", 3, OF_GITEA)],
)
def test_deliveries_to_the_documented_addresses_are_answered_as_documented(
    site: Site, title: str, number: int, deliveries: list[tuple[Delivery, int]]
) -> None:
    paths = re.findall(r"(?:`|podium\.example\.org)(/webhooks/[a-z]+)`", section(title))
    assert paths
    for path in paths:
        for delivery, status in deliveries:
            answer = site.client().post(path, content=delivery.body, headers=dict(delivery.headers))
            assert answer.status_code == status, (path, delivery.headers, answer.text)
    # The last of its events hides it until the host answers.
    with site.db.read() as session:
        assert session.value("SELECT hidden_at FROM repository WHERE id = :id", id=number) is not None


def test_every_answer_is_documented(site: Site) -> None:
    documented = set(re.findall(r"^\| ([0-9]{3}) \|", section("Answers"), re.MULTILINE))
    for path in ("github", "gitlab", "gitea", "forgejo"):
        described = site.client().get("/openapi.json").json()["paths"][f"/webhooks/{path}"]["post"]["responses"]
        # Refusals of any request, whatever its route.
        assert set(described) - {"403", "421"} == documented
