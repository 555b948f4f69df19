"""Filters, orders and a comparison in a real browser."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from tests.support.browser import Watched, violations, watched
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


def test_no_e_mail_is_sent_in_the_address_of_a_comparison(boards: ReadyBoards, window: Watched) -> None:
    boards.page("sixty")
    page = window.page(f"/compare?repo={boards.url('sixty')}")
    page.get_by_text("Windows or people of one repository", exact=True).click()
    person = page.get_by_label("Person 1")
    person.fill("ada@example.org")
    before = page.url
    page.get_by_role("button", name="Compare").click()
    expect(person).to_be_focused()
    assert page.url == before
    person.fill("@ada")
    assert person.evaluate("e => e.validity.valid")


def test_a_long_name_leaves_room_for_the_figures(boards: ReadyBoards, chrome: Browser) -> None:
    with watched(chrome, boards.base, viewport={"width": 320, "height": 640}) as window:
        page = window.page(boards.page("hostile"))
        people = [link.get_attribute("href") or "" for link in page.locator("#rows a.of").all()[:6]]
        given = "&".join(f"person={link.rpartition('/')[2]}" for link in people)
        page.goto(f"{boards.base}/compare?repo={boards.url('hostile')}&{given}")
        heights = page.locator(".compared thead bdi").evaluate_all("all => all.map(e => e.offsetHeight)")
        assert len(heights) == 6 and max(heights) < 80
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        # The names of the figures leave room for the first column.
        first = page.locator(".compared thead th").first.bounding_box()
        assert first and first["x"] < 160
        assert violations(page) == []
        # Nor do they make the table of the chart wider than the page, or take its days apart.
        page.get_by_text("Show as a table").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        assert page.locator(".data tbody th").first.evaluate("e => e.offsetHeight") < 40
        assert page.locator(".data thead tr").evaluate("e => e.offsetHeight") < 100
        # A number stands behind its name, whatever the direction of that.
        behind = "e => e.nextElementSibling.offsetLeft - e.offsetLeft"
        assert page.locator(".entry bdi", has_text="محمد").evaluate(behind) > 50
        page.locator(".plot").hover()
        expect(page.locator(".tip bdi")).to_have_count(6)
        # The style of a card with a repository that waits is not that of the word.
        page.locator("h1").evaluate("h1 => h1.insertAdjacentHTML('beforeend', '<i class=\"state pending\">W</i>')")
        assert page.locator("h1 .state").evaluate("e => getComputedStyle(e).display") == "inline"
        heading = page.locator(".compared thead bdi").first
        expect(heading).to_have_css("text-decoration-line", "underline")
        page.emulate_media(media="print")
        expect(heading).to_have_css("text-decoration-line", "none")
        expect(page.locator(".compared")).to_be_visible()
        expect(page.locator(".subjects, .compared .remove").locator("visible=true")).to_have_count(0)
