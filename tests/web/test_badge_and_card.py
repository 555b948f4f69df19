"""Badge and card: what they say in each state, how they measure, and that no name can break them."""

from __future__ import annotations

import base64
import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.avatars.image_type import AvatarImage, image_of
from podium.leaderboard.export import card
from podium.leaderboard.export.faces import colour_of
from podium.leaderboard.export.text_metrics import fit, halves, width, wrap
from podium.textutil.sanitize import clean
from podium.web.pages.board.board_urls import key_of, page_path
from podium.web.pages.rendering import Renderer
from podium.web.share import badge, image_routes
from podium.web.share.image_routes import policy
from tests.leaderboard.test_export import HOSTILE, document, entry
from tests.support.avatar_host import AvatarHost, png, whole
from tests.support.rows import some_repository
from tests.support.web import NOW, Client, Site, is_problem, open_site

SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {f"{SVG}{name}" for name in "svg title desc style clipPath g rect circle text image".split()}
ATTRIBUTES = set(
    "width height viewBox role aria-label font-family class x y rx r fill id clip-path transform font-size font-weight "
    "text-rendering textLength lengthAdjust dy text-anchor preserveAspectRatio href".split()
)
RENDERER = Renderer()


@pytest.fixture
def host() -> Iterator[AvatarHost]:
    with AvatarHost() as host:
        yield host


@pytest.fixture
def site(tmp_path: Path, host: AvatarHost) -> Iterator[Site]:
    with open_site(tmp_path, avatar_hosts=(host.origin,)) as site:
        yield site


