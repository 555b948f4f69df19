"""The home page: the form, finished boards, and the search among all boards, on the page and in the API."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from podium.blocks import block_list
from podium.blocks.block_list import BlockKind
from podium.repositories.listing import selection
from podium.repositories.store.readers import selection as selections
from podium.storage.session import Database
from tests.support.plans import Explained
from tests.support.web import NOW, Client, Open, Site, is_problem, open_site

HTML = {"accept": "text/html"}


@pytest.fixture
def site(db: Database, tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path, db) as opened:
        yield opened


def listed(page: str) -> list[str]:
    """The paths of the boards in the list, in order."""
    return re.findall(r'<wbr><a href="(/r/[^"]*)"', page)


def found(client: Client, text: str, **parameters: str) -> list[str]:
    answer = client.get("/repositories", params={"search": text, **parameters})
    names = [row["url"].removeprefix("https://") for row in answer.json()]
    assert answer.headers["x-total-count"] == str(len(names))
    return names


def test_home_says_what_podium_is_and_has_the_field_with_focus(site: Site, client: Client) -> None:
    page = client.get("/").text
    assert "ranks the people who made its commits" in page
    assert re.search(r'<input id="repoUrl"[^>]* autofocus>', page)
    assert "No board yet" in page
    # A reader of the list is not moved to the field.
    assert "autofocus" not in client.get("/?search=x").text


@pytest.mark.parametrize("form", ["/submit", "/retry"])
def test_the_address_of_a_form_leads_to_the_form(client: Client, form: str) -> None:
    answer = client.get(form, headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_button_that_others_pressed_first_leads_to_the_board(site: Site, client: Client) -> None:
    site.repository()
    answer = client.post("/retry", data={"repoUrl": "octo/hello"}, headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (303, "/r/octo/hello")
    assert client.post("/retry", data={"repoUrl": "octo/nothing"}, headers=HTML).status_code == 404


def test_a_client_that_submits_too_much_finds_the_board_again(open_with: Open) -> None:
    site = open_with(submissions_per_minute=1)
    site.repository()
    client = site.client()
    assert client.post("/submit", data={"repoUrl": "octo/hello"}, headers=HTML).status_code == 303
    for form in ("/submit", "/retry"):
        answer = client.post(form, data={"repoUrl": "octo/hello"}, headers=HTML)
        assert answer.status_code == 429 and "retry-after" in answer.headers
        assert 'href="/r/octo/hello">Back to ' in answer.text


def test_the_form_says_what_is_blocked_or_taken(site: Site, client: Client) -> None:
    # PostgreSQL counts its own ids, from 1 on.
    site.repository(id=1_000, name_taken_at=NOW)
    with site.db.write() as session:
        block_list.add(session, BlockKind.OWNER, "github.com/evil")
    for address, rev, status in (("evil/one", "", 403), ("octo/hello", "v1", 409)):
        answer = client.post("/submit", data={"repoUrl": address, "rev": rev}, headers=HTML)
        assert answer.status_code == status
        assert f'value="{address}"' in answer.text and 'id="error"' in answer.text


def test_home_lists_people_and_no_failure_of_others(site: Site, client: Client) -> None:
    site.repository("vercel/next.js", total_commits=28_735, unique_contributors=4_012, people=3_650)
    site.repository("octo/new", total_commits=9, unique_contributors=4, created_at=1.0)
    site.repository("octo/broken", "failed", error="The repository does not exist.", created_at=4e9)
    page = client.get("/").text
    assert listed(page) == ["/r/vercel/next.js", "/r/octo/new"]
    assert "3,650 people · 28,735 commits" in page
    assert "4,012" not in page
    assert "e-mail" not in page
    assert 'href="/r/octo"><bdi>octo</bdi></a>' in page
    assert "octo/broken" not in page
    failed = client.get("/?state=failed").text
    assert listed(failed) == ["/r/octo/broken"]
    assert "The repository does not exist." in failed
    assert listed(client.get("/?state=working").text) == []
    assert client.get("/?state=odd", headers=HTML).status_code == 400


def test_a_list_is_read_in_pages(site: Site, client: Client) -> None:
    for number in range(60):
        site.repository(f"octo/r{number:02}", created_at=float(number), people=1)
    first, second = client.get("/").text, client.get("/?offset=50").text
    assert (len(listed(first)), len(listed(second))) == (50, 10)
    assert 'rel="next" href="/?offset=50"' in first
    assert 'rel="prev" href="/"' in second
    assert listed(second)[-1] == "/r/octo/r00"
    assert 'rel="next" href="/?search=r&amp;offset=50"' in client.get("/?search=r").text
    assert client.get("/?offset=-1", headers=HTML).status_code == 400
    assert "no more" in client.get("/?offset=5000").text


def test_three_finished_boards_have_faces_and_a_curve(
    site: Site, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("podium.web.pages.board_cards._PATIENCE", 60.0)
    for name, people in (("one", 1), ("two", 2), ("many", 4), ("three", 3)):
        number = site.repository(f"octo/{name}", unique_contributors=people)
        for person in range(people):
            site.person(number, f"Person {person} of {name}", f"p{person}@example.org", 9 - person)
    site.repository("octo/empty", unique_contributors=0)
    site.repository("octo/bots", unique_contributors=9, people=0)
    page = client.get("/").text
    cards = re.findall(r'<li class="card show">.*?<svg class="curve".*?</svg>', page, re.DOTALL)
    assert [re.findall(r'href="([^"]*)"', card)[0] for card in cards] == [
        "/r/octo/many",
        "/r/octo/three",
        "/r/octo/two",
    ]
    assert "4 people · 30 commits" in cards[0]
    assert re.findall(r'title="(Person \d)', cards[0]) == ["Person 0", "Person 1", "Person 2"]
    assert all(re.search(r'<path d="M[^"]+"', card) for card in cards)
    # A list that was asked for comes without them.
    assert "card show" not in client.get("/?state=done").text


def test_a_board_that_was_made_notes_its_people(site: Site, client: Client) -> None:
    number = site.repository("octo/hello", unique_contributors=3)
    site.person(number, "Ada Lovelace", "ada@example.org")
    site.person(number, "Ada Lovelace", "ada@example.com")
    site.person(number, "Grace Hopper", "grace@example.org")
    assert client.get("/repositories").json()[0]["people"] is None
    client.get("/r/octo/hello?bots=include")
    assert client.get("/repositories").json()[0]["people"] is None
    client.get("/leaderboard?repoUrl=octo/hello")
    deadline = time.monotonic() + 20
    while (people := client.get("/repositories").json()[0]["people"]) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert people == 2


def test_search_ignores_case_accents_and_escapes(site: Site, client: Client) -> None:
    for text in ("Rails/Rails", "rails/active_record", "octo/on-rails", "https://git.example/équipe/projet.git"):
        site.repository(text)
    site.repository("https://gitlab.example/group/%C3%89t%C3%A9")
    assert found(client, "RAILS") == [
        "github.com/Rails/Rails",
        "github.com/rails/active_record",
        "github.com/octo/on-rails",
    ]
    assert found(client, "ete") == found(client, "été") == ["gitlab.example/group/%C3%89t%C3%A9"]
    assert found(client, "EQUIPE") == ["git.example/équipe/projet.git"]
    # All words, two letters and less, and what LIKE would take for a wildcard.
    assert found(client, "rails record") == found(client, "e_r") == ["github.com/rails/active_record"]
    assert found(client, "%") == found(client, "a_l") == found(client, "!") == []
    assert len(found(client, "r")) == 5
    assert len(found(client, " ")) == 5
    # The host of an address elsewhere, but not the one that every title leaves out.
    assert found(client, "gitlab") == ["gitlab.example/group/%C3%89t%C3%A9"]
    assert found(client, "github") == []
    for address in ("https://github.com/rails/rails", "https://github.com/Rails/Rails.git", "github.com/rails/rails"):
        assert found(client, address) == ["github.com/Rails/Rails"]
    pages = (
        "https://github.com/rails/rails/issues?q=is%3Aopen",
        "git@github.com:rails/rails.git",
        "git://github.com/Rails/rails",
    )
    for address in pages:
        assert found(client, address) == ["github.com/Rails/Rails"], address
    for address in (
        "https://git.example/équipe/projet.git",
        "git@git.example:équipe/projet",
        "https://git.example/équ",
    ):
        assert found(client, address) == ["git.example/équipe/projet.git"], address
    assert found(client, "\0rails\n/\0") == found(client, "rails")
    assert found(client, "%00") == found(client, "a%00b") == []
    assert is_problem(client.get("/repositories", params={"search": "x" * 201}), 400)


def test_the_best_match_comes_first_and_failures_last(site: Site, client: Client) -> None:
    for number, (name, state) in enumerate(
        (
            ("git/gitk", "completed"),
            ("git/git", "completed"),
            ("x/git", "failed"),
            ("o/legit", "completed"),
            ("git/x", "pending"),
        )
    ):
        site.repository(name, state, created_at=float(number))
    names = ["git/git", "git/gitk", "git/x", "o/legit", "x/git"]
    assert found(client, "git") == [f"github.com/{name}" for name in names]
    assert found(client, "git", state="pending") == ["github.com/git/x"]
    page = client.get("/?search=git").text
    assert listed(page) == [f"/r/{name}" for name in names]
    assert "5 boards match “<bdi>git</bdi>”" in page
    assert 'content="noindex"' in page
    assert listed(client.get("/?search=git&state=failed").text) == ["/r/x/git"]
    nothing = client.get("/?search=%3Cb%3E").text
    assert "0 boards match “<bdi>&lt;b&gt;</bdi>”" in nothing
    assert "Podium makes its board." in nothing and "No board matches" not in nothing


def test_the_owners_with_the_most_boards_are_offered_as_filters(site: Site, client: Client) -> None:
    site.repository("octo/one")
    assert 'id="owners"' not in client.get("/").text
    for text in ("octopus/x", "https://gitlab.example/a/b/c", "Octo/two", "octo/three", "octopus/y"):
        site.repository(text)
    # Neither what failed nor a branch counts as a board of its owner.
    site.repository("broken/x", "failed")
    site.repository("octopus/x", rev="v1")
    site.repository("octopus/y", rev="v1")
    page = client.get("/?search=o&state=done&offset=50").text
    assert owners(page) == [
        ("/r/octo?search=o&amp;state=done", "octo"),
        ("/r/octopus?search=o&amp;state=done", "octopus"),
        ("/r/gitlab.example/a/b?search=o&amp;state=done", "gitlab.example/a/b"),
    ]
    page = client.get("/r/Octo?search=t&state=done").text
    assert owners(page)[0] == ("/?search=t&amp;state=done", "All owners")
    assert 'href="/r/octo?search=t&amp;state=done" aria-current="true"' in page
    assert len(listed(client.get("/r/octopus").text)) == 2


def owners(page: str) -> list[tuple[str, str]]:
    """Link and name of each owner in the menu, in order."""
    menu = page.partition('id="owners"')[2].partition("</details>")[0]
    return re.findall(r'<a href="([^"]*)"[^>]*>(?:<bdi>)?([^<]*)<', menu)


def test_the_api_filters_by_owner(site: Site, client: Client) -> None:
    for text in ("Octo/hello", "octopus/x", "https://gitlab.example/a/b/c", "https://gitlab.example/ab/d"):
        site.repository(text)
    site.repository("octo/hello", rev="v1")
    assert found(client, "", owner="octo") == found(client, "", owner="github.com/OCTO") == ["github.com/Octo/hello"]
    assert found(client, "", owner="gitlab.example/a") == found(client, "b", owner="gitlab.example/a/b/")
    assert len(found(client, "", owner="gitlab.example")) == 2
    assert found(client, "", owner="o_to") == found(client, "", owner="unknown") == []
    assert is_problem(client.get("/repositories", params={"owner": "a\0b"}), 400, "owner")


def test_a_search_reads_an_index_and_the_rows_of_one_page(sqlite: Database) -> None:
    with sqlite.write() as session:
        session.copy(
            "repository",
            ("key", "url", "host", "owner", "name", "search_text", "state", "created_at", "updated_at"),
            (
                (
                    f"github.com/o/r{n}",
                    f"https://github.com/o/r{n}",
                    "github.com",
                    "o",
                    f"r{n}",
                    f"o/r{n}",
                    "completed",
                    n,
                    n,
                )
                for n in range(10_000)
            ),
        )
    explained = Explained(sqlite)
    chosen = selection(text="r99", owner="", github_url="https://github.com")
    with explained.read() as session:
        assert len(selections.page(session, chosen, limit=50, offset=0)) == 50
        assert selections.count(session, chosen) == 111
        assert len(selections.page(session, selection(github_url="https://github.com"), limit=50, offset=0)) == 50
        of_owner = selection(owner="o", github_url="https://github.com")
        assert len(selections.page(session, of_owner, limit=50, offset=9_990)) == 10
        assert len(selections.owners(session, limit=12)) == 1
    found, total, newest, owned, owners = explained.statements
    for one in (found, total):
        assert any("COVERING INDEX ix_repository_read" in line for line in one.plan.lines), one.plan.lines
    assert any("key>? AND key<?" in line for line in owned.plan.lines), owned.plan.lines
    # Steps of SQLite's machine, in hundreds: a page of the newest does not read the others.
    assert newest.plan.work < 100 < found.plan.work < 10_000
    assert owners.plan.work < 500
