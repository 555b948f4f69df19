"""What drawings of people have in common. Pure."""

from __future__ import annotations

import colorsys

from podium.leaderboard.text import clean
from podium.web.wording import hue, initials, masked


def letters_of(name: str) -> str:
    """Up to two letters that stand for a person, fit for XML."""
    return initials(clean(name))[:4]


def colour_of(name: str) -> str:
    """The colour behind those letters: the page's (see ``.face`` in its style sheet), as ``#rrggbb``."""
    red, green, blue = colorsys.hls_to_rgb(hue(name) / 12, 0.32, 0.45)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def name_of(entry: dict[str, object]) -> str:
    """A row's name on one line, without a whole e-mail in it."""
    return masked(clean(str(entry["name"] or entry["username"] or ""))) or "(no name)"
