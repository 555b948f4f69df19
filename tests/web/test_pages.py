"""The page: forms and boards without JavaScript, what it never shows, and a real server that serves it."""

from __future__ import annotations

import datetime
import logging
import re
import signal
import socket
from pathlib import Path

import httpx
import pytest

from podium.errors import CannotListen, NotFound
from podium.leaderboard.export.faces import initials
from podium.repositories.store import queries
from podium.textutil.mask import masked
from podium.timeutil import DAY
from podium.web.pages.board import filters
from podium.web.pages.board.board_urls import key_of, page_path
from podium.web.serving.server import listen, url_of
from tests.support.limit_clock import LimitClock
from tests.support.site_server import first_line, serve_site
from tests.support.web import NOW, Client, Site, is_problem, open_site

GITHUB = "https://github.com"
HTML = {"accept": "text/html"}


# Home


def test_form_submits_and_leads_to_the_board(site: Site, client: Client) -> None:
    for text in (" https://github.com/octo/hello.git ", "$ git clone https://github.com/octo/hello folder"):
        answer = client.post("/submit", data={"repoUrl": text})
        assert (answer.status_code, answer.headers["location"]) == (303, "/r/octo/hello")
    assert len(site.queues.enqueued) == 1


def test_form_shows_its_error_and_keeps_the_text(site: Site, client: Client) -> None:
    answer = client.post("/submit", data={"repoUrl": '"><script>alert(1)</script>'})
    assert answer.status_code == 400
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert 'role="alert"' in answer.text
    answer = client.post("/submit", data={"repoUrl": "git clone https://me:hunter2@host.example/o/n"})
    assert "hunter2" not in answer.text
    assert "git clone https://host.example/o/n" in answer.text
    assert client.post("/submit").status_code == 400
    assert site.queues.enqueued == []


def test_an_answer_to_a_form_does_not_reload_itself(site: Site, client: Client) -> None:
    """The browser would ask for its address by GET: the reason, and what was typed or found, would be gone."""
    number, reload = site.repository("octo/hello", "users_processing"), 'http-equiv="refresh"'
    site.person(number, "Ada", "ada@example.com")
    assert reload in client.get("/").text
    assert reload not in client.post("/submit", data={"repoUrl": "nonsense"}).text
    assert reload in client.get("/r/octo/hello?find=ada").text
    page = client.post("/r/octo/hello", data={"find": "ada@example.com"}).text
    assert "Ada" in page and reload not in page


def test_form_that_is_no_form_is_refused(client: Client) -> None:
    assert client.post("/submit", content=b"&".join([b"a=b"] * 50)).status_code == 400
    assert client.post("/submit", content=b"\xff\x00=%ff").status_code == 400


def test_form_says_when_there_were_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    LimitClock(monkeypatch)
    with open_site(tmp_path, submissions_per_minute=1) as site:
        client = site.client()
        client.post("/submit", data={"repoUrl": "octo/hello"})
        answer = client.post("/submit", data={"repoUrl": "octo/hello"})
        assert answer.status_code == 429
        assert "retry-after" in answer.headers
        assert "Too many submissions" in answer.text


# Boards


def test_board_shows_ranks_figures_and_the_rules_in_effect(site: Site, client: Client) -> None:
    number = site.repository()
    site.person(number, "Ada Lovelace", "ada@example.com", 30)
    site.person(number, "Bob", "bob@example.com", 10, merge_count=4)
    site.account("ada@example.com", "ada-l")
    page = client.get("/r/octo/hello").text
    ranks = re.findall(r'data-cell="rank">(\d+)<.*?class="name">(.*?)<.*?data-cell="count"[^>]*>(\d+)<', page, re.S)
    assert ranks == [("1", "Ada Lovelace", "30"), ("2", "Bob", "10")]
    # A long title breaks after a slash.
    assert "<bdi>octo/<wbr>hello</bdi></h1>" in page
    assert '<a href="https://github.com/ada-l" rel="noopener nofollow">@ada-l</a>' in page
    assert "75.0 %" in page
    assert "0123456" in page
    assert "2024-05-01" in page
    with_merges = client.get("/r/octo/hello?merges=include&since=2024-04-29").text
    assert ">14<" in with_merges
    assert 'name="merges" value="include" checked' in with_merges
    assert "from <strong>2024-04-29</strong>" in with_merges


