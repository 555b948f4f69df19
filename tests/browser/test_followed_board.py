"""An open board that others refresh, rename and hide: it follows, and the reader's place stays.

The page's clock stands still unless a test moves it on, so that no wall time counts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from podium.web.live.follow import QUIET
from tests.support.browser import Watched, violations, watched
from tests.support.site_server import first_line, serve_site
from tests.support.web import NOW, Site, open_site

# All rows of the window, from the last to the first.
PAGE = "/r/octo/hello?since=2024-04-01&sort=commits&reverse=true"
# Of the pause before a question, by which pages that were opened together do not ask together.
JITTER = 1.25


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path) as opened:
        yield opened


@pytest.fixture
def window(site: Site, tmp_path: Path, chrome: Browser) -> Iterator[Watched]:
    with (
        serve_site(tmp_path) as server,
        watched(chrome, first_line(server), viewport={"width": 1000, "height": 600}) as opened,
    ):
        opened.context.clock.install()
        yield opened


def change(site: Site, window: Watched, **columns: Any) -> None:
    """Change the only repository, and wait until the server, which has read it just now, knows."""
    before = httpx.get(f"{window.base}/follow/1").text
    site.change(1, **columns)
    for _ in range(400):
        if httpx.get(f"{window.base}/follow/1").text != before:
            return
        time.sleep(0.05)
    raise AssertionError(before)


def move_on(page: Page, seconds: float) -> None:
    page.clock.run_for(int(1000 * seconds))


def asked(window: Watched) -> int:
    return sum("/follow/" in url for url in window.asked)


def name_of(number: int) -> str:
    return f"Quill {chr(65 + number // 26)}{chr(97 + number % 26)}"


def opened_in_the_middle(window: Watched) -> tuple[Page, Any, str]:
    """The page with a search, and a row that is open, focused, and in the middle of the screen."""
    page = window.page(PAGE)
    page.clock.pause_at("2030-01-01")
    page.get_by_label("Find anyone").fill("quill b")
    expect(page.locator("#found .matches li")).to_have_count(20)
    page.evaluate("document.querySelector('#rows tr:nth-child(31)').scrollIntoView({behavior: 'instant'})")
    row = page.locator("#rows tr[data-row]").nth(31)
    identity = f"#{row.get_attribute('id')}"
    row.locator("a.why").click()
    page.locator("tr.open .years").wait_for()
    # The address names the search, and the history the place.
    move_on(page, 1)
    return page, page.locator(identity), identity


def top(page: Page, row: str) -> float:
    place: float = page.locator(row).evaluate("row => row.getBoundingClientRect().top")
    return place


def test_a_refresh_shows_within_seconds_and_moves_nothing_that_is_read(site: Site, window: Watched) -> None:
    board = site.repository()
    for n in range(60):
        site.person(board, name_of(n), f"p{n}@example.com", 200 - n)
    page, row, identity = opened_in_the_middle(window)
    address, place, name = page.url, top(page, identity), row.locator(".name").inner_text()
    page.evaluate(
        """window.heard = [];
        new MutationObserver(() => heard.push(document.getElementById('said').textContent))
            .observe(document.getElementById('said'), {childList: true})"""
    )
    # A refresh begins: the rows stay, and are not asked for.
    change(site, window, state="commits_processing", updated_at=NOW + 1)
    before = len(window.asked)
    move_on(page, QUIET * JITTER)
    expect(page.locator("#fresh")).to_contain_text("a newer count is under way")
    assert {url.rpartition("/")[0] for url in window.asked[before:]} == {f"{window.base}/follow"}
    # It ends: above the row that is read comes another, and the row itself has another e-mail.
    site.person(board, "Ada", "ada@example.com", 150)
    site.person(board, name, "other@example.com", 1)
    change(site, window, state="completed", users_processed_at=NOW + 9, commits_processed_at=NOW + 8)
    move_on(page, JITTER)
    expect(page.locator("#rows")).to_contain_text("Ada")
    # The explanation comes last, and the words after it: in another moment of the page's clock.
    expect(page.locator("tr.open .emails tbody tr")).to_have_count(2)
    move_on(page, 1)
    assert top(page, identity) == pytest.approx(place, abs=1)
    assert row.locator(".name").inner_text() == name
    expect(page.locator(f"{identity} + tr.open")).to_have_count(1)
    expect(row.locator("a.why")).to_be_focused()
    assert page.url == address
    expect(page.locator("#find")).to_have_value("quill b")
    assert page.locator("#since").input_value() == "2024-04-01"
    assert [words for words in page.evaluate("heard") if words] == [
        "The board was updated. 61 people, from 2024-04-01, sorted by commits, reversed. Rows 1 to 50"
    ]
    # axe waits for timers.
    page.clock.resume()
    assert violations(page) == []


def test_an_update_that_was_refused_in_part_comes_later_and_is_said_once(site: Site, window: Watched) -> None:
    board = site.repository()
    site.person(board, name_of(1), "ada@example.com")
    page = window.page(PAGE)
    page.clock.pause_at("2030-01-01")
    page.locator("a.why").click()
    page.locator("tr.open .years").wait_for()
    page.route("**/row/**", lambda route: route.fulfill(status=429, body=""), times=1)
    site.person(board, name_of(1), "other@example.com", 1)
    change(site, window, users_processed_at=NOW + 9, commits_processed_at=NOW + 8)
    with page.expect_response(lambda answer: answer.status == 429):
        move_on(page, QUIET * JITTER)
    expect(page.locator("#people")).to_have_attribute("data-version", "")
    move_on(page, QUIET * 2 * JITTER)
    expect(page.locator("tr.open .emails tbody tr")).to_have_count(2)
    move_on(page, 1)
    expect(page.locator("#said")).to_contain_text("The board was updated.")
    window.expected = ("status of 429",)


def test_a_page_that_is_not_seen_does_not_ask(site: Site, window: Watched) -> None:
    site.person(site.repository(), "Ada", "ada@example.com")
    page = window.page(PAGE)
    page.clock.pause_at("2030-01-01")
    hide = """hidden => {
        Object.defineProperty(document, 'hidden', {get: () => hidden, configurable: true});
        document.dispatchEvent(new Event('visibilitychange'));
    }"""
    page.evaluate(hide, True)
    before = asked(window)
    move_on(page, 3600)
    assert asked(window) == before
    # The reader who returns sees at once what is new.
    with page.expect_request("**/follow/*"):
        page.evaluate(hide, False)


def test_a_renamed_board_goes_on_at_its_new_address_and_a_hidden_one_says_so(site: Site, window: Watched) -> None:
    board = site.repository()
    for n in range(60):
        site.person(board, name_of(n), f"p{n}@example.com", 200 - n)
    page, row, identity = opened_in_the_middle(window)
    place, query = top(page, identity), page.url.partition("?")[2]
    change(
        site,
        window,
        key="github.com/octo/world",
        url="https://github.com/octo/world",
        name="World",
        search_text="octo/world",
    )
    move_on(page, QUIET * JITTER)
    page.wait_for_url(f"{window.base}/r/octo/World?{query}")
    expect(page.locator("h1")).to_have_text("octo/World")
    expect(page).to_have_title("Who made octo/World from 2024-04-01? · Podium")
    assert top(page, identity) == pytest.approx(place, abs=1)
    expect(page.locator("tr.open")).to_have_count(1)
    expect(row.locator("a.why")).to_be_focused()
    assert row.locator(".of").get_attribute("href", timeout=1000) == (
        f"/r/octo/World/-/people/~{identity[2:]}?since=2024-04-01"
    )
    change(site, window, hidden_at=NOW)
    move_on(page, QUIET * JITTER)
    expect(page.get_by_role("alert")).to_contain_text("no longer available")
    expect(page.locator("#fresh")).to_contain_text("no longer available")
    # Its host shows it after all.
    change(site, window, hidden_at=None)
    move_on(page, 60 * JITTER)
    expect(page.locator("#fresh")).to_contain_text("Counted")
    expect(page.get_by_role("alert")).to_have_count(0)
    window.expected = ("status of 404",)


def test_a_refresh_that_fails_is_said_and_moves_nothing(site: Site, window: Watched) -> None:
    board = site.repository()
    for n in range(9):
        site.person(board, name_of(n), f"p{n}@example.com", 200 - n)
    page = window.page("/r/octo/hello")
    page.clock.pause_at("2030-01-01")
    place = top(page, "#rows tr >> nth=0")
    change(site, window, state="failed", error="It has no commits any more.", updated_at=NOW + 9)
    move_on(page, QUIET * JITTER)
    summary = page.locator("#fresh summary")
    expect(summary).to_contain_text("refresh failed")
    assert top(page, "#rows tr >> nth=0") == place
    summary.click()
    # What is open stays so while the line is brought up to date.
    change(site, window, error="It has still no commits.")
    move_on(page, QUIET * JITTER)
    expect(page.locator("#fresh .panel")).to_contain_text("It has still no commits.")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    assert top(page, "#rows tr >> nth=0") == place
    page.keyboard.press("Escape")
    expect(page.locator("#fresh .panel")).to_be_hidden()


def test_rows_of_another_count_are_said_where_the_page_does_not_follow(site: Site, window: Watched) -> None:
    board = site.repository()
    for n in range(60):
        site.person(board, name_of(n), f"p{n}@example.com", 200 - n)
    page = window.page("/r/octo/hello?since=2024-04-01")
    page.clock.pause_at("2030-01-01")
    page.evaluate("document.getElementById('fresh').remove()")
    change(site, window, commits_processed_at=NOW + 8)
    page.get_by_role("link", name="Show more").click()
    expect(page.get_by_role("alert")).to_contain_text("counted again")
