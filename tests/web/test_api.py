"""The API as issue 2 lists it: every route, every status code, and the form of the answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from podium import __version__
from podium.errors import PodiumError
from podium.monitoring.readiness import Check, Stops
from podium.web.api import schemas
from tests.support.limit_clock import LimitClock
from tests.support.web import HEAD, NOW, Client, Site, is_problem, open_site

ADDRESS = "https://github.com/octo/hello"
LEADERBOARD = f"/leaderboard?repoUrl={ADDRESS}"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path, submissions_per_minute=0) as site:
        yield site


def matches(model: Any, value: object) -> bool:
    """Whether an answer is what OpenAPI says of it: every field, no other, of the right type."""
    TypeAdapter(model).validate_python(value, strict=True)
    return True


# Submitting


def test_new_repository_is_accepted_and_enqueued(site: Site, client: Client) -> None:
    answer = client.post(LEADERBOARD)
    assert answer.status_code == 202
    body = answer.json()
    assert matches(schemas.SubmissionResponse, body)
    assert (body["stage"], body["state"], body["url"]) == ("commits", "pending", ADDRESS)
    queue = {"place": 1, "of": 1, "isAbout": False}
    assert body["progress"] == {"stage": "commits", "overallPercent": 0.0, "queue": queue}
    assert site.queues.enqueued == [(body["id"],)]


@pytest.mark.parametrize(
    "text",
    [
        "octo/hello",
        "https://github.com/octo/hello.git",
        "https://github.com/octo/hello/tree/main",
        "git@github.com:octo/hello.git",
        "https%3A%2F%2Fgithub.com%2FOcto%2FHello",
        "git%20clone%20--depth%201%20https://github.com/octo/hello%20folder",
    ],
)
def test_known_repository_in_work_is_not_enqueued_again_however_it_is_written(
    site: Site, client: Client, text: str
) -> None:
    site.repository("octo/hello", "commits_processing")
    answer = client.post(f"/leaderboard?repoUrl={text}")
    assert answer.status_code == 202
    assert answer.json()["stage"] == "commits"
    assert site.queues.enqueued == []


def test_repository_whose_accounts_are_being_found_is_in_stage_users(site: Site, client: Client) -> None:
    site.repository(
        state="users_processing", progress='{"stage": "users", "done": 50, "total": 120, "overallPercent": 71.23}'
    )
    answer = client.post(LEADERBOARD)
    assert answer.status_code == 202
    assert matches(schemas.SubmissionResponse, answer.json())
    assert answer.json()["stage"] == "users"
    assert answer.json()["progress"] == {"stage": "users", "done": 50, "total": 120, "overallPercent": 71.2}


def test_people_are_ranked_while_a_first_count_goes_on(site: Site, client: Client) -> None:
    leaders = [{"name": "Ada", "commits": 40}, {"name": "…@…", "commits": 2}]
    progress = {"stage": "commits", "phase": "counting", "overallPercent": 44.44, "commits": 50, "leaders": leaders}
    number = site.repository(state="commits_processing", progress=json.dumps(progress))
    for path in (LEADERBOARD, f"/repositories/{number}"):
        body = client.get(path).json()
        assert body["progress"] == {**progress, "overallPercent": 44.4}
    assert matches(schemas.RepositoryResponse, body)
    page = client.get("/r/octo/hello").text
    assert '<rect width="5.0%"' in page
    assert "…@…" in page


def test_a_count_that_is_tried_again_says_when(site: Site, client: Client) -> None:
    progress = '{"stage": "commits", "phase": "receiving", "percent": 42, "overallPercent": 20}'
    site.repository(state="commits_processing", progress=progress, not_before=4e9)
    assert client.get(LEADERBOARD).json()["progress"] == {
        "stage": "commits",
        "overallPercent": 20.0,
        "waitingUntil": "2096-10-02T07:06:40Z",
    }
    page = client.get("/r/octo/hello").text
    assert 'the last try failed, the next one is at <time datetime="2096-10-02T07:06:40Z"' in page
    assert ">2096-10-02 07:06 UTC</time>" in page


def test_the_place_in_the_queue_is_part_of_the_progress(site: Site, client: Client) -> None:
    for place in range(1, 4):
        site.repository(f"octo/r{place}", "pending", virtual_start=1.0 + place // 3)
    places = [client.get(f"/leaderboard?repoUrl=octo/r{place}").json()["progress"]["queue"] for place in range(1, 4)]
    assert [(each["place"], each["of"], each["isAbout"]) for each in places] == [
        (1, 3, False),
        (2, 3, False),
        (3, 3, True),
    ]
    assert "about 3rd of 3 in the queue" in client.get("/r/octo/r3").text
    assert "2nd of 3 in the queue" in client.get("/").text


def test_completed_repository_says_when_it_was_processed(site: Site, client: Client) -> None:
    site.repository(last_processed_at=4_000_000_000.9)
    answer = client.post(LEADERBOARD)
    assert answer.status_code == 200
    assert matches(schemas.SubmissionResponse, answer.json())
    assert answer.json()["lastProcessedAt"] == "2096-10-02T07:06:40Z"
    assert answer.json()["refreshing"] is False
    assert site.queues.enqueued == []


def test_old_board_is_refreshed_and_stays_readable(site: Site, client: Client) -> None:
    number = site.repository(last_processed_at=1.0)
    answer = client.post(LEADERBOARD)
    assert answer.status_code == 200
    assert answer.json()["refreshing"] is True
    assert site.queues.enqueued == [(number,)]
    board = client.get(LEADERBOARD)
    assert board.status_code == 200
    assert board.json()["state"] == "pending"


def test_a_board_says_how_many_commits_were_trimmed(site: Site, client: Client) -> None:
    site.person(site.repository(trimmed_commits=1_200), "Ada", "ada@example.com", 3)
    board = client.get(LEADERBOARD).json()
    assert matches(schemas.Board, board)
    assert board["trimmedCommits"] == 1_200
    assert "1,200 commits are too large to be read whole" in client.get("/r/octo/hello").text


def test_a_board_says_why_its_refresh_failed(site: Site, client: Client) -> None:
    site.repository(refresh_error="It has more than the 10 people allowed.", refresh_error_at=86_400.0)
    error = {"at": "1970-01-02T00:00:00Z", "message": "It has more than the 10 people allowed."}
    state, board = client.post(LEADERBOARD).json(), client.get(LEADERBOARD).json()
    assert matches(schemas.SubmissionResponse, state) and matches(schemas.Board, board)
    assert (state["state"], state["error"], state["refreshError"]) == ("completed", None, error)
    assert board["refreshError"] == error
    assert "more than the 10 people allowed" in client.get("/r/octo/hello").text


def test_failed_repository_says_why_and_that_it_may_be_retried(site: Site, client: Client) -> None:
    site.repository(state="failed", error="The repository is private or does not exist.")
    answer = client.post(LEADERBOARD)
    assert answer.status_code == 200
    body = answer.json()
    assert matches(schemas.SubmissionResponse, body)
    assert (body["state"], body["retryable"]) == ("failed", True)
    assert body["error"] == "The repository is private or does not exist."
    assert "retry" in body["message"]
    assert site.queues.enqueued == []


@pytest.mark.parametrize(
    "path",
    [
        "/leaderboard",
        "/leaderboard?repoUrl=",
        "/leaderboard?repoUrl=octo/hello&repoUrl=octo/other",
        "/leaderboard?repourl=octo/hello",
        "/leaderboard?repoUrl=nonsense",
        "/leaderboard?repoUrl=--upload-pack=x/y",
        "/leaderboard?repoUrl=ext::sh%20-c%20id",
        "/leaderboard?repoUrl=file:///etc/passwd",
        "/leaderboard?repoUrl=/etc/passwd",
        "/leaderboard?repoUrl=octo/hello%00",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_no_address_is_refused(client: Client, method: str, path: str) -> None:
    assert is_problem(client.request(method, path), 400)


def test_missing_address_is_explained_by_an_example(client: Client) -> None:
    assert is_problem(client.post("/leaderboard"), 400, "?repoUrl=https://github.com/owner/name")


def test_password_in_an_address_is_not_repeated(client: Client) -> None:
    answer = client.post("/leaderboard?repoUrl=https://me:hunter2@github.com/octo/hello")
    assert is_problem(answer, 400, "password")
    assert "hunter2" not in answer.text


def test_host_that_the_operator_did_not_list_is_refused(site: Site, client: Client) -> None:
    assert is_problem(client.post("/leaderboard?repoUrl=https://evil.example/a/b"), 400, "PODIUM_GIT_HOSTS")
    assert site.queues.enqueued == []


# Reading a board


def test_board_of_a_repository_that_was_never_submitted_is_not_found(client: Client) -> None:
    assert is_problem(client.get(LEADERBOARD), 404, f"POST /leaderboard?repoUrl={ADDRESS}")


@pytest.mark.parametrize("state", ["pending", "commits_processing"])
def test_board_is_not_there_while_commits_are_counted_for_the_first_time(
    site: Site, client: Client, state: str
) -> None:
    site.repository(state=state, progress='{"stage": "commits", "phase": "receiving", "percent": 42}')
    answer = client.get(LEADERBOARD)
    assert answer.status_code == 202
    assert answer.headers["retry-after"] == "2"
    assert matches(schemas.SubmissionResponse, answer.json())
    # What an interrupted count did is no progress of one that waits.
    assert answer.json()["progress"].get("percent") == (None if state == "pending" else 42)


@pytest.mark.parametrize("state", ["users_processing", "completed"])
def test_board_is_there_from_the_moment_commits_are_counted(site: Site, client: Client, state: str) -> None:
    number = site.repository(state=state)
    site.person(number, "Ada", "ada@example.com", 5)
    site.person(number, "Bob", "bob@example.com", 3)
    answer = client.get(LEADERBOARD)
    assert answer.status_code == 200
    body = answer.json()
    assert matches(schemas.Board, body)
    assert (body["repository"]["url"], body["state"], body["head"]) == (ADDRESS, state, HEAD)
    assert [(c["rank"], c["name"], c["commitCount"]) for c in body["top_contributors"]] == [
        (1, "Ada", 5),
        (2, "Bob", 3),
    ]


def test_board_names_the_account_behind_an_email(site: Site, client: Client) -> None:
    number = site.repository()
    site.person(number, "Ada", "ada@example.com", 5)
    site.account("ada@example.com", "ada-l")
    (row,) = client.get(LEADERBOARD).json()["top_contributors"]
    assert matches(schemas.Contributor, row)
    assert (row["username"], row["profileUrl"]) == ("ada-l", "https://github.com/ada-l")


def test_board_is_read_in_pages(site: Site, client: Client) -> None:
    number = site.repository()
    for commits in range(1, 6):
        site.person(number, f"P{commits}", f"p{commits}@example.com", commits)
    body = client.get(LEADERBOARD + "&limit=2&offset=2").json()
    assert [(c["rank"], c["name"]) for c in body["top_contributors"]] == [(3, "P3"), (4, "P2")]
    assert (body["total"], body["limit"], body["offset"]) == (5, 2, 2)


@pytest.mark.parametrize("page", ["limit=0", "limit=1001", "limit=x", "offset=-1", "offset=99999999999999999999"])
def test_page_that_cannot_be_is_refused(client: Client, page: str) -> None:
    assert is_problem(client.get(LEADERBOARD + "&" + page), 400, page.partition("=")[0])


def test_rules_are_chosen_by_their_names(site: Site, client: Client) -> None:
    number = site.repository()
    ada = site.person(number, "Ada", "ada@example.com", 5, merge_count=7)
    site.person(number, "bot", "my[bot]@example.com", 100, co_authors=[ada])
    switches = "&merges=include&bots=include&coAuthors=include&mailmap=ignore&names=apart"
    switches += "&since=2024-04-01&until=2024-05-31"
    body = client.get(LEADERBOARD + switches).json()
    rules = body["rules"]
    assert (rules["merges"], rules["bots"], rules["coAuthors"]) == ("include", "include", "include")
    assert rules["mailmap"] == "ignore"
    assert rules["names"] == "apart"
    assert (rules["since"], rules["until"]) == ("2024-04-01", "2024-05-31")
    assert [(c["name"], c["commitCount"], c["isBot"]) for c in body["top_contributors"]] == [
        ("Ada", 112, False),
        ("bot", 100, True),
    ]
    usual = client.get(LEADERBOARD).json()
    assert [(c["name"], c["commitCount"]) for c in usual["top_contributors"]] == [("Ada", 5)]


@pytest.mark.parametrize(
    "rule",
    [
        "merges=yes",
        "bots=no",
        "coAuthors=1",
        "mailmap=",
        "names=off",
        "new=1",
        "new=only",
        "since=x",
        "until=2024-13-01",
    ],
)
def test_rule_that_does_not_exist_is_refused(site: Site, client: Client, rule: str) -> None:
    site.repository()
    assert is_problem(client.get(LEADERBOARD + "&" + rule), 400, rule.partition("=")[0])


@pytest.mark.parametrize("typo", ["coauthors=include", "Merges=include", "format=csv"])
def test_misspelt_parameter_is_refused_rather_than_ignored(client: Client, typo: str) -> None:
    assert is_problem(client.get(LEADERBOARD + "&" + typo), 400, typo.partition("=")[0])


def test_roles_are_in_the_rows_where_they_are_wanted(site: Site, client: Client) -> None:
    number = site.repository()
    bob = site.person(number, "Bob", "bob@example.com", 1)
    site.person(number, "Ada", "ada@example.com", 5, roles=[(bob, 0), (bob, 3)])
    body = client.get(LEADERBOARD + "&roles=include").json()
    assert matches(schemas.Board, body)
    nothing = dict.fromkeys(("reviewed", "tested", "acked", "signedOff", "reported", "suggested", "helped"), 0)
    assert [(row["name"], row["roles"]) for row in body["top_contributors"]] == [
        ("Ada", nothing),
        ("Bob", nothing | {"reviewed": 5, "signedOff": 5}),
    ]
    later = client.get(LEADERBOARD + "&roles=include&since=2030-01-01").json()
    assert later["top_contributors"] == []
    assert "roles" not in client.get(LEADERBOARD).json()["top_contributors"][0]
    assert is_problem(client.get(LEADERBOARD + "&roles=all"), 400, "roles", "include or exclude")


def test_a_board_says_where_its_commits_went(site: Site, client: Client) -> None:
    number = site.repository()
    claude = site.person(number, "Claude", "noreply@anthropic.com", 2)
    site.person(number, "Ada Lovelace", "ada@example.com", 5, merge_count=3, co_authors=[claude])
    site.person(number, "Ada LOVELACE", "ada@example.org", 1)
    site.person(number, "Bot", "my[bot]@example.com", 4)
    body = client.get(LEADERBOARD).json()
    assert matches(schemas.Board, body)
    assert body["commits"] == {"total": 15, "ranked": 6, "merges": 3, "bots": 4, "agents": 2, "people": 0} | {
        "earlier": 0,
        "removed": 0,
    }
    assert (body["totalCommits"], body["rankedCommits"], body["joinedByName"]) == (15, 6, 1)
    assert (body["aiCommits"], body["agents"]) == (7, [{"name": "Claude", "commitCount": 7}])
    [row] = body["top_contributors"]
    assert (row["commitCount"], row["aiCount"], row["joinedByName"]) == (6, 5, True)
    apart = client.get(LEADERBOARD + "&names=apart&bots=only").json()
    assert apart["commits"] == {"total": 15, "ranked": 6, "merges": 3, "bots": 0, "agents": 0, "people": 6} | {
        "earlier": 0,
        "removed": 0,
    }
    assert apart["joinedByName"] == 0


def test_failed_repository_without_a_board_is_a_conflict(site: Site, client: Client) -> None:
    site.repository(state="failed", error="The repository is empty.", error_code="empty")
    answer = client.get(LEADERBOARD)
    assert is_problem(answer, 409, "The repository is empty.", "retry")
    assert (answer.json()["code"], answer.json()["state"]) == ("empty", "failed")


def test_failed_repository_serves_its_older_board_with_the_reason(site: Site, client: Client) -> None:
    number = site.repository(state="failed", error="The host is unreachable.", head=HEAD)
    site.person(number, "Ada", "ada@example.com", 5)
    answer = client.get(LEADERBOARD)
    assert answer.status_code == 200
    assert matches(schemas.Board, answer.json())
    assert (answer.json()["state"], answer.json()["error"]) == ("failed", "The host is unreachable.")
    assert answer.json()["top_contributors"][0]["name"] == "Ada"


# Repositories


# What a board says besides its rows


def test_activity_gives_figures_split_and_weeks(site: Site, client: Client) -> None:
    number = site.repository(commits_processed_at=NOW)
    site.person(number, "Ada", "ada@example.com", 3, merge_count=1)
    site.person(number, "Bot", "my[bot]@example.com", 2)
    body = client.get(f"/leaderboard/activity?repoUrl={ADDRESS}&merges=include").json()
    assert matches(schemas.Activity, body)
    assert (body["figures"]["people"], body["figures"]["commits"]) == (1, 4)
    assert body["weeks"] == [{"week": "2024-04-28", "human": 4, "bot": 2, "ai": 0}]


def test_a_search_finds_people_or_explains_why_not(site: Site, client: Client) -> None:
    number = site.repository()
    site.person(number, "Ada Lovelace", "ada@example.com", 3)
    find = f"/leaderboard/find?repoUrl={ADDRESS}"
    body = client.get(f"{find}&q=LOVE").json()
    assert matches(schemas.SearchResults, body)
    assert (body["total"], body["matches"][0]["rank"], body["reason"]) == (1, 1, None)
    body = client.get(f"{find}&q=bob@example.com").json()
    assert matches(schemas.SearchResults, body)
    assert (body["total"], body["matches"]) == (0, [])
    assert "No commit of this history has that e-mail" in body["reason"]
    for query in ("", "&q=", "&q=" + "x" * 201, "&q=a&limit=0", "&q=a&limit=101", "&q=a&since=x", "&q=a&rank=1"):
        assert is_problem(client.get(find + query), 400), query


def test_a_row_is_explained_by_rank_login_or_e_mail(site: Site, client: Client) -> None:
    number = site.repository(url="https://github.com/octo/hello")
    site.person(number, "Ada", "ada@example.com", 3)
    site.person(number, "Bot", "my[bot]@example.com", 3)
    site.account("ada@example.com", "ada")
    explain = f"/leaderboard/explain?repoUrl={ADDRESS}"
    bodies = [client.get(f"{explain}&{who}").json() for who in ("rank=1", "login=Ada", "email=ADA@example.com")]
    assert matches(schemas.Explanation, bodies[0])
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0]["commitsUrl"] == "https://github.com/octo/hello/commits/main?author=ada"
    bot = client.get(f"{explain}&email=my[bot]@example.com").json()
    assert matches(schemas.Explanation, bot)
    assert bot["row"]["rank"] is None
    for query in ("", "&rank=1&login=ada", "&rank=0", "&rank=x"):
        assert is_problem(client.get(explain + query), 400), query
    for query in ("&rank=2", "&login=bob", "&email=bob@example.com"):
        assert is_problem(client.get(explain + query), 404, "/leaderboard/find"), query


@pytest.mark.parametrize("path", ["activity?", "find?q=a&", "explain?rank=1&"])
def test_what_has_no_board_has_none_of_it(site: Site, client: Client, path: str) -> None:
    url = f"/leaderboard/{path}repoUrl={ADDRESS}"
    assert is_problem(client.get(url), 404, "never submitted")
    site.repository(state="commits_processing")
    assert client.get(url).status_code == 202
    with site.db.write() as session:
        session.run("UPDATE repository SET state = 'failed', error = 'It is empty.'")
    assert is_problem(client.get(url), 409, "It is empty.")


def test_strangers_see_nothing_of_an_e_mail(tmp_path: Path) -> None:
    with open_site(tmp_path, loopback=False) as site:
        number = site.repository()
        site.person(number, "ada@example.com", "ada@example.com", 3)
        client = site.client()
        answers = [
            client.get(f"/leaderboard{path}repoUrl={ADDRESS}").text
            for path in ("?", "/activity?", "/find?q=ada&", "/explain?rank=1&")
        ]
        answers += [client.get(path).text for path in ("/r/octo/hello?find=ada", f"/find/{number}?find=ada")]
        answers += [client.get(path).text for path in ("/r/octo/hello?row=2", f"/row/{number}/2")]
        answers += [client.get(f"/r/octo/hello/{file}").text for file in ("board.csv", "board.json", "board.md")]
        answers += [client.get("/r/octo/hello/card.svg").text, client.get("/r/octo/hello/badge.svg?show=top").text]
        for answer in answers:
            assert "@example" not in answer
            assert "ada@" not in answer
            assert "a…@" not in answer
        explained = client.get(f"/leaderboard/explain?rank=1&repoUrl={ADDRESS}").json()["emails"]
        assert [entry["email"] for entry in explained] == [None]
        # A part of an e-mail matches nothing: it would reveal the rest, letter by letter.
        assert client.get(f"/leaderboard/find?q=example&repoUrl={ADDRESS}").json()["total"] == 0


def test_look_ups_by_e_mail_are_limited_where_e_mails_are_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    LimitClock(monkeypatch)
    with open_site(tmp_path, loopback=False, email_lookups_per_hour=3) as site:
        number = site.repository()
        site.person(number, "Ada", "ada@example.com", 3)
        site.person(number, "Root", "root", 1)
        client, other = site.client(), site.client(address="192.0.2.9")
        found = client.get(f"/leaderboard/find?q=ada@example.com&repoUrl={ADDRESS}")
        assert found.json()["total"] == 1
        assert client.get(f"/leaderboard/explain?email=ada@example.com&repoUrl={ADDRESS}").status_code == 200
        # An unknown repository counts too: the limit must not say which addresses exist.
        assert client.get("/leaderboard/find?q=ada\uff20example.com&repoUrl=octo/none").status_code == 404
        for path in (
            "find?q=ada@example.com",
            "find?q=no@example.com",
            "explain?email=ada@example.com",
            "explain?email=x",
        ):
            refused = client.get(f"/leaderboard/{path}&repoUrl={ADDRESS}")
            assert is_problem(refused, 429, "3 per hour")
            assert 1 <= int(refused.headers["retry-after"]) <= 3600
        for path in (f"/find/{number}?find=ada@example.com", "/r/octo/hello?find=ada@example.com"):
            assert client.get(path).status_code == 429
        # Names and logins are not limited, and find no e-mail without an @.
        assert client.get(f"/leaderboard/find?q=ada&repoUrl={ADDRESS}").json()["total"] == 1
        assert client.get(f"/leaderboard/find?q=roo&repoUrl={ADDRESS}").json()["total"] == 1
        assert other.get(f"/leaderboard/find?q=ada@example.com&repoUrl={ADDRESS}").json()["total"] == 1


def test_look_ups_by_e_mail_are_free_where_e_mails_are_shown(tmp_path: Path) -> None:
    with open_site(tmp_path, show_emails=True, email_lookups_per_hour=1) as site:
        site.person(site.repository(), "Ada", "ada@example.com", 3)
        url = f"/leaderboard/find?q=ada@example.com&repoUrl={ADDRESS}"
        assert [site.client().get(url).status_code for _ in range(3)] == [200] * 3


def test_repositories_are_listed_newest_first_with_their_number(site: Site, client: Client) -> None:
    for name, created in (("a", 1.0), ("b", 3.0), ("c", 2.0)):
        site.repository(f"octo/{name}", created_at=created)
    answer = client.get("/repositories?limit=2")
    assert answer.headers["x-total-count"] == "3"
    assert matches(list[schemas.RepositoryResponse], answer.json())
    assert [r["url"][-1] for r in answer.json()] == ["b", "c"]
    assert [r["url"][-1] for r in client.get("/repositories?limit=2&offset=2").json()] == ["a"]


def test_repositories_are_listed_by_state(site: Site, client: Client) -> None:
    site.repository("octo/done")
    site.repository("octo/failed", "failed", error="No.")
    answer = client.get("/repositories?state=failed")
    assert [r["state"] for r in answer.json()] == ["failed"]
    assert answer.headers["x-total-count"] == "1"
    assert is_problem(client.get("/repositories?state=lost"), 400, "lost")


def test_one_repository_is_read_by_its_number(site: Site, client: Client) -> None:
    number = site.repository()
    answer = client.get(f"/repositories/{number}")
    assert matches(schemas.RepositoryResponse, answer.json())
    assert answer.json()["id"] == number


@pytest.mark.parametrize(("number", "status"), [("7", 404), ("0", 400), ("x", 400), ("9" * 30, 400)])
def test_repository_that_is_not_there_is_a_problem(client: Client, number: str, status: int) -> None:
    assert is_problem(client.get(f"/repositories/{number}"), status)


def test_path_of_this_machine_is_not_shown(site: Site, client: Client) -> None:
    number = site.repository(host="", owner="", name="x", key="octo.example/x/y", url="/home/me/x")
    assert client.get("/repositories").json() == []
    assert is_problem(client.get(f"/repositories/{number}"), 404)
    assert is_problem(client.get("/leaderboard?repoUrl=https://octo.example/x/y"), 404)


# Administration


def test_failed_repository_is_retried(site: Site, client: Client) -> None:
    number = site.repository(state="failed", error="The host is unreachable.")
    answer = client.post(f"/repositories/retry?repoUrl={ADDRESS}")
    assert answer.status_code == 202
    assert matches(schemas.SubmissionResponse, answer.json())
    assert (answer.json()["state"], answer.json()["error"]) == ("pending", None)
    assert site.queues.enqueued == [(number,)]


def test_only_a_failed_repository_is_retried(site: Site, client: Client) -> None:
    site.repository()
    assert is_problem(client.post(f"/repositories/retry?repoUrl={ADDRESS}"), 409, "completed")
    assert is_problem(client.post("/repositories/retry?repoUrl=octo/unknown"), 404)
    assert is_problem(client.post("/repositories/retry"), 400, "repoUrl")


def test_refresh_resolves_again_what_stayed_unresolved(site: Site) -> None:
    client = site.administrator()
    unresolved = site.repository("octo/hello")
    site.person(unresolved, "Ada", "ada@example.com")
    resolved = site.repository("octo/other")
    site.person(resolved, "Bob", "bob@example.com")
    site.account("bob@example.com", "bob")
    answer = client.post("/refresh")
    assert answer.status_code == 202
    assert matches(schemas.Refresh, answer.json())
    assert answer.json()["repositories"] == 1
    assert {rung[0] for rung in site.queues.enqueued} == {unresolved}


def test_refresh_of_one_repository(site: Site) -> None:
    client = site.administrator()
    site.repository(state="failed", error="No.")
    assert is_problem(client.post("/refresh?repoUrl=octo/unknown"), 404)
    assert is_problem(client.post(f"/refresh?repoUrl={ADDRESS}"), 409, "retry")
    number = site.repository("octo/other")
    site.person(number, "Ada", "ada@example.com")
    assert client.post("/refresh?repoUrl=octo/other").status_code == 202


# The server itself


def test_server_says_that_it_is_healthy_and_which_version_it_is(client: Client) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/version").json() == {"name": "podium", "version": __version__}


def test_server_is_ready_when_nothing_is_wrong(client: Client) -> None:
    for path in ("/ready", "/ready?for=read", "/ready?for=write"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ready", "problems": []})
    assert is_problem(client.get("/ready?for=lunch"), 400, "for")


def test_server_without_its_queue_is_degraded_and_takes_no_work(tmp_path: Path) -> None:
    def broken() -> None:
        raise PodiumError("Redis at 10.0.0.3 cannot be reached: start it.")

    queue = Check("queue", "The queue cannot be used", Stops.WORK, broken)
    with open_site(tmp_path, checks=[queue]) as site:
        answer = site.administrator().get("/ready")
        problems = [{"code": "queue", "message": "Redis at 10.0.0.3 cannot be reached: start it."}]
        assert (answer.status_code, answer.json()) == (200, {"status": "degraded", "problems": problems})
        strict = site.administrator().get("/ready?for=write")
        assert is_problem(strict, 503, "10.0.0.3") and strict.json()["problems"] == problems
        for path in ("/ready", "/ready?for=write"):
            text = site.client().get(path).text
            assert "The queue cannot be used." in text and "10.0.0.3" not in text
        assert site.client().get("/health").status_code == 200


def test_server_is_not_ready_without_its_tables(site: Site) -> None:
    client = site.administrator()
    with site.db.write() as session:
        session.run("DROP TABLE repository")
    assert is_problem(client.get("/ready"), 503, "podium migrate")
    assert is_problem(client.get("/repositories"), 503, "podium migrate")


@pytest.mark.parametrize("loopback", [True, False])
def test_errors_hide_the_database_path_from_strangers(tmp_path: Path, loopback: bool) -> None:
    with open_site(tmp_path, loopback=loopback) as site:
        with site.db.write() as session:
            session.run("DROP TABLE repository")
        answer = site.client("127.0.0.1").get("/repositories")
        assert is_problem(answer, 503)
        assert str(tmp_path) not in answer.text


def test_unknown_route_and_wrong_method_are_problems(client: Client) -> None:
    assert is_problem(client.get("/nothing"), 404)
    assert is_problem(client.get("/repositories/"), 404)
    answer = client.request("DELETE", "/leaderboard")
    assert is_problem(answer, 405, "DELETE", "GET, HEAD, POST")
    assert answer.headers["allow"] == "GET, HEAD, POST"


def test_mistake_of_ours_is_a_problem_that_tells_nothing_of_it(site: Site, client: Client) -> None:
    site.repository(state="commits_processing", progress="not json")
    answer = client.get("/repositories")
    assert is_problem(answer, 500)
    assert "json" not in answer.json()["detail"].lower()
    assert "Traceback" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_head_is_answered_as_get(client: Client) -> None:
    for path in ("/", "/health", "/repositories"):
        answer = client.request("HEAD", path)
        assert (answer.status_code, answer.text) == (200, "")


# OpenAPI


def test_openapi_describes_every_route_of_the_api(client: Client) -> None:
    document = client.get("/openapi.json").json()
    operations = {(m, path): o for path, of in document["paths"].items() for m, o in of.items()}
    assert set(operations) == {
        ("post", "/leaderboard"),
        ("get", "/leaderboard"),
        ("get", "/leaderboard/activity"),
        ("get", "/leaderboard/find"),
        ("get", "/leaderboard/explain"),
        ("get", "/leaderboard/person"),
        ("get", "/compare"),
        ("get", "/r/{path}/preview.png"),
        ("get", "/repositories"),
        ("get", "/repositories/{id}"),
        ("patch", "/repositories/{id}"),
        ("post", "/repositories/retry"),
        ("post", "/refresh"),
        ("get", "/avatars/{id}"),
        ("get", "/r/{path}/badge.svg"),
        ("get", "/r/{path}/card.svg"),
        ("get", "/r/{path}/board.{format}"),
        ("get", "/queues"),
        ("post", "/queues/retry"),
        ("post", "/queues/pause"),
        ("post", "/queues/resume"),
        ("post", "/queues/limit"),
        ("post", "/queues/move"),
        ("delete", "/queues/{id}"),
        ("delete", "/repositories/{id}"),
        ("get", "/blocks"),
        ("post", "/people/forget"),
        ("post", "/blocks"),
        ("post", "/blocks/remove"),
        *(("post", f"/webhooks/{host}") for host in ("github", "gitlab", "gitea", "forgejo")),
        ("get", "/metrics"),
        ("get", "/health"),
        ("get", "/ready"),
        ("get", "/version"),
    }
    identifiers = [operation["operationId"] for operation in operations.values()]
    assert len(set(identifiers)) == len(identifiers)
    parameters = [p["name"] for p in operations["get", "/leaderboard"]["parameters"]]
    assert sorted(parameters) == sorted(
        "repoUrl rev limit offset merges bots coAuthors mailmap names new since until roles sparklines people sort "
        "reverse".split()
    )
    for operation in operations.values():
        for status, response in operation["responses"].items():
            assert status != "422"
            if status >= "400":
                assert "application/problem+json" in response["content"]


def test_docs_load_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert re.findall(r"""(?:src|href|action)=["'](?:\w+:)?//""", page.text) == []
