"""What the SVG images share: themes, names, initials, Content-Security-Policy.

A theme is written as attributes, which every SVG renderer supports. ``auto`` is the light theme plus a style sheet for
browsers that prefer a dark one. The policy allows that style sheet by its hash, and nothing else.
"""

from __future__ import annotations

import base64
import colorsys
import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

from podium.leaderboard.board import Document
from podium.leaderboard.export.summary import headlines
from podium.textutil.mask import masked
from podium.textutil.sanitize import clean
from podium.web.pages.filters import hue, initials, named


@dataclasses.dataclass(frozen=True, slots=True)
class Paint:
    """The colour of a surface, and of the text on it."""

    ground: str
    ink: str


def dark_style(rules: Mapping[str, str]) -> str:
    """A style sheet that sets the fill colour of each class for readers who prefer a dark theme."""
    fills = "".join(f".{name}{{fill:{colour}}}" for name, colour in rules.items())
    return f"@media (prefers-color-scheme:dark){{{fills}}}"


def policy(style: str) -> str:
    """The Content-Security-Policy of an image with that style sheet (or none) and embedded avatars."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    styles = f"style-src 'sha256-{digest}'; " if style else ""
    return (
        f"default-src 'none'; img-src data:; {styles}"
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"
    )


def letters_of(name: str) -> str:
    """Up to two initials of a person, safe in XML."""
    return initials(clean(name))[:4]


def colour_of(name: str) -> str:
    """The colour behind the initials, as on the page (``.avatar`` in its style sheet), as ``#rrggbb``."""
    red, green, blue = colorsys.hls_to_rgb(hue(name) / 12, 0.32, 0.45)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def name_of(entry: Mapping[str, Any]) -> str:
    """The name of a board's row as the page shows it."""
    return named(entry["name"] or entry["username"] or "")


def about(document: Document) -> str:
    """The description of an image: what was counted, up to where, and under which rules."""
    return " ".join(masked(clean(line)) for line in headlines(document))
