"""Boards of branches and tags: submitted and read beside that of the default branch, and never mixed with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from podium.jobs.messages.queues import NullQueues
from podium.repositories.address import parse_address
from podium.repositories.model import COUNTING_VERSION, Repository
from podium.repositories.store import queries, revision_rows
from podium.repositories.store.deletion import hidden_counts
from podium.storage.session import Database
from podium.submissions.revision_limit import make_room, remove
from podium.submissions.submit import submit
from podium.web.api import schemas
from tests.support.limit_clock import LimitClock
from tests.support.web import HEAD, NOW, Client, Site, is_problem, open_site

OF = "/leaderboard?repoUrl=octo/hello"
OF_NEXT = f"{OF}&rev=next/big"
HTML = {"accept": "text/html"}
HOSTILE = ["-x", "v1..v2", "a%00b", "a%1b[31m", "main@{1}", "a" * 300, "refs/pull/1/head", "%E2%80%AEx", "a%20b"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path, submissions_per_minute=0) as site:
        yield site


def rows(db: Database) -> list[Repository]:
    with db.read() as session:
        found = [queries.by_id(session, row["id"]) for row in session.all("SELECT id FROM repository ORDER BY id")]
    return [row for row in found if row]


def two_boards(site: Site) -> tuple[int, int]:
    """The default branch by Ada, and the branch ``next/big`` by Bob."""
    default, branch = site.repository(), site.repository(rev="next/big")
    site.person(default, "Ada Main", "ada@x.org", 3)
    site.person(branch, "Bob Next", "bob@x.org", 5)
    return default, branch


def test_a_branch_is_submitted_beside_the_default_branch(db: Database, tmp_path: Path) -> None:
    with open_site(tmp_path, db, submissions_per_minute=0) as site:
        client = site.client()
        answer = client.post(f"{OF}&rev=next/big")
        assert answer.status_code == 202
        schemas.SubmissionResponse.model_validate(answer.json())
        assert (answer.json()["url"], answer.json()["revision"]) == ("https://github.com/octo/hello", "next/big")
        again = client.post("/leaderboard?repoUrl=https://github.com/Octo/Hello.git&rev=next/big").json()
        assert again["id"] == answer.json()["id"]
        assert is_problem(client.get(OF), 404, "POST /leaderboard?repoUrl=https://github.com/octo/hello submits it")
        assert is_problem(client.get(f"{OF}&rev=a%23b"), 404, "branch or tag", "octo/hello&rev=a%23b submits it")
        assert client.get(OF_NEXT).status_code == 202
        default = client.post(f"{OF}&rev=HEAD").json()
        assert (default["id"] != answer.json()["id"], default["revision"]) == (True, None)
        first, second = rows(db)
        assert (first.revision, first.parent_key) == ("next/big", second.key)
        assert (second.revision, second.parent_key) == (None, None)
        assert site.queues.enqueued == [(first.id,), (second.id,)]


@pytest.mark.parametrize("rev", HOSTILE)
def test_what_is_no_branch_or_tag_is_refused_before_anything_is_saved(site: Site, client: Client, rev: str) -> None:
    path = "/r/octo/hello"
    assert is_problem(client.post(f"{OF}&rev={rev}"), 400)
    for url in (f"{OF}&rev={rev}", f"{path}/badge.svg?rev={rev}", f"{path}/board.json?rev={rev}"):
        assert is_problem(client.get(url), 400)
    assert is_problem(client.post(f"/repositories/retry?repoUrl=octo/hello&rev={rev}"), 400)
    assert client.get(f"{path}?rev={rev}", headers=HTML).status_code == 400
    answer = client.post("/submit", content=f"repoUrl=octo/hello&rev={rev}", headers=HTML)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert (rows(site.db), site.queues.enqueued) == ([], [])


def test_no_answer_of_one_board_is_given_for_the_other(site: Site, client: Client) -> None:
    two_boards(site)
    for _ in range(2):
        for url in (
            "/leaderboard?repoUrl=octo/hello",
            "/leaderboard/find?repoUrl=octo/hello&q=a",
            "/leaderboard/find?repoUrl=octo/hello&q=o",
            "/leaderboard/explain?repoUrl=octo/hello&rank=1",
            "/r/octo/hello?x=1",
            "/r/octo/hello/card.svg?count=3",
            "/r/octo/hello/badge.svg?show=top",
            "/r/octo/hello/board.csv?bots=exclude",
            "/r/octo/hello/board.json?bots=exclude",
            "/r/octo/hello/board.md?bots=exclude",
        ):
            default, branch = client.get(url), client.get(f"{url}&rev=next/big")
            assert (default.status_code, branch.status_code) == (200, 200), url
            assert "Bob" not in default.text, url
            assert "Ada" not in branch.text, url
            etag = default.headers["etag"]
            assert client.get(url, headers={"If-None-Match": etag}).status_code == 304
            assert client.get(f"{url}&rev=next/big", headers={"If-None-Match": etag}).status_code == 200
    assert "octo/hello at next/big" in client.get("/r/octo/hello/card.svg?rev=next/big").text
    activity = [client.get(f"/leaderboard/activity?repoUrl=octo/hello{rev}").json() for rev in ("", "&rev=next/big")]
    assert [one["split"]["human"] for one in activity] == [3, 5]


def test_every_link_form_and_snippet_of_the_page_keeps_the_revision(site: Site, client: Client) -> None:
    two_boards(site)
    page = client.get("/r/octo/hello?rev=next/big&merges=include&since=2024-01-01").text
    assert "<bdi>octo/hello at next/big</bdi>" in page.replace("<wbr>", "")
    assert '<link rel="canonical" href="http://localhost:3000/r/octo/hello?rev=next%2Fbig">' in page
    links = [unescape(url) for url in re.findall(r'(?:href|src)="([^"]*/r/octo/hello[^"]*)"', unescape(page))]
    assert len(links) > 10
    assert all("rev=next%2Fbig" in link for link in links), links
    for form in re.findall(r'<form[^>]* action="/r/octo/hello".*?</form>', page, re.DOTALL):
        assert 'name="rev"' in form
        assert 'value="next/big"' in form
    number = re.search(r'data-find="/find/(\d+)"', page)
    assert number
    assert "rev=next%2Fbig" in client.get(f"/find/{number[1]}?find=bob").text
    assert (
        'filename="octo-hello-next-big-contributors.csv"'
        in (client.get("/r/octo/hello/board.csv?rev=next/big").headers["content-disposition"])
    )
    assert "next" not in client.get("/r/octo/hello").text


def test_the_page_of_a_branch_that_was_never_submitted_submits_it(site: Site, client: Client) -> None:
    site.repository()
    page = client.get("/r/octo/hello?rev=next/big", headers=HTML)
    assert page.status_code == 404
    assert "octo/hello at next/big" in page.text
    assert 'name="rev" type="text" value="next/big"' in page.text
    answer = client.post("/submit", content="repoUrl=octo/hello&rev=next/big")
    assert (answer.status_code, answer.headers["location"]) == (303, "/r/octo/hello?rev=next%2Fbig")
    assert client.get(answer.headers["location"]).status_code == 200
    failed = rows(site.db)[-1]
    site.change(failed.id, state="failed", error="It is gone.")
    assert 'name="rev" value="next/big"' in client.get(answer.headers["location"]).text
    answer = client.post("/retry", content="repoUrl=octo/hello&rev=next/big")
    assert answer.headers["location"] == "/r/octo/hello?rev=next%2Fbig"


def test_a_revision_is_no_other_repository_in_lists_and_numbers(site: Site, client: Client) -> None:
    _, branch = two_boards(site)
    site.repository(rev="v1", state="pending")
    listed = client.get("/repositories")
    assert ([one["revision"] for one in listed.json()], listed.headers["x-total-count"]) == ([None], "1")
    assert client.get("/").text.count('class="title"') == 1
    one = client.get(f"/repositories/{branch}").json()
    assert (one["url"], one["revision"]) == ("https://github.com/octo/hello", "next/big")
    states = site.administrator().get("/queues").json()["repositories"]
    # A revision that waits is work; one that is done is no second repository.
    assert (states["completed"]["count"], states["pending"]["count"]) == (1, 1)


def test_a_refresh_and_a_retry_of_a_revision_leave_its_parent_alone(site: Site, client: Client) -> None:
    default, branch = two_boards(site)
    site.change(branch, last_processed_at=1.0)
    answer = client.post(OF_NEXT).json()
    assert (answer["id"], answer["refreshing"]) == (branch, True)
    site.change(branch, state="failed", error="It is gone.", error_code="gone")
    assert client.post("/repositories/retry?repoUrl=octo/hello&rev=next/big").json()["id"] == branch
    assert is_problem(client.post("/repositories/retry?repoUrl=octo/hello"), 409)
    assert {row.id: row.state for row in rows(site.db)} == {default: "completed", branch: "pending"}
    administrator = site.administrator()
    assert administrator.post("/refresh?repoUrl=octo/hello&rev=v9").status_code == 404
    assert is_problem(administrator.post("/refresh?rev=next/big"), 400, "repoUrl")


def test_submissions_of_revisions_count_for_the_limit_of_the_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    LimitClock(monkeypatch)
    with open_site(tmp_path, submissions_per_minute=2, max_waiting=1) as site:
        client = site.client()
        assert client.post(f"{OF}&rev=v1").status_code == 202
        assert is_problem(client.post(f"{OF}&rev=v2"), 503, "Too many repositories wait")
        assert is_problem(client.post(f"{OF}&rev=v3"), 429)
        assert [row.revision for row in rows(site.db)] == ["v1"]


def saved_reads(site: Site) -> dict[int, float | None]:
    """When each board was read, after the writes that are under way."""
    site.app.state.context.boards._last_reads._thread.submit(lambda: None).result()
    with site.db.read() as session:
        return {row["id"]: row["last_read_at"] for row in session.all("SELECT id, last_read_at FROM repository")}


def test_reads_of_a_revision_are_saved_once_an_hour(db: Database, tmp_path: Path) -> None:
    with open_site(tmp_path, db) as site:
        default, branch = two_boards(site)
        for url in (OF, OF_NEXT, OF_NEXT):
            site.client().get(url)
        read = saved_reads(site)
        assert read[default] is not None and read[branch] is not None
        before = rows(db)[-1]
        site.change(branch, last_read_at=1.0)
        site.client().get("/r/octo/hello/badge.svg?rev=next/big")
        assert saved_reads(site)[branch] == 1.0
        # Another process knows nothing of these reads, and the statement compares.
        with db.write() as session:
            revision_rows.note_reads(session, [branch], every=1e12)
        assert saved_reads(site)[branch] == 1.0
        assert rows(db)[-1].updated_at == before.updated_at


def counted(site: Site, text: str, rev: str | None, *, read: float | None = None) -> int:
    """Save a board as a submission does, with the next id of the database."""
    address = parse_address(text) if rev is None else parse_address(text).at_revision(rev)
    number = submit(site.db, NullQueues(), address, refresh_after=0).repository.id
    columns = {"head": HEAD, "counting_version": COUNTING_VERSION, "commits_processed_at": NOW, "last_read_at": read}
    site.change(number, state="completed", last_processed_at=4e9, unique_contributors=1, **columns)
    return number


def test_the_least_recently_read_revision_makes_way_with_all_of_its_rows(db: Database, tmp_path: Path) -> None:
    with open_site(tmp_path, db, submissions_per_minute=0, max_revisions=3) as site:
        client = site.client()
        other, default = counted(site, "octo/other", "old", read=1), counted(site, "octo/hello", None)
        numbers = {rev: counted(site, "octo/hello", rev, read=at) for at, rev in enumerate("abc", start=2)}
        for number in (other, default, *numbers.values()):
            site.person(number, "Ada", "ada@x.org", 2)
        # The least recently read is being counted.
        site.change(numbers["a"], state="commits_processing")
        assert client.post(f"{OF}&rev=d").status_code == 202
        assert [client.get(f"{OF}&rev={rev}").status_code for rev in "abcd"] == [200, 404, 200, 202]
        assert (client.get(OF).status_code, client.get("/leaderboard?repoUrl=octo/other&rev=old").status_code) == (
            200,
            200,
        )
        assert client.post(f"{OF}&rev=c").status_code == 200
        with db.read() as session:
            for table in ("commit_data", "commit_log", "hidden_count"):
                left = session.all(f"SELECT DISTINCT repository_id AS id FROM {table}")
                assert numbers["b"] not in [row["id"] for row in left]
        site.change(numbers["c"], state="users_processing")
        assert is_problem(client.post(f"{OF}&rev=e"), 503, "3 branches and tags")
        assert [row.revision for row in rows(db)] == ["old", None, "a", "c", "d"]


def test_names_that_the_host_does_not_have_take_the_place_of_one_board_at_most(db: Database, tmp_path: Path) -> None:
    with open_site(tmp_path, db, submissions_per_minute=0, max_revisions=3) as site:
        client = site.client()
        for at, rev in enumerate("abc"):
            counted(site, "octo/hello", rev, read=at + 1)
        for name in ("x", "y", "z"):
            assert client.post(f"{OF}&rev={name}").status_code == 202
            # Its count fails, and it was read later than all boards.
            number = max(row.id for row in rows(db))
            site.change(number, state="failed", error_code="missing", error="no such branch", last_read_at=NOW)
        assert [row.revision for row in rows(db)] == ["b", "c", "z"]


def test_a_replaced_board_that_could_not_be_deleted_is_no_longer_read_and_leaves_later(
    site: Site, client: Client
) -> None:
    old = site.repository(rev="old", last_read_at=1.0)
    site.person(old, "Ada", "ada@x.org", 2)
    with site.db.write() as session:
        assert make_room(session, "github.com/octo/hello", 0)
    assert is_problem(client.get(f"{OF}&rev=old"), 409, "took its place")
    with site.db.write() as session:
        replaced = make_room(session, "github.com/octo/hello", 1)
    remove(site.db, replaced)
    assert rows(site.db) == []


def test_one_submission_deletes_a_bounded_part_of_a_replaced_board(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden_counts, "_PEOPLE", 2)
    old = site.repository(rev="old", last_read_at=1.0)
    for number in range(60):
        site.person(old, f"p{number}", f"p{number}@x.org", 1)
    with site.db.write() as session:
        replaced = make_room(session, "github.com/octo/hello", 0)
    submissions = 0
    while rows(site.db):
        remove(site.db, replaced)
        submissions += 1
    # Thirty steps delete the people, two at a time.
    assert 3 < submissions < 10


def test_a_replaced_board_that_was_submitted_again_keeps_what_its_new_count_writes(site: Site) -> None:
    old = site.repository(rev="old", last_read_at=1.0)
    with site.db.write() as session:
        replaced = make_room(session, "github.com/octo/hello", 0)
        session.run("DELETE FROM hidden_count")
        session.run("INSERT INTO hidden_count (repository_id, count_id) VALUES (:id, 77)", id=old)
    site.change(old, state="commits_processing", error_code=None)
    remove(site.db, replaced)
    with site.db.read() as session:
        assert session.value("SELECT count_id FROM hidden_count") == 77
    assert [row.revision for row in rows(site.db)] == ["old"]


def test_a_path_with_a_hash_is_no_revision(site: Site, client: Client) -> None:
    site.repository("https://git.example/o/n", rev="v1", created_at=NOW)
    assert client.get("/r/git.example/o/n%23v1", headers=HTML).status_code == 404
    assert client.get("/r/git.example/o/n/badge.svg?rev=v1").status_code == 200
