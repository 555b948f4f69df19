"""A webhook as a host delivers it: raw bytes and headers, signed by the host's real algorithm."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener


@dataclasses.dataclass(frozen=True)
class Delivery:
    """One delivery; sent twice, it is a redelivery, with the same id. ``path`` is Podium's route for the host."""

    path: str
    body: bytes
    headers: Mapping[str, str]


def send(server_url: str, sent: Delivery) -> int:
    """Send it to a server as its host does; return the status of the answer."""
    request = Request(server_url + sent.path, data=sent.body, headers=dict(sent.headers), method="POST")
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=10) as response:
            return int(response.status)
    except HTTPError as error:
        error.close()
        return error.code


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