def test_board_says_where_its_commits_went_and_what_marks_a_row(site: Site, client: Client) -> None:
    number = site.repository()
    claude = site.person(number, "Claude", "noreply@anthropic.com", 2)
    site.person(number, "Ada Lovelace", "ada@example.com", 5, merge_count=3, co_authors=[claude])
    site.person(number, "Ada Lovelace", "ada@example.org", 1)
    site.person(number, "Odd Clock", "odd@example.org", 2, when=0)
    page = client.get("/r/octo/hello", headers=HTML).text
    words = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert "at 0123456 of 2024-04-30" in words
    assert "13 commits: 8 ranked, 3 merges, 2 by AI agents" in words
    assert "Keep equal names apart 1 row joined by name" in words
    assert "People 3 (30.0 %) AI declared 7 (70.0 %): Claude 7 Bots 0 (0.0 %)" in words
    assert re.search(r'Ada Lovelace</bdi></a>\s*<span class="tag" title="[^"]*">joined by name</span>', page)
    assert re.findall(r'data-cell="ai">(\d*)<', page) == ["5", ""]
    assert page.count(">unknown</abbr>") == 2
    assert "2 commits have an odd date" in words
    apart = client.get("/r/octo/hello?names=apart", headers=HTML).text
    assert 'name="names" value="apart" checked' in apart
    assert "row joined by name" not in apart


def test_only_a_long_title_is_set_smaller(site: Site, client: Client) -> None:
    owner = "a-rather-long-organisation-name"
    for name, is_long in ((f"{owner}/hello", False), (f"{owner}/hello-hello", True)):
        site.person(site.repository(name), "Ada Lovelace", "ada@example.com", 1)
        assert ('<h1 id="title" class="long"' in client.get(f"/r/{name}").text) is is_long


def test_board_shows_the_days_that_were_typed(site: Site, client: Client) -> None:
    number = site.repository()
    site.person(number, "Ada Lovelace", "ada@example.com", 3, when=NOW - 60 * DAY)
    site.person(number, "Bob", "bob@example.com", 2, when=NOW)
    site.person(number, "Ada Lovelace", "ada@example.org", 1, when=NOW)
    page = client.get("/r/octo/hello?since=2024-04-30&until=2024-05-01T23:00", headers=HTML).text
    assert 'name="since" value="2024-04-30"' in page
    assert 'name="until" value="2024-05-01"' in page
    assert "from <strong>2024-04-30</strong> to <strong>2024-05-01</strong> (whole days in UTC, both inclusive)" in page
    assert "3 of 6 commits in the window, all ranked" in page
    assert re.findall(r'class="move (\w+)"', page) == ["new", "back"]
    assert "week" not in re.sub(r"<figure.*?</figure>", "", page, flags=re.S)


def test_board_says_why_it_is_empty_and_what_does_not_follow_the_window(site: Site, client: Client) -> None:
    number = site.repository()
    bob = site.person(number, "Bob", "bob@example.com", 0)
    site.person(number, "Ada Lovelace", "ada@example.com", 3, when=NOW - 60 * DAY, roles=[(bob, 1)])
    page = client.get("/r/octo/hello?since=2024-01-01", headers=HTML).text
    assert "1 e-mail in the whole history belongs to no known account" in page
    empty = client.get("/r/octo/hello?since=2024-04-30", headers=HTML).text
    assert "No commit has its author date in the window: the newest one is from 2024-03-02, before it." in empty
    assert "known account" not in empty


def test_search_links_each_match_to_its_row(site: Site, client: Client) -> None:
    number = site.repository()
    site.person(number, "Ada Lovelace", "ada@example.com", 30)
    page = client.get("/r/octo/hello?find=lovelace").text
    match = re.search(r'<ol class="matches">.*?href="([^"]+)".*?#(\d+)<', page, re.S)
    assert match is not None and match[2] == "1"
    assert match[1].partition("#")[2] in re.findall(r'<tr id="(p\d+)"', page)


