"""The pages of a person of a board, and of an account on all boards: addresses, content, what they never show."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from podium.accounts.sums import changed_sums, sum_steps
from podium.web.pages.people import people_routes
from podium.web.pages.people.person_page import rank_chart
from tests.support.web import Client, Site, is_problem, open_site

HTML = {"accept": "text/html"}
PAGE = "/r/octo/hello/-/people/"


@pytest.fixture
def people(site: Site) -> list[str]:
    """Ada with an account, her second address, Bob without one, and a bot; the names of their pages."""
    number = site.repository()
    bob = site.person(number, "Bob", "bob@example.com", 3)
    ada = site.person(number, "Ada Lovelace", "ada@example.com", 5, merge_count=2, roles=[(bob, 0)])
    other = site.person(number, "Ada Lovelace", "ada@elsewhere.com", 1)
    bot = site.person(number, "Robot", "49699333+dependabot[bot]@users.noreply.github.com", 9, kind="bot")
    site.account("ada@example.com", "AdaL", name="Ada Lovelace")
    return [f"~{bob}", f"~{ada}", f"~{other}", f"~{bot}"]


def test_the_page_has_everything_about_a_row(client: Client, people: list[str]) -> None:
    page = client.get(PAGE + "AdaL")
    assert page.status_code == 200
    text = page.text
    assert "<h1><bdi>Ada Lovelace</bdi></h1>" in text
    assert 'href="https://github.com/AdaL"' in text
    for words in ("rank <strong>1</strong> of 2", "<dd>6</dd>", "66.7 %", "2024", "joined by name", "GitHub says so"):
        assert words in text, words
    assert 'href="/r/octo/hello#p' in text
    assert f'rel="next" href="{PAGE}{people[0]}"' in text
    assert f'<link rel="canonical" href="{PAGE}AdaL">' in text
    assert "commits/main?author=AdaL&amp;since=2024-01-01&amp;until=2024-12-31" in text
    assert 'href="/people/AdaL"' in text
    compare = f"/compare?repo=https%3A%2F%2Fgithub.com%2Focto%2Fhello&amp;person=AdaL&amp;person={people[0]}"
    assert f'href="{compare}"' in text
    assert "example.com" not in text and "elsewhere.com" not in text
    bob = client.get(PAGE + people[0]).text
    assert "Reviewed-by" in bob and f'rel="prev" href="{PAGE}AdaL"' in bob


def test_a_rank_that_never_changes_is_a_line_in_the_middle() -> None:
    chart = rank_chart([(2022, 2), (2023, 2)])
    assert chart and [(point["rank"], point["y"]) for point in chart["points"]] == [(2, 53.0), (2, 53.0)]


@pytest.mark.parametrize("rules", ["", "?bots=include&since=2024-01-01", "?merges=include"])
def test_each_name_of_a_row_leads_to_one_page_under_the_same_rules(
    client: Client, people: list[str], rules: str
) -> None:
    for name in ("adal", "ADAL", "@AdaL", "AdaL/", people[1], people[2]):
        for _ in range(2):
            answer = client.get(f"{PAGE}{name}{rules}")
            assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}AdaL{rules}"), name
    assert client.get(f"{PAGE}AdaL{rules}").status_code == 200
    apart = client.get(f"{PAGE}{people[2]}?names=apart")
    assert (apart.status_code, "<dd>1</dd>" in apart.text) == (200, True)


def test_a_bot_has_a_page_whether_it_is_ranked_or_not(client: Client, people: list[str]) -> None:
    page = client.get(PAGE + people[3], follow_redirects=True).text
    assert "Not on this board. This is a bot" in page and "<dd>9</dd>" in page
    # A dead end has a way out.
    assert re.search(r'href="[^"]*bots=include">Show them ranked', page)
    ranked = client.get(f"{PAGE}{people[3]}?bots=include", follow_redirects=True).text
    assert "rank <strong>1</strong> of 3" in ranked and "Not on this board" not in ranked


@pytest.mark.usefixtures("people")
def test_an_unknown_person_and_an_unknown_board_say_what_to_do(client: Client) -> None:
    for name in ("unknown", "~999", "~x", "bob@example.com", "%00", "a%20b", "~1/2", "x" * 3000):
        page = client.get(f"{PAGE}{name}?merges=include", headers=HTML)
        assert page.status_code == 404, name
        assert 'action="/r/octo/hello"' in page.text, name
    page = client.get("/r/octo/missing/-/people/ada")
    assert page.status_code == 404 and "has not been submitted here" in page.text
    assert client.get("/r/-/people/ada", headers=HTML).status_code == 404
    assert client.get("/r/example.org/-/people/ada", headers=HTML).status_code == 404
    assert client.get(f"{PAGE}AdaL?since=2024-02&until=2024-01", headers=HTML).status_code == 400


def test_a_board_that_is_not_counted_yet_and_the_list_of_people_are_the_board(site: Site, client: Client) -> None:
    site.repository("octo/waits", "pending")
    answer = client.get("/r/octo/waits/-/people/ada?merges=include")
    assert (answer.status_code, answer.headers["location"]) == (303, "/r/octo/waits?merges=include")
    answer = client.get("/r/octo/waits/-/people?merges=include")
    assert (answer.status_code, answer.headers["location"]) == (303, "/r/octo/waits?merges=include")


def test_people_of_other_hosts_and_of_branches_have_pages(tmp_path: Path) -> None:
    with open_site(tmp_path, git_hosts=("https://git.example.org",)) as site:
        client = site.client()
        for address, page in (
            ("https://git.example.org/a/b/people.git", "/r/git.example.org/a/b/people"),
            ("https://git.example.org/people", "/r/git.example.org/-/people"),
            ("https://git.example.org/a%20b/c%25", "/r/git.example.org/a%2520b/c%2525"),
        ):
            number = site.repository(address)
            ada = site.person(number, "Ada", "ada@example.com", 2)
            found = client.get(f"{page}/-/people/~{ada}")
            assert (found.status_code, "<dd>2</dd>" in found.text) == (200, True), page
            assert f'href="{page}/-/people/~{ada}"' in client.get(page).text
            assert client.get(f"{page}/-/people").headers["location"] == page
        number = site.repository("octo/hello", rev="v1.0")
        ada = site.person(number, "Ada", "ada@example.com", 1)
        found = client.get(f"{PAGE}~{ada}?rev=v1.0")
        assert found.status_code == 200 and 'href="/r/octo/hello?rev=v1.0#p' in found.text


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '" onload="alert(1)', "\u202egnp.exe", "محمد الخوارزمي", "x" * 5000, "", "\n"]
)
def test_hostile_names_stay_text(site: Site, client: Client, name: str) -> None:
    number = site.repository()
    ada = site.person(number, name, "ada@example.com", 1)
    page = client.get(f"{PAGE}~{ada}")
    assert page.status_code == 200
    assert "<script>alert" not in page.text and "\u202e" not in page.text and 'onload="alert' not in page.text
    assert len(page.text) < 20_000


def test_a_window_keeps_the_counts_of_the_whole_history_apart(site: Site, client: Client) -> None:
    ada = site.person(site.repository(), "Ada " * 20, "ada@example.com", 3)
    page = client.get(f"{PAGE}~{ada}?since=2024-05-02").text
    assert "These are the counts of the whole history: 3 commits are outside of the window." in page
    # The heading shows three lines of a long name, and nothing stands beside the years.
    assert f'<h1 title="{" ".join(["Ada"] * 20)}">' in page
    assert 'class="pair single"' in page and not re.search(r"<div>\s*</div>", page)


def test_readers_who_may_see_e_mails_get_hints(tmp_path: Path) -> None:
    with open_site(tmp_path, show_emails=True) as site:
        ada = site.person(site.repository(), "Ada", "ada@example.com", 1)
        assert "a…@example.com" in site.client().get(f"{PAGE}~{ada}").text


def test_the_administrators_page_is_not_kept_for_others(site: Site, client: Client) -> None:
    ada = site.person(site.repository(), "Ada", "ada@example.com", 1)
    assert "a…@example.com" in site.administrator().get(f"{PAGE}~{ada}").text
    assert "example.com" not in client.get(f"{PAGE}~{ada}").text


def test_a_page_that_is_ready_is_the_same_and_not_sent_twice(site: Site, client: Client, people: list[str]) -> None:
    first, second = client.get(PAGE + "AdaL"), client.get(PAGE + "AdaL")
    assert first.content == second.content and dict(first.headers) == dict(second.headers)
    same = {"if-none-match": first.headers["etag"]}
    assert client.get(PAGE + "AdaL", headers=same).status_code == 304
    assert client.get(PAGE + people[1], headers={"if-none-match": "*"}).status_code == 303
    site.person(1, "Cy", "cy@example.com", 1)
    assert "of 3" in client.get(PAGE + "AdaL", headers=same).text


def test_the_api_has_the_same_person(client: Client, people: list[str]) -> None:
    for name in ("AdaL", "adal", people[2]):
        found = client.get("/leaderboard/person", params={"repoUrl": "octo/hello", "person": name}).json()
        assert (found["row"]["person"], found["row"]["commitCount"], found["row"]["email"]) == ("AdaL", 6, None)
        assert found["next"]["person"] == people[0]
    missing = client.get("/leaderboard/person?repoUrl=octo/hello&person=bob@example.com")
    assert is_problem(missing, 404, "GET /leaderboard/find")
    assert is_problem(client.get("/leaderboard/person?repoUrl=octo/hello"), 400, "person is missing")


# --- an account on all boards


def add_up(site: Site, *boards: int) -> None:
    """Write the sums of each contributor, as the user worker does."""
    for number in boards:
        with site.db.write() as session:
            for step in sum_steps(number, changed_sums(session, number, "github.com")):
                step(session)


@pytest.fixture
def boards(site: Site) -> list[int]:
    """Ada is second of two in octo/hello, and first in octo/other; a tag has the same commits again."""
    hello, tag, other = site.repository(), site.repository(rev="v1.0"), site.repository("octo/other")
    site.person(hello, "Bob", "bob@example.com", 9)
    for number in (hello, tag):
        site.person(number, "Ada", "ada@example.com", 5, merge_count=2)
    site.person(other, "Ada", "ada@example.com", 3)
    # The mailmap gives her commits of an e-mail that no account has.
    mapped: dict[str, Any] = {
        "mailmap_email": "ada@example.com",
        "mailmap_identity": "ada@example.com",
        "mailmap_source": "repository",
    }
    site.person(other, "Ada", "a@old.example.com", 1, **mapped)
    site.account("ada@example.com", "AdaL", name="Ada Lovelace")
    add_up(site, hello, tag, other)
    return [hello, tag, other]


@pytest.mark.usefixtures("boards")
def test_an_account_has_a_row_of_each_repository(client: Client) -> None:
    page = client.get("/people/AdaL")
    assert page.status_code == 200
    assert "<h1><bdi>Ada Lovelace</bdi></h1>" in page.text and 'href="https://github.com/AdaL"' in page.text
    assert '<meta property="og:title" content="Ada Lovelace on all boards">' in page.text
    assert '<meta name="description" content="Ada Lovelace made 9 commits on 2 boards of this server.">' in page.text
    figures = re.findall(r"<dd[^>]*>([^<]*)</dd>", page.text)
    # Two boards, not three; the commits are those that the boards show.
    assert figures == ["2", "9", "2", "2024-05-01", "2024-05-01"]
    assert 'href="/r/octo/hello/-/people/AdaL"' in page.text and 'href="/r/octo/other/-/people/AdaL"' in page.text
    assert "rev=v1.0" not in page.text and "example.com" not in page.text
    assert client.get("/people/AdaL", headers={"if-none-match": page.headers["etag"]}).status_code == 304


@pytest.mark.usefixtures("boards")
def test_an_account_has_one_address(client: Client) -> None:
    for path in (
        "/people/adal",
        "/people/@ADAL",
        "/people/AdaL/",
        "/people/github.com/adal",
        "/people/GitHub.com/AdaL",
    ):
        answer = client.get(path + "?offset=0")
        assert (answer.status_code, answer.headers["location"]) == (303, "/people/AdaL?offset=0"), path


@pytest.mark.parametrize(
    "path", ["unknown", "bob@example.com", "example.org/AdaL", "a/b/c/AdaL", "%00", "~1", "", "x" * 3000, "%ff"]
)
@pytest.mark.usefixtures("boards")
def test_an_unknown_account_says_what_to_do(client: Client, path: str) -> None:
    page = client.get(f"/people/{path}", headers=HTML)
    assert page.status_code == 404
    assert 'action="/submit"' in page.text and len(page.text) < 5_000


def test_a_tag_stands_for_a_repository_that_is_not_counted(site: Site, client: Client) -> None:
    number = site.repository(rev="v1.0")
    site.person(number, "Ada", "ada@example.com", 5)
    site.account("ada@example.com", "ada")
    add_up(site, number)
    assert 'href="/r/octo/hello/-/people/ada?rev=v1.0"' in client.get("/people/ada").text


def test_boards_of_an_account_are_read_in_pages_that_people_bound(
    site: Site, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people_routes, "EMAILS", 5)
    site.account("ada@example.com", "ada")
    for place, emails in enumerate([2, 2, 9, 1, 1]):
        number = site.repository(f"octo/r{place}", unique_contributors=emails)
        site.person(number, "Ada", "ada@example.com", 10 - place)
        add_up(site, number)
    found = [
        re.findall(r"people/ada\"><bdi>octo/<wbr>(r\d)", client.get(f"/people/ada?offset={n}").text) for n in range(6)
    ]
    assert found == [["r0", "r1"], ["r0", "r1"], ["r2"], ["r3", "r4"], ["r3", "r4"], ["r3", "r4"]]
    middle = client.get("/people/ada?offset=2").text
    assert 'rel="prev" href="/people/ada"' in middle and 'rel="next" href="/people/ada?offset=3"' in middle
    assert "<dd>5</dd>" in middle and "<dd>40</dd>" in middle and "own e-mails" in middle


def test_a_bot_has_an_account_page(site: Site, client: Client) -> None:
    number = site.repository()
    email = "49699333+dependabot[bot]@users.noreply.github.com"
    site.person(number, "Robot", email, 9, kind="bot")
    site.account(email, "dependabot[bot]", is_bot=True, profile_url=None)
    add_up(site, number)
    page = client.get("/people/dependabot[bot]")
    assert page.status_code == 200 and "not ranked" in page.text and "https://github.com/apps/dependabot" in page.text
    assert 'href="/r/octo/hello/-/people/dependabot[bot]"' in page.text
