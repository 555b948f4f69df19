"""A board whose repository its host hides or deletes: no route shows it, and what is beside it stays."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

import podium
from podium.accounts.sums import changed_sums, sum_steps
from tests.support.web import Client, Site, open_site

HTML = {"accept": "text/html"}
SECRET = "https://github.com/octo/secret"
BOARD = "/r/octo/secret"
# Of its commits, as JSON, pages and files write them.
NUMBERS = ("4321", "4,321", "4391", "4,391")

# By route: the requests that would show the hidden board, which has the id 1, and its branch dev, with the id 2.
OF_THE_BOARD = {
    "/leaderboard": [f"/leaderboard?repoUrl={SECRET}", f"/leaderboard?repoUrl={SECRET}&rev=dev"],
    "/leaderboard/activity": [f"/leaderboard/activity?repoUrl={SECRET}"],
    "/leaderboard/explain": [f"/leaderboard/explain?repoUrl={SECRET}&rank=1"],
    "/leaderboard/find": [f"/leaderboard/find?repoUrl={SECRET}&q=mallory"],
    "/leaderboard/person": [f"/leaderboard/person?repoUrl={SECRET}&person=mallory"],
    "/repositories/{id}": ["/repositories/1", "/repositories/2"],
    "/status/{number}": ["/status/1", "/status/2"],
    "/follow/{number}": ["/follow/1", "/follow/2"],
    "/events/{number}": ["/events/1", "/events/2"],
    "/chart/{number}": ["/chart/1"],
    "/find/{number}": ["/find/1?find=mallory"],
    "/row/{number}/{person}": ["/row/1/4"],
    "/avatars/{id}": ["/avatars/901"],
    "/people/{path:path}": ["/people/mallory"],
    "/r/{path:path}": [BOARD, f"{BOARD}?rev=dev", f"{BOARD}?bots=include"],
    "/r/{path:board}/-/people/{name:path}": [f"{BOARD}/-/people/mallory", f"{BOARD}/-/people/mallory?rev=dev"],
    "/r/{path:board}/-/people/{name}/preview.png": [f"{BOARD}/-/people/mallory/preview.png"],
    "/r/{path:board}/badge.svg": [f"{BOARD}/badge.svg", f"{BOARD}/badge.svg?rev=dev"],
    "/r/{path:board}/board.{format:format}": [f"{BOARD}/board.{kind}" for kind in ("csv", "json", "md")],
    "/r/{path:board}/card.svg": [f"{BOARD}/card.svg"],
    "/r/{path:board}/preview.png": [f"{BOARD}/preview.png", f"{BOARD}/preview.png?rev=dev"],
}
# Those that go on without it.
OF_OTHERS = {
    "/": ["/", "/?search=secret"],
    "/repositories": ["/repositories", "/repositories?search=secret", "/repositories?owner=octo&state=completed"],
    "/r/{owner}": ["/r/octo", "/r/octo?search=secret"],
    "/people/{path:path}": ["/people/AdaL"],
    "/compare": [f"/compare?repo={SECRET}&repo=https://github.com/octo/hello"],
    "/compare/preview.png": [f"/compare/preview.png?repo={SECRET}&repo=https://github.com/octo/hello"],
}
# Those that show no board; the administrator's may name a hidden one.
WITHOUT_BOARDS = {
    *("/.well-known/security.txt", "/admin", "/docs", "/favicon.ico", "/health", "/metrics", "/openapi.json"),
    *(
        "/queues",
        "/queues/retry",
        "/queues/{id}",
        "/queues/pause",
        "/queues/resume",
        "/queues/limit",
        "/queues/move",
        "/ready",
        "/refresh",
        "/robots.txt",
        "/static/{path:path}",
    ),
    *("/version", "/submit", "/retry", "/repositories/retry"),
    *("/admin/work", "/admin/failures", "/admin/blocks", "/admin/audit", "/admin/sign-in", "/admin/sign-out"),
    *(
        "/admin/retry",
        "/admin/drop",
        "/admin/move",
        "/admin/queue",
        "/admin/pause",
        "/admin/resume",
        "/admin/limit",
        "/admin/forget",
        "/admin/keep-board",
        "/admin/start-over",
        "/admin/block",
        "/admin/unblock",
        "/blocks",
        "/blocks/remove",
        "/people/forget",
    ),
    # A secret is needed, and a hidden repository is hooked, too.
    *("/webhooks/github", "/webhooks/gitlab", "/webhooks/gitea", "/webhooks/forgejo"),
    # They lead to the page of the board, whether there is one or not.
    *("/r/{path:board}/-/people", "/r/{path:board}/-/people/"),
}


@pytest.fixture
def site(tmp_path: Path) -> Any:
    """The board with a branch, and another one. Mallory is only on the first, Ada on both."""
    with open_site(tmp_path, refresh_after=0) as opened:
        secret, branch = opened.repository("octo/secret"), opened.repository("octo/secret", rev="dev")
        other = opened.repository("octo/hello")
        for number in (secret, branch):
            opened.person(number, "Mallory", "mallory@example.com", 4321)
            opened.person(number, "Ada", "ada@example.com", 70)
        opened.person(other, "Ada", "ada@example.com", 3)
        opened.account("mallory@example.com", "mallory", account_id=901, name="Mallory")
        opened.account("ada@example.com", "AdaL", account_id=902, name="Ada")
        for number in (secret, branch, other):
            with opened.db.write() as session:
                for step in sum_steps(number, changed_sums(session, number, "github.com")):
                    step(session)
        yield opened


def hide(site: Site, *, hidden: bool = True) -> None:
    for number in (1, 2):
        site.change(number, hidden_at=1.0 if hidden else None)


def test_every_route_is_known_here(site: Site) -> None:
    found = {route.path for route in site.app.state.routes}
    others = found - OF_THE_BOARD.keys() - OF_OTHERS.keys() - WITHOUT_BOARDS
    assert {path for path in others if not path.startswith(("/admin", "/blocks"))} == set()


def test_each_of_its_routes_shows_it_until_it_is_hidden_and_afterwards(site: Site, client: Client) -> None:
    urls = [url for some in OF_THE_BOARD.values() for url in some if "/events/" not in url]
    for times in range(2):
        shown = {url: client.get(url, headers=HTML).status_code for url in urls}
        assert {url: status for url, status in shown.items() if status not in (200, 303)} == {}
        hide(site)
        for url in [*urls, "/events/1", "/events/2"]:
            answer = client.get(url, headers=HTML)
            assert answer.status_code == 404, (times, url)
            assert not [word for word in NUMBERS if word in answer.text], url
        hide(site, hidden=False)


def test_lists_comparisons_and_sums_go_on_without_it(site: Site, client: Client) -> None:
    urls = [url for some in OF_OTHERS.values() for url in some]
    before = {url: client.get(url, headers=HTML) for url in urls}
    assert {answer.status_code for answer in before.values()} == {200}
    hide(site)
    for url in urls:
        answer = client.get(url, headers=HTML)
        assert answer.status_code in (200, 404), url
        if "compare" not in url:
            assert not [word for word in (*NUMBERS, "octo/secret", "octo%2Fsecret") if word in answer.text], url
        assert answer.content != before[url].content, url
    [listed] = client.get("/repositories").json()
    assert listed["url"] == "https://github.com/octo/hello"
    assert client.get("/repositories").headers["X-Total-Count"] == "1"
    assert client.get("/repositories?search=secret").headers["X-Total-Count"] == "0"
    ada = client.get("/people/AdaL").text
    assert "octo/hello" in ada and "<strong>3</strong>" in ada.replace("<dd>3</dd>", "<strong>3</strong>")
    for kind in ("application/json", "text/html"):
        compared = client.get(f"/compare?repo={SECRET}&repo=https://github.com/octo/hello", headers={"accept": kind})
        assert not [word for word in NUMBERS if word in compared.text], kind
    # The picture of an account that another board names.
    assert client.get("/avatars/902").status_code == 200


def test_a_submission_tries_again_and_tells_nothing(site: Site, client: Client) -> None:
    hide(site)
    answer = client.post(f"/leaderboard?repoUrl={SECRET}")
    assert answer.status_code == 202 and site.queues.enqueued == [(1,)]
    answered = answer.json()
    assert answered["state"] == "pending" and answered["message"].startswith("Accepted")
    assert [answered[name] for name in ("totalCommits", "people", "lastProcessedAt", "refreshError", "error")] == [
        None
    ] * 5
    page = client.post("/submit", content=f"repoUrl={SECRET}", headers={"Origin": "http://localhost:3000"})
    assert page.status_code == 404 and "is private or does not exist" in page.text
    assert client.post(f"/repositories/retry?repoUrl={SECRET}").status_code == 404
    assert client.get(BOARD).status_code == 404


def test_the_page_says_why_a_repository_waits_and_tries_now(site: Site, client: Client) -> None:
    reason = "git.example.com cannot be reached: Podium tries again automatically."
    number = site.repository("octo/new", "pending", waiting_code="host-fault", waiting_reason=reason, not_before=4e9)
    page = client.get("/r/octo/new").text
    assert reason in page and "Try now" in page
    assert client.get(f"/repositories/{number}").json()["waitingReason"] == reason
    again = client.post("/retry", content="repoUrl=https://github.com/octo/new")
    assert again.status_code == 303 and site.queues.enqueued == [(number,)]
    assert client.get(f"/repositories/{number}").json()["waitingReason"] is None
    # A board whose refresh failed stays, and says so.
    site.change(3, waiting_code="host-fault", refresh_error=reason, refresh_error_at=86_400.0, not_before=4e9)
    page = client.get("/r/octo/hello").text
    assert reason in page and "Try now" in page
    state = client.get("/repositories/3").json()
    assert (state["state"], state["refreshError"]["message"]) == ("completed", reason)
    assert client.post("/leaderboard?repoUrl=https://github.com/octo/hello").json()["refreshing"] is True


def test_the_readers_code_asks_for_no_hidden_row() -> None:
    """Nothing in web/ and leaderboard/ may use a look-up that finds hidden rows."""
    source = Path(podium.__file__).parent
    for path in [*(source / "web").rglob("*.py"), *(source / "leaderboard").rglob("*.py")]:
        source_text = path.read_text()
        for node in ast.walk(ast.parse(source_text)) if "queries" in source_text else ():
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "queries":
                assert node.attr in ("check_readable",), f"{path}: queries.{node.attr} finds hidden rows"
