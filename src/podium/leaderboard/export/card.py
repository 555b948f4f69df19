"""The card: an SVG image of a board's first people. Pure."""

from __future__ import annotations

import dataclasses
import math
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

from podium.leaderboard.export.faces import colour_of, letters_of, name_of
from podium.leaderboard.export.summary import parts_of_window, window_of
from podium.leaderboard.export.summary import title as title_of
from podium.leaderboard.export.svg import about, add, as_text, dark_style
from podium.leaderboard.export.text_metrics import BOLD, fit, wrap
from podium.repositories.model import EMPTY, State
from podium.textutil.mask import masked
from podium.textutil.plural import plural
from podium.textutil.sanitize import clean

WIDTH = 600
_PAD = 24
_INNER = WIDTH - 2 * _PAD
_TOP, _BOTTOM = 92, 38
_TITLE, _SUBTITLE, _NAME = 19, 13, 12
# System fonts are narrower than the measured one.
_NARROWER = 0.92

# People on a card, unless the user asks for another number, and the most.
FEW, MOST = 12, 60

# The colours of the page's style sheet.
LIGHT = {"ground": "#ffffff", "line": "#d9d6d0", "ink": "#1c2024", "quiet": "#5b636d"}
DARK = {"ground": "#1c2024", "line": "#3c434b", "ink": "#e8e6e1", "quiet": "#a2abb5"}
_FONTS = "system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif"
# Places and colours of the podium in the corner.
_LOGO = ((0, 12, 14, "#8b98a8"), (9, 6, 20, "#e0a526"), (18, 16, 10, "#c0762b"))
_MEDALS = {1: "#e0a526", 2: "#9aa6b4", 3: "#c0762b"}

