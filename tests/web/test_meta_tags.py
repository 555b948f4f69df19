"""What pages say of themselves to programs that show links."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.web import Client, Site, open_site

HTML = {"accept": "text/html"}
# Of a link with a picture.
COMPLETE = {
    *("description", "og:type", "og:site_name", "og:title", "og:description", "og:url", "og:image", "og:image:type"),
    *("og:image:width", "og:image:height", "og:image:alt", "twitter:card", "twitter:title", "twitter:description"),
    *("twitter:image", "twitter:image:alt"),
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path, loopback=False, allowed_hosts=("podium.example.org",), show_emails="admin") as site:
        number = site.repository()
        for place, name in enumerate(("Ada <b>", 'Bob "B"', "me@example.com", "Dan")):
            site.person(number, name, f"p{place}@example.com", 40 - 10 * place)
        yield site


# Of one without.
PLAIN = {name for name in COMPLETE if "image" not in name}


class Tags(HTMLParser):
    """The title, the canonical link and the meta tags of a page, each at most once."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.meta: dict[str, str] = {}
        self.canonical = ""
        self._in_title = False
        self.title = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        name = of.get("property") or of.get("name") or ""
        self._in_title = tag == "title"
        if tag == "link" and of.get("rel") == "canonical":
            self.canonical = of["href"] or ""
        if tag == "meta" and name and name not in ("viewport", "color-scheme", "theme-color"):
            assert name not in self.meta
            self.meta[name] = of["content"] or ""

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False

    def handle_data(self, data: str) -> None:
        self.title += data if self._in_title else ""


def tags(client: Client, url: str, **headers: str) -> Tags:
    answer = client.get(url, headers=HTML | headers)
    assert answer.status_code == 200
    return Tags(answer.text)


def test_a_board_says_who_made_it_and_has_a_picture(site: Site) -> None:
    client = site.client(host="podium.example.org")
    found = tags(client, "/r/octo/hello")
    assert set(found.meta) == COMPLETE
    assert found.title == "Who made octo/hello? · Podium"
    assert found.meta["description"] == 'Who made octo/hello? 4 people, first Ada <b>, Bob "B".'
    assert found.meta["og:title"] == found.meta["twitter:title"] == "Who made octo/hello?"
    assert found.meta["og:url"] == found.canonical == "http://podium.example.org/r/octo/hello"
    assert found.meta["twitter:card"] == "summary_large_image"
    image = urlsplit(found.meta["og:image"])
    assert (image.scheme, image.netloc, image.path) == ("http", "podium.example.org", "/r/octo/hello/preview.png")
    picture = client.get(f"{image.path}?{image.query}")
    assert picture.headers["content-type"] == "image/png"
    assert picture.headers["cache-control"].endswith("immutable")


def test_a_link_with_rules_names_its_window_and_keeps_nothing_private(site: Site) -> None:
    client = site.client(host="podium.example.org")
    url = "/r/octo/hello?since=2024-01-01&until=2024-12-31&merges=include&offset=50&find=p1%40example.com"
    found = tags(client, url)
    assert found.meta["og:title"] == "Who made octo/hello from 2024-01-01 to 2024-12-31?"
    assert found.meta["og:url"].endswith("/r/octo/hello?merges=include&since=2024-01-01&until=2024-12-31")
    assert "merges=include&since=2024-01-01&until=2024-12-31&v=" in found.meta["og:image"]
    assert found.canonical == "http://podium.example.org/r/octo/hello"
    assert not any("example.com" in value for value in (found.title, *found.meta.values()))


def test_pages_further_down_name_the_same_people(site: Site) -> None:
    client = site.client(host="podium.example.org")
    assert tags(client, "/r/octo/hello?offset=2").meta == tags(client, "/r/octo/hello").meta


def test_an_origin_that_may_be_foreign_is_in_no_tag(site: Site) -> None:
    found = tags(site.client(), "/r/octo/hello", host="203.0.113.9:81")
    needs_origin = {name for name in COMPLETE if "image" in name} | {"og:url"}
    assert set(found.meta) == COMPLETE - needs_origin
    assert found.meta["twitter:card"] == "summary"
    assert not any("203.0.113.9" in value or "://" in value for value in found.meta.values())
    assert found.canonical == "/r/octo/hello"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?until=2000-01-01", "No commit has its author date in the window"),
        ("?bots=only", "No bot or AI agent is among the authors"),
    ],
)
def test_an_empty_board_says_why(site: Site, query: str, said: str) -> None:
    found = tags(site.client(host="podium.example.org"), f"/r/octo/hello{query}")
    assert said in found.meta["description"]


