"""A renamed repository: every address with its old name leads to the present one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from podium.freshness.apply_answer import apply
from podium.freshness.host_answer import HostAnswer
from podium.repositories.address import parse_address
from podium.repositories.store import queries
from podium.repositories.store.freshness import names
from tests.support.web import Client, Site
from tests.web.test_hidden_boards import BOARD, HTML, OF_THE_BOARD, SECRET, hide, site  # noqa: F401 - a fixture

OLD, NEW = "octo/secret", "New/Name"


def answered(site: Site, number: int, name: str, host_number: str) -> None:  # noqa: F811
    with site.db.write() as session:
        found = queries.by_id(session, number)
        assert found is not None
        apply(session, found, HostAnswer(host_number, parse_address(name)))


@pytest.fixture
def renamed(site: Site) -> Site:  # noqa: F811
    answered(site, 1, NEW, "7")
    return site


def test_each_route_redirects_from_the_old_name_and_shows_the_board_under_the_new(
    renamed: Site, client: Client
) -> None:
    urls = [url for some in OF_THE_BOARD.values() for url in some if OLD in url]
    assert len(urls) > 15
    for url in urls:
        answer = client.get(url, headers=HTML)
        assert answer.status_code == 301, url
        location = answer.headers["location"]
        assert location.replace("%3A", ":").replace("%2F", "/") == url.replace(OLD, NEW), url
        assert client.get(location, headers=HTML).status_code in (200, 303), location
    assert client.get(f"{BOARD}/").headers["location"] == f"/r/{NEW}"
    for number in (1, 2):
        assert client.get(f"/status/{number}").status_code == 200
        assert client.get(f"/repositories/{number}").json()["url"] == f"https://github.com/{NEW}"
    compared = client.get(f"/compare?repo={SECRET}&repo=https://github.com/octo/hello", headers=HTML)
    assert compared.status_code == 200 and NEW in compared.text
    assert client.get("/r/octo/secret/badge.svg").headers["cache-control"] == "max-age=300"


def test_a_ready_answer_is_not_given_under_the_old_name(site: Site, client: Client) -> None:  # noqa: F811
    urls = [BOARD, f"/leaderboard?repoUrl={SECRET}"]
    assert [client.get(url).status_code for url in urls * 2] == [200] * 4
    answered(site, 1, NEW, "7")
    assert [client.get(url).status_code for url in urls] == [301, 301]


def test_a_submission_answers_the_present_repository(renamed: Site, client: Client) -> None:
    answer = client.post(f"/leaderboard?repoUrl={SECRET}")
    assert (answer.json()["id"], answer.json()["url"]) == (1, f"https://github.com/{NEW}")
    branch = client.post(f"/leaderboard?repoUrl={SECRET}&rev=other").json()
    assert (branch["url"], branch["revision"]) == (f"https://github.com/{NEW}", "other")
    page = client.post("/submit", content=f"repoUrl={SECRET}", headers={"Origin": "http://localhost:3000"})
    assert (page.status_code, urlsplit(page.headers["location"]).path) == (303, f"/r/{NEW}")
    search = client.post(BOARD, content="find=ada", headers={"Origin": "http://localhost:3000"})
    assert (search.status_code, search.headers["location"]) == (308, f"/r/{NEW}")


def test_a_hidden_board_has_no_former_name_either(renamed: Site, client: Client) -> None:
    hide(renamed)
    for url in (BOARD, f"{BOARD}/badge.svg", f"/leaderboard?repoUrl={SECRET}", f"/r/{NEW}"):
        assert client.get(url, headers=HTML).status_code == 404, url


def test_the_id_of_a_joined_row_leads_to_the_one_that_stays(site: Site, client: Client) -> None:  # noqa: F811
    twin = site.repository("octo/twin", "pending")
    answered(site, 1, OLD, "7")
    answered(site, twin, OLD, "7")
    answer = client.get(f"/repositories/{twin}")
    assert (answer.status_code, answer.headers["location"]) == (301, "1")
    change = {"refreshEvery": 3600}
    answer = site.administrator().request("PATCH", f"/repositories/{twin}", json=change)
    assert (answer.status_code, answer.headers["location"]) == (308, "1")
    assert site.administrator().request("PATCH", "/repositories/1", json=change).json()["refreshEvery"] == 3600
    assert client.get(f"/status/{twin}").status_code == 200
    assert client.get("/r/octo/twin").headers["location"] == BOARD


def test_a_taken_name_is_said_in_the_api_and_on_the_page_and_not_counted(site: Site, client: Client) -> None:  # noqa: F811
    assert "Another repository took the name" not in client.get(BOARD).text
    with site.db.write() as session:
        names.note_number(session, "github.com/octo/secret", "7")
    answered(site, 1, OLD, "8")
    page = client.get(BOARD)
    assert page.status_code == 200 and "Another repository took the name" in page.text
    answer: Any = client.post(f"/leaderboard?repoUrl={SECRET}").json()
    assert answer["nameTakenAt"] and answer["state"] == "completed" and not answer["refreshing"]
    assert client.post(f"/leaderboard?repoUrl={SECRET}&rev=new").status_code == 409
    assert client.post(f"/repositories/retry?repoUrl={SECRET}").status_code == 409
    assert not site.queues.enqueued