def test_search_shows_what_matched(site: Site, client: Client) -> None:
    number = site.repository()
    site.person(number, "<b>Lovelace</b>", "ada@example.com", 30)
    site.person(number, "Bob", "bob@example.com", 3)
    site.account("bob@example.com", "bob-l", name="Bob")
    name = client.get("/r/octo/hello?find=LOVE").text
    assert '<bdi class="name">&lt;b&gt;<mark>Love</mark>lace&lt;/b&gt;</bdi>' in name
    assert 'data-said="1 match for “LOVE”. First: &lt;b&gt;Lovelace&lt;/b&gt;, rank 1"' in name
    assert "<small>@<mark>bob-</mark>l</small>" in client.get("/r/octo/hello?find=@bob-").text
    assert "by this e-mail" in client.post("/r/octo/hello", data={"find": "bob@example.com"}).text


def test_search_for_an_e_mail_stays_out_of_addresses_and_logs(
    site: Site, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    number = site.repository()
    site.person(number, "Ada", "ada@example.com", 30)
    page = client.get("/r/octo/hello?merges=include&offset=0").text
    assert '<form class="search" id="search" method="post" action="/r/octo/hello?merges=include"' in page
    found = client.post("/r/octo/hello?merges=include", data={"find": " ada@example.com "})
    assert found.status_code == 200
    assert "1 match for this e-mail" in found.text
    assert not re.findall(r'(?:href|action)="[^"]*ada(?:@|%40)', found.text)
    assert "1 match for this e-mail" in client.post(f"/find/{number}", data={"find": "ada@example.com"}).text
    # Another search is a link that can be sent.
    named = client.post("/r/Octo/hello?merges=include", data={"find": " Ada L? "})
    assert (named.status_code, named.headers["location"]) == (303, "/r/octo/hello?merges=include&find=Ada+L%3F")
    assert client.post("/r/octo/none", data={"find": "ada@example.com"}).status_code == 404
    assert client.post("/r/octo/hello", data={"find": "a@b"}, headers={"origin": "http://x.example"}).status_code == 403
    assert "ada@" not in caplog.text


def test_board_reads_the_same_however_its_address_is_written(site: Site, client: Client) -> None:
    site.repository("octo/hello")
    for path in ("/r/octo/hello", "/r/Octo/HELLO", "/r/octo/hello/", "/r/octo/hello.git"):
        assert '<link rel="canonical" href="http://localhost:3000/r/octo/hello">' in client.get(path).text


def test_board_pages_keep_the_switches(site: Site, client: Client) -> None:
    number = site.repository()
    for index in range(51):
        site.person(number, f"P{index}", f"p{index}@example.com", index + 1)
    page = client.get("/r/octo/hello?merges=include&since=&utm_source=x").text
    assert 'rel="next" href="/r/octo/hello?merges=include&amp;offset=50"' in page
    last = client.get("/r/octo/hello?merges=include&offset=50").text
    assert last.count("<tr id=") == 1
    assert 'rel="prev" href="/r/octo/hello?merges=include"' in last
    assert "the whole history. Rows 51 to 51" in last
    beyond = client.get("/r/octo/hello?offset=500").text
    assert "There are no more rows. <a" in beyond
    assert "the whole history. There are no more rows" in beyond


def test_board_in_work_says_how_far_it_is_and_comes_up_to_date_by_itself(site: Site, client: Client) -> None:
    progress = '{"stage": "commits", "phase": "receiving", "percent": 42, "commits": 4200, "overallPercent": 21.5}'
    number = site.repository(state="commits_processing", progress=progress)
    page = client.get("/r/octo/hello").text
    assert "Counting commits" in page
    assert "receiving the history, 4,200 commits so far" in page
    assert '<progress aria-label="All steps" max="100" value="21.5"></progress>' in page
    assert '<li aria-current="step">Receiving</li>' in page
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page
    assert f'data-live="/status/{number}"' in page
    assert f'data-live="/status/{number}"' in client.get(f"/status/{number}").text
    assert is_problem(client.get("/status/999"), 404)


def test_finished_board_is_left_alone(site: Site, client: Client) -> None:
    number = site.repository()
    for path in ("/", "/r/octo/hello", f"/status/{number}"):
        page = client.get(path).text
        assert "data-live" not in page
        assert "data-events" not in page
        assert "http-equiv" not in page


def test_version_changes_when_there_is_something_new_to_show(site: Site, client: Client) -> None:
    def version() -> str:
        found = re.search(r'data-version="(.*?)"', client.get(f"/status/{number}").text)
        assert found
        return found[1]

    number = site.repository(state="pending")
    versions = [version()]
    for change in (
        'state = \'commits_processing\', progress = \'{"stage": "commits", "percent": 7}\'',
        "state = 'users_processing', head = 'abc', commits_processed_at = 5",
        "state = 'completed'",
    ):
        with site.db.write() as session:
            session.run(f"UPDATE repository SET {change} WHERE id = {number}")
        versions.append(version())
    assert versions[0] == versions[1]
    assert len(set(versions)) == 3


def test_failed_board_says_why_and_offers_a_retry(site: Site, client: Client) -> None:
    number = site.repository(state="failed", error="The host is unreachable.", head="abc")
    site.person(number, "Ada", "ada@example.com")
    page = client.get("/r/octo/hello").text
    assert "The host is unreachable." in page
    assert "Ada" in page
    assert 'action="/retry"' in page
    answer = client.post("/retry", data={"repoUrl": "https://github.com/octo/hello"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/r/octo/hello")
    assert site.queues.enqueued == [(number,)]


def test_a_retry_on_the_page_counts_as_a_submission(tmp_path: Path) -> None:
    with open_site(tmp_path, loopback=False, submissions_per_minute=1) as site:
        client = site.client("192.0.2.1", "192.0.2.50")
        site.repository(state="failed", error="No.")
        assert 'action="/retry"' in client.get("/r/octo/hello").text
        assert client.post("/submit", data={"repoUrl": "octo/other"}).status_code == 303
        assert is_problem(client.post("/retry", data={"repoUrl": "octo/hello"}), 429, "Too many submissions")


def test_an_unknown_repository_can_be_submitted_from_its_page(client: Client) -> None:
    page = client.get("/r/octo/unknown")
    assert page.status_code == 404
    assert 'value="https://github.com/octo/unknown"' in page.text


def test_an_invalid_rule_gives_an_error_page(site: Site, client: Client) -> None:
    site.repository()
    page = client.get("/r/octo/hello?bots=maybe", headers=HTML)
    assert page.status_code == 400
    assert "bots cannot be" in page.text
    assert is_problem(client.get("/r/octo/hello?bots=maybe"), 400, "bots")


def test_people_get_pages_and_programs_get_problems(client: Client) -> None:
    for path in ("/nothing", "/r/", "/r/-/x", "/r/octo//hello"):
        page = client.get(path, headers=HTML)
        assert page.status_code == 404, path
        assert page.headers["content-type"].startswith("text/html")
        assert is_problem(client.get(path), 404)
    assert is_problem(client.get("/repositories/77", headers=HTML), 404)
    assert is_problem(client.get("/static/nothing.css", headers=HTML), 404)


# What is hostile


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% raw %}",
    "</title></bdi><h1>x",
    "\u202egnp.exe",
    "&lt;b&gt;",
    "javascript:alert(1)",
    "x" * 5000,
    "",
    "\x1b[31mred",
]


def test_hostile_names_stay_text(site: Site, client: Client) -> None:
    number = site.repository()
    for index, name in enumerate(HOSTILE):
        site.person(number, name, f"{name[:50]}@{index}.example", index + 1)
    page = client.get("/r/octo/hello").text
    assert page.count("<tr id=") == len(HOSTILE)
    for markup in ("<script>alert", "<img src=x", "</title></bdi>", "<h1>x", "x" * 300):
        assert markup not in page
    assert "{{ 7 * 7 }}" in page
    assert "&amp;lt;b&amp;gt;" in page
    # What turns the direction of a line is left out.
    assert '<bdi class="name">gnp.exe</bdi>' in page
    assert "\u202e" not in page


def test_profile_that_is_no_web_address_is_no_link(site: Site, client: Client) -> None:
    site.person(site.repository(), "Ada", "ada@example.com")
    site.account("ada@example.com", "ada")
    with site.db.write() as session:
        session.run("UPDATE contributor SET profile_url = 'javascript:alert(1)'")
    page = client.get("/r/octo/hello").text
    assert "javascript:" not in page
    assert "@ada" in page


def test_explanation_hints_at_e_mails_only_where_they_are_shown(site: Site, client: Client) -> None:
    number = site.repository()
    person = site.person(number, "Ada", "ada@example.com")
    assert "a…@example.com" in site.administrator().get(f"/row/{number}/{person}").text
    stranger = client.get(f"/row/{number}/{person}").text
    assert "hidden" in stranger
    assert "example.com" not in stranger


def test_emails_are_never_whole_on_the_page(site: Site, client: Client) -> None:
    number = site.repository()
    site.person(number, "ada@example.com", "ada@example.com")
    site.person(number, "Bob <bob@example.org>", "bob@example.org")
    page = client.get("/r/octo/hello").text
    assert "…@…" in page
    assert "ada@example.com" not in page
    assert "bob@example.org" not in page


# Addresses of pages


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("vercel/next.js", "/r/vercel/next.js"),
        ("https://gitlab.com/a/b/c", "/r/gitlab.com/a/b/c"),
        ("https://git.example.com:8443/a/b", "/r/git.example.com:8443/a/b"),
        ("https://git.example.com/root", "/r/git.example.com/-/root"),
        ("https://git.example.com/a%20b/c", "/r/git.example.com/a%2520b/c"),
        ("https://[::1]:8443/a/b", "/r/[::1]:8443/a/b"),
        ("https://git.example.com/~me/x", "/r/git.example.com/~me/x"),
    ],
)
def test_page_leads_back_to_its_repository(site: Site, client: Client, address: str, path: str) -> None:
    number = site.repository(address)
    with site.db.read() as session:
        row = queries.by_id(session, number)
    assert row is not None
    assert page_path(row, "github.com") == path
    page = client.get(path)
    assert page.status_code == 200
    assert f'<link rel="canonical" href="http://localhost:3000{path}">' in page.text