def test_one_person_is_named_and_a_board_that_is_not_there_is_not_described(site: Site) -> None:
    client = site.client(host="podium.example.org")
    site.person(site.repository("octo/one"), "Ada Lovelace", "ada@example.com", 3)
    assert tags(client, "/r/octo/one").meta["description"] == "Who made octo/one? Ada Lovelace."
    for state in ("pending", "failed"):
        site.repository(f"octo/{state}", state)
        found = tags(client, f"/r/octo/{state}")
        assert found.meta["description"].startswith("Podium ranks the people")
        assert "og:image" not in found.meta


def test_a_person_has_a_sentence_and_a_picture(site: Site) -> None:
    client = site.client(host="podium.example.org")
    site.account("p3@example.com", "dan")
    found = tags(client, "/r/octo/hello/-/people/dan?merges=include")
    assert set(found.meta) == COMPLETE
    assert found.meta["description"] == "Dan made 10 commits in octo/hello, rank 4 of 4."
    assert found.meta["og:url"] == "http://podium.example.org/r/octo/hello/-/people/dan?merges=include"
    image = urlsplit(found.meta["og:image"])
    assert image.path == "/r/octo/hello/-/people/dan/preview.png"
    assert client.get(f"{image.path}?{image.query}").headers["content-type"] == "image/png"
    assert client.get("/r/octo/hello/-/people/unknown/preview.png").status_code == 404


def test_a_comparison_names_its_figures_and_has_a_picture(site: Site) -> None:
    client = site.client(host="podium.example.org")
    site.person(site.repository("octo/one"), "Ada Lovelace", "ada@example.com", 3)
    found = tags(client, "/compare?repo=octo/hello&repo=octo/one&merges=include")
    assert set(found.meta) == COMPLETE
    assert found.title == "octo/hello, octo/one compared · Podium"
    assert found.meta["description"] == "octo/hello: 4 people, 100 commits; octo/one: 1 person, 3 commits."
    image = urlsplit(found.meta["og:image"])
    assert image.path == "/compare/preview.png"
    picture = client.get(f"{image.path}?{image.query}")
    assert picture.headers["content-type"] == "image/png"
    assert picture.headers["cache-control"].endswith("immutable")
    assert tags(client, found.meta["og:url"].removeprefix("http://podium.example.org")).meta == found.meta


def test_a_comparison_of_windows_or_people_names_their_board_and_no_e_mail(site: Site) -> None:
    client = site.client(host="podium.example.org")
    site.account("p3@example.com", "dan")
    site.account("p0@example.com", "ada")
    people = tags(client, "/compare?repo=octo/hello&person=dan&person=ada")
    assert people.meta["og:title"] == "octo/hello: Dan, Ada <b> compared"
    assert people.meta["description"] == "Dan: 10 commits, rank 4; Ada <b>: 40 commits, rank 1."
    windows = tags(client, "/compare?repo=octo/hello&window=2024&window=last+year..")
    assert windows.meta["og:title"].startswith("octo/hello: 2024-01-01 to 2024-12-31, ")
    assert "window=2024-01-01..2024-12-31&" in windows.meta["og:url"]
    assert "last" not in windows.meta["og:image"]
    site.repository("octo/new", "pending")
    new = tags(client, "/compare?repo=octo/new&person=me%40example.com")
    assert set(new.meta) == PLAIN
    assert new.meta["og:url"].endswith("/compare?repo=https%3A%2F%2Fgithub.com%2Focto%2Fnew")
    assert not any("example.com" in value for value in new.meta.values())
    assert tags(client, "/compare").meta["og:title"] == "Compare"


def test_lists_of_boards_say_what_they_are(site: Site) -> None:
    client = site.client(host="podium.example.org")
    home, owner = (tags(client, path) for path in ("/", "/r/octo?search=hello"))
    for found in (home, owner):
        assert set(found.meta) - {"robots"} == PLAIN
        assert found.meta["twitter:card"] == "summary"
    assert home.meta["og:url"] == "http://podium.example.org/"
    assert (owner.title, owner.meta["og:title"]) == ("Boards of octo · Podium", "Boards of octo")
    assert owner.meta["og:url"] == "http://podium.example.org/r/octo"
