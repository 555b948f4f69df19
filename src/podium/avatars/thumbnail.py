"""Avatars as pixels, for images that are drawn here.

Hosts and their users choose the bytes: bytes, pixels and the passes of a JPEG are bounded before anything is decoded.
"""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING

from podium.avatars.image_type import AvatarImage

if TYPE_CHECKING:
    from PIL import Image

log = logging.getLogger(__name__)

MAX_BYTES, MAX_SIDE, MAX_PASSES = 256 * 1024, 1024, 100

_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
# Starts one pass over all pixels of a progressive JPEG.
_START_OF_SCAN = b"\xff\xda"


def thumbnail(avatar: AvatarImage, side: int) -> Image.Image | None:
    """The first frame on white, ``side`` pixels wide and high; None beyond a bound, or if it cannot be decoded."""
    from PIL import Image, ImageOps

    if len(avatar.data) > MAX_BYTES or avatar.data.count(_START_OF_SCAN) > MAX_PASSES:
        return None
    try:
        with Image.open(io.BytesIO(avatar.data), formats=_FORMATS) as image:
            if not 0 < max(image.size) <= MAX_SIDE:
                return None
            image.draft("RGB", (2 * side, 2 * side))
            pixels = image.convert("RGBA")
        ground = Image.new("RGBA", pixels.size, "white")
        ground.alpha_composite(pixels)
        return ImageOps.fit(ground.convert("RGB"), (side, side), Image.Resampling.LANCZOS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, OSError, SyntaxError, ValueError) as error:
        log.info("An avatar is not drawn: %s.", error)
        return None
