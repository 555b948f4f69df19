"""The badge. Height, font and corners match those of shields.io, so that they fit in one row."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from podium.leaderboard.export.faces import name_of
from podium.leaderboard.export.svg import about, dark_style
from podium.leaderboard.export.text_metrics import fit, width
from podium.repositories.model import EMPTY, State
from podium.textutil.mask import masked
from podium.textutil.sanitize import clean
from podium.web.pages.board.filters import number

FONT = 11
_EDGE, _GAP, _ICON = 6, 5, 13
_LABEL_ROOM, _MESSAGE_ROOM = 240, 240

_LABELS = {"people": "contributors", "commits": "commits", "top": "top contributor"}
_STATES: Mapping[str, str] = {
    State.PENDING: "waiting",
    State.COMMITS_PROCESSING: "counting",
    State.FAILED: "failed",
    EMPTY: "no commits yet",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Paint:
    ground: str
    ink: str


# Every pair has a contrast of at least 4.5.
LIGHT = {
    "figure": Paint("#a15c00", "#ffffff"),
    "busy": Paint("#0b5cad", "#ffffff"),
    "failed": Paint("#b3261e", "#ffffff"),
    "unknown": Paint("#6a737d", "#ffffff"),
    "label": Paint("#555555", "#ffffff"),
}
DARK = {
    "figure": Paint("#e3a73a", "#1c1403"),
    "busy": Paint("#86bdff", "#0b1a2b"),
    "failed": Paint("#ff8f85", "#2b0806"),
    "unknown": Paint("#a2abb5", "#14171a"),
    "label": Paint("#3d444d", "#ffffff"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Badge:
    """The texts of a badge.

    Attributes:
        kind: ``figure``, ``busy``, ``failed`` or ``unknown``.
        about: the description for screen readers and for people who open the image.
    """

    label: str
    message: str
    kind: str
    about: str = ""


def of_board(document: dict[str, Any], show: str, label: str | None) -> Badge:
    """The badge of a board (see :func:`podium.leaderboard.board.load_board`); it needs the first row."""
    match show:
        case "people":
            message = number(document["total"])
        case "commits":
            message = number(document["rankedCommits"])
        case _:
            rows = document["top_contributors"]
            message = name_of(rows[0]) if rows else "no one"
    return Badge(_label(show, label), message, "figure", about(document))


def of_state(state: str, show: str, label: str | None) -> Badge:
    """The badge without a board; ``state`` may also be ``unknown``."""
    kind = "unknown" if state == EMPTY else state if state in ("failed", "unknown") else "busy"
    return Badge(_label(show, label), _STATES.get(state, "unknown repository"), kind)


def _label(show: str, label: str | None) -> str:
    return _LABELS[show] if label is None else masked(clean(label))


def style_of(kind: str, theme: str) -> str:
    """A badge's style sheet; '' for fixed colours."""
    if theme != "auto":
        return ""
    label, message = DARK["label"], DARK[kind]
    return dark_style({"l": label.ground, "k": label.ink, "m": message.ground, "i": message.ink})


def values(badge: Badge, theme: str) -> dict[str, Any]:
    label, message = fit(badge.label, FONT, _LABEL_ROOM), fit(badge.message, FONT, _MESSAGE_ROOM)
    label_width, message_width = width(label, FONT), width(message, FONT)
    label_at = _EDGE + _ICON + _GAP
    left = math.ceil(label_at + label_width + _EDGE) if label else 2 * _EDGE + _ICON
    right = math.ceil(message_width + 2 * _EDGE)
    paints = DARK if theme == "dark" else LIGHT
    return {
        "title": f"{label}: {message}" if label else message,
        "about": badge.about,
        "width": left + right,
        "left": left,
        "right": right,
        "label": {"text": label, "x": label_at, "width": round(label_width, 1)},
        "message": {
            "text": message,
            "x": round(left + (right - message_width) / 2, 1),
            "width": round(message_width, 1),
        },
        "label_paint": paints["label"],
        "message_paint": paints[badge.kind],
        "style": style_of(badge.kind, theme),
    }
