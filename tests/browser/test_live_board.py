"""An unfinished board in a real browser: updated by events or polling, without moving the row the reader looks at."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import keeping_pages, violations, watched
from tests.support.site_server import first_line, serve_site
from tests.support.web import NOW, Site, open_site

PAGE = "/r/octo/hello"
LOST = "Connection lost. Trying again…"
NAMES = ["Ada Lovelace", "Grace Hopper", "…@…", "李雷"]


def counting(phase: str, **progress: Any) -> dict[str, Any]:
    return {"stage": "commits", "phase": phase, "overallPercent": 30, **progress}


class Work:
    """A repository in work, which the test moves on as workers would."""

    def __init__(self, site: Site, base: str) -> None:
        self.site, self.base = site, base
        self.id = site.repository(state="pending")
        self._clock = NOW

    def move(self, **columns: Any) -> None:
        self._clock += 1
        changes = {"updated_at": self._clock, **columns}
        if "progress" in changes:
            changes["progress"] = json.dumps(changes["progress"])
        names = ", ".join(f"{name} = :{name}" for name in changes)
        with self.site.db.write() as session:
            session.run(f"UPDATE repository SET {names} WHERE id = :id", id=self.id, **changes)

    def count(self, people: int) -> None:
        for number in range(people):
            self.site.person(self.id, f"Person {number}", f"p{number}@example.com", 1000 - 5 * number, processed=False)
        self.move(
            state="users_processing",
            head="0" * 40,
            branch="main",
            generation=1,
            unique_contributors=people,
            commits_processed_at=NOW,
            progress={"stage": "users", "done": 0, "total": people, "waitingUntil": None},
        )

    def resolve(self, done: int, total: int, *emails: str, login: str) -> None:
        self.site.account(emails[0], login)
        for email in emails[1:]:
            with self.site.db.write() as session:
                session.run(
                    """INSERT INTO known_email (host, email, contributor_id, source, known_at)
                    SELECT host, :email, id, 'host', 0 FROM contributor WHERE username = :login""",
                    email=email,
                    login=login,
                )
        self.move(progress={"stage": "users", "done": done, "total": total, "waitingUntil": None})

    def complete(self) -> None:
        with self.site.db.write() as session:
            session.run("UPDATE commit_data SET processed = TRUE")
        self.move(state="completed", users_processed_at=NOW, last_processed_at=4e9, progress=None)


@pytest.fixture
def work(tmp_path: Path, chrome: Browser) -> Iterator[Work]:
    with open_site(tmp_path) as site, serve_site(tmp_path) as server:
        try:
            yield Work(site, first_line(server))
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=30)


def test_every_step_is_shown_from_the_clone_to_the_last_account(work: Work, chrome: Browser) -> None:
    with watched(chrome, work.base) as window:
        page = window.page(PAGE)
        state, progress = page.locator("#status .state"), page.locator("[data-field=progress]")
        expect(state).to_have_text("Waiting")
        expect(progress).to_have_text("next in the queue")
        bar, step = page.locator("#status progress"), page.locator("#status [aria-current=step]")
        work.move(state="commits_processing", progress=counting("receiving", percent=42, overallPercent=21.5))
        expect(progress).to_contain_text("receiving the history")
        expect(step).to_have_text("Receiving")
        expect(bar).to_have_js_property("value", 21.5)
        for commits in (10_000, 20_000, 30_000):
            people = [{"name": name, "commits": commits // share} for share, name in enumerate(NAMES, 2)]
            work.move(progress=counting("counting", commits=commits, commitsPerSecond=5000, leaders=people))
            expect(progress).to_have_text(f"{commits:,} commits so far, 5,000 per second")
            expect(page.locator(".leaders .count").first).to_have_text(f"{commits // 2:,} commits")
        expect(page.locator(".leaders .name")).to_have_text(NAMES)
        # On paper, too.
        page.emulate_media(media="print")
        expect(page.locator(".leaders")).to_be_visible()
        page.emulate_media(media="screen")
        # Names of all directions begin at the same place, beside their faces.
        expect(page.locator(".leaders .name").first).to_have_css("text-align", "left")
        # A row that rises keeps its element, and with it the bar that grows.
        page.locator(".leaders li").nth(1).evaluate("item => item.dataset.kept = 'yes'")
        people = [{"name": name, "commits": 20_000 // share} for share, name in enumerate((NAMES[1], NAMES[0]), 1)]
        work.move(progress=counting("saving", commits=30_000, leaders=people))
        expect(page.locator(".leaders li[data-kept] .rank")).to_have_text("1")
        expect(page.locator(".leaders rect").nth(1)).to_have_attribute("width", "50.0%")
        # Only the state is announced, and it has not changed.
        assert page.locator("#status [role=status], #status [aria-live]").all_inner_texts() == ["Counting commits"]
        assert violations(page) == []
        work.count(120)
        expect(page.locator("#rows tr[data-row]")).to_have_count(50)
        expect(page.locator(".leaders")).to_have_count(0)
        # The percentage stands at the end of the card.
        room = "e => e.parentElement.getBoundingClientRect().right - e.getBoundingClientRect().right"
        assert page.locator("#status .overall").evaluate(room) < 20
        expect(state).to_have_text("Finding accounts")
        work.move(progress={"stage": "users", "done": 50, "total": 120, "waitingUntil": "2030-05-01T12:30:00Z"})
        expect(progress).to_contain_text("50 of 120 e-mails looked up, waiting for GitHub until")
        expect(progress.locator("time[datetime='2030-05-01T12:30:00Z']")).to_have_count(1)
        work.resolve(100, 120, "p3@example.com", login="octocat")
        expect(page.locator("#rows .avatar img")).to_have_count(1)
        work.complete()
        expect(state).to_have_text("Done")
        expect(page.get_by_text("Accounts are still being looked up")).to_have_count(0)
        # The page was not reloaded: the updates replaced its parts.
        assert page.evaluate("performance.getEntriesByType('navigation').length") == 1
        assert page.evaluate("performance.getEntriesByType('navigation')[0].type") == "navigate"


def read(page: Page, row: str) -> float:
    place: float = page.locator(row).evaluate("row => row.getBoundingClientRect().top")
    return place


def test_rows_that_join_and_move_do_not_move_the_one_that_is_read(work: Work, chrome: Browser) -> None:
    work.count(120)
    with watched(chrome, work.base, viewport={"width": 1000, "height": 600}) as window:
        page = window.page(PAGE)
        page.evaluate("document.querySelector('#rows tr:nth-child(31)').scrollIntoView({behavior: 'instant'})")
        row = "#" + str(page.locator("#rows tr[data-row]").nth(31).get_attribute("id"))
        # A row that is open and has the focus stays so.
        page.locator(f"{row} a.why").click()
        page.locator("tr.open").wait_for()
        place, name = read(page, row), page.locator(f"{row} .name").inner_text()
        # Above it, two rows become one, and a person far below rises to the top.
        work.resolve(50, 120, "p3@example.com", "p4@example.com", login="octocat")
        expect(page.locator("#rows .who small")).to_have_count(1)
        assert read(page, row) == pytest.approx(place, abs=1)
        work.resolve(100, 120, "p110@example.com", "p0@example.com", "p1@example.com", "p2@example.com", login="hubot")
        expect(page.locator("#rows .who small")).to_have_count(2)
        assert read(page, row) == pytest.approx(place, abs=1)
        assert page.locator(f"{row} .name").inner_text() == name
        expect(page.locator("tr.open")).to_have_count(1)
        expect(page.locator(f"{row} a.why")).to_be_focused()
        ranks = [int(rank) for rank in page.locator("#rows [data-cell=rank]").all_inner_texts()]
        assert ranks == list(range(1, len(ranks) + 1))


def test_where_no_events_come_the_state_is_asked_for(work: Work, chrome: Browser) -> None:
    with watched(chrome, work.base) as window:
        # As a proxy does that lets no events through.
        window.context.route("**/events/*", lambda route: route.fulfill(status=204, body=""))
        page = window.page(PAGE)
        work.move(state="commits_processing", progress=counting("receiving", percent=42))
        expect(page.locator("[data-field=progress]")).to_contain_text("receiving", timeout=15_000)
        work.count(60)
        expect(page.locator("#rows tr[data-row]")).to_have_count(50, timeout=15_000)
        work.complete()
        expect(page.locator("#status .state")).to_have_text("Done", timeout=15_000)


def test_a_lost_connection_is_said_until_it_is_back(work: Work, chrome: Browser) -> None:
    with watched(chrome, work.base) as window:
        window.context.route("**/events/*", lambda route: route.abort("connectionrefused"))
        page = window.page(PAGE)
        said, progress = page.locator("#connection"), page.locator("[data-field=progress]")
        expect(said).to_have_text(LOST)
        # What was known stays.
        expect(progress).to_have_text("next in the queue")
        window.context.unroute("**/events/*")
        work.move(state="commits_processing", progress=counting("receiving"))
        expect(progress).to_have_text("receiving the history")
        expect(said).to_be_empty()
        window.context.set_offline(True)
        expect(said).to_have_text(LOST)
        window.context.set_offline(False)
        work.move(progress=counting("counting", commits=7))
        expect(progress).to_have_text("7 commits so far")
        expect(said).to_be_empty()
        window.expected = ("net::ERR_",)


def test_a_page_from_the_back_forward_cache_comes_up_to_date(work: Work, chrome: Browser) -> None:
    work.move(state="commits_processing", progress=counting("receiving"))
    with keeping_pages(chrome) as browser, watched(browser, work.base) as window:
        page = window.page(PAGE)
        expect(page.locator("[data-field=progress]")).to_have_text("receiving the history")
        page.evaluate("window.isKept = true")
        page.locator(".brand").click()
        page.wait_for_url(f"{work.base}/")
        work.count(60)
        page.evaluate("history.back()")
        expect(page.locator("#rows tr[data-row]")).to_have_count(50)
        assert page.evaluate("window.isKept"), "the browser loaded the page again"
        expect(page.locator("#status .state")).to_have_text("Finding accounts")
        work.complete()
        expect(page.locator("#status .state")).to_have_text("Done")


def test_a_failure_says_what_happened_and_can_be_retried(work: Work, chrome: Browser) -> None:
    with watched(chrome, work.base) as window:
        page = window.page(PAGE)
        work.move(state="failed", error="The host is unreachable: try again later.", error_code="unreachable")
        expect(page.locator("#status .error")).to_have_text("The host is unreachable: try again later.")
        page.get_by_role("button", name="Try again").click()
        expect(page.locator("#status .state")).to_have_text("Waiting")


def test_names_that_git_cannot_write_stay_text_too(work: Work, chrome: Browser) -> None:
    hostile = "<script>document.title = 'owned'</script><img src=x onerror=alert(1)>"
    work.site.person(work.id, hostile, "x@example.com", 5000, mailmap_name=hostile)
    work.site.person(work.id, "</bdi></table><h1>big</h1>", "y@example.com", 4000)
    work.count(3)
    work.complete()
    with watched(chrome, work.base) as window:
        page = window.page(PAGE + "?find=script")
        assert hostile in page.locator("#rows").inner_text()
        assert hostile in page.locator("#found").inner_text()
        page.locator("#rows a.why").first.click()
        expect(page.locator("tr.open")).to_contain_text(hostile)
        assert page.title() == "Who made octo/hello? · Podium"
        expect(page.locator("h1")).to_have_count(1)
