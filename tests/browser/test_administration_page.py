"""The administrator's pages, in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import violations, watched
from tests.support.cli import ADMIN_TOKEN
from tests.support.ready_boards import ReadyBoards

pytestmark = pytest.mark.browser

WIDTH = 390


@pytest.fixture
def page(chrome: Browser, boards: ReadyBoards) -> Iterator[Page]:
    with watched(chrome, boards.base, viewport={"width": WIDTH, "height": 844}) as window:
        yield window.page("/admin")


def check(page: Page, heading: str | re.Pattern[str]) -> None:
    expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
    # A heading may be there before the style sheets.
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
    assert violations(page) == []


def test_an_administrator_signs_in_acts_and_signs_out(page: Page, boards: ReadyBoards) -> None:
    path = boards.path("never-there")
    boards.server.submit(boards.url("never-there"))
    boards.server.wait_for(boards.url("never-there"), "failed")

    check(page, "Administration")
    page.get_by_label("token").fill(ADMIN_TOKEN)
    page.get_by_role("button", name="Sign in").click()
    check(page, "Administration")
    expect(page.get_by_role("region", name="Workers").get_by_text("alive")).to_be_visible()

    menu = page.get_by_role("navigation", name="Administration")
    menu.get_by_role("link", name="Work").click()
    check(page, "In work and waiting")
    menu.get_by_role("link", name="Failures").click()
    # Others of the server's boards may have failed for another reason.
    missing = page.get_by_role("navigation", name="Kinds").get_by_role("link", name=re.compile("^missing"))
    missing.click()
    check(page, "Failures")
    failed = page.get_by_role("listitem").filter(has_text=path.removeprefix("/r/"))
    failed.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("It is tried again.")).to_be_visible()
    boards.server.wait_for(boards.url("never-there"), "failed")

    menu.get_by_role("link", name="Failures").click()
    missing.click()
    failed.get_by_role("link", name="Forget").click()
    check(page, re.compile(r"^Forget .*never-there.*\?$"))
    page.get_by_role("button", name="Forget", exact=True).click()
    expect(page.get_by_text("It is forgotten.")).to_be_visible()

    menu.get_by_role("link", name="Blocks").click()
    check(page, "Blocks")
    page.get_by_label("Forget a person").fill("no-one@example.org")
    page.get_by_role("button", name="Forget…").click()
    check(page, "Forget no-one@example.org?")
    assert "no-one" not in page.url
    page.get_by_role("link", name="Cancel").click()

    menu.get_by_role("link", name="Audit log").click()
    check(page, "Audit log")
    acts = page.get_by_role("region", name="Entries").locator("li strong").all_inner_texts()
    assert acts[:3] == ["forget", "retry", "sign-in"]
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("token")).to_be_visible()
