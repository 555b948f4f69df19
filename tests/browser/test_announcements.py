"""What screen readers hear of each change: once, and with the new number."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.support.browser import Watched
from tests.support.ready_boards import ReadyBoards

# Every text of the live region, from now on.
_LISTEN = """() => {
    window.heard = [];
    const said = document.getElementById('said');
    new MutationObserver(() => { if (said.textContent) heard.push(said.textContent); }).observe(
        said, {childList: true, characterData: true, subtree: true});
}"""


def hear(page: Page, act: Callable[[], object], *words: str) -> None:
    """Check that an action is announced, with all of these words."""
    page.evaluate("heard.length = 0")
    act()
    page.wait_for_function("() => heard.length > 0")
    text = page.evaluate("heard.at(-1)")
    for word in words:
        assert word in text, text
    assert page.evaluate("heard.length") == 1, page.evaluate("heard")


def test_every_change_is_heard_once_and_with_the_new_number(boards: ReadyBoards, window: Watched) -> None:
    page = window.page(boards.page("sixty"))
    page.evaluate(_LISTEN)
    region = page.locator("#said").element_handle()
    page.locator("#rules-chip > summary").click()
    hear(page, page.get_by_label("Merges").check, "Merges: on", "3 people", "the whole history")
    hear(page, lambda: page.get_by_label("Bots and AI").select_option("only"), "Bots and AI: only these", "2 rows")
    hear(page, page.go_back, "3 people")
    page.locator("#window-chip > summary").click()
    hear(page, page.get_by_role("link", name="1 month", exact=True).click, "1 month", "from 2026-")
    page.keyboard.press("Escape")
    hear(page, page.locator("#people th a[data-in-page]").first.click, "sorted by")
    hear(page, page.locator("#figures a[data-in-page]").nth(1).click, "people active")
    field = page.get_by_label("Find anyone")
    hear(page, lambda: field.fill("ada"), "1 match for “ada”", "Ada Lovelace")
    hear(page, lambda: field.fill("adb"), "Not on this board")
    hear(page, lambda: page.keyboard.press("Escape"), "Search closed")
    why = page.locator("#rows a.why").first
    hear(page, why.click, "Opened below")
    hear(page, why.click, "Closed")
    # The element itself was there from the start: one that is replaced is not heard.
    assert region.evaluate("region => region === document.getElementById('said')")
    assert page.locator("#main [role=status]:not(#status [role=status])").count() <= 1


def test_rows_that_are_added_are_heard(boards: ReadyBoards, window: Watched) -> None:
    page = window.page(boards.page("big") + "?offset=700")
    page.evaluate(_LISTEN)
    more = page.locator("#more a[rel=next]")
    more.click()
    page.wait_for_function("() => heard.length > 0")
    assert " of 7" in page.evaluate("heard[0]")
    expect(page.locator("#more a[rel=next]")).to_have_count(0)
