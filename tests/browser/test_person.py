"""A person in a real browser: from the board to their page."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.support.browser import Watched, violations
from tests.support.ready_boards import HOSTILE, ReadyBoards


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


def test_a_name_leads_to_a_page_that_leads_to_the_rows_beside_it(boards: ReadyBoards, window: Watched) -> None:
    page = window.page(f"{boards.page('sixty')}?merges=include")
    row = page.locator("#rows > tr[data-row]").nth(1)
    name = row.locator(".name").inner_text()
    row.locator("a.of").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    assert "merges=include" in page.url
    assert violations(page) == []
    # A tooltip says what a bar is.
    page.locator("figure.chart .plot").hover(position={"x": 300, "y": 40})
    expect(page.locator("figure.chart")).to_contain_text("2026")
    page.get_by_role("navigation", name="Ranks beside").get_by_role("link", name="rank 3").click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text(name)
    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link").click()
    expect(page.locator("#rows > tr:target")).to_have_count(1)


def test_pages_of_people_with_hostile_names_fit_a_phone(boards: ReadyBoards, window: Watched) -> None:
    page = window.page(boards.page("hostile"))
    page.set_viewport_size({"width": 320, "height": 640})
    links = [link.get_attribute("href") for link in page.locator("#rows a.of").all()]
    assert len(links) == len(HOSTILE)
    for link in links:
        page.goto(boards.base + (link or ""))
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, link
    page.set_viewport_size({"width": 720, "height": 640})
    page.goto(boards.base + boards.page("big") + "/-/people/dev1")
    fits = "all => all.map(e => e.offsetWidth <= e.parentElement.clientWidth - 30)"
    assert page.locator(".card > table").evaluate_all(fits) == [True, True]
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []
