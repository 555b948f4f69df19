"""Pages without rows, and without a board: each says why, and has a link or a form that leads on."""

from __future__ import annotations

import html
import re

import pytest

from tests.support.web import NOW, Client, Site

HTML = {"accept": "text/html"}
BOT = "49699333+dependabot[bot]@users.noreply.github.com"


def rows(page: str) -> list[str]:
    return re.findall(r'<tr id="(p\d+)"', page)


def way_out(page: str) -> tuple[str, str]:
    """The words and the address of the link after the reason."""
    [(href, words)] = re.findall(r'<p class="empty">.*?<a data-in-page href="([^"]*)">([^<]*)</a>', page)
    return words, html.unescape(href)


# Boards without rows


@pytest.mark.parametrize(
    ("person", "query", "reason", "words", "leads_to"),
    [
        (("Bot", BOT, 5, 0), "", "All 5 commits are by bots.", "Show them.", "bots=only"),
        (("Bot", BOT, 1, 0), "", "The only commit is by a bot.", "Show it.", "bots=only"),
        (("Claude", "noreply@anthropic.com", 2, 0), "", "All 2 commits are by AI agents.", "Show them.", "bots=only"),
        (("Ada", "a@example.com", 0, 3), "", "All 3 commits are merges.", "Show them.", "merges=include"),
        (("Ada", "a@example.com", 3, 0), "bots=only", "No bot or AI agent is among", "Show people.", ""),
        (("Ada", "a@example.com", 3, 0), "since=1990&until=1991", "No commit has its author", "Show all time.", ""),
        (
            ("Ada", "a@example.com", 3, 0),
            "since=1990&until=1991&merges=include",
            "",
            "Show all time.",
            "merges=include",
        ),
        (
            ("Ada", "a@example.com", 3, 0),
            "people=left&sort=name",
            "No one on this board",
            "Show everyone.",
            "sort=name",
        ),
    ],
)
def test_a_board_without_rows_leads_on(
    site: Site, client: Client, person: tuple[str, str, int, int], query: str, reason: str, words: str, leads_to: str
) -> None:
    name, email, commits, merges = person
    site.person(site.repository(), name, email, commits, merge_count=merges)
    page = client.get(f"/r/octo/hello?{query}").text
    assert rows(page) == [] and reason in page
    assert way_out(page) == (words, "/r/octo/hello" + (f"?{leads_to}" if leads_to else ""))
    assert len(rows(client.get(way_out(page)[1]).text)) == 1


def test_a_window_without_new_people_leads_to_everyone_in_it(site: Site, client: Client) -> None:
    number = site.repository()
    site.person(number, "Ada Lovelace", "old@example.com", 1, when=NOW - 40 * 86_400)
    site.person(number, "Ada Lovelace", "ada@example.com", 2)
    page = client.get("/r/octo/hello?since=2024-04-20&new=only").text
    assert "by people who are not new" in page
    assert way_out(page) == ("Show them.", "/r/octo/hello?since=2024-04-20")
    assert len(rows(client.get(way_out(page)[1]).text)) == 1


def test_what_several_rules_leave_out_is_shown_at_once(site: Site, client: Client) -> None:
    number = site.repository()
    site.person(number, "Bot", BOT, 2)
    site.person(number, "Ada", "ada@example.com", 0, merge_count=1)
    words, href = way_out(client.get("/r/octo/hello").text)
    assert (words, href) == ("Show them.", "/r/octo/hello?merges=include&bots=include")
    assert len(rows(client.get(href).text)) == 2


@pytest.mark.parametrize(
    ("find", "query", "words", "leads_to"),
    [
        ("dependabot", "", "Rank bots and AI agents.", "find=dependabot&bots=include"),
        ("Ada", "bots=only", "Rank people.", "find=Ada"),
        ("Ada", "since=1990&until=1991", "Show all time.", "find=Ada"),
        ("Merger", "", "Rank merges.", "find=Merger&merges=include"),
        ("Helper", "", "Rank co-authors.", "find=Helper&coAuthors=include"),
        ("no such name", "merges=include", "Close the search.", "merges=include"),
    ],
)
def test_a_search_without_a_match_leads_on(
    site: Site, client: Client, find: str, query: str, words: str, leads_to: str
) -> None:
    number = site.repository()
    helper = site.person(number, "Helper", "helper@example.com", 0)
    site.person(number, "dependabot[bot]", BOT, 2)
    site.person(number, "Merger", "merger@example.com", 0, merge_count=1)
    site.person(number, "Ada", "ada@example.com", 2, co_authors=[helper])
    page = client.get(f"/r/octo/hello?{query}&find={find}").text
    [(href, found)] = re.findall(r'Not on this board\.</strong>[^<]*<a data-[\w-]+ href="([^"]*)">([^<]*)<', page)
    assert (found, html.unescape(href)) == (words, f"/r/octo/hello?{leads_to}")
    if words != "Close the search.":
        assert 'class="matches"' in client.get(html.unescape(href)).text