def test_path_that_no_page_has_is_not_found() -> None:
    for path in ("", "a", "a//b", "/a/b/c", "-"):
        with pytest.raises(NotFound):
            key_of(path, GITHUB)


# Words


def test_words_for_progress() -> None:
    assert filters.progress(None) == ""
    assert filters.progress({"stage": "commits"}) == ""
    assert filters.progress({"stage": "commits", "phase": "receiving", "percent": 42.4}) == "receiving the history"
    assert filters.progress({"stage": "commits", "phase": "counting", "commits": 12000}) == "12,000 commits so far"
    assert filters.progress({"stage": "commits", "phase": "saving", "commits": 12000}) == "saving 12,000 commits"
    later = {"stage": "commits", "waitingUntil": "2024-05-01T12:30:00Z"}
    time = '<time datetime="2024-05-01T12:30:00Z" title="2024-05-01 12:30 UTC" data-clock>2024-05-01 12:30 UTC</time>'
    assert filters.progress(later) == f"the last try failed, the next one is at {time}"
    assert filters.progress({"stage": "users", "done": 1200, "total": 6844}) == "1,200 of 6,844 e-mails looked up"
    waiting = {"stage": "users", "done": 1, "total": 2, "waitingUntil": "2024-05-01T12:30:00Z"}
    assert filters.progress(waiting) == (f"1 of 2 e-mails looked up, waiting for GitHub until {time}")
    assert filters.progress({"stage": "commits", "phase": "counting", "commits": 12000}, 3400.4, 130.0) == (
        "12,000 commits so far, 3,400 per second, ready in about 2 minutes"
    )
    assert filters.progress({"stage": "users", "done": 1, "total": 2}, None, 40) == (
        "1 of 2 e-mails looked up, about 40 seconds left"
    )


