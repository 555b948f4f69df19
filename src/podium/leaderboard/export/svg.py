"""What the SVG images share.

A theme consists of attributes, which every SVG renderer supports. ``auto`` is the light theme plus a style sheet for
browsers that prefer a dark one.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

from podium.leaderboard.board import Document
from podium.leaderboard.export.summary import headlines
from podium.textutil.mask import masked
from podium.textutil.sanitize import clean


def dark_style(rules: Mapping[str, str]) -> str:
    """The fill colour of each class in a dark theme."""
    fills = "".join(f".{name}{{fill:{colour}}}" for name, colour in rules.items())
    return f"@media (prefers-color-scheme:dark){{{fills}}}"


def about(document: Document) -> str:
    """An image's description."""
    return " ".join(masked(clean(line)) for line in headlines(document))


def add(parent: ET.Element, tag: str, text: str | None = None, /, **attributes: Any) -> ET.Element:
    """Add an element to ``parent``. In the names of attributes ``_`` is ``-``, and ``class_`` is ``class``."""
    named = {name.rstrip("_").replace("_", "-"): str(value) for name, value in attributes.items() if value is not None}
    child = ET.SubElement(parent, tag, named)
    child.text = text
    return child


def as_text(root: ET.Element) -> str:
    """The image, ready to be saved. Its texts must be clean (:func:`podium.textutil.sanitize.clean`)."""
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"
