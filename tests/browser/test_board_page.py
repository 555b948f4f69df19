"""The page in a real browser, on a real server that counts a real repository."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks import synthetic
from tests.support.browser import chromium, violations, watched
from tests.support.cli import Podium, clean_environment
from tests.support.githttp import serve_repositories
from tests.support.ready_boards import who
from tests.support.server import Server, serving

# Commits and people, who take six years for them.
SIZES = [(6_000, 800), pytest.param((52_000, 2_400), marks=pytest.mark.long)]
SECONDS = 6 * 365 * 86_400


@dataclasses.dataclass(frozen=True)
class Served:
    """The server, the repository's address, its page, its folder, and how many commits and people it has."""

    server: Server
    url: str
    page: str
    folder: Path
    commits: int
    people: int

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: f"{size[0]}")
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    chromium()
    commits, everyone = request.param
    folder = tmp_path_factory.mktemp("browser")
    (folder / "repositories" / "o").mkdir(parents=True)
    repository = folder / "repositories" / "o" / "big.git"
    synthetic.build(repository, commits, everyone, everybody=True, who=who, pace=2 * SECONDS // commits)
    settings = {"PODIUM_DISK_RESERVE_BYTES": "1M", "PODIUM_SUBMISSIONS_PER_MINUTE": "0"}
    with serve_repositories(folder / "repositories") as host:
        settings["PODIUM_GIT_HOSTS"] = host.url
        with serving(Podium(folder / "data"), settings) as server:
            name = host.url.removeprefix("http://")
            yield Served(server, f"{host.url}/o/big.git", f"/r/{name}/o/big", repository, commits, everyone)


@pytest.fixture(scope="module")
def counted(served: Served) -> Served:
    """The same, once its board is complete."""
    served.server.submit(served.url)
    assert served.server.wait_for(served.url, "completed", "failed")["state"] == "completed"
    return served


def shortlog(served: Served, *options: str) -> dict[str, int]:
    """git's own count by e-mail."""
    done = subprocess.run(
        ["git", "-C", str(served.folder), "shortlog", "-se", *options, "HEAD"],
        env=clean_environment(),
        capture_output=True,
        check=True,
    )
    lines = (line.split("\t") for line in done.stdout.decode(errors="replace").splitlines())
    return {who.rpartition("<")[2].rstrip(">").lower(): int(count) for count, who in lines}


def top_count(page: Page) -> int:
    return int(page.locator("#rows a.why").first.inner_text().replace(",", ""))


def people(page: Page) -> int:
    return int(page.locator("#figures b").first.inner_text().replace(",", ""))


def open_chip(page: Page, name: str) -> None:
    """Open the controls behind the chip "window", "rules" or "revision"."""
    if page.locator(f"#{name}-chip").get_attribute("open") is None:
        page.locator(f"#{name}-chip > summary").click()


# From the address to the board


def test_submitted_with_the_keyboard_it_fills_by_events(served: Served, chrome: Browser) -> None:
    with watched(chrome, served.base) as window:
        page = window.page("/")
        page.get_by_label("Repository address").fill(served.url)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{served.page}")
        # The board appears without a reload.
        expect(page.locator("#rows tr[data-row]")).to_have_count(50)
        expect(page.locator("#status .state")).to_have_text("Done")
        assert people(page) > served.people * 4 // 5
        assert any("/events/" in url for url in window.asked)
        assert len([url for url in window.asked if url == served.base + served.page]) >= 1
        home = window.page("/")
        assert home.locator(".boards li").inner_text().count(f"{served.commits:,} commits") == 1


def test_the_board_is_there_without_javascript(counted: Served, chrome: Browser) -> None:
    with watched(chrome, counted.base, java_script_enabled=False) as window:
        page = window.page(counted.page)
        expect(page.locator("#rows tr[data-row]")).to_have_count(50)
        assert top_count(page) == max(shortlog(counted, "--no-merges").values())
        open_chip(page, "rules")
        page.get_by_label("Merges").check()
        page.get_by_role("button", name="Apply").click()
        expect(page.locator("#rules-name")).to_have_text("merges · no bots")
        assert "merges=include" in page.url
        assert top_count(page) == max(shortlog(counted).values())
        page.get_by_role("link", name="Next").click()
        assert page.locator("#rows [data-cell=rank]").first.inner_text() == "51"
        assert "merges=include" in page.url
        page.get_by_label("Find anyone").fill(f"person {counted.people // 2 + 34}")
        page.get_by_role("button", name="Find").click()
        match = page.locator(".matches a")
        rank = match.locator(".rank").inner_text()
        match.click()
        assert f"#{page.locator('tr:target [data-cell=rank]').inner_text()}" == rank
        page.locator("tr:target a.why").click()
        assert "@example.org" not in page.content()
        assert "hidden" in page.locator("tr.open .emails").inner_text()
        assert "@example.org" not in page.locator("tr.open").inner_text()
        open_chip(page, "window")
        page.get_by_role("link", name="12 months").click()
        assert "since=" in page.url
        expect(page.locator("#window-name")).to_have_text("Last 12 months")
        open_chip(page, "window")
        page.get_by_label("From").fill("2005-Q2")
        page.get_by_label("To", exact=True).fill("2005")
        page.get_by_role("button", name="Apply").click()
        expect(page.locator("#window-name")).to_have_text("2005-04-01 to 2005-12-31")
        assert "since=2005-04-01&until=2005-12-31" in (page.locator("#people .why").first.get_attribute("href") or "")


# Switches, windows, search


def test_switches_change_what_counts_and_stand_in_the_address(counted: Served, chrome: Browser) -> None:
    with watched(chrome, counted.base) as window:
        page = window.page(counted.page)
        assert top_count(page) == max(shortlog(counted, "--no-merges").values())
        open_chip(page, "rules")
        page.get_by_label("Merges").check()
        page.wait_for_url("**?merges=include")
        most = max(shortlog(counted).values())
        expect(page.locator("#rows a.why").first).to_have_text(f"{most:,}")
        page.get_by_label("Bots and AI").select_option("only")
        page.wait_for_url("**bots=only**")
        expect(page.locator("#rows .tag")).to_have_count(2)
        same = window.page(page.url.removeprefix(counted.base))
        assert same.locator("#people").inner_text() == page.locator("#people").inner_text()
        assert same.get_by_label("Merges").is_checked()
        page.go_back()
        page.go_back()
        expect(page.get_by_label("Merges")).not_to_be_checked()
        expect(page.locator("#rows .tag")).to_have_count(0)
        page.get_by_label("Co-authors").check()
        page.wait_for_url("**coAuthors=include")
        page.get_by_role("link", name="Reset to the default rules").click()
        page.wait_for_url(f"**{counted.page}")
        assert not page.get_by_label("Co-authors").is_checked()


def test_typed_dates_become_days_or_are_refused_in_place(counted: Served, chrome: Browser) -> None:
    with watched(chrome, counted.base) as window:
        page = window.page(counted.page)
        open_chip(page, "window")
        first, last = page.get_by_label("From"), page.get_by_label("To", exact=True)
        first.fill("2005-q1")
        page.keyboard.press("Tab")
        page.wait_for_url("**?since=2005-01-01")
        last.fill(" 2005-02 ")
        page.keyboard.press("Enter")
        page.wait_for_url("**?since=2005-01-01&until=2005-02-28")
        expect(last).to_have_value("2005-02-28")
        before = page.url
        last.fill("2005-02-30")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("not in the calendar")
        assert (last.get_attribute("aria-invalid"), first.get_attribute("aria-invalid")) == ("true", None)
        assert page.url == before
        page.get_by_role("button", name="Pick the last day").click()
        page.locator("[data-calendar-of=until] + .calendar").fill("2005-03-04")
        page.wait_for_url("**?since=2005-01-01&until=2005-03-04")
        expect(page.get_by_role("alert")).to_be_hidden()
        page.go_back()
        expect(last).to_have_value("2005-02-28")
        first.fill("last month")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("is after until 2005-02-28")
        expect(first).to_have_value("last month")
        # The console names each refused request.
        window.expected = ("status of 400",)


def test_the_brush_chooses_a_window_by_pointer_and_by_keyboard(counted: Served, chrome: Browser) -> None:
    with watched(chrome, counted.base) as window:
        page = window.page(counted.page)
        everybody = people(page)
        box = page.locator(".plot").bounding_box()
        assert box
        height = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["width"] * 0.5, height)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.6, height, steps=4)
        page.mouse.move(box["x"] + box["width"] * 0.75, height, steps=4)
        page.mouse.up()
        page.wait_for_url("**since=*until=*")
        expect(page.locator(".bounds strong")).to_have_count(2)
        assert people(page) < everybody
        expect(page.locator(".move").first).to_be_visible()
        since, until = page.get_by_label("From").input_value(), page.get_by_label("To", exact=True).input_value()
        assert f"since={since}&until={until}" in page.url
        first = page.get_by_role("slider", name="First period")
        first.focus()
        page.keyboard.press("ArrowLeft")
        page.wait_for_url(lambda url: f"since={since}" not in url)
        assert page.get_by_label("From").input_value() < since
        expect(page.get_by_role("slider", name="First period")).to_be_focused()
        page.keyboard.press("Home")
        page.wait_for_url(lambda url: "since=" not in url)
        open_chip(page, "window")
        page.get_by_label("From").fill("2005-03-02")
        page.keyboard.press("Enter")
        page.wait_for_url("**since=2005-03-02*")
        last = page.get_by_role("slider", name="Last period")
        last.focus()
        page.keyboard.press("ArrowLeft")
        # The handle that does not move stays on the day that was typed.
        page.wait_for_url(lambda url: "since=2005-03-02&until=" in url and f"until={until}" not in url)
        assert page.get_by_label("From").input_value() == "2005-03-02"
        open_chip(page, "window")
        for name in ("3 months", "12 months", "1 month", "All"):
            page.get_by_role("link", name=name, exact=True).click()
            expect(page.get_by_role("link", name=name, exact=True)).to_have_attribute("aria-current", "true")
        assert people(page) == everybody


