"""A person without an avatar: initials on a colour, and a name that fits on one line. Pure."""

from __future__ import annotations

import colorsys
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from podium.textutil.mask import masked
from podium.textutil.sanitize import clean


def named(name: str) -> str:
    """A name on one line, without control characters and e-mails."""
    return masked(clean(name)) or "(no name)"


def name_of(entry: Mapping[str, Any]) -> str:
    return named(entry["name"] or entry["username"] or "")


def initials(name: str) -> str:
    words = [word for word in re.split(r"[\s@._-]+", name) if word[:1].isalnum()]
    chosen = [words[0], words[-1]] if len(words) > 1 else words
    return "".join(word[0] for word in chosen).upper() or "?"


def letters_of(name: str) -> str:
    """Initials, safe in XML."""
    return initials(clean(name))[:4]


def hue(name: str) -> int:
    """One of twelve colours."""
    return hashlib.sha256(name.encode("utf-8", "replace")).digest()[0] % 12


def colour_of(name: str) -> str:
    """The colour behind initials (``.avatar`` in the page's style sheet) as ``#rrggbb``."""
    red, green, blue = colorsys.hls_to_rgb(hue(name) / 12, 0.32, 0.45)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
