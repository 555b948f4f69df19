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


def test_a_search_that_is_refused_loses_nothing_that_is_typed(chrome: Browser, boards: ReadyBoards) -> None:
    boards.page("big")
    with watched(chrome, boards.base) as window:
        page = window.page("/")
        busy = '<p class="lead">Too much is asked for: try again in a moment.</p>'
        page.route(
            "**/?search=*", lambda route: route.fulfill(status=429, content_type="text/html", body=busy), times=1
        )
        page.get_by_label("Repository address").fill("octo/typed")
        page.get_by_label("Search the boards").fill("nothing-of-this")
        expect(page.get_by_role("alert")).to_contain_text("Too much is asked for")
        assert page.url == f"{window.base}/"
        page.clock.install()
        page.route(
            "**/?search=*", lambda route: route.fulfill(status=503, content_type="text/html", body=busy), times=1
        )
        with page.expect_response(lambda answer: answer.status == 503):
            page.get_by_label("Search the boards").press("Enter")
        page.clock.run_for(6_000)
        expect(page.locator("#matched")).to_contain_text("nothing-of-this")
        expect(page.get_by_role("alert")).to_have_count(0)
        assert page.get_by_label("Repository address").input_value() == "octo/typed"
        window.expected = ("status of 429", "status of 503")


def test_paper_has_days(chrome: Browser, boards: ReadyBoards) -> None:
    with watched(chrome, boards.base) as window:
        page = window.page(boards.page("big"))
        counted = page.locator("#fresh time").first
        expect(counted).to_have_text(re.compile("just now|ago"))
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        expect(counted).to_have_text(re.compile(r"^\d{4}-\d\d-\d\d$"))
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        expect(counted).to_have_text(re.compile("just now|ago"))
