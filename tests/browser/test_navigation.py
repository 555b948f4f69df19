"""Back and forward, the place in long lists, and a server that is slow, away or unwilling."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.support.browser import Watched
from tests.support.ready_boards import ReadyBoards

PAGE = "/r/octo/hello"
# Ranks in the table, and the row at the top of the screen with its distance from it.
_RANKS = """() => [...document.querySelectorAll('#rows [data-cell=rank]')].map(
    cell => Number(cell.textContent.replace(/\\D/g, '')))"""
_READ = """() => {
    const rows = [...document.querySelectorAll('#rows > tr[data-row]')];
    const row = rows.find(row => row.getBoundingClientRect().top >= 0);
    return [row.id, Math.round(row.getBoundingClientRect().top)];
}"""
_IS_AT = "([row, top]) => Math.abs(document.getElementById(row).getBoundingClientRect().top - top) < 3"


def read(page: Page) -> list[Any]:
    found: list[Any] = page.evaluate(_READ)
    return found


def to_the_end(page: Page, until: int) -> None:
    """Scroll until the list has rows up to that rank."""
    for _ in range(4 * until // 50):
        page.mouse.wheel(0, 30_000)
        page.wait_for_timeout(30)
        ranks: list[int] = page.evaluate(_RANKS)
        if ranks[-1] >= until:
            return
    raise AssertionError(ranks[-1])


def test_the_place_in_a_long_list_survives_a_visit_to_another_page(boards: ReadyBoards, window: Watched) -> None:
    page = window.page(boards.page("big"))
    to_the_end(page, 400)
    page.mouse.wheel(0, -700)
    page.wait_for_function("row => history.state?.place?.row === row", arg=read(page)[0])
    row, top = read(page)
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
