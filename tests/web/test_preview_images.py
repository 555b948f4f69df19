"""Preview images: what is drawn, that no name becomes boxes, and that no avatar costs much."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from podium.avatars import thumbnail as thumbnails
from podium.avatars.image_type import AvatarImage, image_of
from podium.avatars.thumbnail import MAX_SIDE, thumbnail
from podium.textutil.sanitize import clean
from podium.web.pages.board.chart import Chart, lines_of
from podium.web.share.preview import pictures
from podium.web.share.preview.fonts import Fonts
from podium.web.share.preview.pictures import board_picture, comparison_picture, person_picture
from podium.web.share.preview.typesetting import Typesetter
from tests.leaderboard.test_export import HOSTILE, document, entry
from tests.support.avatar_host import AvatarHost, png, whole
from tests.support.web import Site, is_problem, open_site

# The fonts of the package alone: what a machine has more would make the tests differ.
TYPE = Typesetter(Fonts(()))
GROUND, GOLD, PEOPLE = (250, 249, 247), (212, 160, 23), (203, 108, 16)
ARABIC, HEBREW, CHINESE, FAMILY = "محمد بن موسى", "שלום דוד", "王小明", "\U0001f468\u200d\U0001f469\u200d\U0001f467"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with (
        AvatarHost({"/u/7": whole(png(255, 0, 0))}) as host,
        open_site(tmp_path, avatar_hosts=(host.origin,)) as site,
    ):
        number = site.repository()
        for place, name in enumerate(("Ada Lovelace", ARABIC, CHINESE, "Dan")):
            site.person(number, name, f"p{place}@example.com", 40 - 10 * place)
        site.account("p0@example.com", "ada", account_id=7, avatar_url=f"{host.origin}/u/7")
        site.account("p2@example.com", "wang", account_id=8, avatar_url=f"{host.origin}/u/8")
        yield site


def decoded(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (1200, 630))
    return image


def colours(image: Image.Image) -> dict[object, int]:
    return {colour: count for count, colour in image.getcolors(maxcolors=2**20) or ()}


def board(*rows: dict[str, object]) -> bytes:
    return board_picture(document(*rows), "octo/hello", None, {}, TYPE)


# What is served


def test_a_board_has_a_picture_of_its_podium_and_its_chart(site: Site) -> None:
    answer = site.client().get("/r/octo/hello/preview.png")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "content-encoding" not in answer.headers
    image = decoded(answer.content)
    seen = colours(image)
    assert seen[GROUND] > 100_000
    assert seen[PEOPLE] > 500
    # The middle of the first one's face, and a step of the podium.
    assert image.getpixel((848, 144)) == (255, 0, 0)
    assert GOLD in seen
    again = site.client().get("/r/octo/hello/preview.png", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


def test_a_picture_is_drawn_once_and_that_of_a_version_is_kept_for_a_year(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    original = pictures.board_picture

    def counted(*arguments: object) -> bytes:
        drawn.append("board")
        return original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(pictures, "board_picture", counted)
    client = site.client()
    # The host lacks one avatar, which may come later: a picture without it is kept briefly.
    for _ in range(2):
        answer = client.get("/r/octo/hello/preview.png")
        assert answer.headers["cache-control"] == "public, max-age=30, stale-while-revalidate=300"
    assert drawn == ["board"]
    whole_board = site.repository("octo/plain")
    site.person(whole_board, "Ada", "ada@example.com", 3)
    page = client.get("/r/octo/plain", headers={"accept": "text/html"}).text
    version = page.split("preview.png?v=", 1)[1].split('"', 1)[0]
    answer = client.get(f"/r/octo/plain/preview.png?v={version}")
    assert answer.headers["cache-control"] == "public, max-age=31536000, s-maxage=86400, immutable"
    for other in ("", "?v=0123"):
        answer = client.get(f"/r/octo/plain/preview.png{other}")
        assert answer.headers["cache-control"] == "public, max-age=300, stale-while-revalidate=86400"
    assert len(drawn) == 3


def test_rules_and_windows_have_pictures_of_their_own(site: Site) -> None:
    client = site.client()
    all_time = client.get("/r/octo/hello/preview.png").content
    assert decoded(client.get("/r/octo/hello/preview.png?until=2000-01-01").content) != decoded(all_time)
    assert client.get("/r/octo/hello/preview.png?months=12").status_code == 200
    is_problem(client.get("/r/octo/hello/preview.png?since=nonsense"), 400, "since")
    is_problem(client.get("/r/octo/hello/preview.png?size=9"), 400, "size")
    is_problem(client.get("/r/octo/none/preview.png"), 404, "never submitted")


@pytest.mark.parametrize("state", ["pending", "commits_processing", "failed"])
def test_a_repository_without_a_board_has_a_picture_that_says_so(site: Site, state: str) -> None:
    site.repository("octo/new", state)
    answer = site.client().get("/r/octo/new/preview.png")
    assert len(colours(decoded(answer.content))) > 50
    assert "immutable" not in answer.headers["cache-control"]


def test_a_comparison_is_drawn_once_and_again_after_a_count(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[object] = []
    original = pictures.comparison_picture

    def counted(title: str, chart: Chart | None, facts: list[str], typesetter: Typesetter) -> bytes:
        drawn.append((title, facts))
        return original(title, chart, facts, typesetter)

    monkeypatch.setattr(pictures, "comparison_picture", counted)
    client, other = site.client(), site.repository("octo/plain")
    site.person(other, "Ada", "ada@example.com", 3)
    url = "/compare/preview.png?repo=octo/hello&repo=octo/plain"
    answers = [client.get(url) for _ in range(2)]
    assert drawn == [("octo/hello, octo/plain", ["4 people, 100 commits", "1 person, 3 commits"])]
    assert colours(decoded(answers[0].content))[(180, 83, 9)] > 100
    assert answers[0].headers["cross-origin-resource-policy"] == "cross-origin"
    assert "immutable" not in answers[0].headers["cache-control"]
    assert client.get(url, headers={"if-none-match": answers[1].headers["etag"]}).status_code == 304
    with site.db.write() as session:
        session.run(f"UPDATE repository SET head = 'new', commits_processed_at = 9 WHERE id = {other}")
    client.get(url)
    assert len(drawn) == 2


def test_a_comparison_without_a_picture_says_why(site: Site) -> None:
    client = site.client()
    site.repository("octo/new", "pending")
    is_problem(client.get("/compare/preview.png"), 400, "repo")
    is_problem(client.get("/compare/preview.png?repo=octo/hello&months=3"), 400, "months")
    is_problem(client.get("/compare/preview.png?repo=octo/hello&v=1&v=2"), 400, "more than once")
    is_problem(client.get("/compare/preview.png?repo=octo/new&repo=octo/none"), 404, "counted yet")
    is_problem(client.get("/compare/preview.png?repo=octo/hello&person=eve"), 404, "no person")
    # The one that is counted.
    assert decoded(client.get("/compare/preview.png?repo=octo/hello&repo=octo/none").content)


# Text


@given(st.one_of(st.text(max_size=30), st.sampled_from(HOSTILE)))
@settings(max_examples=50, deadline=None)
def test_no_text_is_drawn_with_a_glyph_that_is_missing(text: str) -> None:
    for bold in (False, True):
        readable = TYPE.readable(clean(text), bold=bold)
        line = TYPE.line(readable, bold=bold)
        assert line is not None
        assert all(glyph.number for glyph in line.glyphs)
        cut = TYPE.line(TYPE.fit(readable, 24, 150, bold=bold), bold=bold)
        assert cut is not None
        assert cut.width * 24 <= 150


def test_letters_that_join_are_joined_and_read_from_the_right() -> None:
    line = TYPE.line("محمد")
    assert line is not None
    alone = {glyph.number for letter in "محمد" for glyph in (TYPE.line(letter) or line).glyphs}
    assert not alone.issuperset(glyph.number for glyph in line.glyphs)
    mixed = TYPE.line("David דוד")
    first = TYPE.line("D")
    assert mixed is not None
    assert first is not None
    assert mixed.glyphs[0].number == first.glyphs[0].number
    hebrew = TYPE.line("דוד David")
    assert hebrew is not None
    assert hebrew.glyphs[0].number == first.glyphs[0].number


def test_a_name_that_cannot_be_drawn_gives_way_to_the_login_or_to_nothing() -> None:
    assert TYPE.readable(CHINESE) == TYPE.readable("தமிழ்") == ""
    assert TYPE.readable(f"{FAMILY} Ada \U0001f680") == "Ada"
    assert TYPE.readable("Zo\u0308\u20dde") == "Zöe"
    unnamed = board(entry(rank=1, name="", username="wang"))
    assert board(entry(rank=1, name=CHINESE, username="wang")) == unnamed
    assert board(entry(rank=1, name=CHINESE, username=None)) != unnamed
    assert board(entry(rank=1, name=ARABIC)) != board(entry(rank=1, name=HEBREW))


def test_a_script_without_rules_for_it_is_not_drawn_with_a_font_of_the_system(tmp_path: Path) -> None:
    import pymupdf_fonts

    # It has symbols and no rules for any script.
    (tmp_path / "Other-Regular.ttf").write_bytes(pymupdf_fonts.myfont("symbol2"))
    (tmp_path / "Broken.ttf").write_bytes(b"\0\1\0\0nothing")
    fonts = Fonts((str(tmp_path), str(tmp_path / "none")))
    other = fonts.find("\u2730", None, bold=False)
    assert other is not None
    assert not other.shapes("Taml")
    assert other.shapes("Hani")
    assert fonts.find("ா", "Taml", bold=False) is None
    assert Typesetter(fonts).readable("a\u2730") == "a\u2730"


NAMES = [*HOSTILE[::5], ARABIC, CHINESE, FAMILY, "W" * 300, "W " * 150, ""]


@pytest.mark.parametrize("names", [NAMES[start : start + 3] for start in range(0, len(NAMES), 3)])
def test_no_names_break_the_picture_of_their_board(names: list[str]) -> None:
    rows = [entry(rank=rank, name=name, username=None, commitCount=10**9) for rank, name in enumerate(names, start=1)]
    decoded(board_picture(document(*rows), names[0], lines_of([(names[-1], {20_000: 3})]), {}, TYPE))


@pytest.mark.parametrize("name", NAMES)
def test_no_name_leaves_its_picture_or_breaks_it(name: str) -> None:
    row = entry(rank=1, name=name, username=None, commitCount=10**9)
    chart = lines_of([(name, {20_000: 3, 20_400: 5}), ("b", {20_100: 2})])
    assert chart is not None
    for picture in (
        person_picture(row, name, [name], chart, {}, typesetter=TYPE),
        comparison_picture(name, chart, [name, "c"], TYPE),
    ):
        image = decoded(picture)
        edge = image.crop((1170, 0, 1200, 390))
        assert set(colours(edge)) == {GROUND}


def test_one_commit_is_a_bar_and_no_slab() -> None:
    chart = lines_of([("Ada", {20_000: 1})])
    image = decoded(board_picture(document(entry(rank=1)), "a/b", chart, {}, TYPE))
    assert colours(image.crop((0, 555, 1200, 556)))[PEOPLE] == 40


# Avatars


def avatar(data: bytes) -> AvatarImage:
    found = image_of(data)
    assert found is not None
    return found


def saved(format: str, size: tuple[int, int] = (60, 40), **options: object) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, (255, 0, 0)).save(written, format, **options)
    return written.getvalue()


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WEBP"])
def test_each_kind_of_avatar_is_decoded_on_white(format: str) -> None:
    image = thumbnail(avatar(saved(format)), 32)
    assert image is not None
    assert image.size == (32, 32)
    red, green, blue = image.getpixel((16, 16))  # type: ignore[misc]
    assert red > 240
    assert green < 15
    assert blue < 15
    clear = io.BytesIO()
    Image.new("RGBA", (9, 9)).save(clear, "PNG")
    white = thumbnail(avatar(clear.getvalue()), 32)
    assert white is not None
    assert white.getpixel((3, 3)) == (255, 255, 255)


def test_an_avatar_beyond_a_bound_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = saved("PNG", (MAX_SIDE + 1, 1))
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    huge = b"\x89PNG\r\n\x1a\n" + chunk + saved("PNG")[33:]
    assert thumbnail(avatar(saved("PNG", (MAX_SIDE, 1))), 32) is not None
    monkeypatch.setattr(Image.Image, "convert", lambda *_, **__: pytest.fail("decoded"))
    assert thumbnail(avatar(bomb), 32) is None
    assert thumbnail(avatar(huge), 32) is None
    assert thumbnail(avatar(saved("JPEG") + b"\xff\xda" * 200), 32) is None
    assert thumbnail(avatar(saved("PNG") + bytes(thumbnails.MAX_BYTES)), 32) is None


@pytest.mark.parametrize(
    "data",
    [
        *(b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"GIF87a\xff\xff\xff\xff"),
        *(saved(format)[:70] for format in ("PNG", "JPEG", "GIF", "WEBP")),
    ],
)
def test_an_avatar_that_is_broken_is_no_picture(data: bytes) -> None:
    assert thumbnail(avatar(data), 32) is None