def test_the_search_finds_people_with_their_rank_or_explains_why_not(counted: Served, chrome: Browser) -> None:
    with watched(chrome, counted.base) as window:
        page = window.page(counted.page)
        search = page.get_by_label("Find anyone")
        # Among the last to join, with an account.
        login = f"dev{counted.people - 9}"
        search.fill(login)
        match = page.locator(".matches a")
        expect(match).to_have_count(1)
        rank = match.locator(".rank").inner_text()
        assert int(rank.lstrip("#").replace(",", "")) > counted.people // 5
        page.wait_for_url(f"**?find={login}")
        search.press("ArrowDown")
        expect(match).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("tr:target")).to_be_in_viewport()
        assert f"#{page.locator('tr:target [data-cell=rank]').inner_text()}" == rank
        for text, words in (
            ("nobody@example.com", "No commit of this history has that e-mail"),
            ("49699333+dependabot[bot]@users.noreply.github.com", "This is a bot"),
            ("no such name", "No name or login here contains that"),
        ):
            page.get_by_label("Find anyone").fill(text)
            if "@" in text:
                expect(page.locator("#found")).to_contain_text("Press Enter")
                page.keyboard.press("Enter")
            expect(page.locator("#found")).to_contain_text(words)
        page.get_by_label("Find anyone").fill(f"p{counted.people // 2 + 34}@example.org")
        page.keyboard.press("Enter")
        expect(page.locator(".matches a")).to_have_count(1)


