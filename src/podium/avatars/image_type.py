"""Accept only bytes that are an image. Pure.

The signature decides, not the Content-Type: SVG and HTML can contain scripts
(https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern).
"""

from __future__ import annotations

import dataclasses
import hashlib


@dataclasses.dataclass(frozen=True, slots=True)
class AvatarImage:
    """A PNG, JPEG, GIF or WebP with a hash of its data."""

    data: bytes
    media_type: str
    digest: str


def image_of(data: bytes) -> AvatarImage | None:
    """``data`` as an image; None for other types."""
    found = media_type(data)
    return None if found is None else AvatarImage(data, found, hashlib.sha256(data).hexdigest()[:32])


def media_type(data: bytes) -> str | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None
