"""The first screen of a board, its chips, and the table on paper and in a spreadsheet."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import Watched, violations, watched
from tests.support.ready_boards import ReadyBoards

_TOP = "e => e.getBoundingClientRect().top"
_BOTTOM = "e => e.getBoundingClientRect().bottom"


def _copied(page: Page) -> list[list[str]]:
    page.evaluate("getSelection().selectAllChildren(document.getElementById('rows'))")
    page.keyboard.press("ControlOrMeta+C")
    text: str = page.evaluate("navigator.clipboard.readText()")
    return [line.split("\t") for line in text.strip().splitlines()]


@pytest.mark.parametrize(
    ("width", "height", "name", "row"), [(1440, 900, 300, 600), (390, 844, 400, 560)], ids=["wide", "phone"]
)
def test_names_stand_in_the_first_screen_and_rows_are_copied_as_rows(
    boards: ReadyBoards, chrome: Browser, width: int, height: int, name: int, row: int
) -> None:
    screen = {"width": width, "height": height}
    allowed = ["clipboard-read", "clipboard-write"]
    with watched(chrome, boards.base, viewport=screen, permissions=allowed) as window:
        for path in (boards.page("big"), boards.page("big") + "?since=2005-01-01&until=2005-12-31"):
            page = window.page(path)
            assert page.locator(".podium .name").first.evaluate(_TOP) <= name
            assert page.locator("#rows > tr").first.evaluate(_TOP) <= row
        if width > 1000:
            assert page.locator("#rows > tr").nth(5).evaluate(_BOTTOM) <= height
        page = window.page(boards.page("big") + "?offset=50")
        expect(page.locator("#podium")).to_be_hidden()
        rows, timeline = page.locator("#rows").evaluate(_TOP), page.locator("#timeline").evaluate(_TOP)
        assert rows < timeline
        page = window.page(boards.page("hostile"))
        rows_of = _copied(page)
        assert len(rows_of) == page.locator("#rows > tr").count()
        assert {len(cells) for cells in rows_of} == {page.locator("thead th:visible").count()}
        ranks = [int(cells[0]) for cells in rows_of]
        assert ranks == list(range(1, len(rows_of) + 1))
        small = page.locator("main a, main button, main summary, #find").evaluate_all(
            """all => all.filter(e => e.checkVisibility({contentVisibilityAuto: true}))
            .map(e => [e.textContent, e.getBoundingClientRect()])
            .filter(([, box]) => box.height && Math.min(box.height, box.width) < 23.5).map(([text]) => text)"""
        )
        assert small == []


def test_links_that_lead_on_are_large_enough_for_a_finger(boards: ReadyBoards, window: Watched) -> None:
    for name in ("one", "empty"):
        boards.page(name)
    empty = f"/compare?repo={boards.url('one')}&repo={boards.url('empty')}"
    for path in (empty, f"/compare?repo={boards.url('one')}&person=unknown", "/people/unknown", "/?search=nothing"):
        page = window.page(path)
        link = page.locator("main p > a").last
        assert link.evaluate("e => e.getBoundingClientRect().height") >= 23.5, path
    window.expected = ("status of 404",)


def test_chips_open_one_at_a_time_and_close_on_escape_and_elsewhere(boards: ReadyBoards, window: Watched) -> None:
    page = window.page(boards.page("sixty"))
    window_chip, rules_chip = page.locator("#window-chip > summary"), page.locator("#rules-chip > summary")
    window_chip.click()
    expect(page.get_by_label("From")).to_be_visible()
    rules_chip.click()
    expect(page.get_by_label("From")).to_be_hidden()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_label("Merges")).to_be_hidden()
    expect(rules_chip).to_be_focused()
    window_chip.click()
    page.locator("h1").click()
    expect(page.get_by_label("From")).to_be_hidden()


@pytest.mark.parametrize("width", [1440, 1024, 390, 320])
def test_each_chip_opens_a_panel_of_readable_width_on_the_screen(
    boards: ReadyBoards, chrome: Browser, width: int
) -> None:
    with watched(chrome, boards.base, viewport={"width": width, "height": 844}) as window:
        page = window.page(boards.page("sixty"))
        chips = page.locator("main .chip > summary")
        assert chips.count() == 6
        for chip in chips.all():
            chip.click()
            box = page.locator(".chip[open] > .panel").bounding_box()
            assert box and box["width"] >= 170 and box["x"] >= 0 and box["x"] + box["width"] <= width, box
            page.keyboard.press("Escape")
        page.locator(".bus-factor > summary").click()
        assert page.locator(".bus-factor > .panel").evaluate("e => e.offsetWidth") >= 280


def test_a_narrow_screen_shows_the_beginning_of_each_name(boards: ReadyBoards, chrome: Browser) -> None:
    with watched(chrome, boards.base, viewport={"width": 320, "height": 844}) as window:
        page = window.page(boards.page("sixty"))
        whole = page.locator("#rows .name").evaluate_all("all => all.map(e => e.scrollWidth <= e.clientWidth)")
        assert all(whole)
        page = window.page(boards.page("hostile"))
        # The first letter of a name that is written from right to left stands inside the box that cuts the name.
        outside = page.locator("#rows .name, #podium .name").evaluate_all(
            """all => all.filter(e => {
                const range = new Range(), box = e.closest(".of, a").getBoundingClientRect();
                range.setStart(e.firstChild, 0);
                range.setEnd(e.firstChild, 1);
                const letter = range.getBoundingClientRect();
                return letter.left < box.left - 1 || letter.right > box.right + 1;
            }).map(e => e.textContent)"""
        )
        assert outside == []
        # Where it is cut, the dots that say so have room beside the last word.
        name = page.locator("#rows .name", has_text="محمد").first
        left = name.evaluate(
            """e => {
                const range = new Range(), box = e.getBoundingClientRect();
                range.selectNodeContents(e);
                const lines = [...range.getClientRects()].filter((line) => line.bottom <= box.bottom + 1);
                return lines.at(-1).left - box.left;
            }"""
        )
        assert left > 8


def test_matches_of_a_search_fit_a_narrow_screen(boards: ReadyBoards, chrome: Browser) -> None:
    with watched(chrome, boards.base, viewport={"width": 320, "height": 844}) as window:
        page = window.page(boards.page("sixty") + "?find=ada")
        expect(page.locator(".matches .name")).to_have_text("Ada Lovelace")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        # A board whose commits cannot be drawn has no empty frame.
        page.locator("figure.chart").evaluate("e => e.remove()")
        expect(page.locator(".timeline")).to_be_hidden()


@pytest.mark.parametrize("width", [1024, 768])
def test_an_opened_row_prints_no_table_over_the_other(boards: ReadyBoards, chrome: Browser, width: int) -> None:
    with watched(chrome, boards.base, viewport={"width": width, "height": 844}) as window:
        page = window.page(boards.page("hostile"))
        page.locator("a.why").nth(4).click()
        emails, years = page.locator(".emails").bounding_box(), page.locator(".columns .years").bounding_box()
        assert emails and years
        assert emails["x"] + emails["width"] <= years["x"] or emails["y"] + emails["height"] <= years["y"]
        assert page.locator(".emails tbody th").evaluate("e => e.offsetWidth") >= 100


def test_every_heading_stays_at_the_top_of_a_long_table(boards: ReadyBoards, window: Watched) -> None:
    page = window.page(boards.page("big"))
    page.evaluate("scrollTo({top: 1500, behavior: 'instant'})")
    tops = page.locator(".board > thead th:visible").evaluate_all(f"all => all.map({_TOP})")
    assert len(tops) == 8 and set(tops) == {0}


def test_nothing_cuts_the_ring_around_a_focused_name(boards: ReadyBoards, window: Watched) -> None:
    page = window.page(boards.page("big"))
    for link in page.locator("#rows > tr").nth(1).locator(".person a").all():
        link.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        expect(link).to_be_focused()
        cut_by = link.evaluate(
            """e => {
                const cut = [];
                for (let at = e.parentElement; !at.matches("table"); at = at.parentElement) {
                    const style = getComputedStyle(at);
                    if (style.overflowX === "hidden") cut.push(at.tagName);
                }
                return e.matches(":focus-visible") ? cut : ["no ring"];
            }"""
        )
        assert cut_by == []


def test_tables_of_people_and_comparisons_fit_a_narrow_screen(boards: ReadyBoards, chrome: Browser) -> None:
    big = boards.page("big")
    compared = f"/compare?repo={boards.url('big')}&repo={boards.url('sixty')}"
    boards.page("sixty")
    with watched(chrome, boards.base, viewport={"width": 320, "height": 844}) as window:
        for path in ("/people/dev1", f"{big}/-/people/dev1", compared):
            page = window.page(path)
            outside = page.locator("main table:visible").evaluate_all(
                """all => all.filter(e => {
                    const card = e.closest(".card").getBoundingClientRect();
                    return e.getBoundingClientRect().right > card.right;
                }).map(e => e.className)"""
            )
            assert outside == [], path


def test_tables_of_an_opened_row_have_rows_of_their_own_height(boards: ReadyBoards, window: Watched) -> None:
    page = window.page(boards.page("sixty"))
    page.locator("a.why").first.click()
    heading = page.locator("#rows .open thead th").first
    expect(heading).to_have_css("position", "static")
    assert heading.evaluate("e => e.parentElement.offsetHeight") < 40
    heights = page.locator("#rows .open .years tbody tr").evaluate_all("all => all.map(e => e.offsetHeight)")
    assert heights and max(heights) < 40


def test_forced_colors_keep_the_chosen_figure_readable(boards: ReadyBoards, window: Watched) -> None:
    page = window.page(boards.page("sixty"))
    page.emulate_media(forced_colors="active")
    colors = page.locator(".figures a[aria-current] > *").evaluate_all("all => all.map(e => getComputedStyle(e).color)")
    assert len(colors) == 2 and len(set(colors)) == 1
    edges = page.locator(".figures > ul a:not([aria-current])").evaluate_all(
        "all => all.map(e => getComputedStyle(e).borderBottomColor)"
    )
    ground = page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
    assert set(edges) == {ground}
    # Nor do buttons, the chosen list and the key of a comparison vanish.
    page.goto(f"{boards.base}/?state=done")
    assert page.locator(".submit button").evaluate("e => getComputedStyle(e).borderTopStyle") == "solid"
    grounds = page.locator("#filters > a").evaluate_all("all => all.map(e => getComputedStyle(e).backgroundColor)")
    assert len(set(grounds)) == 2
    page.goto(f"{boards.base}/compare?repo={boards.url('sixty')}&window=2025&window=2026")
    ink = page.locator("h1").evaluate("e => getComputedStyle(e).color")
    keys = page.locator(".compared .key").evaluate_all("all => all.map(e => getComputedStyle(e).stroke)")
    assert keys == [ink, ink]


def test_few_people_ties_and_none_look_intended(boards: ReadyBoards, window: Watched) -> None:
    page = window.page(boards.page("one"))
    expect(page.locator(".podium li")).to_have_count(1)
    page = window.page(boards.page("ties"))
    heights = page.locator(".podium .block").evaluate_all("all => all.map(e => e.offsetHeight)")
    assert len(heights) == 3 and len(set(heights)) == 1
    page = window.page(boards.page("bots"))
    expect(page.locator("#podium .empty")).to_have_text("All 5 commits are by bots. Show them.")
    expect(page.locator("#order")).to_be_hidden()
    page.get_by_role("link", name="Show them.").click()
    page.wait_for_url("**?bots=only")
    expect(page.locator(".podium .name")).to_have_text(["dependabot[bot]"])


def test_print_has_the_table_and_the_chart_and_no_controls(boards: ReadyBoards, window: Watched) -> None:
    page = window.page(boards.page("sixty") + "?since=2026-05-15")
    page.emulate_media(media="print")
    for shown in ("table.board", "#timeline .shapes", "#window-name", "#rules-name", ".board .share", ".podium"):
        expect(page.locator(shown).first).to_be_visible()
    hidden = page.locator("button, input, select, nav, .panel, a.chip, #share, .handle").evaluate_all(
        "all => all.filter(e => e.checkVisibility()).map(e => e.outerHTML)"
    )
    assert hidden == []


def test_print_gives_long_names_room_of_their_own(boards: ReadyBoards, chrome: Browser) -> None:
    with watched(chrome, boards.base, viewport={"width": 700, "height": 900}) as window:
        page = window.page(boards.page("big"))
        page.emulate_media(media="print")
        outside = page.locator("#rows > tr").evaluate_all(
            """all => all.filter(row => row.querySelector(".name").getBoundingClientRect().bottom
            > row.getBoundingClientRect().bottom).map(row => row.textContent)"""
        )
        assert outside == []
