"""A webhook as a host delivers it: raw bytes and headers, signed by the host's real algorithm."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode


@dataclasses.dataclass(frozen=True)
class Delivery:
    """One delivery; sent twice, it is a redelivery, with the same id. ``path`` is Podium's route for the host."""

    path: str
    body: bytes
    headers: Mapping[str, str]


def new_id() -> str:
    return str(uuid.uuid4())


def as_json(payload: Mapping[str, Any]) -> bytes:
    return json.dumps(payload).encode()


def as_form(payload: Mapping[str, Any]) -> bytes:
    """GitHub's other content type: the document in a form's field ``payload``."""
    return urlencode({"payload": json.dumps(payload)}).encode()


def signature(secret: str, body: bytes, algorithm: str = "sha256") -> str:
    """HMAC over the raw body, in hex."""
    return hmac.new(secret.encode(), body, getattr(hashlib, algorithm)).hexdigest()