@pytest.mark.parametrize(
    ("place", "of", "is_about", "words"),
    [
        (1, 12, False, "next in the queue"),
        (1, 12, True, "probably next in the queue"),
        (2, 12, False, "2nd of 12 in the queue"),
        (3, 12, True, "about 3rd of 12 in the queue"),
        (11, 12, False, "11th of 12 in the queue"),
        (1222, 3000, False, "1,222nd of 3,000 in the queue"),
    ],
)
def test_words_for_places_in_the_queue(place: int, of: int, is_about: bool, words: str) -> None:
    queue = {"place": place, "of": of, "isAbout": is_about}
    assert filters.progress({"stage": "commits", "queue": queue}) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "just now"), (59, "just now"), (60, "1 minute ago"), (7200, "2 hours ago"), (10**8, "3 years ago")],
)
def test_words_for_ages(seconds: int, words: str) -> None:
    now = datetime.datetime(2024, 5, 1, tzinfo=datetime.UTC)
    assert filters.ago((now - datetime.timedelta(seconds=seconds)).isoformat(), now) == words


def test_a_day_in_a_sentence_stays_on_one_line() -> None:
    assert filters.unbroken("<b> from 2024-05-01.") == '&lt;b&gt; from <span class="n">2024-05-01</span>.'
    assert filters.unbroken("12024-05-01, a-2024") == "12024-05-01, a-2024"