# Rows


def test_a_row_opens_to_explain_its_number_and_closes(counted: Served, chrome: Browser) -> None:
    with watched(chrome, counted.base) as window:
        page = window.page(counted.page)
        why = page.locator("#rows a.why").first
        count = why.inner_text()
        why.focus()
        page.keyboard.press("Enter")
        opened = page.locator("tr.open")
        expect(opened).to_contain_text(f"{count} commits count under these rules")
        expect(why).to_have_attribute("aria-expanded", "true")
        assert "@example.org" not in opened.inner_text()
        years = [int(cell.replace(",", "")) for cell in opened.locator(".years td:nth-child(2)").all_inner_texts()]
        assert sum(years) == int(count.replace(",", ""))
        page.keyboard.press("Enter")
        expect(opened).to_have_count(0)
        assert not re.search(r"\bp\d+@example\.org", page.content())
        account = page.locator("tr[data-row]", has=page.get_by_text("@dev1", exact=True)).locator("a.why")
        account.click()
        expect(opened).to_contain_text("The e-mail itself names the account.")


def test_rows_come_as_one_scrolls_and_stop_at_the_end(counted: Served, chrome: Browser) -> None:
    with watched(chrome, counted.base) as window:
        page = window.page(counted.page + "?since=2004-11-07&until=2005-06-30")
        total = people(page)
        assert total > 50
        rows = page.locator("#rows tr[data-row]")
        while (shown := rows.count()) < total:
            page.mouse.wheel(0, 20_000)
            expect(rows.nth(shown)).to_be_attached()
        ranks = [int(rank) for rank in page.locator("#rows [data-cell=rank]").all_inner_texts()]
        assert ranks == list(range(1, total + 1))
        expect(page.locator("#more a[rel=next]")).to_have_count(0)


