"""The whole board as a file: complete, under the page's rules, and harmless wherever it is opened."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from podium.leaderboard.export.formats import FILES, render, stream
from podium.web.share.download_routes import file_name
from tests.leaderboard.test_export import HOSTILE, controls, document, entry, hostile_board
from tests.support.rows import some_repository
from tests.support.web import Client, Site, is_problem, open_site

FORMATS = ("csv", "json", "md")


def records(answer: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def test_the_file_contains_all_rows(site: Site, client: Client) -> None:
    number = site.repository()
    # Of equal counts, the earlier comes first.
    site.people(number, 1_234)
    rows = records(client.get("/r/octo/hello/board.csv"))
    assert [(row["rank"], row["name"], row["commitCount"]) for row in rows] == [
        (str(place + 1), f"P{place}", "1") for place in range(1_234)
    ]
    board = client.get("/r/octo/hello/board.json").json()
    assert [row["name"] for row in board["top_contributors"]] == [row["name"] for row in rows]
    assert (board["total"], board["limit"], board["offset"]) == (1_234, None, 0)
    table = client.get("/r/octo/hello/board.md").text
    assert len(re.findall(r"^\| \d+ \|", table, re.MULTILINE)) == 1_234
    assert "Ranks 1 to" not in table


def test_a_file_has_roles_where_they_are_wanted(site: Site, client: Client) -> None:
    number = site.repository()
    bob = site.person(number, "Bob", "bob@example.com", 1)
    site.person(number, "Ada", "ada@example.com", 5, roles=[(bob, 1)])
    rows = records(client.get("/r/octo/hello/board.csv?roles=include"))
    assert [(row["name"], row["tested"], row["helped"]) for row in rows] == [("Ada", "0", "0"), ("Bob", "5", "0")]
    assert "| Tested |" in client.get("/r/octo/hello/board.md?roles=include").text
    board = client.get("/r/octo/hello/board.json?roles=include").json()
    assert [row["roles"]["tested"] for row in board["top_contributors"]] == [0, 5]
    assert "tested" not in client.get("/r/octo/hello/board.csv").text
    assert is_problem(client.get("/r/octo/hello/board.csv?roles=1"), 400, "roles")


@pytest.mark.parametrize(
    ("format", "kind"),
    [
        ("csv", "text/csv; charset=utf-8; header=present"),
        ("json", "application/json"),
        ("md", "text/markdown; charset=utf-8; variant=GFM"),
    ],
)
def test_a_file_is_offered_to_be_saved_and_kept_until_it_changes(
    site: Site, client: Client, format: str, kind: str
) -> None:
    number = site.repository()
    site.person(number, "Ada", "ada@example.com", 3)
    path = f"/r/octo/hello/board.{format}"
    answer = client.get(path, headers={"accept-encoding": "identity"})
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"] == f'attachment; filename="octo-hello-contributors.{format}"'
    assert answer.headers["cache-control"] == "private, max-age=300, stale-while-revalidate=86400"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert int(answer.headers["content-length"]) == len(answer.content)
    tag = answer.headers["etag"]
    again = client.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    site.person(number, "Bob", "bob@example.com", 2)
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 200
    head = client.request("HEAD", path)
    assert head.status_code == 200
    assert head.headers["etag"] != tag


def test_a_file_follows_the_rules(site: Site, client: Client) -> None:
    number = site.repository()
    site.person(number, "Ada", "ada@example.com", 3, merge_count=4)
    site.person(number, "A bot", "1+dependabot[bot]@users.noreply.github.com", 9, kind="bot")
    names = [row["name"] for row in records(client.get("/r/octo/hello/board.csv?bots=include&merges=include"))]
    assert names == ["A bot", "Ada"]
    (row,) = records(client.get("/r/octo/hello/board.csv?merges=include"))
    assert row["commitCount"] == "7"
    assert (
        client.get("/r/octo/hello/board.json?since=2024-04-28&merges=include").json()["rules"]["since"] == "2024-04-28"
    )
    for query in ("bots=perhaps", "limit=3", "since=x", "bots=only&bots=only"):
        assert is_problem(client.get(f"/r/octo/hello/board.csv?{query}"), 400)


def test_csv_has_a_byte_order_mark_on_request_and_in_the_link_of_the_page(site: Site, client: Client) -> None:
    number = site.repository()
    site.person(number, "Zoë", "zoe@example.com", 3)
    plain, marked = (
        client.get(f"/r/octo/hello/board.csv{query}", headers={"accept-encoding": "identity"})
        for query in ("", "?bom=1")
    )
    assert marked.content == b"\xef\xbb\xbf" + plain.content
    assert marked.headers["etag"] != plain.headers["etag"]
    assert int(marked.headers["content-length"]) == len(marked.content)
    assert client.get("/r/octo/hello/board.csv?bom=0").content == plain.content
    for query in ("board.csv?bom=yes", "board.csv?bom=", "board.json?bom=1", "board.md?bom=1"):
        assert is_problem(client.get(f"/r/octo/hello/{query}"), 400, "bom")
    page = client.get("/r/octo/hello?merges=include", headers={"accept": "text/html"}).text
    assert 'href="/r/octo/hello/board.csv?merges=include&amp;bom=1"' in page
    assert 'href="/r/octo/hello/board.json?merges=include"' in page


@pytest.mark.parametrize("format", FORMATS)
def test_emails_are_in_the_file_only_where_the_server_shows_them(tmp_path: Path, format: str) -> None:
    def file(*, administrator: bool = False, **options: Any) -> str:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        with open_site(folder, **options) as site:
            number = site.repository()
            site.person(number, "Ada", "ada@example.com", 3)
            site.person(number, "bob@example.com", "bob@example.com", 2)
            client = site.administrator() if administrator else site.client()
            return client.get(f"/r/octo/hello/board.{format}").text

    assert "example.com" not in file()
    assert "example.com" not in file(administrator=True, show_emails=False)
    if format != "md":
        assert "ada@example.com" in file(administrator=True)
        assert "ada@example.com" in file(loopback=False, show_emails=True)


def test_without_a_board_there_is_no_file(site: Site, client: Client) -> None:
    site.repository("octo/new", "pending")
    site.repository("octo/bad", "failed", error="The repository is empty.")
    for format in FORMATS:
        assert is_problem(client.get(f"/r/octo/none/board.{format}"), 404, "never submitted")
        assert is_problem(client.get(f"/r/octo/new/board.{format}"), 409, "being counted")
        assert is_problem(client.get(f"/r/octo/bad/board.{format}"), 409, "The repository is empty.")


@pytest.mark.parametrize(
    ("owner", "name", "file"),
    [
        ("octo", "hello", "octo-hello-contributors.csv"),
        ("group/sub", "proj", "group-sub-proj-contributors.csv"),
        ("", "../../etc/passwd", "etc-passwd-contributors.csv"),
        ("", '"; filename="evil.exe', "filename-evil.exe-contributors.csv"),
        ("", "a\r\nSet-Cookie: x", "a-Set-Cookie-x-contributors.csv"),
        ("", ".bashrc", "bashrc-contributors.csv"),
        ("", "\u202egpj.exe\u5f20", "gpj.exe-contributors.csv"),
        ("", "\u5f20\u4e09", "board-contributors.csv"),
        ("o" * 500, "n", "o" * 100 + "-contributors.csv"),
    ],
)
def test_a_file_has_a_safe_name(owner: str, name: str, file: str) -> None:
    assert file_name(some_repository(owner=owner, name=name), "csv") == file


def test_hostile_names_do_nothing_in_a_file(site: Site) -> None:
    client = site.administrator()
    number = site.repository()
    names = [name.encode("utf-8", "replace").decode() for name in HOSTILE]
    for place, name in enumerate(names):
        site.person(number, name, f"p{place}@example.com", 100 - place)
    for format in FORMATS:
        text = client.get(f"/r/octo/hello/board.{format}").text
        assert not controls(text.replace("\r\n", "\n") if format == "csv" else text)
    rows = records(client.get("/r/octo/hello/board.csv"))
    assert len(rows) == len(names)
    assert not any(value.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for value in row.values())
    board = client.get("/r/octo/hello/board.json").json()
    assert [row["name"] for row in board["top_contributors"]] == names


@pytest.mark.parametrize("format", FILES)
@pytest.mark.parametrize("size", [1, 2, 7, 100])
@pytest.mark.parametrize(
    "board", [document(), document(entry()), hostile_board(), document(total=9, offset=3, isPartial=True)]
)
def test_a_board_in_pages_is_the_same_file(board: dict[str, Any], format: str, size: int) -> None:
    rows = board["top_contributors"]
    pages = [board | {"top_contributors": rows[at : at + size]} for at in range(0, max(len(rows), 1), size)]
    assert "".join(stream(iter(pages), format)) == render(board, format)


def test_json_in_pages_is_json() -> None:
    board = hostile_board()
    rows = board["top_contributors"]
    pages = [board | {"top_contributors": rows[at : at + 4]} for at in range(0, len(rows), 4)]
    assert json.loads("".join(stream(pages, "json"))) == board


@pytest.mark.parametrize("format", ["csv", "json", "md"])
def test_a_file_is_compressed_for_clients_that_read_gzip(site: Site, client: Client, format: str) -> None:
    number = site.repository()
    for place in range(50):
        site.person(number, f"Person {place}", f"p{place}@example.com", 2)
    url = f"/r/octo/hello/board.{format}"
    plain, packed = (client.get(url, headers={"accept-encoding": kind}) for kind in ("identity", "gzip"))
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 3
    assert packed.content == plain.content
    assert packed.headers["etag"] == plain.headers["etag"]
    again = client.get(url, headers={"accept-encoding": "gzip", "if-none-match": plain.headers["etag"]})
    assert again.status_code == 304