STATES: Mapping[str, str] = {
    State.PENDING: "Waiting to be counted.",
    State.COMMITS_PROCESSING: "The commits are being counted.",
    State.FAILED: "The commits could not be counted.",
    EMPTY: "This repository has no commits yet.",
    "unknown": "No board yet: this repository was never submitted.",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Grid:
    """Columns, and sizes of a cell and its avatar."""

    columns: int
    wide: float
    high: float
    avatar: float


def grid(captions: bool) -> Grid:
    return Grid(6, _INNER / 6, 126, 60) if captions else Grid(9, _INNER / 9, 62, 50)


def style_of(theme: str) -> str:
    """The card's style sheet; '' for fixed colours."""
    if theme != "auto":
        return ""
    return dark_style({"g": DARK["ground"], "s": DARK["line"], "t": DARK["ink"], "q": DARK["quiet"]})


def of_board(
    document: dict[str, Any], avatars: Mapping[str, str], *, count: int, captions: bool, theme: str
) -> dict[str, Any]:
    """The values of a board's card, for :func:`draw`.

    Args:
        document: see :func:`podium.leaderboard.board.load_board`.
        avatars: images as ``data:`` URLs, by ``avatarUrl``; other people get initials.
    """
    entries = document["top_contributors"][:count]
    cells = grid(captions)
    lines = max(1, math.ceil(len(entries) / cells.columns))
    placed = [
        _placed(entry, place, cells) | {"image": avatars.get(entry["avatarUrl"] or "")}
        for place, entry in enumerate(entries)
    ]
    # The names of one row take as many lines as the longest, so that the numbers below them are level.
    for first in range(0, len(placed), cells.columns):
        row = placed[first : first + cells.columns]
        tallest = max(len(person["lines"]) for person in row)
        for person in row:
            person["tallest"] = tallest
    return _card(document["repository"], theme) | {
        "height": round(_TOP + lines * cells.high + _BOTTOM),
        "about": about(document),
        "subtitle": _subtitle(document),
        "message": None if entries else "No one is ranked under these rules.",
        "footer": _footer(document, len(entries)),
        "people": placed,
        "radius": cells.avatar / 2,
        "captions": captions,
    }


def of_state(repository: Mapping[str, Any], state: str, theme: str) -> dict[str, Any]:
    """The card of a repository without a board; ``state`` may also be ``unknown``."""
    return _card(repository, theme) | {
        "about": "",
        "height": 132,
        "subtitle": "",
        "message": STATES[state],
        "footer": "",
        "people": [],
        "radius": 0,
        "captions": False,
    }


def draw(shown: Mapping[str, Any]) -> str:
    """The image of a card's values."""
    wide, high, paint = shown["width"], shown["height"], shown["paint"]
    about_it = f"Who made {shown['title']}?"
    root = ET.Element("svg", xmlns="http://www.w3.org/2000/svg", width=f"{wide}", height=f"{high}")
    root.attrib |= {"viewBox": f"0 0 {wide} {high}", "role": "img", "aria-label": about_it, "font-family": _FONTS}
    add(root, "title", about_it)
    if shown["about"]:
        add(root, "desc", shown["about"])
    if shown["style"]:
        add(root, "style", shown["style"])
    add(root, "rect", class_="s", width=wide, height=high, rx=12, fill=paint["line"])
    add(root, "rect", class_="g", x=1, y=1, width=wide - 2, height=high - 2, rx=11, fill=paint["ground"])
    logo = add(root, "g", transform=f"translate({wide - 52} 21)")
    for x, y, height, fill in _LOGO:
        add(logo, "rect", x=x, y=y, width=8, height=height, fill=fill)
    ink, quiet = {"class_": "t", "fill": paint["ink"]}, {"class_": "q", "fill": paint["quiet"]}
    add(root, "text", shown["title"], x=_PAD, y=42, font_size=_TITLE, font_weight=700, **ink)
    if shown["subtitle"]:
        add(root, "text", shown["subtitle"], x=_PAD, y=65, font_size=_SUBTITLE, **quiet)
    if shown["message"]:
        add(root, "text", shown["message"], x=_PAD, y=112 if shown["subtitle"] else 84, font_size=14, **quiet)
    if shown["people"]:
        add(add(root, "clipPath", id="f"), "circle", r=shown["radius"])
    for person in shown["people"]:
        _draw_person(root, person, shown["radius"], paint, captions=shown["captions"])
    if shown["footer"]:
        add(root, "text", shown["footer"], x=_PAD, y=high - 20, font_size=11, **quiet)
    return as_text(root)


def _draw_person(
    root: ET.Element, person: Mapping[str, Any], radius: float, paint: Mapping[str, str], *, captions: bool
) -> None:
    place = add(root, "g", transform=f"translate({person['x']} {person['y']})")
    add(place, "title", person["title"])
    if person["medal"]:
        add(place, "circle", r=radius + 4, fill=person["medal"])
        add(place, "circle", class_="g", r=radius + 1.5, fill=paint["ground"])
    add(place, "circle", r=radius, fill=person["colour"])
    size = round(radius * 0.72, 1)
    centred = {"text_anchor": "middle"}
    add(place, "text", person["letters"], dy="0.35em", font_size=size, font_weight=600, fill="#ffffff", **centred)
    if person["image"]:
        corner = {"x": -radius, "y": -radius, "width": 2 * radius, "height": 2 * radius}
        whole = {"clip_path": "url(#f)", "preserveAspectRatio": "xMidYMid slice"}
        add(place, "image", href=person["image"], **corner, **whole)
    if captions:
        lines = person["lines"]
        for number, line in enumerate(lines):
            caption = {"class_": "t", "fill": paint["ink"], "font_weight": 500}
            add(place, "text", line, y=radius + 20 + 14 * number, font_size=_NAME, **caption, **centred)
        below = radius + 21 + 14 * person["tallest"]
        add(place, "text", person["commits"], class_="q", y=below, font_size=11, fill=paint["quiet"], **centred)


def _card(repository: Mapping[str, Any], theme: str) -> dict[str, Any]:
    title = masked(clean(title_of({"repository": repository})))
    return {
        "width": WIDTH,
        "title": fit(title, _TITLE * BOLD, _INNER - 48),
        "paint": DARK if theme == "dark" else LIGHT,
        "style": style_of(theme),
    }


def _placed(entry: Mapping[str, Any], place: int, cells: Grid) -> dict[str, Any]:
    name = name_of(entry)
    return {
        "x": round(_PAD + (place % cells.columns + 0.5) * cells.wide, 1),
        "y": round(_TOP + place // cells.columns * cells.high + cells.avatar / 2, 1),
        "lines": wrap(name, _NAME * _NARROWER, cells.wide - 4),
        "title": f"{entry['rank']}. {name}: {entry['commitCount']:,}",
        "commits": f"{entry['commitCount']:,}",
        "letters": letters_of(entry["name"] or entry["username"] or ""),
        "colour": colour_of(entry["username"] or entry["name"] or ""),
        "medal": _MEDALS.get(entry["rank"]),
    }


def _subtitle(document: dict[str, Any]) -> str:
    return fit(f"{plural(document['total'], 'person', 'people')} · {parts_of_window(document)}", _SUBTITLE, _INNER)


def _footer(document: dict[str, Any], shown: int) -> str:
    parts = [f"Top {shown:,} of {document['total']:,}"] if shown < document["total"] else []
    parts += [window_of(document)] if window_of(document) else []
    if document["head"]:
        committed = document["headCommittedAt"]
        parts.append(f"as of {document['head'][:10]}" + (f", committed on {committed[:10]}" if committed else ""))
    return " · ".join(parts)
