"""The home page, the lists of boards, and what all pages say about numbers and moments, in a browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import watched
from tests.support.ready_boards import ReadyBoards

pytestmark = pytest.mark.browser


def test_numbers_and_moments_are_the_readers_own(chrome: Browser, boards: ReadyBoards) -> None:
    path = boards.page("big")
    with watched(chrome, boards.base, locale="de-DE", timezone_id="Asia/Tokyo", java_script_enabled=True) as german:
        page = german.page(path)
        expect(page.get_by_role("main")).to_contain_text("6.000 commits")
        assert re.findall(r"\d,\d{3}", page.inner_text("main")) == []
        expect(page.locator("#rows tr").first.locator('[data-cell="share"]')).to_have_text(re.compile(r"^\d+,\d %$"))
        # What comes later has the same format, and a name keeps its own.
        page.evaluate(
            """document.getElementById("people").insertAdjacentHTML("beforeend",
            '<p id="later">1,234 of 5,678,901.<bdi>The 4,000</bdi> v1.2.3 0.5 %' +
            `<time datetime="${new Date(Date.now() - 3.5 * 864e5).toISOString()}" data-ago>2024-01-01</time></p>`)"""
        )
        later = page.locator("#later")
        expect(later).to_have_text("1.234 of 5.678.901.The 4,000 v1.2.3 0,5 %3 days ago")
        assert re.search(r"\d:\d\d:\d\d (GMT\+9|MESZ|JST)", later.locator("time").get_attribute("title") or "")
    with watched(chrome, boards.base, locale="de-DE", java_script_enabled=False) as plain:
        expect(plain.page(path).get_by_role("main")).to_contain_text("6,000 commits")
