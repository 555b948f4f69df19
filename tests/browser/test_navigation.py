"""Back and forward, the place in long lists, and a server that is slow, away or unwilling."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.browser import Watched, keeping_pages, watched
from tests.support.commit_logs import Commit, add_segment
from tests.support.ready_boards import ReadyBoards
from tests.support.site_server import first_line, serve_site
from tests.support.web import HEAD, NOW, Site, open_site

PAGE = "/r/octo/hello"
# Ranks in the table, and the row at the top of the screen with its distance from it.
_RANKS = """() => [...document.querySelectorAll('#rows [data-cell=rank]')].map(
    cell => Number(cell.textContent.replace(/\\D/g, '')))"""
_READ = """() => {
    const rows = [...document.querySelectorAll('#rows > tr[data-row]')];
    const row = rows.find(row => row.getBoundingClientRect().top >= 0);
    return [row.id, Math.round(row.getBoundingClientRect().top)];
}"""
_IS_AT = "([row, top]) => Math.abs(document.getElementById(row)?.getBoundingClientRect().top - top) < 3"


def read(page: Page) -> list[Any]:
    found: list[Any] = page.evaluate(_READ)
    return found


def scroll_and_keep(page: Page, pixels: int) -> list[Any]:
    """Scroll, wait until the history has the place, and read it."""
    before = page.evaluate("scrollY")
    page.mouse.wheel(0, pixels)
    page.wait_for_function("before => scrollY !== before", arg=before)
    page.wait_for_function(f"() => history.state?.place?.row === ({_READ})()[0]")
    return read(page)


def to_the_end(page: Page, until: int) -> None:
    """Scroll until the list has rows up to that rank."""
    for _ in range(1_000):
        page.mouse.wheel(0, 30_000)
        page.wait_for_timeout(30)
        ranks: list[int] = page.evaluate(_RANKS)
        if ranks[-1] >= until:
            return
    raise AssertionError(ranks[-1])


def test_the_place_in_a_long_list_survives_a_visit_to_another_page(boards: ReadyBoards, window: Watched) -> None:
    page = window.page(boards.page("big"))
    to_the_end(page, 400)
    row, top = scroll_and_keep(page, -700)
    page.goto(boards.base + "/")
    page.go_back()
    # The browser's back/forward cache is off here: the page is loaded, and only the rows around that one are.
    expect(page.locator(f"#{row}")).to_be_in_viewport()
    page.wait_for_function(_IS_AT, arg=[row, top])
    ranks = page.evaluate(_RANKS)
    assert ranks == list(range(ranks[0], ranks[0] + len(ranks)))
    assert len(ranks) < 400
    # Those before come back while the reader scrolls up.
    for _ in range(40):
        page.mouse.wheel(0, -30_000)
        page.wait_for_timeout(30)
    expect(page.locator("#rows [data-cell=rank]").first).to_have_text("1")
    assert page.evaluate(_RANKS) == list(range(1, ranks[-1] + 1))


# A server of its own


def add_people(site: Site, repository: int, people: int, *, merges: int = 0) -> None:
    """One commit of each, and merges of the first. Their ids leave room for people who are added one by one."""
    with site.db.write() as session:
        session.executemany(
            """INSERT INTO commit_data (id, ordinal, repository_id, email, name, mailmap_email, mailmap_name,
                mailmap_identity, commit_count, merge_count, sample_sha, processed)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, TRUE)""",
            [
                (n, n, repository, mail, name, mail, name, mail, merges if n == 10_001 else 0, HEAD)
                for n in range(10_001, 10_001 + people)
                for name, mail in ((f"Person {n - 10_000}", f"p{n}@example.com"),)
            ],
        )
        commits = [Commit(10_000 + n, NOW, False, ()) for n in range(1, people + 1)]
        add_segment(session, repository, [*commits, *[Commit(10_001, NOW, True, ())] * merges])
        session.run(
            "UPDATE repository SET total_commits = :total, merge_commits = :merges WHERE id = :id",
            id=repository,
            total=people + merges,
            merges=merges,
        )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path) as site:
        yield site


def test_a_list_of_thousands_never_ends_and_the_table_stays_small(site: Site, tmp_path: Path, chrome: Browser) -> None:
    add_people(site, site.repository(), 5_000)
    with serve_site(tmp_path) as server, watched(chrome, first_line(server)) as window:
        page = window.page(PAGE)
        to_the_end(page, 1_000)
        more = page.get_by_role("link", name="Show more")
        more.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#more")).to_contain_text(re.compile("Ranks 51.1,050 of 5,000"))
        ranks = page.evaluate(_RANKS)
        assert ranks == list(range(51, 1_051))
        # The keyboard goes on where the new rows begin, and scrolling loads again.
        assert page.evaluate("document.activeElement.closest('tr').querySelector('[data-cell=rank]').textContent") == (
            "1,001"
        )
        to_the_end(page, 1_100)
        expect(page.locator("#earlier")).to_contain_text("before")
        # The chart follows the rows here, so that they do not come by themselves.
        page.goto(f"{window.base}{PAGE}?offset=4900")
        more.click()
        expect(page.locator("#more")).to_contain_text("of 5,000")
        expect(page.locator("#rows [data-cell=rank]").last).to_have_text("5,000")
        expect(page.locator("#more a")).to_have_count(0)
        page.locator("#earlier a").click()
        expect(page.locator("#rows [data-cell=rank]").first).to_have_text("4,851")


def test_a_page_from_the_back_forward_cache_is_brought_up_to_date(site: Site, tmp_path: Path, chrome: Browser) -> None:
    number = site.repository()
    add_people(site, number, 200)
    with (
        serve_site(tmp_path) as server,
        keeping_pages(chrome) as browser,
        watched(browser, first_line(server)) as window,
    ):
        page = window.page(PAGE)
        page.evaluate("window.isKept = true")
        to_the_end(page, 150)
        row, top = scroll_and_keep(page, -300)
        page.goto(f"{window.base}/")
        site.person(number, "Ada", "ada@example.com", 30)
        site.change(number, updated_at=NOW + 1)
        page.evaluate("history.back()")
        expect(page.locator("#podium")).to_contain_text("Ada")
        assert page.evaluate("window.isKept"), "the browser loaded the page again"
        page.wait_for_function(_IS_AT, arg=[row, top])


def test_a_server_that_is_away_never_replaces_the_page(site: Site, tmp_path: Path, chrome: Browser) -> None:
    add_people(site, site.repository(), 60, merges=7)
    with serve_site(tmp_path) as server:
        base = first_line(server)
        with watched(chrome, base) as window:
            page = window.page(PAGE)
            page.evaluate("window.isKept = true")
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=30)
            page.locator("#rules-chip > summary").click()
            page.get_by_label("Merges").check()
            expect(page.locator("#connection")).to_contain_text("Connection lost")
            expect(page.locator("#main")).to_have_attribute("aria-busy", "true")
            expect(page.locator("#rows tr[data-row]")).to_have_count(50)
            assert page.locator("table.board").evaluate("table => getComputedStyle(table).opacity") != "1"
            assert page.url == base + PAGE
            # What is typed meanwhile waits, too.
            page.get_by_label("Find anyone").fill("person 59")
            with serve_site(tmp_path, port=int(base.rpartition(":")[2])) as again:
                assert first_line(again) == base
                page.wait_for_url("**?merges=include*")
                expect(page.locator("#rows a.why").first).to_have_text("8")
                expect(page.locator(".matches a")).to_have_count(1)
                expect(page.locator("#connection")).to_be_empty()
                expect(page.locator("#main")).not_to_have_attribute("aria-busy", "true")
                assert page.evaluate("window.isKept")
            # The console names each failed request.
            window.expected = ("net::ERR_",)


def answering(status: int, body: str) -> Callable[[Route], None]:
    return lambda route: route.fulfill(status=status, body=body, content_type="text/html")


def test_a_refusal_gives_its_reason_and_keeps_the_page(boards: ReadyBoards, window: Watched) -> None:
    page = window.page(boards.page("sixty"))
    before, merges = page.url, page.get_by_label("Merges")
    answers = [
        (429, "<main><p class='lead'>Too many reads: try again in 5 seconds.</p></main>", "Too many reads"),
        (503, "<main><p class='lead'>The queue is full.</p></main>", "The queue is full."),
        (500, "oops", "The server answered with an error (500)"),
    ]
    page.locator("#rules-chip > summary").click()
    for status, body, words in answers:
        page.route("**/*merges=include", answering(status, body))
        merges.click()
        expect(page.get_by_role("alert").filter(has_text=words)).to_be_visible()
        expect(merges).not_to_be_checked()
        assert page.url == before
        expect(page.locator("#main")).not_to_have_attribute("aria-busy", "true")
        page.unroute("**/*merges=include")
    # A proxy that finds no server gives no reason: the request is tried again.
    answers_of_a_proxy = iter([502, 503, 504])

    def proxy(route: Route) -> None:
        status = next(answers_of_a_proxy, None)
        route.continue_() if status is None else route.fulfill(status=status, body="<h1>Bad Gateway</h1>")

    page.route("**/*merges=include", proxy)
    merges.click()
    page.wait_for_url("**?merges=include")
    expect(page.locator(".notice")).to_have_count(0)
    window.expected = ("status of",)


def test_a_slow_answer_shows_soon_and_a_newer_click_wins(boards: ReadyBoards, window: Watched) -> None:
    page = window.page(boards.page("sixty"))
    held: list[Route] = []
    page.route("**/*merges=include", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks the function.
    page.locator("#rules-chip > summary").click()
    page.get_by_label("Merges").check()
    expect(page.locator("#main")).to_have_attribute("aria-busy", "true")
    page.wait_for_function("() => getComputedStyle(document.querySelector('table.board')).opacity < 1")
    page.get_by_label("Co-authors").focus()
    page.keyboard.press("Space")
    page.wait_for_url("**?merges=include&coAuthors=include")
    expect(page.locator("#main")).not_to_have_attribute("aria-busy", "true")
    expect(page.get_by_label("Co-authors")).to_be_focused()
    for route in held:
        route.continue_()
    # Back while an answer is awaited leads to what is shown, and the answer is not.
    page.get_by_label("Ignore .mailmap").check()
    page.wait_for_url("**mailmap=ignore")
    page.go_back()
    page.wait_for_url("**?merges=include&coAuthors=include")
    expect(page.get_by_label("Ignore .mailmap")).not_to_be_checked()
    # Other ways to open a link stay those of the browser.
    with window.context.expect_page() as opened:
        page.locator("#people th a[data-in-page]").first.click(modifiers=["Control"])
    opened.value.wait_for_url("**sort=**")
    assert "merges=include&coAuthors=include" in page.url
    assert "sort=" not in page.url
    page.locator("#people th a[data-in-page]").first.click()
    page.wait_for_url("**sort=**")
    page.go_back()
    page.wait_for_url("**?merges=include&coAuthors=include")


def test_a_search_for_an_e_mail_stays_out_of_the_address_and_the_history(boards: ReadyBoards, window: Watched) -> None:
    page = window.page(boards.page("sixty"))
    before, field = page.url, page.get_by_label("Find anyone")
    field.fill("ada")
    expect(page.locator(".matches mark")).to_have_text("Ada")
    page.wait_for_url("**?find=ada")
    field.fill("ada@example.org")
    expect(page.locator("#found")).to_contain_text("Press Enter")
    assert page.url == before
    page.keyboard.press("Enter")
    expect(page.locator("#found")).to_contain_text("by this e-mail")
    assert page.url == before
    page.keyboard.press("Escape")
    expect(page.locator("#found > *")).to_have_count(0)
    expect(field).to_have_value("")
    expect(field).to_be_focused()
    assert [url for url in window.asked if "@" in url or "%40" in url] == []
