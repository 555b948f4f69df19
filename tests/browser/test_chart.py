"""The board's chart in a browser: axis, labels at every width, tooltips, zoom and strip."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from tests.support.browser import Watched, violations, watched
from tests.support.ready_boards import ReadyBoards

WIDTHS = (320, 390, 768, 1024, 1440, 1920)
# Labels that are cut off or that touch another one.
LABELS = """() => [...document.querySelectorAll('.chart .time, .chart .scale')].flatMap((axis) => {
    const texts = [...axis.querySelectorAll('text')].map((text) => [text.textContent, text.getBoundingClientRect()])
        .filter(([, box]) => box.width);
    const touch = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    const wrong = texts.filter(([, box], index) => box.left < 0 || box.right > innerWidth
        || texts.some(([, other], place) => place !== index && touch(box, other)));
    return texts.length ? wrong.map(([text]) => `${innerWidth}: ${text}`) : [`${innerWidth}: no labels`];
})"""
WIDTH_OF_BARS = """(paths) => paths.map((path) =>
    Number(/h([0-9.]+)V/.exec(path.getAttribute('d'))[1]) / path.ownerSVGElement.viewBox.baseVal.width)"""


def wrong_labels(page: Page) -> list[str]:
    found: list[str] = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        found += page.evaluate(LABELS)
    return found


def table(page: Page) -> dict[str, list[str]]:
    """What the chart's table says of each period."""
    rows = page.locator(".chart .data tbody tr").evaluate_all(
        "rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    return {period: counts for period, *counts in rows}


def legend(page: Page) -> list[int]:
    texts = page.locator(".chart .entry b").all_text_contents()
    return [int(text.replace(",", "")) for text in texts]


def point(page: Page, part: float) -> str:
    """Point at a part of the plot's width, and return what the tooltip says."""
    page.locator(".plot").scroll_into_view_if_needed()
    box = page.locator(".plot").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * part, box["y"] + box["height"] * 0.7)
    return page.locator(".tip").inner_text()


def test_the_chart_of_a_long_history_carries_its_data(boards: ReadyBoards, window: Watched) -> None:
    page = window.page(boards.page("big"))
    assert wrong_labels(page) == []
    assert page.locator(".scale text").count() == 4
    assert page.locator(".per").inner_text() == "commits per month"
    rows = table(page)
    assert 13 <= len(rows) <= 96
    sums = [sum(int(row[column].replace(",", "")) for row in rows.values()) for column in range(4)]
    assert sums[1:] == legend(page)
    assert sums[0] == sum(legend(page))

    # At the pointer: the figures of the table, and names that one request brings.
    point(page, 0.3)
    tip = page.locator(".tip")
    expect(tip).to_have_text(re.compile(r"Bots \d+[^\d].* \d+, .* \d+, .* \d+"))
    first, second = tip.inner_text().split("\n\n")[:2]
    period = first.split(" · ")[0]
    commits, people, ai, bots = rows[period]
    assert first in (f"{period} · {commits} commits", f"{period} · 1 commit")
    assert second == f"People {people} · AI declared {ai} · Bots {bots}"
    point(page, 0.5)
    assert len([url for url in window.asked if "/chart/" in url]) == 1
    assert violations(page) == []
    page.mouse.move(5, 5)
    expect(tip).to_be_hidden()

    # By keyboard: Enter chooses the period, and the board of it begins with the names of the tooltip.
    cursor = page.get_by_role("slider", name="commits per month")
    cursor.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    period, counts = list(rows.items())[1]
    assert tip.inner_text().startswith(f"{period} · {counts[0]} commit")
    assert period in (cursor.get_attribute("aria-valuetext") or "")
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    names = tip.locator("bdi").all_inner_texts()
    page.keyboard.press("Enter")
    page.wait_for_url("**since=*until=*")
    expect(page.locator(".strip")).to_be_visible()
    assert page.locator("#rows .name").all_inner_texts()[: len(names)] == names
    assert next(iter(table(page))).startswith(page.locator("#since").input_value()[:7])
    expect(page.locator(".per")).to_have_text("commits per day")
    assert sum(int(row[0].replace(",", "")) for row in table(page).values()) == sum(legend(page))
    assert wrong_labels(page) == []

    # The strip shows all of history: its handles move the window, and a drag across the chart zooms further.
    page.set_viewport_size({"width": 1280, "height": 900})
    last = page.get_by_role("slider", name="Last period")
    last.focus()
    until = page.locator("#until").input_value()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda url: f"until={until}" not in url)
    expect(page.get_by_role("slider", name="Last period")).to_be_focused()
    box = page.locator(".plot").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 50, steps=3)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d", tip.inner_text())
    before = page.url
    page.mouse.up()
    page.wait_for_url(lambda url: url != before)
    expect(page.locator(".plot")).to_have_attribute("data-edges", re.compile(page.locator("#since").input_value()))
    page.locator(".strip").dblclick(position={"x": 3, "y": 10})
    page.wait_for_url(boards.base + boards.page("big"))
    expect(page.locator(".strip")).to_have_count(0)


def test_young_repositories_have_bars_and_hostile_names_stay_names(boards: ReadyBoards, window: Watched) -> None:
    for name, commits, bars in (("one", 1, 1), ("five", 5, 5), ("sixty", 60, 60), ("bots", 5, 5)):
        page = window.page(boards.page(name))
        assert sum(legend(page)) == commits
        assert len(table(page)) == bars
        assert wrong_labels(page) == []
        widths = page.locator(".plot .shapes path").evaluate_all(WIDTH_OF_BARS)
        assert all(0.005 < width < 0.1 for width in widths)
        page.close()
    page = window.page(boards.page("hostile"))
    point(page, 0.5)
    expect(page.locator(".tip bdi")).not_to_have_count(0)
    assert page.locator(".tip script, .tip img").count() == 0


def test_large_letters_stay_below_the_axis(boards: ReadyBoards, window: Watched) -> None:
    page = window.page(boards.page("sixty"))
    page.evaluate("document.documentElement.style.fontSize = '32px'")
    axis = page.locator(".plot").evaluate("e => e.getBoundingClientRect().bottom")
    tops = page.locator(".time text:visible").evaluate_all("all => all.map(e => e.getBoundingClientRect().top)")
    assert tops and min(tops) >= axis


def test_a_tap_shows_the_tooltip_and_the_table_needs_no_script(boards: ReadyBoards, chrome: Browser) -> None:
    path = boards.page("sixty")
    options = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with watched(chrome, boards.base, **options, forced_colors="active", color_scheme="dark") as window:
        page = window.page(path)
        page.locator(".plot").scroll_into_view_if_needed()
        page.locator(".plot").tap(position={"x": 100, "y": 60})
        expect(page.locator(".tip")).to_be_visible()
        box = page.locator(".tip").bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390
        page.locator(".per").tap()
        page.locator("h1").tap()
        expect(page.locator(".tip")).to_be_hidden()
    with watched(chrome, boards.base, java_script_enabled=False, viewport={"width": 390, "height": 844}) as window:
        page = window.page(path + "?since=2026-06-01&until=2026-06-15")
        page.get_by_text("Show as a table").click()
        expect(page.get_by_role("rowheader", name="2026-06-15")).to_be_visible()
        expect(page.locator(".strip .chosen")).to_be_visible()
