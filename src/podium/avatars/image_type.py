"""What is an image that may be shown. Pure.

The bytes decide, not what a host says of them: SVG and HTML can carry scripts, and are none of these
(https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern).
"""

from __future__ import annotations

import dataclasses
import hashlib


@dataclasses.dataclass(frozen=True, slots=True)
class Face:
    """One picture.

    Attributes:
        media_type: one of PNG, JPEG, GIF and WebP, by the signature of ``data``.
        digest: of ``data``, in hexadecimal.
    """

    data: bytes
    media_type: str
    digest: str


def face_of(data: bytes) -> Face | None:
    """The picture that ``data`` is; None where it is none of the four kinds."""
    kind = media_type(data)
    return None if kind is None else Face(data, kind, hashlib.sha256(data).hexdigest()[:32])


def media_type(data: bytes) -> str | None:
    """The kind of image that starts as ``data`` does, or None."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None
