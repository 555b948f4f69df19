"""What the SVG images share.

A theme consists of attributes, which every SVG renderer supports. ``auto`` is the light theme plus a style sheet for
browsers that prefer a dark one; the policy allows only that style sheet, by its hash.
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
    ground: str
    ink: str


def dark_style(rules: Mapping[str, str]) -> str:
    """The fill colour of each class in a dark theme."""
    fills = "".join(f".{name}{{fill:{colour}}}" for name, colour in rules.items())
    return f"@media (prefers-color-scheme:dark){{{fills}}}"


def policy(style: str) -> str:
    """The Content-Security-Policy of an image with that style sheet and embedded avatars."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    styles = f"style-src 'sha256-{digest}'; " if style else ""
    return (
        f"default-src 'none'; img-src data:; {styles}"
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"
    )


def letters_of(name: str) -> str:
    """Initials, safe in XML."""
    return initials(clean(name))[:4]


def colour_of(name: str) -> str:
    """The colour behind initials (``.avatar`` in the page's style sheet) as ``#rrggbb``."""
    red, green, blue = colorsys.hls_to_rgb(hue(name) / 12, 0.32, 0.45)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def name_of(entry: Mapping[str, Any]) -> str:
    return named(entry["name"] or entry["username"] or "")


def about(document: Document) -> str:
    """An image's description."""
    return " ".join(masked(clean(line)) for line in headlines(document))
