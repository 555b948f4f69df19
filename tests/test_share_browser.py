"""Badge, card and the section that offers them, in a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from podium.web.share import badge, card
from podium.web.share.lettering import width
from tests.support.chromium import Chromium, listening, needs_chromium
from tests.support.face_host import FaceHost, png, whole
from tests.support.web import Site, open_site

pytestmark = needs_chromium

NAMES = ("Ada Lovelace", "<script>alert(1)</script>", "Алексей Смирнов", "張三豐", "me@example.com")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Chromium:
    return Chromium(tmp_path_factory.mktemp("chromium"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with a board of five, of whom the first has a red face."""
    with (
        FaceHost({"/u/7": whole(png(255, 0, 0))}) as host,
        open_site(tmp_path_factory.mktemp("site"), avatar_hosts=(host.origin,)) as site,
    ):
        fill(site, host)
        with listening(site.app) as port:
            yield f"http://127.0.0.1:{port}"


def fill(site: Site, host: FaceHost) -> None:
    number = site.repository()
    for place, name in enumerate(NAMES):
        site.person(number, name, f"p{place}@example.com", 100 - place)
    site.account("p0@example.com", "ada", account_id=7, avatar_url=f"{host.origin}/u/7")
    site.repository("octo/new", "pending")


def elsewhere(folder: Path, body: str) -> str:
    """A page of another site: a file's origin is nobody's."""
    file = folder / "elsewhere.html"
    file.write_text(f"<!doctype html><meta charset=utf-8><body style='margin:0;background:#888'>{body}")
    return file.as_uri()


def said(dom: str) -> Any:
    """What the page's script wrote into ``<pre>``."""
    found = re.search(r"<pre>(.*?)</pre>", dom, re.S)
    assert found, dom
    return json.loads(unescape(found[1]))


MEASURE_IMAGES = """<script>
addEventListener("load", () => {
  const out = document.createElement("pre");
  out.textContent = JSON.stringify([...document.images].map((i) => [i.complete, i.naturalWidth, i.naturalHeight]));
  document.body.append(out);
});
</script>"""


def test_pages_of_other_sites_may_show_badge_and_card_but_no_face(
    server: str, chromium: Chromium, tmp_path: Path
) -> None:
    files = ("badge.svg", "card.svg", "card.svg?theme=dark&names=hide")
    images = "".join(f'<img src="{server}/r/octo/hello/{file}">' for file in files)
    images += f'<img src="{server}/r/octo/new/badge.svg"><img src="{server}/r/octo/none/badge.svg">'
    images += f'<img src="{server}/avatars/7">'
    *shown, face = said(chromium.dom(elsewhere(tmp_path, images + MEASURE_IMAGES)))
    expected = badge.values(badge.Badge("contributors", "5", "figure"), "auto")["width"]
    assert shown[0] == [True, expected, 20]
    assert [of[1] for of in shown[1:3]] == [card.WIDTH, card.WIDTH]
    assert [of[2] for of in shown[3:]] == [20, 20]
    assert face == [True, 0, 0]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_badge_and_card_follow_what_the_reader_prefers(
    server: str, chromium: Chromium, tmp_path: Path, dark: bool
) -> None:
    shown = badge.values(badge.Badge("contributors", "5", "figure"), "auto")
    images = (
        f'<img src="{server}/r/octo/hello/badge.svg" style="display:block"><img src="{server}/r/octo/hello/card.svg">'
    )
    seen = chromium.shot(elsewhere(tmp_path, images), 640, 300, dark=dark)
    badge_paint, card_paint = (badge.DARK, card.DARK) if dark else (badge.LIGHT, card.LIGHT)
    assert seen.at(shown["left"] - 2, 10) == badge_paint["label"].ground
    assert seen.at(shown["left"] + 2, 10) == badge_paint["figure"].ground
    assert seen.at(300, 20 + 50) == card_paint["ground"]
    assert seen.at(0, 20) == "#888888", "the corners are round"
    # The face of the first, where its initials would be.
    assert seen.at(70, 20 + 110) == "#ff0000"


@pytest.mark.parametrize("file", ["badge.svg", "card.svg"])
def test_a_drawing_on_its_own_obeys_its_policy_and_still_follows(server: str, chromium: Chromium, file: str) -> None:
    # Opened by itself, the policy of its headers holds: a style sheet that it does not name would be left out.
    found = [chromium.shot(f"{server}/r/octo/hello/{file}", 640, 300, dark=dark).colours() for dark in (False, True)]
    grounds = [badge.LIGHT["figure"].ground, badge.DARK["figure"].ground]
    if file == "card.svg":
        grounds = [card.LIGHT["ground"], card.DARK["ground"]]
        assert all("#ff0000" in colours for colours in found)
    assert grounds[0] in found[0]
    assert grounds[1] in found[1]
    assert grounds[0] not in found[1] - {"#ffffff"}


def test_text_is_measured_as_the_browser_measures_it(chromium: Chromium, tmp_path: Path) -> None:
    texts = ["contributors", "1,234,567", "top contributor", "Résumé Ångström", "Алексей Смирнов", "Ελλάδα", "WiM|%@"]
    script = f"""<script>
      const pen = document.createElement("canvas").getContext("2d");
      const widths = (font) => {{ pen.font = font; return {json.dumps(texts)}.map((t) => pen.measureText(t).width); }};
      const out = document.createElement("pre");
      out.textContent = JSON.stringify([widths("100px DejaVu Sans"), widths("100px no-such-font, monospace")]);
      document.body.append(out);
    </script>"""
    measured, other = said(chromium.dom(elsewhere(tmp_path, script)))
    if measured == other:
        pytest.skip("NO FONT: apt-get install fonts-dejavu-core, or this is not tested")
    for text, wide in zip(texts, measured, strict=True):
        assert width(text, 100) == pytest.approx(wide, rel=0.03), text


def test_the_section_offers_to_copy_where_scripts_run(server: str, chromium: Chromium) -> None:
    page = chromium.dom(f"{server}/r/octo/hello")
    buttons = re.findall(r"<button[^>]*data-copy[^>]*>", page)
    assert len(buttons) == 4
    assert not any("hidden" in button for button in buttons)
