"""Comparisons: the page and the JSON of `/compare`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from podium.errors import BadRule
from podium.timeutil import DAY
from podium.web.api import schemas
from podium.web.api.compare_query import CompareItem, CompareQuery
from tests.support.web import NOW, Client, Site, is_problem, open_site

HTML = {"accept": "text/html"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Two repositories that share one account."""
    with open_site(tmp_path) as site:
        one, two = site.repository("octo/one"), site.repository("octo/two")
        site.person(one, "Ada", "ada@example.com", 3, when=NOW - 2 * DAY)
        site.person(one, "Bob", "bob@example.com", 1, when=NOW - 500 * DAY)
        site.person(two, "Ada", "ada@example.org", 2, when=NOW - 40 * DAY, merge_count=1)
        site.account("ada@example.com", "ada-l")
        site.account("bob@example.com", "bob")
        with site.db.write() as session:
            session.run(
                """INSERT INTO known_email (host, email, contributor_id, source, known_at)
                SELECT host, 'ada@example.org', contributor_id, source, known_at FROM known_email
                WHERE email = 'ada@example.com'"""
            )
        yield site


def compared(client: Client, *pairs: tuple[str, str]) -> dict[str, Any]:
    answer = client.get(f"/compare?{urlencode(pairs)}")
    assert answer.status_code == 200, answer.text
    assert "Accept" in answer.headers.get_list("vary")
    document: dict[str, Any] = answer.json()
    schemas.Comparison.model_validate(document, strict=True)
    return document


def page(client: Client, *pairs: tuple[str, str]) -> str:
    answer = client.get(f"/compare?{urlencode(pairs)}", headers=HTML)
    assert answer.status_code == 200, answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    return answer.text


def table(html: str) -> dict[str, list[str]]:
    """The values of each row of the table."""
    rows = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', html.partition('class="compared"')[2], re.S)
    return {
        re.sub(r"<[^>]*>", "", words): re.findall(r'<td class="n">(.*?)</td>', values, re.S) for words, values in rows
    }


def test_two_people_of_one_name_are_told_apart(site: Site, client: Client) -> None:
    one = site.repository("octo/names")
    site.person(one, "Alex Kim", "alex@example.com", 3)
    site.person(one, "Alex Kim", "kim@example.com", 2)
    board = client.get("/leaderboard?repoUrl=octo/names&names=apart").json()
    first, second = (row["person"] for row in board["top_contributors"])
    html = page(client, ("repo", "octo/names"), ("names", "apart"), ("person", first), ("person", second))
    assert f"octo/names: Alex Kim ({first}), Alex Kim ({second}) compared" in html


def test_repositories_have_figures_weeks_and_shared_accounts(client: Client) -> None:
    document = compared(client, ("repo", "octo/one"), ("repo", "https://github.com/octo/two"))
    assert document["kind"] == "repositories"
    assert [each["figures"] for each in document["compared"]] == [
        {
            "commits": 4,
            "people": 2,
            "active": 1,
            "joined": 1,
            "left": 1,
            "newPeople": 1,
            "busFactor": 1,
            "firstCommit": "2022-12-18",
            "lastCommit": "2024-04-29",
        },
        {
            "commits": 2,
            "people": 1,
            "active": 1,
            "joined": 1,
            "left": 0,
            "newPeople": 1,
            "busFactor": 1,
            "firstCommit": "2024-03-22",
            "lastCommit": "2024-03-22",
        },
    ]
    assert document["compared"][1]["weeks"] == [{"week": "2024-03-17", "commits": 2}]
    assert document["sharedPeople"] == [[None, 1], [1, None]]
    rows = table(page(client, ("repo", "octo/one"), ("repo", "octo/two")))
    assert rows["Commits"] == ["4", "2"]
    assert rows["Shared with octo/one"] == ["—", "1"]


def test_rules_and_a_window_apply_to_all(client: Client) -> None:
    pairs = (("repo", "octo/one"), ("repo", "octo/two"), ("merges", "include"), ("since", "2024-01"))
    document = compared(client, *pairs)
    assert [each["figures"]["commits"] for each in document["compared"]] == [3, 3]
    assert {each["rules"]["since"] for each in document["compared"]} == {"2024-01-01"}
    html = page(client, *pairs)
    assert 'href="/r/octo/two?merges=include&amp;since=2024-01-01"' in html
    assert '<input type="hidden" name="merges" value="include">' in html


