"""Badge, card and the section that offers them, in a real browser."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from podium.leaderboard.export import card
from podium.leaderboard.export.text_metrics import width
from podium.web.serving.server import beside
from podium.web.share import badge
from tests.support.avatar_host import AvatarHost, png, whole
from tests.support.browser import chromium, violations, watched
from tests.support.web import open_site

NAMES = ("Ada Lovelace", "<script>alert(1)</script>", "Алексей Смирнов", "張三豐", "me@example.com")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with a board of five, of whom the first has a red face."""
    chromium()
    with (
        AvatarHost({"/u/7": whole(png(255, 0, 0))}) as host,
        open_site(tmp_path_factory.mktemp("site"), avatar_hosts=(host.origin,)) as site,
    ):
        number = site.repository()
        for place, name in enumerate(NAMES):
            site.person(number, name, f"p{place}@example.com", 100 - place, merge_count=place)
        site.account("p0@example.com", "ada", account_id=7, avatar_url=f"{host.origin}/u/7")
        site.repository("octo/new", "pending")
        with beside(site.app, "127.0.0.1", 0, site.services.settings) as base:
            yield base


def elsewhere(page: Page, folder: Path, body: str) -> None:
    """Open a page of another site: a file has an opaque origin."""
    file = folder / "elsewhere.html"
    file.write_text(f"<!doctype html><meta charset=utf-8><body style='margin:0;background:#888'>{body}", "utf-8")
    page.goto(file.as_uri())


def colours(page: Page, *points: tuple[int, int]) -> list[str]:
    """What is seen of a page at these points, as ``#rrggbb``."""
    data = "data:image/png;base64," + base64.b64encode(page.screenshot()).decode()
    looking = page.context.new_page()
    found: list[str] = looking.evaluate(
        """async ([data, points]) => {
            const image = new Image();
            image.src = data;
            await image.decode();
            const pen = new OffscreenCanvas(image.width, image.height).getContext("2d");
            pen.drawImage(image, 0, 0);
            const hex = (byte) => byte.toString(16).padStart(2, "0");
            return points.map(([x, y]) => "#" + [...pen.getImageData(x, y, 1, 1).data.slice(0, 3)].map(hex).join(""));
        }""",
        [data, points],
    )
    looking.close()
    return found


def test_pages_of_other_sites_may_show_badge_and_card_but_no_face(server: str, chrome: Browser, tmp_path: Path) -> None:
    files = ("badge.svg", "card.svg", "card.svg?theme=dark&captions=hide")
    images = "".join(f'<img src="{server}/r/octo/hello/{file}">' for file in files)
    images += f'<img src="{server}/r/octo/new/badge.svg"><img src="{server}/r/octo/none/badge.svg">'
    images += f'<img src="{server}/avatars/7">'
    page = chrome.new_page()
    elsewhere(page, tmp_path, images)
    *shown, face = page.evaluate("[...document.images].map((i) => [i.complete, i.naturalWidth, i.naturalHeight])")
    expected = badge.values(badge.Badge("contributors", "5", "figure"), "auto")["width"]
    assert shown[0] == [True, expected, 20]
    assert [of[1] for of in shown[1:3]] == [card.WIDTH, card.WIDTH]
    assert [of[2] for of in shown[3:]] == [20, 20]
    assert face == [True, 0, 0]
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_badge_and_card_follow_what_the_reader_prefers(
    server: str, chrome: Browser, tmp_path: Path, scheme: str
) -> None:
    left = badge.values(badge.Badge("contributors", "5", "figure"), "auto")["left"]
    images = (
        f'<img src="{server}/r/octo/hello/badge.svg" style="display:block"><img src="{server}/r/octo/hello/card.svg">'
    )
    context = chrome.new_context(color_scheme="dark" if scheme == "dark" else "light")
    page = context.new_page()
    elsewhere(page, tmp_path, images)
    badge_paint, card_paint = (badge.DARK, card.DARK) if scheme == "dark" else (badge.LIGHT, card.LIGHT)
    # Label, figure, the card's ground, its corner (which is round), and the face where its initials would be.
    assert colours(page, (left - 2, 10), (left + 2, 10), (300, 70), (0, 20), (70, 130)) == [
        badge_paint["label"].ground,
        badge_paint["figure"].ground,
        card_paint["ground"],
        "#888888",
        "#ff0000",
    ]
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_drawing_on_its_own_obeys_its_policy_and_still_follows(server: str, chrome: Browser, scheme: str) -> None:
    # Opened by itself, the policy of its headers holds: a style sheet that it does not name would be left out.
    dark = scheme == "dark"
    with watched(chrome, server, color_scheme="dark" if dark else "light") as window:
        page = window.page("/r/octo/hello/card.svg")
        paint = card.DARK if dark else card.LIGHT
        assert colours(page, (300, 50), (70, 110)) == [paint["ground"], "#ff0000"]
        left = badge.values(badge.Badge("contributors", "5", "figure"), "auto")["left"]
        page.goto(f"{server}/r/octo/hello/badge.svg")
        figure = (badge.DARK if dark else badge.LIGHT)["figure"].ground
        assert colours(page, (left + 2, 10)) == [figure]


