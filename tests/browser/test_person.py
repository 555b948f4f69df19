"""A person in a real browser: from the board to their page."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.support.browser import Watched
from tests.support.ready_boards import ReadyBoards


def test_an_opened_row_has_an_address_and_back_closes_it(boards: ReadyBoards, window: Watched) -> None:
    path = boards.page("sixty")
    page = window.page(f"{path}?merges=include")
    before = page.url
    first, second = page.locator("a.why").nth(0), page.locator("a.why").nth(1)
    row = page.locator("#rows > tr[data-row]").first.get_attribute("data-row")
    first.click()
    expect(page.locator(f"#why-{row}")).to_be_visible()
    assert page.url == f"{before}&row={row}#p{row}"
    sent = page.url
    second.click()
    expect(page.locator("tr.open")).to_have_count(2)
    page.go_back()
    expect(page.locator("tr.open")).to_have_count(1)
    page.go_back()
    expect(page.locator("tr.open")).to_have_count(0)
    assert page.url == before
    page.go_forward()
    expect(page.locator(f"#why-{row}")).to_be_visible()
    # A click that closes the row does what Back does.
    first.click()
    expect(page.locator("tr.open")).to_have_count(0)
    page.wait_for_url(before)
    # The address alone opens the row, and closing it leaves no trace.
    page.goto(sent)
    expect(page.locator(f"#why-{row}")).to_be_visible()
    page.locator("a.why").first.click()
    expect(page.locator("tr.open")).to_have_count(0)
    assert page.url == before