def test_windows_of_one_repository_are_on_one_axis(client: Client) -> None:
    pairs = (("repo", "octo/one"), ("window", "2022"), ("window", "2024-01..2024-04"))
    document = compared(client, *pairs)
    assert document["kind"] == "windows"
    assert [each["figures"]["commits"] for each in document["compared"]] == [1, 3]
    assert document["compared"][1]["rules"]["until"] == "2024-04-30"
    assert document["sharedPeople"] is None
    html = page(client, *pairs)
    assert table(html)["New people"] == ["1", "1"]
    # A heading breaks between its days, not within one.
    assert (
        '<span class="day">2022-01-01</span> <span class="day">to</span> <span class="day">2022-12-31</span></bdi>'
        in html
    )
    # The second window is drawn on the days of the first.
    assert re.search(r'data-edges="2022-', html)
    assert "2024" not in re.findall(r'data-edges="([^"]*)"', html)[0]


def test_people_of_one_board(client: Client) -> None:
    pairs = (("repo", "octo/one"), ("person", "ADA-L"), ("person", "bob"))
    document = compared(client, *pairs)
    assert document["kind"] == "people"
    assert [(each["person"]["rank"], each["person"]["commitCount"]) for each in document["compared"]] == [
        (1, 3),
        (2, 1),
    ]
    html = page(client, *pairs)
    assert table(html)["Share"] == ["75.0 %", "25.0 %"]
    assert 'href="/r/octo/one/-/people/ada-l"' in html
    assert is_problem(client.get("/compare?repo=octo/one&person=bob&person=unknown"), 404, "unknown")


def test_a_branch_has_a_board_of_its_own(site: Site, client: Client) -> None:
    branch = site.repository("octo/one", rev="v2")
    site.person(branch, "Ada", "ada@example.com", 7)
    document = compared(client, ("repo", "octo/one"), ("rev", ""), ("repo", "octo/one"), ("rev", "v2"))
    assert [each["repository"]["revision"] for each in document["compared"]] == [None, "v2"]
    assert [each["figures"]["commits"] for each in document["compared"]] == [4, 7]


def test_a_missing_repository_is_offered_and_an_unfinished_one_says_so(site: Site, client: Client) -> None:
    site.repository("octo/waiting", "pending")
    site.repository("octo/broken", "failed", error="The repository is empty.")
    pairs = [("repo", name) for name in ("octo/one", "octo/never", "octo/waiting", "octo/broken", "octo/two")]
    html = page(client, *pairs)
    assert '<input type="hidden" name="repoUrl" value="https://github.com/octo/never">' in html
    assert "Waiting" in html
    assert "The repository is empty." in html
    # The colors of the table are those of the chart.
    assert re.findall(r'class="key (series-\d)"', html.partition('class="compared"')[2]) == ["series-1", "series-2"]
    assert is_problem(client.get(f"/compare?{urlencode(pairs)}"), 404, "octo/never", "never submitted")
    unfinished = compared(client, ("repo", "octo/one"), ("repo", "octo/waiting"))
    assert unfinished["compared"][1]["figures"] is None
    assert unfinished["compared"][1]["state"] == "pending"
    assert unfinished["sharedPeople"] == [[None, None], [None, None]]


def test_an_empty_repository_did_not_fail(site: Site, client: Client) -> None:
    site.repository("octo/empty", "failed", error="It has no commits.", error_code="empty")
    html = page(client, ("repo", "octo/one"), ("repo", "octo/empty"))
    assert 'has no board yet: <span class="state empty">No commits yet</span></p>' in html


@pytest.mark.parametrize(
    ("query", "reason", "link"),
    [
        ("repo=octo/one&window=2001&window=2002", "in these windows. <a", "/compare?repo=octo%2Fone"),
        (
            "repo=octo/one&repo=octo/two&until=2002&bots=include",
            "in this window. <a",
            "/compare?repo=octo%2Fone&amp;repo=octo%2Ftwo&amp;bots=include",
        ),
        (
            "repo=octo/merges&repo=octo/none",
            "under these rules. <a",
            "/compare?repo=octo%2Fmerges&amp;repo=octo%2Fnone&amp;merges=include&amp;bots=include",
        ),
        ("repo=octo/merges&person=m", "under these rules. <a", None),
        ("repo=octo/none&merges=include&bots=include", "under these rules.</p>", None),
        ("repo=octo/one&repo=octo/none", "", None),
        ("repo=octo/never&repo=octo/unknown", "", None),
    ],
)
def test_zeros_have_a_reason_and_a_way_out(
    site: Site, client: Client, query: str, reason: str, link: str | None
) -> None:
    site.repository("octo/none")
    merges = site.repository("octo/merges")
    site.person(merges, "M", "m@example.com", 0, merge_count=2)
    site.account("m@example.com", "m")
    html = client.get(f"/compare?{query}", headers=HTML).text
    assert f"No commit is ranked {reason}" in html if reason else "No commit is ranked" not in html
    if link is not None:
        assert f'<a data-in-page href="{link}">' in html