def test_a_link_repeats_no_e_mail(site: Site, client: Client) -> None:
    site.person(site.repository(), "Bot", BOT, 2)
    page = client.post("/r/octo/hello", data={"find": BOT}).text
    assert 'href="/r/octo/hello?bots=include">Rank bots and AI agents.' in page


# Pages without a board


def test_an_empty_repository_is_no_failure(site: Site, client: Client) -> None:
    site.repository("octo/new", "failed", error="The repository has no commits yet.", error_code="empty")
    page = client.get("/r/octo/new").text
    assert "This repository has no commits yet." in page and "https://github.com/octo/new" in page
    assert "Look again" in page and 'action="/retry"' in page and "data-ago" in page
    assert 'class="error"' not in page and "Failed" not in page
    for path in ("/?search=octo", "/r/octo?state=failed"):
        assert '<span class="state empty">No commits yet</span>' in client.get(path).text
    assert "no commits yet" in client.get("/r/octo/new/badge.svg").text
    assert "This repository has no commits yet." in client.get("/r/octo/new/card.svg").text
    assert client.get("/r/octo/new/preview.png").status_code == 200
    assert client.get("/repositories?search=octo").json()[0]["state"] == "failed"


def test_a_failed_page_has_the_form_to_correct_the_address(site: Site, client: Client) -> None:
    site.repository("octo/helo", "failed", error="It is gone.", error_code="gone")
    page = client.get("/r/octo/helo").text
    assert 'id="repoUrl" name="repoUrl" type="text" value="https://github.com/octo/helo"' in page
    assert 'action="/submit"' in page and 'action="/retry"' in page


@pytest.mark.parametrize(
    "path", ["/nothing", "/r/-/x", "/r/octo/unknown", "/r/unknown", "/r/octo/unknown/-/people/ada", "/people/unknown"]
)
def test_a_page_that_is_not_found_has_the_form(client: Client, path: str) -> None:
    page = client.get(path, headers=HTML)
    assert page.status_code == 404
    assert page.text.count('name="repoUrl"') == 1


@pytest.mark.parametrize(
    ("query", "reason", "field"),
    [
        ("since=sometime&until=2024", "since: ", "since"),
        ("since=2024&until=%22%3E%3Cb%3E", "until: ", "until"),
        ("since=2024-05-01&until=2024-04-01", "The window ends before it starts", None),
        ("new=only", "new=only needs a window", None),
        ("bots=maybe", "bots cannot be", None),
        ("sort=luck", "sort cannot be", None),
    ],
)
def test_a_refused_rule_leaves_the_board_and_says_why_beside_the_field(
    site: Site, client: Client, query: str, reason: str, field: str | None
) -> None:
    site.person(site.repository(), "Ada", "ada@example.com")
    page = client.get(f"/r/octo/hello?{query}", headers=HTML)
    assert page.status_code == 400
    assert len(rows(page.text)) == 1 and "<b>" not in page.text.partition('id="refused"')[0][-3000:]
    assert re.search(r'<p class="error" id="refused" role="alert">' + re.escape(reason), page.text)
    assert re.findall(r'<input id="(\w+)"[^>]*aria-invalid', page.text) == ([field] if field else [])
    if "sometime" in query:
        assert 'value="sometime"' in page.text and 'value="2024"' in page.text
    assert client.get(f"/r/octo/hello?{query}").headers["content-type"] == "application/problem+json"
    assert client.get("/r/octo/hello", headers=HTML).status_code == 200


# URLs of repositories in place of a board's


@pytest.mark.parametrize(
    "path",
    ["octo/hello/tree/main", "octo/hello/issues/5", "https://github.com/octo/hello", "www.github.com/octo/hello"],
)
def test_a_repositorys_url_behind_r_leads_to_its_board(site: Site, client: Client, path: str) -> None:
    site.repository("octo/hello")
    answer = client.get(f"/r/{path}", headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (303, "/r/octo/hello")


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("octo/none/tree/main", "https://github.com/octo/none"),
        ("gitlab.com/group/none/-/issues", "https://gitlab.com/group/none"),
        ("git.example.org/-/none", "https://git.example.org/none"),
    ],
)
def test_a_repository_that_is_not_here_is_offered_by_its_own_url(client: Client, path: str, address: str) -> None:
    answer = client.get(f"/r/{path}", headers=HTML)
    assert (answer.status_code, f'value="{address}"' in answer.text) == (404, True)