def drawn(answer: httpx.Response, status: int = 200) -> ET.Element:
    """The drawing, once all that must hold of each has been seen to."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    if status == 200:
        assert re.fullmatch(r'W/"[0-9a-f]{32}"', answer.headers["etag"])
    root = checked(answer.text)
    style = root.findtext(f"{SVG}style") or ""
    assert answer.headers["content-security-policy"] == policy(style)
    assert "unsafe" not in policy(style)
    return root


def checked(text: str) -> ET.Element:
    """A parsed image, after checking that it contains only shapes and refers to no other host."""
    root = ET.fromstring(text)
    for element in root.iter():
        assert element.tag in ELEMENTS
        assert set(element.attrib) <= ATTRIBUTES
        assert element.get("href", "data:image/").startswith("data:image/")
        for value in element.attrib.values():
            assert "url(" not in value or re.fullmatch(r"url\(#[rf]\)", value)
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)
    assert not any(unicodedata.category(c) in ("Cc", "Cs") and c != "\n" for c in text)
    return root


def texts(root: ET.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def board(site: Site, *names: str) -> int:
    number = site.repository()
    for place, name in enumerate(names):
        site.person(number, name, f"p{place}@example.com", 100 - place)
    return number


# What a badge says


def test_the_badge_says_how_many_people_made_this(site: Site, client: Client) -> None:
    number = site.repository()
    site.people(number, 1234, 2)
    answer = client.get("/r/octo/hello/badge.svg")
    assert texts(drawn(answer)) == ["contributors", "1,234"]
    assert answer.headers["cache-control"] == "public, max-age=300, stale-while-revalidate=86400"
    assert texts(drawn(client.get("/r/octo/hello/badge.svg?show=commits"))) == ["commits", "2,468"]
    assert texts(drawn(client.get("/r/octo/hello/badge.svg?show=top"))) == ["top contributor", "P0"]
    assert texts(drawn(client.get("/r/octo/hello/badge.svg?label=made+by"))) == ["made by", "1,234"]
    assert texts(drawn(client.get("/r/octo/hello/badge.svg?label="))) == ["1,234"]


def test_the_badge_follows_the_rules(site: Site, client: Client) -> None:
    number = board(site, "Ada", "Bob")
    site.person(number, "A bot", "49699333+dependabot[bot]@users.noreply.github.com", 7, kind="bot")
    assert texts(drawn(client.get("/r/octo/hello/badge.svg")))[1] == "2"
    assert texts(drawn(client.get("/r/octo/hello/badge.svg?bots=include")))[1] == "3"
    assert texts(drawn(client.get("/r/octo/hello/badge.svg?until=2000-01-01")))[1] == "0"
    assert texts(drawn(client.get("/r/octo/hello/badge.svg?until=2000-01-01&show=top")))[1] == "no one"


@pytest.mark.parametrize(
    ("state", "said", "kept"),
    [
        ("pending", "waiting", "public, max-age=10, stale-while-revalidate=60"),
        ("commits_processing", "counting", "public, max-age=10, stale-while-revalidate=60"),
        ("failed", "failed", "public, max-age=60, stale-while-revalidate=600"),
    ],
)
def test_without_a_board_badge_and_card_say_how_it_stands(
    site: Site, client: Client, state: str, said: str, kept: str
) -> None:
    site.repository("octo/hello", state, error="secret detail")
    answer = client.get("/r/octo/hello/badge.svg")
    assert texts(drawn(answer)) == ["contributors", said]
    shown = client.get("/r/octo/hello/card.svg")
    assert texts(drawn(shown)) == ["octo/hello", card.STATES[state]]
    assert answer.headers["cache-control"] == shown.headers["cache-control"] == kept
    assert "secret" not in answer.text + shown.text


@pytest.mark.parametrize(
    "path",
    [
        *("/r/octo/nothing", "/r/-octo/x", "/r/octo/..x", "/r/gitlab.com/a/b", "/r/a/b/c/d/e"),
        *("/r/gitlab.com/a%00/b", "/r/a%1b/b%0a", "/r/gitlab.com/%e2%80%ae/x", "/r/x/%ff", "/r/" + "a" * 5000 + "/b"),
    ],
)
def test_an_unknown_repository_has_drawings_that_say_so(client: Client, path: str) -> None:
    answer = client.get(f"{path}/badge.svg")
    assert texts(drawn(answer, 404)) == ["contributors", "unknown repository"]
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert texts(drawn(client.get(f"{path}/card.svg"), 404))[1] == card.STATES["unknown"]


def test_a_board_in_work_is_shown_and_soon_asked_for_again(site: Site, client: Client) -> None:
    number = site.repository(state="users_processing")
    site.person(number, "Ada", "ada@example.com", 3)
    answer = client.get("/r/octo/hello/badge.svg")
    assert texts(drawn(answer))[1] == "1"
    assert answer.headers["cache-control"] == "public, max-age=10, stale-while-revalidate=60"


def test_what_is_embedded_may_have_a_window_that_moves(site: Site, client: Client) -> None:
    number = board(site, "Ada", "Bob")
    site.person(number, "Long ago", "long@example.com", 50, when=NOW - 60 * 7 * 86_400)
    for months, people in ((1, "2"), (12, "2"), (24, "3")):
        assert texts(drawn(client.get(f"/r/octo/hello/badge.svg?months={months}")))[1] == people
    shown = texts(drawn(client.get("/r/octo/hello/card.svg?months=12")))
    assert shown[1] == "2 people · 199 commits"
    assert shown[-1] == "from 2023-05-01 · as of 0123456789, committed on 2024-04-30"
    for query in ("months=0", "months=121", "months=3&since=2024-01-01", "months=3&until=2024-01-01"):
        for file in ("badge", "card"):
            assert is_problem(client.get(f"/r/octo/hello/{file}.svg?{query}"), 400)


def test_a_drawing_says_of_itself_what_was_counted(site: Site, client: Client) -> None:
    board(site, "Ada")
    for file in ("badge.svg", "card.svg"):
        about = drawn(client.get(f"/r/octo/hello/{file}?bots=include")).findtext(f"{SVG}desc") or ""
        assert about.startswith("100 commits, all ranked.")
        assert "Counted up to 0123456789 of main, committed on 2024-04-30." in about
        assert "Not ranked: merges." in about


def test_a_refresh_that_failed_leaves_the_older_figures(site: Site, client: Client) -> None:
    number = site.repository(state="failed", head="a" * 40, error="gone")
    site.person(number, "Ada", "ada@example.com", 3)
    assert texts(drawn(client.get("/r/octo/hello/badge.svg")))[1] == "1"


@pytest.mark.parametrize(
    "query",
    [
        "show=hearts",
        "theme=neon",
        "label=" + "x" * 61,
        "lable=x",
        "show=people&show=top",
        "merges=maybe",
        "since=sometime",
        "repoUrl=octo/hello",
        "limit=1",
    ],
)
def test_an_invalid_parameter_is_an_error(site: Site, client: Client, query: str) -> None:
    site.repository()
    assert is_problem(client.get(f"/r/octo/hello/badge.svg?{query}"), 400)


@pytest.mark.parametrize(
    "query", ["count=0", "count=61", "count=x", "captions=perhaps", "names=perhaps", "theme=", "label=x"]
)
def test_an_option_of_the_card_is_bounded(site: Site, client: Client, query: str) -> None:
    site.repository()
    assert is_problem(client.get(f"/r/octo/hello/card.svg?{query}"), 400)


# Where they are


def row(host: str, owner: str, name: str) -> dict[str, Any]:
    return {"host": host, "owner": owner, "name": name}


def test_files_lie_beneath_the_page_wherever_the_repository_is(site: Site, client: Client) -> None:
    for text in ("octo/hello", "https://gitlab.com/group/sub/proj", "https://git.example:8443/proj"):
        number = site.repository(text)
        site.person(number, "Ada", f"{number}@example.com", 1)
    for path in (
        "/r/octo/hello",
        "/r/Octo/Hello",
        "/r/gitlab.com/group/sub/proj",
        "/r/git.example:8443/-/proj",
    ):
        assert texts(drawn(client.get(f"{path}/badge.svg"))) == ["contributors", "1"]
        assert drawn(client.get(f"{path}/card.svg")) is not None


@pytest.mark.parametrize(
    ("of", "page"),
    [
        (row("github.com", "octo", "badge.svg"), "/r/octo/badge.svg"),
        (row("gitlab.com", "group", "badge.svg"), "/r/gitlab.com/group/-/badge.svg"),
        (row("gitlab.com", "a/b", "board.csv"), "/r/gitlab.com/a/b/-/board.csv"),
        (row("git.example", "", "card.svg"), "/r/git.example/-/card.svg"),
        (row("git.example", "", "proj"), "/r/git.example/-/proj"),
    ],
)
def test_a_repository_that_is_named_like_a_file_has_a_page_and_files(
    site: Site, client: Client, of: dict[str, Any], page: str
) -> None:
    assert page_path(some_repository(**of), "github.com") == page
    url = "https://" + "/".join(part for part in (of["host"], of["owner"], of["name"]) if part)
    number = site.repository(url)
    site.person(number, "Ada", "ada@example.com", 1)
    assert key_of(page.removeprefix("/r/"), "https://github.com") == url.removeprefix("https://").lower()
    assert "Contributors</h2>" in client.get(page, headers={"Accept": "text/html"}).text
    assert texts(drawn(client.get(f"{page}/badge.svg"))) == ["contributors", "1"]


# Kept by clients


@pytest.mark.parametrize("file", ["badge.svg", "card.svg"])
def test_what_a_client_has_is_not_sent_again_until_it_changes(site: Site, client: Client, file: str) -> None:
    number = board(site, "Ada")
    path = f"/r/octo/hello/{file}"
    first = client.get(path)
    tag = first.headers["etag"]
    again = client.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert again.headers["cache-control"] == first.headers["cache-control"]
    assert again.headers["content-security-policy"] == first.headers["content-security-policy"]
    assert client.get(path, headers={"If-None-Match": f'{tag.removeprefix("W/")}, "x"'}).status_code == 304
    assert client.get(path, headers={"If-None-Match": '"x"'}).status_code == 200
    others = {client.get(f"{path}?{query}").headers["etag"] for query in ("theme=dark", "merges=include", "bots=only")}
    assert len(others | {tag}) == 4
    site.change(number, head="b" * 40)
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 200


# What a badge looks like


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
@pytest.mark.parametrize("kind", ["figure", "busy", "failed", "unknown"])
def test_what_is_written_on_a_badge_can_be_read(theme: str, kind: str) -> None:
    shown = badge.values(badge.Badge("contributors", "1,234", kind), theme)
    for paint in (shown["label_paint"], shown["message_paint"]):
        assert contrast(paint.ground, paint.ink) >= 4.5
    for paint in (badge.DARK["label"], badge.DARK[kind]):
        assert contrast(paint.ground, paint.ink) >= 4.5
    assert bool(shown["style"]) == (theme == "auto")


def test_what_is_written_on_a_card_can_be_read() -> None:
    for paint in (card.LIGHT, card.DARK):
        assert contrast(paint["ground"], paint["ink"]) >= 7
        assert contrast(paint["ground"], paint["quiet"]) >= 4.5
    for name in map(str, range(200)):
        assert contrast(colour_of(name), "#ffffff") >= 4.5


def contrast(one: str, other: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_text_is_measured() -> None:
    assert width("", 11) == 0
    assert width("iiii", 11) < width("aaaa", 11) < width("WWWW", 11)
    assert width("contributors", 11) == pytest.approx(66.9, abs=0.5)
    assert width("Résumé", 10) == pytest.approx(width("Resume", 10))
    assert width("e\u0301", 10) == width("e", 10)
    assert width("\u5f20\u4e09", 10) == 20
    family = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
    assert width(family, 10) == 10
    assert fit(family * 9, 10, 35) == family * 2 + "…"
    assert fit("short", 11, 100) == "short"
    assert wrap("Ada Lovelace", 11, 100) == ["Ada Lovelace"]
    assert wrap("David Heinemeier Hansson", 11, 110) == ["David Heinemeier", "Hansson"]
    assert wrap("Wolfeschlegelsteinhausenbergerdorff", 11, 80)[0].endswith("…")
    assert all(width(line, 11) <= 40 for line in wrap("one and many more words than that", 11, 40))


def test_a_name_of_many_words_is_not_measured_at_each_space() -> None:
    measured: list[str] = []

    def noted(line: str) -> float:
        measured.append(line)
        return len(line)

    assert halves("a" * 9 + " b" * 300, noted) == ("a" * 9 + " b" * 147, " ".join("b" * 153))
    assert len(measured) < 40
    cut = fit("a rather long name indeed", 11, 60)
    assert cut.endswith("…")
    assert width(cut, 11) <= 60


def test_a_badge_is_as_wide_as_its_text_and_bounded() -> None:
    for message in ("1", "1,234", "W" * 200, "\u5f20" * 200):
        shown = badge.values(badge.Badge("contributors", message, "figure"), "light")
        assert shown["message"]["x"] >= shown["left"]
        assert shown["message"]["x"] + shown["message"]["width"] <= shown["width"]
        assert shown["width"] < 600


# No name breaks them


def rendered(name: str) -> list[ET.Element]:
    odd = document(
        *(entry(rank=place, name=name, username=username) for place, username in enumerate((None, name, ""), 1)),
        repository={"url": name, "owner": name, "name": name, "branch": name},
    )
    found = []
    for theme in ("auto", "dark"):
        for captions in (True, False):
            shown = card.of_board(odd, {}, count=3, captions=captions, theme=theme)
            found.append(checked(card.draw(shown)))
        for shown_badge in (badge.of_board(odd, "top", name), badge.of_state("failed", "people", name)):
            found.append(checked(RENDERER.text("badge.svg", **badge.values(shown_badge, theme))))
    return found


@pytest.mark.parametrize("name", [*HOSTILE, "]]>", "</text></svg><script>alert(1)</script>", "&#0;&bogus;", "\ufffe"])
def test_hostile_names_stay_text(name: str) -> None:
    for root in rendered(name):
        assert all(len(text) <= 201 for text in texts(root))


@given(st.text())
@settings(max_examples=25)
def test_any_name_at_all_gives_a_well_formed_drawing(name: str) -> None:
    rendered(name)


def test_no_whole_email_is_shown(site: Site, client: Client) -> None:
    site.repository()
    number = site.repository("octo/mail")
    for place, name in enumerate(("ada@example.com", "<ada@example.com>", "Ada (ada@example.com)", "ada at example")):
        site.person(number, name, f"ada{place}@example.com", 10 - place)
    for query in ("badge.svg?show=top", "badge.svg?label=ada@example.com", "card.svg", "card.svg?captions=hide"):
        answer = client.get(f"/r/octo/mail/{query}")
        assert "ada@" not in answer.text
        assert "@example" not in answer.text


# The card


def test_the_card_shows_the_first_avatars(site: Site, client: Client, host: AvatarHost) -> None:
    number = board(site, *(f"Person {place}" for place in range(30)))
    site.account("p0@example.com", "first", avatar_url=f"{host.origin}/u/1")
    site.account("p1@example.com", "second", avatar_url=f"{host.origin}/gone")
    host.plays["/u/1"] = whole(png())
    answer = client.get("/r/octo/hello/card.svg")
    root = drawn(answer)
    (image,) = root.iter(f"{SVG}image")
    kind, _, data = image.attrib["href"].partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data) == png()
    shown = texts(root)
    assert shown[:2] == ["octo/hello", "30 people · 2,565 commits"]
    assert shown[2:5] == ["P0", "Person 0", "100"]
    assert shown[-1] == "Top 12 of 30 · as of 0123456789, committed on 2024-04-30"
    assert len(list(root.iter(f"{SVG}g"))) == 1 + 12
    assert texts(drawn(client.get("/r/octo/hello/card.svg?count=3&captions=hide")))[2:5] == ["P0", "P1", "P2"]
    # One picture is missing, and may only be late.
    assert answer.headers["cache-control"] == "public, max-age=30, stale-while-revalidate=300"
    assert len(host.requests) == 2
    assert number


def test_a_card_with_all_its_pictures_is_kept_longer(site: Site, client: Client, host: AvatarHost) -> None:
    board(site, "Ada", "Bob")
    site.account("p0@example.com", "first", avatar_url=f"{host.origin}/u/1")
    host.plays["/u/1"] = whole(png())
    assert client.get("/r/octo/hello/card.svg").headers["cache-control"].startswith("public, max-age=300")


def test_a_card_gets_another_etag_when_a_picture_comes(
    site: Site, client: Client, host: AvatarHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    go = threading.Event()
    board(site, "Ada")
    site.account("p0@example.com", "first", avatar_url=f"{host.origin}/u/1")
    host.plays["/u/1"] = host.hold(go, whole(png()))
    monkeypatch.setattr(image_routes, "TIMEOUT", 0.05)
    first = client.get("/r/octo/hello/card.svg")
    assert list(drawn(first).iter(f"{SVG}image")) == []
    go.set()
    monkeypatch.setattr(image_routes, "TIMEOUT", 20)
    second = client.get("/r/octo/hello/card.svg", headers={"If-None-Match": first.headers["etag"]})
    assert len(list(drawn(second).iter(f"{SVG}image"))) == 1


def test_the_card_is_bounded_in_bytes() -> None:
    def picture(place: int) -> AvatarImage:
        face = image_of(b"GIF89a" + bytes([place]) + bytes(299_000))
        assert face is not None
        return face

    urls = [f"https://x/{place}" for place in range(60)]
    many = document(*(entry(rank=place, avatarUrl=url) for place, url in enumerate(urls, 1)))
    avatars = image_routes.data_urls(urls, {u: picture(n) for n, u in enumerate(urls)})
    shown = card.of_board(many, avatars, count=60, captions=True, theme="auto")
    assert sum(face["image"] is not None for face in shown["people"]) == 3
    assert len(card.draw(shown)) < 1.5 * image_routes.MAX_BYTES


@pytest.mark.parametrize("captions", [True, False])
@pytest.mark.parametrize("count", [0, 1, 5, 6, 7, 9, 10, 59, 60])
def test_every_face_lies_within_the_card_and_no_two_touch(captions: bool, count: int) -> None:
    rows = [entry(rank=place, name=clean("Name " * 20)) for place in range(1, count + 1)]
    shown = card.of_board(document(*rows), {}, count=60, captions=captions, theme="light")
    radius = shown["radius"] + 4
    for face in shown["people"]:
        assert radius <= face["x"] <= shown["width"] - radius
        assert radius <= face["y"] <= shown["height"] - radius - 38
    middles = [(face["x"], face["y"]) for face in shown["people"]]
    for at, (x, y) in enumerate(middles):
        assert all(abs(x - u) >= 2 * radius - 1 or abs(y - v) >= 2 * radius - 1 for u, v in middles[:at])
    checked(card.draw(shown))


def test_an_empty_card_says_so(site: Site, client: Client) -> None:
    board(site, "Ada")
    assert "No one is ranked under these rules." in texts(drawn(client.get("/r/octo/hello/card.svg?bots=only")))


def test_numbers_stay_level_beside_a_name_of_two_lines() -> None:
    rows = [entry(rank=1, name="Ada"), entry(rank=2, name="Wilhelmina Featherstonehaugh"), entry(rank=3, name="Bo")]
    rows += [entry(rank=rank, name="Di") for rank in range(4, 8)]
    shown = card.of_board(document(*rows), {}, count=12, captions=True, theme="light")
    assert [len(person["lines"]) for person in shown["people"]] == [1, 2, 1, 1, 1, 1, 1]
    root = checked(card.draw(shown))
    levels = [text.get("y") for text in root.iter(f"{SVG}text") if text.get("class") == "q" and text.get("text-anchor")]
    assert len(set(levels[:6])) == 1
    assert levels[6] != levels[0]