def test_text_is_measured_as_the_browser_measures_it(chrome: Browser) -> None:
    texts = ["contributors", "1,234,567", "top contributor", "Résumé Ångström", "Алексей Смирнов", "Ελλάδα", "WiM|%@"]
    page = chrome.new_page()
    measured, other = page.evaluate(
        """(texts) => ["100px DejaVu Sans", "100px no-such-font, monospace"].map((font) => {
            const pen = new OffscreenCanvas(1, 1).getContext("2d");
            pen.font = font;
            return texts.map((text) => pen.measureText(text).width);
        })""",
        texts,
    )
    page.close()
    if measured == other:
        pytest.skip("NO FONT: apt-get install fonts-dejavu-core, or this is not tested")
    for text, wide in zip(texts, measured, strict=True):
        assert width(text, 100) == pytest.approx(wide, rel=0.03), text


def test_no_text_leaves_its_badge(server: str, chrome: Browser) -> None:
    labels = [
        "W" * 60,
        "張三豐" * 20,
        "മലയാളം" * 9,
        "\ufdfd" * 9,
        "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 9,
        "محمد" * 15,
    ]
    page = chrome.new_page()
    for label in labels:
        page.goto(f"{server}/r/octo/hello/badge.svg?{urlencode({'label': label})}")
        boxes = page.evaluate(
            """[...document.querySelectorAll("text")].map((text) => {
                const { x, width } = text.getBBox();
                return [x, x + width];
            }).concat([...document.querySelectorAll("rect.l, rect.m")].map((rect) => {
                const { x, width } = rect.getBBox();
                return [x, x + width];
            }))"""
        )
        for (start, end), (left, right) in zip(boxes[:2], boxes[2:], strict=True):
            assert left <= start < end <= right, label
    page.close()


def test_lines_are_copied_and_follow_the_switches(server: str, chrome: Browser) -> None:
    with watched(chrome, server, permissions=["clipboard-read", "clipboard-write"]) as window:
        page = window.page("/r/octo/hello")
        page.locator("#share > summary").click()
        page.get_by_role("button", name="Copy Markdown of the badge").click()
        expect(page.locator("[data-copied]")).to_have_text("Copied")
        line = page.get_by_label("Markdown of the badge").input_value()
        assert page.evaluate("navigator.clipboard.readText()") == line
        assert line == f"[![Contributors]({server}/r/octo/hello/badge.svg)]({server}/r/octo/hello)"
        page.locator("#rules-chip > summary").click()
        page.get_by_label("Merges").check()
        page.locator("#share > summary").click()
        expect(page.get_by_label("Markdown of the badge")).to_have_value(re.compile(r"merges=include"))
        page.get_by_role("button", name="Copy HTML of the card").click()
        assert "card.svg?merges=include&amp;theme=dark" in page.evaluate("navigator.clipboard.readText()")
        page.get_by_role("button", name="Copy link").click()
        assert page.evaluate("navigator.clipboard.readText()") == f"{server}/r/octo/hello?merges=include"
        expect(page.get_by_alt_text("Preview: the podium and the commits over time")).to_be_visible()
        assert page.evaluate("document.querySelector('#share figure img').decode().then(() => true)")
        with page.expect_download() as downloading:
            page.get_by_role("link", name="CSV").click()
        assert downloading.value.suggested_filename == "octo-hello-contributors.csv"
        assert "Ada Lovelace" in downloading.value.path().read_text("utf-8")
        page.get_by_label("Link to this board").focus()
        page.keyboard.press("Escape")
        expect(page.locator("#share")).not_to_have_attribute("open", "")
        expect(page.locator("#share > summary")).to_be_focused()