def test_words_for_people() -> None:
    assert initials("Ada Lovelace") == "AL"
    assert initials("ada-l") == "AL"
    assert initials("李雷") == "李"
    assert initials("<>") == "?"
    assert masked("Ada <ada@example.com>, @bob") == "Ada <…@…>, @bob"
    assert filters.percent(0.00001) == "< 0.1 %"
    assert filters.percent(0.5) == "50.0 %"
    assert len(masked("a" * 100_000 + "@ ")) == 200


# Static files


def test_static_files_are_kept_for_long_under_their_version(client: Client) -> None:
    found = re.search(r'href="(/static/v[0-9a-f]+/podium\.css)"', client.get("/").text)
    assert found
    assert "immutable" in client.get(found[1]).headers["cache-control"]
    bare = client.get("/static/podium.css")
    assert bare.headers["cache-control"] == "no-cache"
    again = client.get("/static/podium.css", headers={"if-none-match": bare.headers["etag"]})
    assert again.status_code == 304
    assert client.get("/static/../app.py").status_code == 404
    assert client.get("/static/%2e%2e/app.py").status_code == 404


# The real server


def test_a_real_server_answers_and_stops_on_a_signal(tmp_path: Path) -> None:
    with serve_site(tmp_path) as server:
        url = first_line(server)
        with httpx.Client(base_url=url, trust_env=False) as client:
            answer = client.post("/leaderboard", params={"repoUrl": "https://me:hunter2@github.com/o/n"})
            assert is_problem(answer, 400)
            assert "server" not in answer.headers
            assert "date" in answer.headers
            assert client.post("/leaderboard?repoUrl=octo/hello").status_code == 202
            assert client.head("/").content == b""
            assert is_problem(client.get("/", headers={"host": "evil.example"}), 421)
        # A client that never ends its request does not hold the server up.
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as hanging:
            hanging.sendall(b"POST /submit HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n")
            server.send_signal(signal.SIGTERM)
            output, log = server.communicate(timeout=30)
    assert (server.returncode, output) == (0, "stopped\n")
    assert "POST /leaderboard" in log
    assert "hunter2" not in log
    assert "repoUrl" not in log


def test_open_event_streams_do_not_delay_the_shutdown(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        number = site.repository(state="commits_processing")
    with serve_site(tmp_path) as server:
        url = first_line(server)
        with httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
            assert client.head(f"/events/{number}").headers["content-type"].startswith("text/event-stream")
            with client.stream("GET", f"/events/{number}") as answer:
                assert answer.headers["cache-control"] == "no-store"
                lines = answer.iter_lines()
                assert "Counting commits" in next(line for line in lines if line.startswith("data:"))
                server.send_signal(signal.SIGTERM)
                # The stream ends as it should, so the browser knows that nothing was lost.
                assert all(not line.startswith("data:") for line in lines)
        output, _ = server.communicate(timeout=30)
    assert (server.returncode, output) == (0, "stopped\n")


@pytest.mark.parametrize("trusted", [True, False])
def test_forwarded_headers_are_believed_from_configured_proxies_only(tmp_path: Path, trusted: bool) -> None:
    with serve_site(tmp_path, *(["127.0.0.1"] if trusted else [])) as server:
        with httpx.Client(base_url=first_line(server), trust_env=False) as client:
            client.get("/health", headers={"x-forwarded-for": "192.0.2.77"})
        server.send_signal(signal.SIGINT)
        _, log = server.communicate(timeout=30)
    assert ("192.0.2.77" in log) is trusted


def test_a_used_port_is_reported_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=f"Port {port} of 127.0.0.1 is used by another program") as error:
            listen("127.0.0.1", port)
    assert error.value.exit_code == 2


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
def test_a_host_of_another_machine_is_reported_in_one_line(host: str) -> None:
    with pytest.raises(CannotListen, match="of this machine") as error:
        listen(host, 0)
    assert "\n" not in error.value.message


def test_name_of_loopback_is_listened_on_at_one_port() -> None:
    sockets = listen("localhost", 0)
    try:
        assert len({listener.getsockname()[1] for listener in sockets}) == 1
        assert url_of("localhost", sockets[0]).startswith("http://localhost:")
    finally:
        for listener in sockets:
            listener.close()