def test_the_page_says_which_rules_are_in_force(client: Client) -> None:
    def terms(*pairs: tuple[str, str]) -> str:
        text = page(client, ("repo", "octo/one"), *pairs).partition('class="terms">')[2].partition("</p>")[0]
        return re.sub(r"<[^>]*>", "", text)

    assert terms() == "All time · no merges · no bots"
    assert terms(("since", "2024-01"), ("merges", "include")) == "Since 2024-01-01 · merges · no bots"
    assert terms(("window", "2023"), ("window", "2024"), ("bots", "only")) == "no merges · only bots"


def test_an_unknown_person_leads_to_the_board(client: Client) -> None:
    answer = client.get("/compare?repo=octo/one&person=bob&person=unknown", headers=HTML)
    assert answer.status_code == 404
    assert '<a href="/r/octo/one">See who is on its board.</a>' in answer.text


def test_the_form_adds_and_a_link_removes(client: Client) -> None:
    assert "two or more" in page(client)
    assert page(client).count('name="repo"') == 2
    one = page(client, ("repo", "octo/one"))
    assert re.findall(r'name="repo" value="([^"]*)"', one) == ["octo/one", ""]
    html = page(client, ("repo", "octo/one"), ("repo", "octo/two"), ("repo", ""), ("rev", ""))
    assert re.findall(r'name="repo" value="([^"]*)"', html) == ["octo/one", "octo/two", ""]
    assert re.findall(r'class="remove" href="([^"]*)"', html) == [
        "/compare?repo=octo%2Ftwo",
        "/compare?repo=octo%2Fone",
    ]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("repo=octo/one", "two or more"),
        ("repo=octo/one&repo=octo/one", "two or more"),
        ("repo=octo/one&repo=https://github.com/Octo/One.git", "two or more"),
        ("repo=octo/one&person=bob&person=BOB", "two or more"),
        ("repo=octo/one&window=2024&window=2024-01..2024-12", "two or more"),
        ("repo=octo/one&repo=not an address", "contains spaces"),
        ("&".join(f"repo=octo/r{number}" for number in range(7)), "At most 6"),
        ("repo=octo/one&repo=octo/two&window=2024&window=2023", "exactly one repo"),
        ("window=2024&window=2023", "exactly one repo"),
        ("person=bob&person=ada-l", "exactly one repo"),
        ("repo=octo/one&window=2024&person=bob", "not both"),
        ("repo=octo/one&window=2024&window=someday", "someday"),
        ("repo=octo/one&window=2024&window=..", "window is empty"),
        ("repo=octo/one&window=2024&window=2023&since=2024", "Give either"),
        ("repo=octo/one&repo=octo/two&bots=maybe", "bots"),
        ("repo=octo/one&repo=octo/two&since=2024&since=2023", "more than once"),
        ("repo=octo/one&repo=octo/two&colour=red", "colour"),
        ("repo=octo/one&repo=" + "a" * 2001, "characters"),
    ],
)
def test_bad_input_says_what_to_do(client: Client, query: str, words: str) -> None:
    assert is_problem(client.get(f"/compare?{query}"), 400, words)
    answer = client.get(f"/compare?{query}", headers=HTML)
    if words in ("two or more", "colour"):
        # The page takes one, and links get parameters of others.
        assert answer.status_code == 200
    else:
        assert answer.status_code == 400 and words in answer.text
    assert 'class="card subjects"' in answer.text


def test_a_password_is_not_repeated(client: Client) -> None:
    answer = client.get("/compare?repo=https://me:secret@github.com/octo/one&repo=octo/two", headers=HTML)
    assert "secret" not in answer.text


def test_an_answer_is_not_sent_again(client: Client) -> None:
    first = client.get("/compare?repo=octo/one&repo=octo/two", headers=HTML)
    again = client.get("/compare?repo=octo/one&repo=octo/two", headers={**HTML, "if-none-match": first.headers["etag"]})
    assert again.status_code == 304


def test_subjects() -> None:
    def subjects(**given: list[str]) -> list[CompareItem]:
        return CompareQuery.model_validate(given).subjects()

    assert subjects(repo=["a/b"], rev=["v1", "v2"]) == [CompareItem("a/b", "v1"), CompareItem("a/b", "v2")]
    assert subjects(repo=["a/b", " ", "c/d"], rev=["", "", "v1"]) == [CompareItem("a/b", ""), CompareItem("c/d", "v1")]
    with pytest.raises(BadRule, match="rev is given without its repo"):
        subjects(repo=["a/b", "c/d"], rev=["", "", "v1"])
