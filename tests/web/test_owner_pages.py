"""The lists of one owner's boards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from podium.web.pages import home_routes
from podium.web.read_budget import ReadBudget
from tests.support.web import Client, Site, open_site

HTML = {"accept": "text/html"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as opened:
        for text in ("Octo/hello", "octopus/x", "https://gitlab.example/a/b/c", "https://gitlab.example/a/d"):
            opened.repository(text, people=1, total_commits=3)
        opened.repository("octo/broken", "failed", error="It is gone.")
        opened.repository("https://gitlab.example/root", people=1)
        opened.repository("sad/broken", "failed", error="It is gone.")
        yield opened


def listed(client: Client, path: str) -> list[str]:
    answer = client.get(path, headers=HTML)
    assert answer.status_code == 200, answer.text
    return sorted(re.findall(r'<wbr><a href="(/r/[^"]*)"', answer.text))


def test_an_owner_at_github(client: Client) -> None:
    page = client.get("/r/octo").text
    assert "<h1><bdi>Octo</bdi></h1>" in page
    assert "<title>Boards of Octo · Podium</title>" in page
    assert "1 board of this owner" in page
    assert listed(client, "/r/octo") == listed(client, "/r/OCTO") == ["/r/Octo/hello"]
    assert listed(client, "/r/octo?state=failed") == ["/r/octo/broken"]
    assert listed(client, "/r/octo?search=x") == []
    for query in ("state=failed", "search=x"):
        assert "Boards of this owner" in client.get(f"/r/octo?{query}").text
    # All of them failed, and the page says where they are.
    assert 'href="/r/sad?state=failed">See what failed' in client.get("/r/sad").text


def test_an_owner_and_a_host_elsewhere(client: Client) -> None:
    assert listed(client, "/r/gitlab.example/a") == ["/r/gitlab.example/a/b/c", "/r/gitlab.example/a/d"]
    # No repository is there, but boards are below.
    assert listed(client, "/r/gitlab.example/a/b") == ["/r/gitlab.example/a/b/c"]
    assert len(listed(client, "/r/gitlab.example")) == 3
    assert listed(client, "/r/github.com/octo") == ["/r/Octo/hello"]
    assert "<h1><bdi>gitlab.example/a</bdi></h1>" in client.get("/r/gitlab.example/a").text


def test_filters_and_pages_of_an_owner_elsewhere(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home_routes, "REPOSITORIES", 1)
    for path in ("/r/gitlab.example/a", "/r/github.com/octo", "/r/gitlab.example"):
        page = client.get(path, headers=HTML).text
        first = listed(client, path)
        assert len(first) == 1
        assert (f'href="{path}?offset=1"' in page) == ("gitlab" in path)
        assert first != listed(client, f"{path}?offset=1")
    assert listed(client, "/r/gitlab.example/a?search=c") == ["/r/gitlab.example/a/b/c"]
    assert listed(client, "/r/github.com/octo?state=failed") == ["/r/octo/broken"]
    assert listed(client, "/r/gitlab.example/a?state=failed") == []
    assert client.get("/r/gitlab.example/a?state=x", headers=HTML).status_code == 400


def test_links_of_an_owner_whose_name_needs_escapes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home_routes, "REPOSITORIES", 1)
    with open_site(tmp_path) as site:
        for name in ("one", "two"):
            site.repository(f"https://git.example/équipe%20x/{name}")
        site.repository("octo/hello")
        client, path = site.client(), "/r/git.example/%C3%A9quipe%2520x"
        page = client.get(path, headers=HTML).text
        for attribute in ("action", 'rel="canonical" href'):
            assert f'{attribute}="{path}"' in page
        assert f'href="{path}" aria-current="true"' in page
        assert listed(client, f"{path}?search=one") == [f"{path}/one"]
        [second] = re.findall(r'rel="next" href="([^"]*)"', page)
        assert listed(client, second) == [f"{path}/one"]


def test_each_list_of_an_owner_is_paid_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    spent: list[float] = []
    monkeypatch.setattr(ReadBudget, "spend", lambda _, client, milliseconds: spent.append(milliseconds))
    paths = ("/r/octo", "/r/gitlab.example/a", "/r/github.com/octo", "/r/unheard.example/a/b")
    for number, path in enumerate(paths, 1):
        site.client().get(path, headers=HTML)
        assert len(spent) == number, path
    # No list is read for it.
    site.client().get("/r/unheard/board", headers=HTML)
    assert len(spent) == len(paths)


@pytest.mark.parametrize("query", ["", "?search=x", "?offset=50"])
@pytest.mark.parametrize("path", ["/r/unheard", "/r/unheard.example", "/r/unheard.example/a", "/r/unheard.example/a/b"])
def test_an_unknown_owner_is_not_found_and_offers_the_form(client: Client, path: str, query: str) -> None:
    page = client.get(path + query, headers=HTML)
    assert page.status_code == 404
    assert '<form class="submit"' in page.text


@pytest.mark.parametrize(
    "path", ["/r/%00", "/r/a%00.b/c", "/r/a%0Ab", "/r/%23", "/r/octo?offset=-1", "/r/octo?state=x"]
)
def test_odd_paths_and_queries_are_refused(client: Client, path: str) -> None:
    assert client.get(path, headers=HTML).status_code in (400, 404)