def test_hostile_names_stay_text_and_keep_to_their_place(counted: Served, chrome: Browser) -> None:
    with watched(chrome, counted.base) as window:
        for width in (1280, 390):
            page = window.page(counted.page)
            page.set_viewport_size({"width": width, "height": 800})
            text = page.locator("#rows").inner_text()
            for name in ('"onmouseover="alert(1)" x="', "محمد", "&lt;script&gt;", "{{7*7}} {% raw %} ${7*7}", "李 雷"):
                assert name in text, name
            assert "\u202e" not in page.content()
            heights = page.locator("#rows tr[data-row]").evaluate_all("rows => rows.map(row => row.offsetHeight)")
            assert max(heights) < 170
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# Everyone


@pytest.mark.parametrize(
    ("scheme", "width"),
    [
        ("light", 1280),
        ("dark", 360),
        pytest.param("dark", 1280, marks=pytest.mark.long),
        pytest.param("light", 360, marks=pytest.mark.long),
    ],
)
def test_axe_finds_nothing(counted: Served, chrome: Browser, scheme: str, width: int) -> None:
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    with watched(chrome, counted.base, **options) as window:
        window.expected = ("status of 404",)
        page = window.page("/")
        assert violations(page) == []
        for path in ("/r/o/unknown-to-all", counted.page + "?since=2006-01-01&bots=include&find=person"):
            page.goto(counted.base + path)
            if "bots" in path:
                page.locator("#rows a.why").nth(1).click()
                page.locator("tr.open").wait_for()
            assert violations(page) == [], path


def test_the_whole_board_is_reached_by_keyboard(counted: Served, chrome: Browser) -> None:
    with watched(chrome, counted.base) as window:
        page = window.page(counted.page)
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        seen = []
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.matches('.rules summary')"):
                page.keyboard.press("Enter")
            seen.append(
                page.evaluate(
                    """(() => { const e = document.activeElement;
                    const box = e.getBoundingClientRect();
                    const style = getComputedStyle(e);
                    return [e.id || e.className || e.textContent.trim(), box.width > 0 && style.outlineStyle !== 'none']
                    })()"""
                )
            )
        names = [name for name, _ in seen]
        days, switches = ["since", "until"], ["merges", "coAuthors", "bots", "mailmap", "names"]
        wanted = ["All", *days, *switches, "compare", "handle", "find", "of", "why"]
        places = [names.index(name) for name in wanted]
        assert places == sorted(places)
        assert [name for name, visible in seen if not visible] == []


def test_nothing_is_wider_than_the_screen(counted: Served, chrome: Browser) -> None:
    with watched(chrome, counted.base) as window:
        for path in ("/", counted.page, counted.page + "?since=2006-01-01&until=2006-12-31&bots=include"):
            page = window.page(path)
            if path != "/":
                page.locator("#rows a.why").nth(3).click()
                page.locator("tr.open").wait_for()
            for width in (1280, 768, 390, 320):
                page.set_viewport_size({"width": width, "height": 800})
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)


def test_dark_is_dark_and_light_is_light(counted: Served, chrome: Browser) -> None:
    grounds = {}
    for scheme in ("light", "dark"):
        with watched(chrome, counted.base, color_scheme=scheme) as window:
            page = window.page(counted.page)
            grounds[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert grounds == {"light": "rgb(250, 249, 247)", "dark": "rgb(18, 20, 22)"}


def test_the_page_is_light_to_carry(counted: Served, chrome: Browser) -> None:
    with watched(chrome, counted.base) as window:
        page = window.page(counted.page)
        page.wait_for_load_state("networkidle")
        weights = page.evaluate(
            """performance.getEntries().filter(e => e.encodedBodySize && !e.name.includes('/avatars/'))
            .map(e => [e.name, e.encodedBodySize])"""
        )
        assert sum(weight for _, weight in weights) < 60_000, weights