def test_the_share_sheet_of_the_system_gets_the_link(server: str, chrome: Browser) -> None:
    with watched(chrome, server) as window:
        page = window.page("/r/octo/hello")
        page.locator("#share > summary").click()
        expect(page.get_by_role("button", name="Share…")).to_have_count(0)
        page.context.add_init_script("navigator.share = (data) => { window.shared = data; return Promise.resolve(); }")
        page.goto(f"{server}/r/octo/hello?merges=include")
        page.locator("#share > summary").click()
        page.get_by_role("button", name="Share…").click()
        assert page.evaluate("window.shared") == {
            "title": "Who made octo/hello? · Podium",
            "url": f"{server}/r/octo/hello?merges=include",
        }


@pytest.mark.parametrize(
    ("path", "preview"),
    [
        ("/r/octo/hello/-/people/ada", "the commits of the person over time"),
        ("/compare?repo=octo%2Fhello&person=ada&person=~3", "the commits of each over time"),
    ],
)
def test_a_person_and_a_comparison_are_shared(server: str, chrome: Browser, path: str, preview: str) -> None:
    screen = {"width": 390, "height": 844}
    with watched(chrome, server, viewport=screen, permissions=["clipboard-read", "clipboard-write"]) as window:
        page = window.page(path)
        page.locator("#share > summary").click()
        page.get_by_role("button", name="Copy link").click()
        expect(page.locator("[data-copied]")).to_have_text("Copied")
        link = page.evaluate("navigator.clipboard.readText()")
        assert link == page.get_by_label("Link to this page").input_value()
        expect(page.get_by_alt_text(f"Preview: {preview}")).to_be_visible()
        assert page.evaluate("document.querySelector('#share figure img').decode().then(() => true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert violations(page) == []
        page.get_by_label("Link to this page").focus()
        page.keyboard.press("Escape")
        expect(page.locator("#share")).not_to_have_attribute("open", "")
        assert window.page(link.removeprefix(server)).title() == page.title()


@pytest.mark.parametrize(
    ("scheme", "width"),
    [
        ("light", 1000),
        ("dark", 360),
        pytest.param("dark", 1000, marks=pytest.mark.long),
        pytest.param("light", 360, marks=pytest.mark.long),
    ],
)
def test_the_section_is_accessible(server: str, chrome: Browser, scheme: str, width: int) -> None:
    screen = {"width": width, "height": 900}
    with watched(chrome, server, color_scheme=scheme, viewport=screen) as window:
        page = window.page("/r/octo/hello")
        page.locator("#share > summary").click()
        expect(page.get_by_alt_text("Card: the first people of this board")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert violations(page) == []


def test_without_javascript_the_lines_are_there_to_select(server: str, chrome: Browser) -> None:
    with watched(chrome, server, java_script_enabled=False) as window:
        page = window.page("/r/octo/hello")
        page.locator("#share > summary").click()
        expect(page.get_by_label("HTML of the badge")).to_be_visible()
        assert page.get_by_label("Link to this board").input_value() == f"{server}/r/octo/hello"
        assert "badge.svg" in page.get_by_label("HTML of the badge").input_value()
        assert page.locator("[data-copy]:visible").count() == 0
