"""How fresh a board is: what its page says, how open pages follow it, and what is kept meanwhile."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from podium.repositories.model import State
from podium.repositories.store import queries
from podium.repositories.store.queue import pauses
from podium.repositories.store.queue.pauses import PauseKind
from podium.web.live.follow import COUNTING, MOST_PER_SECOND, PERIOD, PUSHED, QUIET, Pauses
from podium.web.pages.board.board_urls import FILES
from podium.web.pages.board.fresh_line import COARSE, FreshLine
from tests.support.web import HEAD, NOW, Client, Open, Site

HTML = {"accept": "text/html"}
PAGE = "/r/octo/hello"


def line(client: Client, path: str = PAGE) -> str:
    """The words of the line, with days as a page without JavaScript shows them."""
    found = re.search(
        r'<div class="fresh".*?</div>\n(?:<div class="figures)', client.get(path, headers=HTML).text, re.S
    )
    assert found
    return words(found[0].removesuffix('<div class="figures'))


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<.*?>", "", html)).strip()


# What the page says


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({}, "Counted 2024-05-01 · no check is scheduled"),
        ({"check_at": NOW + 86_400}, "Counted 2024-05-01 · next check on 2024-05-02"),
        (
            {"checked_at": NOW + 90_000, "check_at": NOW + 180_000},
            "Counted 2024-05-01 · checked 2024-05-02 · next check on 2024-05-03",
        ),
        # The check that began the count.
        ({"checked_at": NOW - 5}, "Counted 2024-05-01 · no check is scheduled"),
        ({"state": "pending", "head": HEAD, "checked_at": NOW + 5}, "Counted 2024-05-01 · a newer count is under way"),
        # This count, and its accounts are not known yet.
        ({"state": "users_processing", "checked_at": NOW + 5}, "Counted 2024-05-01"),
        # True before an administrator has decided, and after that.
        (
            {"name_taken_at": NOW + 86_400, "refresh_error": "Another one has it.", "refresh_error_at": NOW},
            "Counted 2024-05-01 Another repository took the name octo/hello 2024-05-02. This board is of the one that "
            "had it before, and is not counted again unless an administrator of this server decides so.",
        ),
        (
            {"refresh_error": "It is too large.", "refresh_error_at": NOW + 86_400, "check_at": NOW + 180_000},
            "Counted 2024-05-01 · refresh failed 2024-05-02 The last refresh failed; this board shows the previous "
            "count. It is too large. Podium tries again with the next check, on 2024-05-03. Try again",
        ),
        (
            {"refresh_error": "It is too large.", "refresh_error_at": NOW + 86_400},
            "Counted 2024-05-01 · refresh failed 2024-05-02 The last refresh failed; this board shows the previous "
            "count. It is too large. Try again",
        ),
        (
            {"refresh_error": "It is too large.", "refresh_error_at": 4e9, "checked_at": NOW + 5},
            "Counted 2024-05-01 · refresh failed 2096-10-02 The last refresh failed; this board shows the previous "
            "count. It is too large. It can be tried again on 2096-10-02.",
        ),
        (
            {"refresh_error": "a.example is away.", "refresh_error_at": NOW, "waiting_code": "host-fault"},
            "Counted 2024-05-01 · refresh failed 2024-05-01 The last refresh failed; this board shows the previous "
            "count. a.example is away. Try now",
        ),
        (
            {"state": "failed", "head": HEAD, "error": "It has no commits.", "updated_at": NOW + 86_400},
            "Counted 2024-05-01 · refresh failed 2024-05-02 The last refresh failed; this board shows the previous "
            "count. It has no commits. Try again",
        ),
    ],
)
def test_the_page_says_how_fresh_the_board_is(site: Site, client: Client, columns: dict[str, Any], said: str) -> None:
    site.repository(**columns)
    assert line(client) == said


@pytest.mark.parametrize(
    ("columns", "action"),
    [
        ({"refresh_error": "No.", "refresh_error_at": NOW, "last_processed_at": NOW}, "/submit"),
        ({"refresh_error": "No.", "refresh_error_at": NOW, "waiting_code": "host-fault"}, "/retry"),
        ({"state": "failed", "head": HEAD, "error": "No."}, "/retry"),
    ],
)
def test_the_button_of_a_refresh_that_failed_does_what_it_says(
    site: Site, client: Client, columns: dict[str, Any], action: str
) -> None:
    site.repository(**columns)
    page = client.get(PAGE, headers=HTML).text
    assert re.findall(r'<form method="post" action="([^"]*)"', page) == [action]
    assert client.post(action, data={"repoUrl": "octo/hello"}).headers["location"] == PAGE
    with site.db.read() as session:
        row = queries.by_id(session, 1)
    assert row and row.state == State.PENDING


def test_a_kept_page_has_the_button_as_soon_as_it_works(
    site: Site, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.repository(refresh_error="No.", refresh_error_at=NOW)
    monkeypatch.setattr("podium.web.pages.board.fresh_line.time.time", lambda: NOW + 60.0)
    assert "Try again" not in client.get(PAGE, headers=HTML).text
    monkeypatch.setattr("podium.web.pages.board.fresh_line.time.time", lambda: NOW + 3600.0)
    assert "Try again" in client.get(PAGE, headers=HTML).text


def shown(site: Site, **what: bool) -> str:
    """The line of the only repository."""
    context = site.app.state.context
    with site.db.read() as session:
        row = queries.by_id(session, 1)
    assert row
    values = context.status.values(row) | {"fresh": FreshLine.of(row, **what)}
    return words(context.renderer.text("board/_fresh.html", **values))


def read_pauses(site: Site) -> None:
    """As the page does in the background every few seconds, after the reading that is under way."""
    paused = site.app.state.context.boards.paused
    paused._thread.submit(paused.read).result()


def test_pushes_and_pauses_are_said(site: Site) -> None:
    site.repository(check_at=NOW + 86_400, pushed_at=NOW)
    assert shown(site) == "Counted 2024-05-01 · next check on 2024-05-02"
    assert shown(site, takes_pushes=True) == "Counted 2024-05-01 · updated when pushed · next check on 2024-05-02"
    assert shown(site, takes_pushes=True, is_paused=True) == "Counted 2024-05-01 · checks are paused"
    client = site.client()
    before = client.get(PAGE, headers=HTML).headers["etag"]
    with site.db.write() as session:
        pauses.pause(session, PauseKind.SCHEDULE, "")
    read_pauses(site)
    paused = client.get(PAGE, headers={**HTML, "if-none-match": before})
    assert (paused.status_code, "checks are paused" in paused.text) == (200, True)
    site.change(1, check_at=None)
    assert shown(site, takes_pushes=True) == "Counted 2024-05-01 · updated when pushed"
    # A check found what no hook reported.
    site.change(1, head_committed_at=NOW + 86_400)
    assert shown(site, takes_pushes=True) == "Counted 2024-05-01 · no check is scheduled"


def test_a_page_that_was_made_while_checks_were_paused_is_not_kept(
    site: Site, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.repository(check_at=NOW + 86_400)
    read_pauses(site)
    status = site.app.state.context.status
    values = status.values

    def pausing(*arguments: Any) -> dict[str, Any]:
        made: dict[str, Any] = values(*arguments)
        with site.db.write() as session:
            pauses.pause(session, PauseKind.SCHEDULE, "")
        read_pauses(site)
        return made

    with monkeypatch.context() as patch:
        patch.setattr(status, "values", pausing)
        assert "next check" in line(client)
    assert "checks are paused" in line(client)


def test_the_list_and_the_api_tell_it_too(site: Site, client: Client) -> None:
    site.repository(checked_at=NOW, check_at=NOW + 60, refresh_every=120.0, refresh_error="No.", refresh_error_at=NOW)
    answer = client.get("/repositories/1").json()
    assert [answer[name] for name in ("checkedAt", "nextCheckAt", "refreshEvery")] == [
        "2024-05-01T12:30:00Z",
        "2024-05-01T12:31:00Z",
        120.0,
    ]
    assert "the last refresh failed" in client.get("/", headers=HTML).text


def test_a_check_says_nothing_about_the_commits_of_a_branch(site: Site, client: Client) -> None:
    site.repository(rev="v1", checked_at=NOW + 5, check_at=NOW + 86_400)
    assert shown(site) == "Counted 2024-05-01 · no check is scheduled"
    answer = client.get("/repositories/1").json()
    assert (answer["checkedAt"], answer["nextCheckAt"]) == (None, None)


# What open pages ask for


def test_the_version_is_that_of_the_figures(site: Site, client: Client) -> None:
    number = site.repository()
    site.person(number, "Ada", "ada@example.com")

    def followed() -> dict[str, Any]:
        answer: dict[str, Any] = client.get(f"/follow/{number}").json()
        return answer

    first = followed()
    assert f'data-version="{first["version"]}"' in client.get(PAGE, headers=HTML).text
    assert (first["inWork"], first["path"], first["every"]) == (False, PAGE, QUIET)
    # A refresh that begins, finds nothing and fails: no page needs its rows again.
    for change in (
        {"state": "commits_processing"},
        {"state": "completed", "refresh_error": "No.", "refresh_error_at": NOW},
    ):
        site.change(number, updated_at=NOW + 1, **change)
        assert followed()["version"] == first["version"]
        assert followed()["html"] != first["html"]
    site.change(number, commits_processed_at=NOW + 9, generation=9)
    assert followed()["version"] != first["version"]


def test_where_pushes_are_reported_pages_ask_so_often_that_rows_change_within_five_seconds(open_with: Open) -> None:
    site = open_with(webhook_secrets=("a secret of thirty-two characters",))
    site.repository(pushed_at=NOW)
    assert "updated when pushed" in site.client().get(PAGE, headers=HTML).text
    # With the jitter of follow.js: a page sees that a count began, or ended, and later that it ended.
    assert client_pauses(site) == [PUSHED, COUNTING]
    assert 1.25 * (PUSHED + COUNTING) < 5


def client_pauses(site: Site) -> list[float]:
    """What a page learns before a count, and during it."""
    before = site.client().get("/follow/1").json()["every"]
    site.change(1, state="pending")
    return [before, site.client().get("/follow/1").json()["every"]]


def test_a_question_without_news_has_no_answer_but_its_tag(site: Site, client: Client) -> None:
    site.repository()
    first = client.get("/follow/1")
    assert first.headers["cache-control"] == "no-cache"
    tagged = {"if-none-match": first.headers["etag"]}
    assert client.get("/follow/1", headers=tagged).status_code == 304
    site.change(1, checked_at=NOW + 1)
    assert client.get("/follow/1", headers=tagged).status_code == 200


def test_pages_ask_less_often_when_there_are_many(site: Site) -> None:
    now = [0.0]
    site.repository()
    with site.db.read() as session:
        row = queries.by_id(session, 1)
    assert row
    pauses = Pauses(takes_pushes=True, clock=lambda: now[0])
    counting = dataclasses.replace(row, state=State.PENDING)
    assert (pauses.after(row), pauses.after(counting)) == (PUSHED, COUNTING)
    assert Pauses(takes_pushes=False).after(row) == QUIET
    # Pages, of which each asks as often as it was allowed to.
    for pages, expected in (
        (100, PUSHED),
        (1_000, 1_000 / MOST_PER_SECOND),
        (1_000, 1_000 / MOST_PER_SECOND),
        (10, PUSHED),
    ):
        for _ in range(3):
            pause = pauses.after(row)
            for _ in range(int(pages * PERIOD / pause) - 1):
                pauses.after(row)
            now[0] += PERIOD
        assert pauses.after(row) == pytest.approx(expected, rel=0.1)
    # Pages that ask for an hour together, and then none.
    now[0] += 3600
    assert pauses.after(row) == PUSHED


# What is kept


def test_a_check_without_news_makes_the_page_again_six_times_an_hour_at_most(site: Site, client: Client) -> None:
    start = NOW - NOW % COARSE
    number = site.repository(checked_at=float(start), check_at=start + COARSE * 3.0)
    site.person(number, "Ada", "ada@example.com")
    tags = set()
    for minute in range(0, 60, 2):
        site.change(number, checked_at=start + minute * 60.0)
        tags.add(client.get(PAGE, headers=HTML).headers["etag"])
    assert len(tags) == 6
    # Images and files do not show it.
    images = [f"{PAGE}/{name}" for name in FILES]
    before = [client.get(image).headers["etag"] for image in images]
    site.change(number, checked_at=start + 9e5, check_at=start + 9e6)
    assert [client.get(image).headers["etag"] for image in images] == before


@pytest.mark.parametrize(
    "file", ["", "/badge.svg", "/card.svg", "/preview.png", "/board.csv", "/board.json", "/board.md"]
)
def test_page_images_and_files_follow_a_refresh_and_a_new_name(site: Site, client: Client, file: str) -> None:
    number = site.repository()
    site.person(number, "Ada", "ada@example.com")
    first = client.get(PAGE + file, headers=HTML)
    site.change(number, state="pending", updated_at=NOW + 1)
    during = client.get(PAGE + file, headers=HTML)
    site.person(number, "Grace", "grace@example.com")
    site.change(number, state="completed", commits_processed_at=NOW + 9, users_processed_at=NOW + 9)
    tagged = {**HTML, "if-none-match": first.headers["etag"]}
    after = client.get(PAGE + file, headers=tagged)
    assert (after.status_code, after.headers["etag"] != first.headers["etag"]) == (200, True)
    if file:
        # Asked for again soon while it is counted; afterwards it may be five minutes old, and a shared cache may show
        # the one before while it fetches the new one.
        assert "max-age=10, stale-while-revalidate=60" in during.headers["cache-control"]
        assert "max-age=300, stale-while-revalidate=86400" in after.headers["cache-control"]
    else:
        assert "Grace" in after.text
    site.change(
        number, key="github.com/octo/world", url="https://github.com/octo/world", name="world", search_text="octo/world"
    )
    renamed = client.get("/r/octo/world" + file, headers=HTML)
    assert renamed.status_code == 200
    if file != "/badge.svg" and file != "/preview.png":
        assert "hello" not in renamed.text
