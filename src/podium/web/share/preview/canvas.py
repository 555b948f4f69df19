"""A picture that is drawn: shapes and text with smooth edges."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from podium.web.share.preview.typesetting import Line, Typesetter

if TYPE_CHECKING:
    from PIL import Image

Colour = str
# Shapes are drawn this many times larger, and made smaller, for smooth edges.
_FINER = 4
_PALE = 0.22


class Canvas:
    def __init__(self, width: int, height: int, ground: Colour, typesetter: Typesetter) -> None:
        from PIL import Image

        self.text = typesetter
        self._image = Image.new("RGB", (width, height), ground)

    def rectangle(self, corner: tuple[float, float], size: tuple[float, float], colour: Colour) -> None:
        """Whole pixels; a thing that is there takes at least one."""
        from PIL import ImageDraw

        (left, top), (width, height) = corner, size
        right, bottom = max(left + 1, left + width), max(top + 1, top + height)
        box = (round(left), round(top), round(right) - 1, round(bottom) - 1)
        ImageDraw.Draw(self._image).rectangle(box, fill=colour)

    def panel(self, corner: tuple[int, int], size: tuple[int, int], radius: int, colour: Colour) -> None:
        """A rectangle with round corners."""
        self._paste(colour, self._rounded(*size, radius), *corner)

    def block(
        self, corner: tuple[int, int], size: tuple[int, int], radius: int, colour: Colour, ground: Colour
    ) -> None:
        """A rectangle with round upper corners, which fades into the ground."""
        from PIL import Image

        width, height = size
        mask = self._rounded(width, height + radius, radius).crop((0, 0, width, height))
        fade = Image.linear_gradient("L").resize((width, height)).point(lambda value: int(value * (1 - _PALE)))
        tinted = Image.composite(
            Image.new("RGB", (width, height), ground), Image.new("RGB", (width, height), colour), fade
        )
        self._image.paste(tinted, corner, mask)

    def disc(self, x: int, y: int, radius: int, colour: Colour, picture: Image.Image | None = None) -> None:
        """A disc around ``x``, ``y``, or a picture in its place."""
        mask = self._rounded(2 * radius, 2 * radius, radius)
        if picture is None:
            self._paste(colour, mask, x - radius, y - radius)
            return
        from PIL import ImageOps

        self._image.paste(ImageOps.fit(picture, mask.size), (x - radius, y - radius), mask)

    def polyline(self, points: Sequence[tuple[float, float]], colour: Colour) -> None:
        from PIL import Image, ImageDraw

        large = Image.new("L", (self._image.width * 2, self._image.height * 2))
        scaled = [(2 * x, 2 * y) for x, y in points]
        ImageDraw.Draw(large).line(scaled, fill=255, width=7, joint="curve")
        self._paste(colour, large.reduce(2), 0, 0)

    def write(
        self,
        x: float,
        baseline: float,
        text: str,
        size: float,
        colour: Colour,
        *,
        bold: bool = False,
        align: float = 0.0,
    ) -> float:
        """Draw a text that can be drawn (see :meth:`Typesetter.readable`), and return its width.

        Args:
            align: the part of its width that stands before ``x``.
        """
        line = self.text.line(text, bold=bold)
        if line is None:
            return 0.0
        mask = _mask(line, size)
        if mask is not None:
            image, left, top = mask
            self._paste(colour, image, round(x - align * line.width * size) + left, round(baseline) - top)
        return line.width * size

    def png(self) -> bytes:
        written = io.BytesIO()
        self._image.save(written, "PNG")
        return written.getvalue()

    def _rounded(self, width: int, height: int, radius: int) -> Image.Image:
        from PIL import Image, ImageDraw

        large = Image.new("L", (width * _FINER, height * _FINER))
        corner = (width * _FINER - 1, height * _FINER - 1)
        ImageDraw.Draw(large).rounded_rectangle((0, 0, *corner), radius * _FINER, fill=255)
        return large.reduce(_FINER)

    def _paste(self, colour: Colour, mask: Image.Image, left: int, top: int) -> None:
        self._image.paste(colour, (left, top), mask)


def _mask(line: Line, size: float) -> tuple[Image.Image, int, int] | None:
    """The line's shape, and what of it is left of its start and above its baseline; None for blanks."""
    import uharfbuzz
    from PIL import Image

    pen = uharfbuzz.RasterDraw()
    for glyph in line.glyphs:
        scale = size / glyph.face.units
        pen.transform = (scale, 0.0, 0.0, scale, glyph.x * size, glyph.y * size)
        pen.draw_glyph(glyph.face.font, glyph.number)
    drawn = pen.render()
    extents = drawn.extents
    if not extents.width or not extents.height:
        return None
    # Its rows go from the lowest to the highest.
    image = Image.frombytes("L", (extents.width, extents.height), drawn.buffer, "raw", "L", extents.stride, -1)
    return image, extents.x_origin, extents.y_origin + extents.height
