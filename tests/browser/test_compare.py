"""Filters, orders and a comparison in a real browser."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.support.browser import Watched, violations
from tests.support.ready_boards import ReadyBoards


def ranks(page: Page) -> list[int]:
    return [int(text.replace(",", "")) for text in page.locator("#rows [data-cell=rank]").all_inner_texts()]


def test_figures_filter_headings_sort_and_boards_compare(boards: ReadyBoards, window: Watched) -> None:
    page = window.page(boards.page("sixty"))
    rows = page.locator("#rows > tr[data-row]")
    assert ranks(page) == [1, 2, 3]
    # All commits are of the last 60 days.
    page.get_by_role("link", name=re.compile("active this year")).click()
    page.wait_for_url("**?people=active")
    expect(page.locator("#figures a[aria-current]")).to_contain_text("active")
    expect(rows).to_have_count(3)
    page.locator("thead").get_by_role("link", name="Who").click()
    page.wait_for_url("**?people=active&sort=name")
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "ascending")
    names = page.locator("#rows .name")
    expect(names).to_have_text(["Ada Lovelace", "Grace Hopper", "Lin"])
    # A switch keeps the view.
    page.locator("#rules-chip > summary").click()
    page.locator("#coAuthors").check()
    page.wait_for_url(lambda url: "coAuthors=include" in url and "people=active" in url and "sort=name" in url)
    page.keyboard.press("Escape")
    page.locator("#order > summary").click()
    page.locator("#orders").get_by_role("link", name="Merges").click()
    expect(page.locator("th[aria-sort]")).to_have_text("Merges")
    page.get_by_role("link", name=re.compile("left")).click()
    expect(page.locator("#people .empty")).to_contain_text("No one on this board")
    page.locator(".bus-factor > summary").click()
    expect(page.locator(".bus-factor ol a").first).to_have_text("Ada Lovelace")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Compare", exact=True).last.click()
    page.locator("[name=repo]").nth(1).fill(boards.url("ties"))
    boards.page("ties")
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url(lambda url: url.count("repo=") == 2)
    assert "rev=" not in page.url
    expect(page.locator("table.compared thead th")).to_have_count(2)
    assert violations(page) == []
    page.locator("a.remove").first.click()
    expect(page.locator("table.compared thead th")).to_have_count(1)
