"""The card: the avatars of a board's first people."""

from __future__ import annotations

import base64
import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from podium.avatars.image_type import AvatarImage
from podium.leaderboard.export.summary import parts_of_window, window_of
from podium.leaderboard.export.summary import title as title_of
from podium.repositories.model import State
from podium.textutil.mask import masked
from podium.textutil.plural import plural
from podium.textutil.sanitize import clean
from podium.web.pages.filters import number
from podium.web.share.svg import about, colour_of, dark_style, letters_of, name_of
from podium.web.share.text_metrics import BOLD, fit, wrap

WIDTH = 600
_PAD = 24
_INNER = WIDTH - 2 * _PAD
_TOP, _BOTTOM = 92, 38
_TITLE, _SUBTITLE, _NAME = 19, 13, 12
# System fonts are narrower than the measured one.
_NARROWER = 0.92

# Bytes of avatars in one card; further people get initials.
MAX_BYTES = 1_000_000

# The colours of the page's style sheet.
LIGHT = {"ground": "#ffffff", "line": "#d9d6d0", "ink": "#1c2024", "quiet": "#5b636d"}
DARK = {"ground": "#1c2024", "line": "#3c434b", "ink": "#e8e6e1", "quiet": "#a2abb5"}
_MEDALS = {1: "#e0a526", 2: "#9aa6b4", 3: "#c0762b"}

_STATES: Mapping[str, str] = {
    State.PENDING: "Waiting to be counted.",
    State.COMMITS_PROCESSING: "The commits are being counted.",
    State.FAILED: "The commits could not be counted.",
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
    document: dict[str, Any], avatars: Mapping[str, AvatarImage], *, count: int, captions: bool, theme: str
) -> dict[str, Any]:
    """The template values for a board.

    Args:
        document: see :func:`podium.leaderboard.board.load_board`.
        avatars: images by ``avatarUrl``; other people get initials.
    """
    entries = document["top_contributors"][:count]
    cells = grid(captions)
    lines = max(1, math.ceil(len(entries) / cells.columns))
    placed = [_placed(entry, place, cells) for place, entry in enumerate(entries)]
    _add_avatars(entries, placed, avatars)
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
    """The template values without a board; ``state`` may also be ``unknown``."""
    return _card(repository, theme) | {
        "about": "",
        "height": 132,
        "subtitle": "",
        "message": _STATES[state],
        "footer": "",
        "people": [],
        "radius": 0,
        "captions": False,
    }


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
        "title": f"{entry['rank']}. {name}: {number(entry['commitCount'])}",
        "commits": number(entry["commitCount"]),
        "letters": letters_of(entry["name"] or entry["username"] or ""),
        "colour": colour_of(entry["username"] or entry["name"] or ""),
        "medal": _MEDALS.get(entry["rank"]),
        "image": None,
    }


def _add_avatars(
    entries: list[dict[str, Any]], placed: list[dict[str, Any]], avatars: Mapping[str, AvatarImage]
) -> None:
    room = MAX_BYTES
    for entry, cell in zip(entries, placed, strict=True):
        image = avatars.get(entry["avatarUrl"] or "")
        if image is not None and len(image.data) <= room:
            room -= len(image.data)
            cell["image"] = f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"


def _subtitle(document: dict[str, Any]) -> str:
    return fit(f"{plural(document['total'], 'person', 'people')} · {parts_of_window(document)}", _SUBTITLE, _INNER)


def _footer(document: dict[str, Any], shown: int) -> str:
    parts = [f"Top {number(shown)} of {number(document['total'])}"] if shown < document["total"] else []
    parts += [window_of(document)] if window_of(document) else []
    if document["head"]:
        committed = document["headCommittedAt"]
        parts.append(f"as of {document['head'][:10]}" + (f", committed on {committed[:10]}" if committed else ""))
    return " · ".join(parts)
