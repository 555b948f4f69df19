"""The section "Share this board": snippets and downloads."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

from markdown_it import MarkdownIt

from podium.web.api.query_parameters import RulesQuery
from podium.web.share.image_options import BadgeQuery, CardQuery
from podium.web.share.snippets import share_values
from tests.support.rows import some_repository
from tests.support.web import Client, Site, open_site

DOCS = (Path(__file__).parent.parent.parent / "docs" / "sharing.md").read_text()
HTML = {"accept": "text/html"}


class Addresses(HTMLParser):
    """What a piece of HTML links to and shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.images: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        self.links += [of.get("href") or ""] if tag == "a" else []
        self.images += [of.get("src") or ""] if tag == "img" else []
        self.images += [of.get("srcset") or ""] if tag == "source" else []


def snippets(page: str) -> list[str]:
    return [html.unescape(text) for text in re.findall(r"<textarea[^>]*>(.*?)</textarea>", page, re.S)]


def test_every_line_of_the_section_leads_to_something(site: Site, client: Client) -> None:
    number = site.repository()
    site.person(number, "Ada", "ada@example.com", 3, merge_count=2)
    page = client.get("/r/octo/hello?merges=include&since=2024-04-28", headers=HTML).text
    lines = snippets(page)
    assert len(lines) == 4
    shown = []
    for line in lines:
        found = Addresses(MarkdownIt().render(line) if line.startswith("[") else line)
        assert found.links == ["http://localhost:3000/r/octo/hello?merges=include&since=2024-04-28"]
        shown += found.images
    assert len(shown) == 5
    for url in shown:
        parts = urlsplit(url)
        assert parts.netloc == "localhost:3000"
        answer = client.get(f"{parts.path}?{parts.query}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
        assert "5 commits" in answer.text or "contributors: 1" in answer.text
    for format in ("csv", "json", "md"):
        (link,) = re.findall(rf'<a href="(/r/octo/hello/board\.{format}[^"]*)" download>', page)
        assert client.get(html.unescape(link)).status_code == 200


def test_the_link_and_the_picture_are_of_the_board_with_its_rules(site: Site, client: Client) -> None:
    site.person(site.repository(), "Ada", "ada@example.com", 3)
    page = client.get("/r/octo/hello?since=2024-04-28&merges=include&offset=50&find=ada", headers=HTML).text
    (link,) = re.findall(r'<input id="share-link" type="text" value="([^"]*)"', page)
    assert html.unescape(link) == "http://localhost:3000/r/octo/hello?merges=include&since=2024-04-28"
    (picture,) = re.findall(r'<figure>\s*<a href="([^"]*)">', page)
    assert html.unescape(picture) == "/r/octo/hello/preview.png?merges=include&since=2024-04-28"
    assert client.get(html.unescape(picture)).headers["content-type"] == "image/png"


def test_the_section_is_there_as_soon_as_there_is_a_board(site: Site, client: Client) -> None:
    site.repository("octo/new", "pending")
    assert 'id="share"' not in client.get("/r/octo/new", headers=HTML).text
    site.repository("octo/old", "users_processing")
    assert 'id="share"' in client.get("/r/octo/old", headers=HTML).text


def test_every_line_has_a_label_and_a_button_of_its_own(site: Site, client: Client) -> None:
    site.repository()
    page = client.get("/r/octo/hello", headers=HTML).text
    copied = set(re.findall(r'<button[^>]*data-copy="([^"]+)"', page))
    assert len(copied) == 5
    assert copied <= set(re.findall(r'<label for="([^"]+)"', page))
    assert copied == set(re.findall(r'<(?:textarea|input) id="([^"]+)"[^>]* readonly', page))


def test_the_address_is_the_one_that_the_reader_came_by(tmp_path: Path) -> None:
    with open_site(tmp_path, loopback=False, allowed_hosts=("podium.example.org",)) as site:
        site.repository()
        for host in ("podium.example.org", "localhost:3000", "podium.example.org"):
            for _ in range(2):
                page = site.client(host=host).get("/r/octo/hello", headers=HTML).text
                assert all(f"http://{host}/r/octo/hello" in line for line in snippets(page))


def test_no_path_can_break_out_of_a_snippet() -> None:
    from podium.web.pages.board.board_urls import page_path

    row = some_repository(host="git.example:8443", owner='a"b/<c>', name=")](x) `|\\ [y](z")
    share = share_values("https://p.example", page_path(row, "github.com"), {"since": '"><script>'})
    for snippet in share["snippets"]:
        text = snippet["text"]
        found = Addresses(MarkdownIt().render(text) if snippet["language"] == "Markdown" else text)
        assert len(found.links) == 1
        assert all(url.startswith("https://p.example/r/git.example:8443/") for url in found.links + found.images)
        assert "<script" not in text


def test_the_docs_name_every_option() -> None:
    rules = set(RulesQuery.model_fields)
    for query in (BadgeQuery, CardQuery):
        for name in set(query.model_fields) - rules:
            assert f"| `{name}` |" in DOCS
    for field in RulesQuery.model_fields.values():
        assert f"`{field.alias}`" in DOCS
